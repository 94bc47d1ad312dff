"""What the other computer needs before it can train: a Python, our package, and what that needs.

<folder>/env-<digest>/        an environment of ours, with the pinned requirements; reused
<folder>/idiolect-<digest>/   our package, as it is here; reused
"""

from __future__ import annotations

import hashlib
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from idiolect.errors import MachineFault
from idiolect.machines.connection import exists, output_of
from idiolect.machines.described import SshBox
from idiolect.machines.transfer import Far, send
from idiolect.machines.wheel import requirements, write_wheel

if TYPE_CHECKING:
    import asyncssh

_EXTRAS = ("train", "export")
_ABOUT = """
import json, os, shutil, subprocess, sys
folder = sys.argv[1] if os.path.isabs(sys.argv[1]) else os.path.join(os.path.expanduser("~"), sys.argv[1])
os.makedirs(folder, mode=0o700, exist_ok=True)
gpus = shutil.which("nvidia-smi")
query = [gpus, "--query-gpu=name", "--format=csv,noheader"]
named = subprocess.run(query, capture_output=True, text=True).stdout.split("\\n") if gpus else []
print(json.dumps({"version": sys.version_info[:2], "python": sys.executable, "folder": folder,
                  "free": shutil.disk_usage(folder).free, "gpus": [n for n in named if n]}))
"""
_UNPACK = """
import os, shutil, sys, zipfile
wheel, target, partial = sys.argv[1:]
zipfile.ZipFile(wheel).extractall(partial)
try:
    os.rename(partial, target)
except OSError:  # another run was as quick
    shutil.rmtree(partial)
"""


@dataclass(frozen=True)
class FarSide:
    """A computer that was looked at: its folder of ours (absolute), its Python, its free bytes and its GPUs."""

    folder: str
    python: str
    free: int
    gpus: tuple[str, ...]


@dataclass(frozen=True)
class Installed:
    """How our package is run there."""

    python: str
    package: str


async def look(connection: asyncssh.SSHClientConnection, box: SshBox) -> FarSide:
    """Make our folder there, and see what that computer is. Raises MachineFault without a Python that will do."""
    import msgspec

    about = msgspec.json.decode(await output_of(connection, box.python, "-", box.folder, stdin=_ABOUT))
    if about["version"] < [3, 11]:
        major, minor = about["version"]
        raise MachineFault(
            f"{box.python} on {box.host} is Python {major}.{minor}; 3.11 or newer is needed.",
            "Name another one in machines.toml: python = …",
        )
    return FarSide(about["folder"], about["python"], about["free"], tuple(about["gpus"]))


async def install(far: Far, box: SshBox, there: FarSide) -> Installed:
    """Bring our package, and what it needs, to where they are not yet; another run may be about the same."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = write_wheel(Path(folder))
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()[:12]
        package = f"{there.folder}/idiolect-{digest}"
        if not await exists(far.connection, package):
            arrived, unpacked = f"{package}.whl", f"{package}.{far.who}.partial"
            await send(far, wheel, arrived, lambda _: None)
            await output_of(far.connection, there.python, "-", arrived, package, unpacked, stdin=_UNPACK)
    python = await _environment(far.connection, there) if box.install else there.python
    return Installed(python, package)


async def _environment(connection: asyncssh.SSHClientConnection, there: FarSide) -> str:
    """Return the Python of an environment that has the requirements; the file `ready` in it is written last."""
    needed = "\n".join(requirements(_EXTRAS))
    digest = hashlib.sha256("\n".join((there.python, needed)).encode()).hexdigest()[:12]
    folder = f"{there.folder}/env-{digest}"
    python = f"{folder}/bin/python"
    if not await exists(connection, f"{folder}/ready"):
        # What that computer's own Python has, PyTorch for its GPU above all, is not fetched again.
        venv = (there.python, "-m", "venv", "--clear", "--system-site-packages", folder)
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", "/dev/stdin")
        steps = " && ".join(map(shlex.join, (venv, pip, ("touch", f"{folder}/ready"))))
        once = f"test -e {shlex.quote(f'{folder}/ready')} || {{ {steps}; }}"
        await output_of(connection, "flock", f"{folder}.lock", "sh", "-c", once, stdin=needed)
    return python
