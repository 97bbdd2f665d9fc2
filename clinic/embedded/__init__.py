"""The demo's and the tests' private servers: PostgreSQL, Redis and a mail sink under `.clinic/`."""
