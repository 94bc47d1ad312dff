"""machines.toml: the other computers that a person may train on.

    [ssh.box]
    host = "box.local"        # or a name from ~/.ssh/config
    python = "python3"

`etc/machines.toml` is for everybody in a home, `profiles/<user>/etc/machines.toml` goes over it, machine by machine.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from idiolect.errors import OptionFault

LOCAL = "local"
SSH = "ssh:"


class SshBox(BaseModel):
    """A computer that answers ssh."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    host: str
    """Its name or address, or a name from ~/.ssh/config, whose settings then hold."""
    port: int | None = Field(default=None, ge=1, le=65535)
    """Where ssh answers, if neither at 22 nor as ~/.ssh/config says."""
    user: str | None = None
    """Who to log in as, if not as ~/.ssh/config says."""
    identity: str | None = None
    """A private key file, if neither ssh-agent nor the usual files hold the key."""
    jump: str | None = None
    """Hosts to go through, as `ssh -J` takes them."""
    folder: str = ".idiolect"
    """Where our things are kept there, below the login's home."""
    python: str = "python3"
    """Python 3.11 or newer there."""
    install: bool = True
    """Whether to install what training needs into an environment of ours there; without, that Python must have it."""


def ssh_box(name: str, files: list[Path]) -> SshBox:
    """Return the machine that `ssh:<name>` means; later files go over earlier ones. Raises OptionFault."""
    boxes: dict[str, Any] = {}
    for path in files:
        boxes |= _boxes(path)
    if name not in boxes:
        known = ", ".join(f"{SSH}{box}" for box in boxes) or "none"
        raise OptionFault(
            f"There is no machine {SSH}{name} in {' or '.join(map(str, files))}; known: {known}.",
            f'Describe it there: [ssh.{name}] and below it host = "…".',
        )
    try:
        return SshBox.model_validate(boxes[name])
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise OptionFault(f"The machine {SSH}{name} is described wrongly: {faults}", "Mend machines.toml.") from error


def _boxes(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionFault(
            f"{path} cannot be read: {error}", "It must be TOML, with a table [ssh.<name>] a box."
        ) from error
    unknown = content.keys() - {"ssh"}
    if unknown or not isinstance(content.get("ssh", {}), dict):
        raise OptionFault(f"{path}: unknown tables {', '.join(sorted(unknown))}.", "Write [ssh.<name>] for each box.")
    return dict(content.get("ssh", {}))
