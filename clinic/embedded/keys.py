"""The demo's own secrets: made once, kept under the demo's folder, readable by their owner only."""

import base64
import os
import secrets
from pathlib import Path

SECRET_KEY_NAME = "secret.key"  # noqa: S105  a file name
MEDIA_KEY_NAME = "media.key"
MEDIA_KEY_BYTES = 32


def ensure_keys(base: Path) -> None:
    """Make the signing key and the key of the stored files where they do not exist yet."""
    _write_once(base / SECRET_KEY_NAME, secrets.token_urlsafe(64))
    random = secrets.token_bytes(MEDIA_KEY_BYTES)
    _write_once(base / MEDIA_KEY_NAME, base64.b64encode(random).decode())


def _write_once(path: Path, text: str) -> None:
    if path.exists():
        return
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    # A link fails when another process was first, so no key is ever replaced.
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
