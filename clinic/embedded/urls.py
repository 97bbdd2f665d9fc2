"""Where the private servers are. Only computes addresses; never starts, opens or creates anything.

Settings call these when an address is not in the environment, so that `manage.py` in a second
terminal reaches the demo that is running.
"""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import quote

REPOSITORY = Path(__file__).resolve().parents[2]

DATABASE = "clinic"
OWNER_ROLE = "clinic_owner"
APP_ROLE = "clinic_app"
SUPERUSER = "postgres"

POSTGRES_SOCKET_NAME = ".s.PGSQL.5432"
REDIS_SOCKET_NAME = "redis.sock"
# sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero included.
SOCKET_PATH_LIMIT = 100

FIRST_DERIVED_PORT = 20_000
DERIVED_PORTS = 12_000


def home() -> Path:
    """The folder that holds everything the demo keeps; `CLINIC_HOME` moves it."""
    chosen = os.environ.get("CLINIC_HOME")
    return Path(chosen).expanduser().resolve() if chosen else REPOSITORY / ".clinic"


def _digest(base: Path) -> str:
    return hashlib.sha256(os.fsencode(base)).hexdigest()


def socket_folder(base: Path | None = None) -> Path:
    """The folder of the sockets: `run` under base, or a short one when that path is too long."""
    base = base or home()
    wanted = base / "run"
    if len(os.fsencode(wanted / f"{POSTGRES_SOCKET_NAME}.lock")) <= SOCKET_PATH_LIMIT:
        return wanted
    # The user is part of the name so that two users of one clone never meet in one folder.
    return Path(tempfile.gettempdir()) / f"clinic-{os.getuid()}-{_digest(base)[:12]}"


def database_url(role: str = "app", base: Path | None = None, database: str = DATABASE) -> str:
    """The private PostgreSQL's address for `app`, `owner` or a role's own name."""
    user = {"app": APP_ROLE, "owner": OWNER_ROLE}.get(role, role)
    return f"postgresql://{user}@/{database}?host={quote(str(socket_folder(base)))}"


def redis_url(base: Path | None = None, number: int = 0) -> str:
    """The private Redis's address; `number` is the Redis database."""
    return f"unix://{quote(str(socket_folder(base) / REDIS_SOCKET_NAME))}?db={number}"


def port_file(name: str, base: Path | None = None) -> Path:
    """The file in which the mail sink writes the port that it really got."""
    return (base or home()) / f"{name}.port"


def _port(name: str, base: Path | None) -> int:
    """The port in use, or the one that will be tried first: always the same for one clone."""
    base = base or home()
    try:
        return int(port_file(name, base).read_text())
    except (OSError, ValueError):
        seed = int(_digest(base / name)[:8], 16)
        return FIRST_DERIVED_PORT + seed % DERIVED_PORTS


def mail_port(base: Path | None = None) -> int:
    """The loopback port of the sink's SMTP side."""
    return _port("smtp", base)


def sms_port(base: Path | None = None) -> int:
    """The loopback port of the sink's HTTP side, which stands in for an SMS gateway."""
    return _port("sms", base)


def email_url(base: Path | None = None) -> str:
    """The mail sink as an `EMAIL_URL`."""
    return f"smtp://127.0.0.1:{mail_port(base)}"


def sms_url(base: Path | None = None) -> str:
    """The mail sink's HTTP side as an `SMS_URL` that Apprise understands."""
    return f"json://127.0.0.1:{sms_port(base)}/sms"


def mailbox_folder(base: Path | None = None) -> Path:
    """Where the sink keeps what it was sent, one file for each message."""
    return (base or home()) / "mailbox"
