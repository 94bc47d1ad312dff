"""Our own wheel, made from the package as it is installed here: what runs there is what runs here.

Format: Python packaging specification, "Binary distribution format".
"""

from __future__ import annotations

import base64
import hashlib
import re
import zipfile
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

_STAMP = (2026, 1, 1, 0, 0, 0)  # of every file in it: the same package is the same wheel


def write_wheel(folder: Path) -> Path:
    """Write idiolect-<version>-py3-none-any.whl into a folder."""
    package = Path(__file__).parent.parent
    about = distribution("idiolect")
    info = f"idiolect-{about.version}.dist-info"
    files = {f"idiolect/{f.relative_to(package)}": f.read_bytes() for f in sorted(package.rglob("*")) if _belongs(f)}
    files[f"{info}/METADATA"] = (about.read_text("METADATA") or "").encode()
    files[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: idiolect\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = [f"{name},sha256={_digest(content)},{len(content)}" for name, content in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""]).encode()
    wheel = folder / f"idiolect-{about.version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _STAMP), content)
    return wheel


def requirements(extras: tuple[str, ...]) -> list[str]:
    """Return what those extras need, all the way down, pinned to what is installed here.

    PyTorch is asked for by its least version only: which build a GPU wants, the other computer's own Python may know.
    """
    found: dict[str, str] = {}
    waiting = [("idiolect", frozenset(extras))]
    while waiting:
        name, wanted = waiting.pop()
        for needed in _needs(distribution(name), wanted):
            key = re.sub(r"[-_.]+", "-", needed.name).lower()
            if key == "torch":
                found[key] = f"torch{needed.specifier}"
            elif key not in found and (installed := _installed(key)):
                found[key] = f"{key}=={Version(installed.version).public}"
                waiting.append((key, frozenset(needed.extras)))
    return sorted(found.values())


def _needs(package: Distribution, extras: frozenset[str]) -> list[Requirement]:
    asked = [Requirement(line) for line in package.requires or ()]
    return [
        r for r in asked if r.marker is None or any(r.marker.evaluate({"extra": extra}) for extra in extras or {""})
    ]


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:  # needed on other systems only
        return None


def _belongs(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
