"""Static files under the names of their content."""

from __future__ import annotations

from typing import Any

from django.contrib.staticfiles.storage import HashedFilesMixin, ManifestStaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

IMPORTS: Any = HashedFilesMixin._js_module_import_aggregation_patterns[1]  # type: ignore[attr-defined]


class HashedStorage(ManifestStaticFilesStorage):
    """Hashes the imports between the clinic's own JavaScript modules too.

    Without that a page loads `clinic.<hash>.js` from its head and `clinic.js` from another module's
    import: two copies, each with its own listeners, and the second takes every form for one that
    has already been sent. Only for `js/`: packages write `import` in comments.
    """

    patterns = (*ManifestStaticFilesStorage.patterns, ("js/*.js", IMPORTS))


class CompressedHashedStorage(CompressedManifestStaticFilesStorage):
    """The same, each file also compressed beforehand for WhiteNoise."""

    patterns = HashedStorage.patterns
