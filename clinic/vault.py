"""Files at rest: AES-256-GCM around Django's file storage. Nothing readable reaches the disk."""

from __future__ import annotations

import base64
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage

NONCE_BYTES = 12
KEY_BYTES = 32


@lru_cache(maxsize=4)
def _cipher(key_file: str) -> AESGCM:
    key = base64.b64decode(Path(key_file).read_text().strip())
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(
            "MEDIA_KEY_FILE must hold 32 random bytes as base64; make one with: "
            "python -c 'import os, base64; print(base64.b64encode(os.urandom(32)).decode())'"
        )
    return AESGCM(key)


def seal(content: bytes, *, name: str) -> bytes:
    """Encrypt; the stored name is authenticated too, so files cannot be swapped for one another."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher(settings.MEDIA_KEY_FILE).encrypt(nonce, content, name.encode())


def unseal(sealed: bytes, *, name: str) -> bytes:
    """Decrypt. Raises `cryptography.exceptions.InvalidTag` for a changed or exchanged file."""
    nonce, content = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    return _cipher(settings.MEDIA_KEY_FILE).decrypt(nonce, content, name.encode())


class EncryptedFileStorage(FileSystemStorage):
    """The default storage: local files, encrypted before they are written. It has no URLs."""

    def _save(self, name: str, content: File[Any]) -> str:
        sealed = seal(content.read(), name=name)
        saved: str = super()._save(name, ContentFile(sealed))  # type: ignore[misc]
        if saved != name:
            # The name is part of the seal; names are unique by construction, so this is a fault.
            self.delete(saved)
            raise FileExistsError(name)
        return saved

    def _open(self, name: str, mode: str = "rb") -> File[Any]:
        with super()._open(name, "rb") as sealed:  # type: ignore[misc]
            return ContentFile(unseal(sealed.read(), name=name), name=name)

    def url(self, name: str | None) -> str:
        raise ValueError("Stored files are given out by a view that asks who is asking.")
