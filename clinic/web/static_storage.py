"""Static files under the names of their content."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import HashedFilesMixin, ManifestStaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage

IMPORTS: Any = HashedFilesMixin._js_module_import_aggregation_patterns[1]  # type: ignore[attr-defined]


class KeptUrls:
    """Each address is composed once: a page names two dozen, and only a release changes them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept: dict[str, str] = {}

    def url(self, name: Any, force: bool = False) -> str:
        if settings.DEBUG or force:
            return str(super().url(name, force))  # type: ignore[misc]
        if name not in self.kept:
            self.kept[name] = str(super().url(name))  # type: ignore[misc]
        return self.kept[name]


class HashedStorage(KeptUrls, ManifestStaticFilesStorage):
    """Hashes the imports between the clinic's own JavaScript modules too.

    Without that a page loads `clinic.<hash>.js` from its head and `clinic.js` from another module's
    import: two copies, each with its own listeners, and the second takes every form for one that
    has already been sent. Only for `js/`: packages write `import` in comments.
    """

    patterns = (*ManifestStaticFilesStorage.patterns, ("js/*.js", IMPORTS))


class CompressedHashedStorage(KeptUrls, CompressedManifestStaticFilesStorage):
    """The same, each file also compressed beforehand for WhiteNoise."""

    patterns = HashedStorage.patterns
