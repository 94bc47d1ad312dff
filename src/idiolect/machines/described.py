"""machines.toml: the other computers that a person may train on.

    [ssh.box]
    host = "box.local"        # or a name from ~/.ssh/config
    python = "python3"

    [runpod]
    gpus = ["NVIDIA GeForce RTX 4090"]
    max_cost = 5.0

    [ray.lab]
    address = "http://head:8265"
    folder = "/shared/idiolect"
    workers = 2

`etc/machines.toml` is for everybody in a home, `profiles/<user>/etc/machines.toml` goes over it, machine by machine.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from idiolect.errors import OptionFault

_M = TypeVar("_M", bound=BaseModel)

LOCAL = "local"
SSH = "ssh:"
RUNPOD = "runpod"
RAY = "ray:"
_TABLES = ("ssh", "runpod", "ray")


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
    """Hosts to go through, as `ssh -J` takes them; their keys are those of ssh-agent or ~/.ssh/config."""
    folder: str = ".idiolect"
    """Where our things are kept there, below the login's home."""
    python: str = "python3"
    """Python 3.11 or newer there."""
    install: bool = True
    """Whether to install what training needs into an environment of ours there; without, that Python must have it."""


class RunPodWishes(BaseModel):
    """What may be rented from RunPod, and for how much."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    gpus: tuple[str, ...] = ()
    """GPU types in the order in which they are tried, by RunPod's ids; else RUNPOD_GPU_TYPE (or …_FULL)."""
    clouds: tuple[Literal["SECURE", "COMMUNITY"], ...] = ("SECURE",)
    """Whose computers: RunPod's partners' data centres, or those of anybody."""
    data_centres: tuple[str, ...] = ()
    """Only there, if any are named: a hard limit."""
    image: str = "runpod/pytorch:1.0.2-cu1281-torch280-ubuntu2404"
    """The container image; it must start an ssh server for PUBLIC_KEY, as RunPod's own do."""
    template: str = ""
    """A template's id instead of an image; else RUNPOD_TEMPLATE_ID."""
    start: str = "/start.sh"
    """What the image starts with; a timer that ends the pod is put before it."""
    min_cuda: str = "12.8"
    """The least CUDA version of the host's driver."""
    disk_gb: Annotated[int, Field(ge=20)] = 120
    """Room for the base model, checkpoints and results."""
    max_price_per_hour: Annotated[float, Field(gt=0)] = 1.0
    """Dollars; a dearer GPU is not taken."""
    max_cost: Annotated[float, Field(gt=0)] = 10.0
    """Dollars; when they are spent the last checkpoint is fetched and the pod given back."""
    max_hours: Annotated[float, Field(gt=0)] = 12.0
    """After these the pod ends by itself."""
    spare_seconds: Annotated[float, Field(ge=0)] = 300.0
    """So long before the deadline the last checkpoint is fetched."""
    user: str = "root"
    """Who to log in as."""
    folder: str = "/workspace/idiolect"
    """Where our things are kept there."""
    python: str = "python3"
    """Python 3.11 or newer there."""
    install: bool = True
    """Whether to install what training needs into an environment of ours there."""


class RayCluster(BaseModel):
    """A Ray cluster that runs already, and a disk that its nodes and this computer share."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    address: str
    """Where its Jobs API answers, as http://head:8265."""
    folder: str
    """A folder of ours on a disk that all of its nodes and this computer see under this path."""
    workers: Annotated[int, Field(ge=1)] = 1
    """How many processes train together."""
    gpu: bool = True
    """Whether each of them has a GPU."""
    cpus: Annotated[float, Field(gt=0)] = 1
    """How many CPUs each of them has."""
    retries: Annotated[int, Field(ge=0)] = 3
    """How often Ray begins anew, from the last checkpoint, when a worker is lost."""
    python: str = "python"
    """Python 3.11 or newer there, with Ray."""
    install: bool = True
    """Whether Ray is to install what training needs for the job; without, that Python must have it."""


@dataclass(frozen=True)
class Described:
    """All machines of a person, by name, and what is wished of RunPod."""

    ssh: Mapping[str, SshBox]
    ray: Mapping[str, RayCluster]
    runpod: RunPodWishes


def described(files: Sequence[Path]) -> Described:
    """Read machines.toml; of later files a machine goes over an earlier one, and RunPod's keys one by one.

    Raises OptionFault with every fault of every file.
    """
    faults: list[str] = []
    merged: dict[str, dict[str, Any]] = {table: {} for table in _TABLES}
    for path in files:
        for table, content in _tables(path, faults).items():
            merged[table] |= content
    found = Described(
        _all_made(SshBox, "ssh", merged["ssh"], faults),
        _all_made(RayCluster, "ray", merged["ray"], faults),
        _made(RunPodWishes, "runpod", merged["runpod"], faults) or RunPodWishes(),
    )
    if faults:
        where = " or ".join(str(path) for path in files if path.exists())
        raise OptionFault(f"{'; '.join(faults)}.", f"Mend {where}; docs/machines.md says what may stand there.")
    return found


def runpod_wishes(files: Sequence[Path]) -> RunPodWishes:
    """Return what is wished of RunPod. Raises OptionFault."""
    return described(files).runpod


def ssh_box(name: str, files: Sequence[Path]) -> SshBox:
    """Return the machine that `ssh:<name>` means. Raises OptionFault."""
    return _named(described(files).ssh, SSH, name, files, 'host = "…"')


def ray_cluster(name: str, files: Sequence[Path]) -> RayCluster:
    """Return the cluster that `ray:<name>` means. Raises OptionFault."""
    return _named(described(files).ray, RAY, name, files, 'address = "…" and folder = "…"')


def _named(known: Mapping[str, _M], prefix: str, name: str, files: Sequence[Path], least: str) -> _M:
    if name not in known:
        others = ", ".join(f"{prefix}{other}" for other in known) or "none"
        raise OptionFault(
            f"There is no machine {prefix}{name} in {' or '.join(map(str, files))}; known: {others}.",
            f"Describe it there: [{prefix.removesuffix(':')}.{name}] and below it {least}.",
        )
    return known[name]


def _all_made(kind: type[_M], table: str, content: Mapping[str, Any], faults: list[str]) -> dict[str, _M]:
    made = {name: _made(kind, f"{table}.{name}", machine, faults) for name, machine in content.items()}
    return {name: machine for name, machine in made.items() if machine}


def _made(kind: type[_M], where: str, content: Any, faults: list[str]) -> _M | None:
    """Return what a table describes, or None, with what is wrong added to the faults."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        faults += [f"[{where}] {_said(kind, told)}" for told in error.errors()]
        return None


def _said(kind: type[BaseModel], told: Any) -> str:
    name = ".".join(map(str, told["loc"]))
    if told["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, kind.model_fields, n=1)
        return f"unknown key {name!r}" + (f" (did you mean {near[0]!r}?)" if near else "")
    return f"{name}: {told['msg']}" if name else "is no table"


def _tables(path: Path, faults: list[str]) -> dict[str, dict[str, Any]]:
    """Return the tables of a file that we know, with what is wrong with others added to the faults."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        faults.append(f"{path} cannot be read as TOML: {error}")
        return {}
    odd = sorted(name for name, table in content.items() if name not in _TABLES or not isinstance(table, dict))
    faults += [f"{path}: unknown table {name!r}; known: [ssh.<name>], [runpod], [ray.<name>]" for name in odd]
    return {name: table for name, table in content.items() if name not in odd}
