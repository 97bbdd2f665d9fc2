"""Files at rest: AES-256-GCM around Django's file storage. Nothing readable reaches the disk."""

from __future__ import annotations

import base64
import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage

NONCE_BYTES = 12
KEY_BYTES = 32


class StoredFileDamaged(Exception):
    """A stored file is gone, or no longer what was stored."""


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


def keep(name: str, content: bytes) -> str:
    """Store under a name, in place of what a lost worker left there; the SHA-256 of the content."""
    default_storage.delete(name)
    default_storage.save(name, ContentFile(content))
    return hashlib.sha256(content).hexdigest()


def read_kept(name: str, *, sha256: str = "") -> bytes:
    """What was stored under a name, and has this hash if one is given.

    Raises `StoredFileDamaged` when it is gone or has been changed.
    """
    try:
        with default_storage.open(name) as stored:
            content: bytes = stored.read()
    except (FileNotFoundError, InvalidTag) as error:
        raise StoredFileDamaged(name) from error
    if sha256 and hashlib.sha256(content).hexdigest() != sha256:
        raise StoredFileDamaged(name)
    return content


def forget(name: str) -> None:
    """Erase what is stored under a name; nothing happens where it is gone already."""
    default_storage.delete(name)
