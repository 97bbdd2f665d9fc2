"""The product's own settings, with the floor's addresses beside the product's."""

from clinic.settings import *  # noqa: F403
from clinic.settings import BASE_DIR, TEMPLATES

ROOT_URLCONF = "tests.bench.floor"
TEMPLATES[0]["DIRS"] = [*TEMPLATES[0]["DIRS"], BASE_DIR / "tests" / "bench" / "templates"]  # type: ignore[operator]
