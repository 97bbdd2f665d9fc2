"""Fetch the front-end files we ship and write down exactly what they are.

    python scripts/vendor.py           fetch every package with `npm pack` and write the manifest
    python scripts/vendor.py --check   compare the files with the manifest; needs no network

Nothing is built at run time: the files below ``static/vendor`` are committed, and
``manifest.json`` beside them names the package, version, licence and SHA-256 of each file.
A version that is already in the manifest must come back with the same archive checksum.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VENDOR = Path(__file__).resolve().parent.parent / "static" / "vendor"
MANIFEST = VENDOR / "manifest.json"

# The icons in our sprite. The whole set is over a megabyte; this is the part of it we use.
ICONS = (Path(__file__).parent / "icons.txt").read_text().split()


@dataclass(frozen=True)
class Package:
    """One npm package at one version, and which of its files we keep under which name."""

    folder: str
    name: str
    version: str
    licence: str
    files: dict[str, str]  # path inside the package -> our name inside the folder


def _inter_subsets() -> dict[str, str]:
    subsets = ("latin", "latin-ext", "greek", "greek-ext", "cyrillic", "cyrillic-ext", "vietnamese")
    return {f"files/inter-{s}-wght-normal.woff2": f"inter-{s}.woff2" for s in subsets}


def _script(name: str, script: str) -> dict[str, str]:
    files = {f"files/{name}-{script}-{w}-normal.woff2": f"{name}-{w}.woff2" for w in (400, 600)}
    return files | {"LICENSE": "LICENSE"}


PACKAGES = (
    Package(
        "bootstrap",
        "bootstrap",
        "5.3.9",
        "MIT",
        {
            "dist/css/bootstrap.min.css": "bootstrap.min.css",
            "dist/js/bootstrap.bundle.min.js": "bootstrap.bundle.min.js",
            "LICENSE": "LICENSE",
        },
    ),
    Package("bootstrap-icons", "bootstrap-icons", "1.13.2", "MIT", {"LICENSE": "LICENSE"}),
    Package(
        "htmx",
        "htmx.org",
        "2.0.11",
        "0BSD",
        {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "LICENSE"},
    ),
    Package(
        "signature_pad",
        "signature_pad",
        "5.1.4",
        "MIT",
        {"dist/signature_pad.min.js": "signature_pad.min.js", "LICENSE": "LICENSE"},
    ),
    Package(
        "inter",
        "@fontsource-variable/inter",
        "5.3.0",
        "OFL-1.1",
        _inter_subsets() | {"LICENSE": "LICENSE"},
    ),
    # Whole, unsplit weights: the PDF renderer wants one file per weight.
    Package(
        "inter-print",
        "inter-ui",
        "4.1.1",
        "OFL-1.1",
        {
            "web/Inter-Regular.woff2": "Inter-Regular.woff2",
            "web/Inter-Italic.woff2": "Inter-Italic.woff2",
            "web/Inter-SemiBold.woff2": "Inter-SemiBold.woff2",
            "LICENSE.txt": "LICENSE",
        },
    ),
    # Each letter is one glyph, dots and all. Noto Sans Arabic puts letters together from bare
    # shapes and dots, so that text copied out of a PDF has other letters than one reads.
    Package(
        "plex-sans-arabic",
        "@fontsource/ibm-plex-sans-arabic",
        "5.3.0",
        "OFL-1.1",
        _script("ibm-plex-sans-arabic", "arabic"),
    ),
    Package(
        "noto-sans-hebrew",
        "@fontsource/noto-sans-hebrew",
        "5.3.0",
        "OFL-1.1",
        _script("noto-sans-hebrew", "hebrew"),
    ),
    Package(
        "event-calendar",
        "@event-calendar/build",
        "5.10.1",
        "MIT",
        {
            "dist/event-calendar.min.css": "event-calendar.min.css",
            "dist/event-calendar.min.js": "event-calendar.min.js",
        },
    ),
    # The reader alone: codes are read, never drawn.
    Package(
        "zxing-wasm",
        "zxing-wasm",
        "3.1.4",
        "MIT",
        {
            "dist/iife/reader/index.js": "reader.js",
            "dist/reader/zxing_reader.wasm": "zxing_reader.wasm",
            "LICENSE": "LICENSE",
        },
    ),
)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def pack(package: Package, into: Path) -> tuple[Path, str]:
    """Download the archive; return its path and the integrity string npm computed for it."""
    answer = subprocess.run(
        ["npm", "pack", "--json", f"{package.name}@{package.version}"],
        cwd=into,
        check=True,
        capture_output=True,
        text=True,
    )
    described: dict[str, Any] = json.loads(answer.stdout)[0]
    return into / described["filename"].replace("@", "").replace("/", "-"), described["integrity"]


def refuse_changed(package: Package, integrity: str, known: dict[str, Any]) -> None:
    """The same version must be the same archive; anything else is somebody's swap."""
    before = known.get(package.folder)
    if before and before["version"] == package.version and before["integrity"] != integrity:
        sys.exit(
            f"{package.name} {package.version} is not the archive it was. Nothing was changed."
        )


def without_source_map(data: bytes) -> bytes:
    """Drop the pointer to a map we do not ship; hashed static file names would fail on it."""
    return re.sub(rb"(?m)^\s*(//|/\*)# sourceMappingURL=.*$\n?", b"", data)


def copy_files(package: Package, archive: Path) -> dict[str, str]:
    """Write the package's chosen files; return our file name -> SHA-256."""
    folder = VENDOR / package.folder
    folder.mkdir(parents=True, exist_ok=True)
    sums: dict[str, str] = {}
    with tarfile.open(archive) as tar:
        for source, target in package.files.items():
            member = tar.extractfile(f"package/{source}")
            if member is None:
                sys.exit(f"{package.name} has no file {source}")
            data = member.read()
            if target.endswith((".js", ".css")):
                data = without_source_map(data)
            (folder / target).write_bytes(data)
            sums[target] = sha256(data)
        if package.folder == "bootstrap-icons":
            sums["icons.svg"] = write_sprite(tar, folder / "icons.svg")
    return sums


def write_sprite(tar: tarfile.TarFile, target: Path) -> str:
    """Gather ICONS into one SVG of symbols; return its SHA-256."""
    symbols = []
    for name in sorted(set(ICONS)):
        member = tar.extractfile(f"package/icons/{name}.svg")
        if member is None:
            sys.exit(f"bootstrap-icons has no icon {name}")
        drawing = re.sub(r"^<svg[^>]*>|</svg>\s*$", "", member.read().decode().strip())
        symbols.append(f'<symbol id="{name}" viewBox="0 0 16 16">{drawing.strip()}</symbol>')
    body = "\n".join(symbols)
    data = (
        f'<svg xmlns="http://www.w3.org/2000/svg" fill="currentColor">\n{body}\n</svg>\n'.encode()
    )
    target.write_bytes(data)
    return sha256(data)


def fetch() -> None:
    known = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else {}
    manifest: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for package in PACKAGES:
            archive, integrity = pack(package, Path(scratch))
            refuse_changed(package, integrity, known)
            manifest[package.folder] = {
                "name": package.name,
                "version": package.version,
                "licence": package.licence,
                "integrity": integrity,
                "files": copy_files(package, archive),
            }
            print(
                f"{package.name} {package.version}: {len(manifest[package.folder]['files'])} files"
            )
    MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n")


def differences() -> list[str]:
    """Files on disk that are missing, changed, or not in the manifest; empty when all is well."""
    manifest = json.loads(MANIFEST.read_text())
    expected = {
        f"{folder}/{name}": checksum
        for folder, package in manifest.items()
        for name, checksum in package["files"].items()
    }
    present = {
        path.relative_to(VENDOR).as_posix(): sha256(path.read_bytes())
        for path in VENDOR.rglob("*")
        if path.is_file() and path != MANIFEST
    }
    return sorted(
        name for name in expected.keys() | present.keys() if expected.get(name) != present.get(name)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Fetch or check the vendored front-end files.")
    parser.add_argument("--check", action="store_true", help="compare the files with the manifest")
    if not parser.parse_args().check:
        fetch()
    if wrong := differences():
        sys.exit("Not as the manifest says: " + ", ".join(wrong))
    print("Every vendored file is as the manifest says.")


if __name__ == "__main__":
    main()
