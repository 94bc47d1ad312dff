"""What the other computer needs before it can train: a Python, our package, and what that needs.

<folder>/env-<digest>/        an environment of ours, with the pinned requirements; reused
<folder>/idiolect-<digest>/   our package, as it is here; reused
"""

from __future__ import annotations

import hashlib
import shlex
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from idiolect.errors import MachineFault
from idiolect.files import decode_json
from idiolect.machines.connection import exists, output_of, run
from idiolect.machines.described import SshBox
from idiolect.machines.transfer import Far, send
from idiolect.machines.wheel import requirements, write_wheel

if TYPE_CHECKING:
    import asyncssh

_EXTRAS = ("train", "export")
#: Of what pip says when it fails, what matters stands at the end.
_LAST_LINES, _MOST_SAID = 3, 1000
#: PyTorch and what it wants are a few gigabytes.
_INSTALL_SECONDS = 7200
_ABOUT = """
import json, os, sys
folder = sys.argv[1] if os.path.isabs(sys.argv[1]) else os.path.join(os.path.expanduser("~"), sys.argv[1])
os.makedirs(folder, mode=0o700, exist_ok=True)
print(json.dumps({"version": sys.version_info[:2], "python": sys.executable, "folder": folder}))
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
    """A computer that was looked at: its folder of ours (absolute), and its Python."""

    folder: str
    python: str


@dataclass(frozen=True)
class Installed:
    """How our package is run there."""

    python: str
    package: str


class _About(msgspec.Struct, frozen=True):
    version: tuple[int, int]
    python: str
    folder: str


async def look(connection: asyncssh.SSHClientConnection, box: SshBox) -> FarSide:
    """Make our folder there, and see what that computer is. Raises MachineFault without a Python that will do."""
    said = await output_of(connection, box.python, "-", box.folder, stdin=_ABOUT)
    try:
        about = decode_json(said, _About)
    except ValueError as error:
        raise MachineFault(
            f"{box.python} on {box.host} does not answer as Python does: {said.strip()[:80]!r}.",
            "Name another one in machines.toml: python = …",
        ) from error
    if about.version < (3, 11):
        major, minor = about.version
        raise MachineFault(
            f"{box.python} on {box.host} is Python {major}.{minor}; 3.11 or newer is needed.",
            "Name another one in machines.toml: python = …",
        )
    return FarSide(about.folder, about.python)


async def install(far: Far, box: SshBox, there: FarSide, tell: Callable[[str], None]) -> Installed:
    """Bring our package, and what it needs, to where they are not yet; another run may be about the same.

    Raises MachineFault, with the last that pip said, where that cannot be had there.
    """
    with tempfile.TemporaryDirectory() as folder:
        wheel = write_wheel(Path(folder))
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()[:12]
        package = f"{there.folder}/idiolect-{digest}"
        if not await exists(far.connection, package):
            arrived, unpacked = f"{package}.whl", f"{package}.{far.who}.partial"
            await send(far, wheel, arrived, lambda _: None)
            await output_of(far.connection, there.python, "-", arrived, package, unpacked, stdin=_UNPACK)
    python = await environment(far.connection, there, requirements(_EXTRAS), tell) if box.install else there.python
    return Installed(python, package)


async def environment(
    connection: asyncssh.SSHClientConnection, there: FarSide, needed: Sequence[str], tell: Callable[[str], None]
) -> str:
    """Return the Python of an environment that has what is needed; the file `ready` in it is written last.

    Whoever comes second waits for the first, also where that one's connection is cut: pip goes on there.
    """
    digest = hashlib.sha256("\n".join((there.python, *needed)).encode()).hexdigest()[:12]
    folder = f"{there.folder}/env-{digest}"
    python, ready = f"{folder}/bin/python", f"{folder}/ready"
    if await exists(connection, ready):
        return python
    tell("Installing there what training needs; the next run finds it.")
    once = f"test -e {shlex.quote(ready)} || {{ {' && '.join(_made(there.python, folder))}; }}"
    making = shlex.join(("flock", f"{folder}.lock", "sh", "-c", once))
    done = await run(connection, making, "".join(f"{line}\n" for line in needed), _INSTALL_SECONDS)
    if done.exit_status != 0:
        raise MachineFault(
            f"What training needs could not be installed there: {_end_of(done.stderr or done.stdout)}",
            "Mend it there, or install it there yourself and write install = false into machines.toml.",
        )
    return python


def _made(system: str, folder: str) -> Iterator[str]:
    """Yield the commands that make an environment of what comes in on standard input.

    What that computer's own Python has is seen in it, PyTorch for its GPU above all, and not fetched again; nor is its
    pip, where there is one.
    """
    python = f"{folder}/bin/python"
    yield shlex.join((system, "-m", "venv", "--clear", "--without-pip", "--system-site-packages", folder))
    yield f"{{ {shlex.join((python, '-c', 'import pip'))} 2>/dev/null || {shlex.join((python, '-m', 'ensurepip'))}; }}"
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", "/dev/stdin")
    yield shlex.join(pip)
    yield shlex.join(("touch", f"{folder}/ready"))


def _end_of(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return " ".join(lines[-_LAST_LINES:])[-_MOST_SAID:] or "it said nothing"
