"""Asks the web server of this container whether it is alive; exit code 0 when it is.

Uses nothing but the standard library: it runs every half minute.
"""

import http.client
import os
import sys


def main() -> int:
    """Ask /health/live with a host name that the settings admit."""
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].strip().lstrip(".")
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), 5)
    try:
        connection.request("GET", "/health/live", headers={"Host": host})
        return int(connection.getresponse().status != http.HTTPStatus.OK)
    except (OSError, http.client.HTTPException):
        return 1


if __name__ == "__main__":
    sys.exit(main())
