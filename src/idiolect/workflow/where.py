"""Where a run trains: the machine that was asked for, looked at before anything begins."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from idiolect.config import Options
from idiolect.errors import NeedsConsent, OptionFault, UserFault
from idiolect.home import Home, Profile, Run
from idiolect.machines import (
    LOCAL,
    RUNPOD,
    SSH,
    Account,
    Errand,
    Renting,
    RunPodWishes,
    candidates,
    check,
    runpod_wishes,
    ssh_box,
    train_here,
    train_rented,
    train_there,
)
from idiolect.training import Event
from idiolect.workflow.audit import audit

#: Train the bundle of a run on the base model in a folder; its outputs come back into the bundle.
Train = Callable[[Run, Path, Callable[[Event], None]], None]

#: What MetaHuman OS rents where nothing else is wished for, for an adapter and for a whole model.
_GPU = {
    "adapter": ("RUNPOD_GPU_TYPE", "NVIDIA GeForce RTX 4090"),
    "model": ("RUNPOD_GPU_TYPE_FULL", "NVIDIA A100 80GB PCIe"),
}


def machine(home: Home, profile: Profile, options: Options, trains: str) -> Train:
    """Return how a run trains where it was asked to.

    Raises OptionFault for a machine that is not described, MachineFault for one that cannot be used, and NeedsConsent
    for what only a person can say: whether an unknown computer is theirs, whether money may be spent.
    """
    name = options.machine
    check_described(home, profile, name)
    if name == LOCAL:
        return lambda run, base, report: train_here(run.bundle, base, run.printed, report)
    if name == RUNPOD:
        return _rented(home, profile, options, trains)
    box = ssh_box(name.removeprefix(SSH), [home.machines_toml, profile.machines_toml])
    check(box, home.known_hosts, accept=options.accept_host_key)

    def train(run: Run, base: Path, report: Callable[[Event], None]) -> None:
        audit(profile, "data_set_sent", {"run": run.label, "host": box.host}, category="data")
        train_there(box, home.known_hosts, _errand(run, base), report)

    return train


def check_described(home: Home, profile: Profile, name: str) -> None:
    """Raise OptionFault for a machine that is not described; nothing is asked of it."""
    files = [home.machines_toml, profile.machines_toml]
    if name == RUNPOD:
        runpod_wishes(files)
    elif name.startswith(SSH):
        ssh_box(name.removeprefix(SSH), files)
    elif name != LOCAL:
        raise OptionFault(f"There is no machine {name!r}.", f"Write {LOCAL}, {SSH}<name> or {RUNPOD}.")


def renting(home: Home, profile: Profile | None = None, trains: str = "adapter") -> Renting:
    """Return the account and the wishes for pods. Raises UserFault without an API key."""
    key = os.environ.get("RUNPOD_API_KEY")
    if not key:
        raise UserFault("RunPod wants an API key.", "Set RUNPOD_API_KEY to one of yours.")
    wishes = runpod_wishes([home.machines_toml, *([profile.machines_toml] if profile else [])])
    variable, usual = _GPU[trains]
    ours = {
        "gpus": wishes.gpus or (os.environ.get(variable) or usual,),
        "template": wishes.template or os.environ.get("RUNPOD_TEMPLATE_ID", ""),
    }
    url = os.environ.get("RUNPOD_API_BASE_URL")
    account = Account(key, url) if url else Account(key)
    return Renting(account, wishes.model_copy(update=ours), home.pods)


def _rented(home: Home, profile: Profile, options: Options, trains: str) -> Train:
    where = renting(home, profile, trains)
    if not options.yes:
        raise _consent(where.wishes, candidates(where)[0].price)

    def train(run: Run, base: Path, report: Callable[[Event], None]) -> None:
        audit(profile, "data_set_sent", {"run": run.label, "host": RUNPOD}, category="data")
        train_rented(where, _errand(run, base), report)

    return train


class NeedsMoney(NeedsConsent):
    """A pod costs money."""

    flag = "yes"


def _consent(wishes: RunPodWishes, price: float) -> NeedsMoney:
    return NeedsMoney(
        f"This rents a GPU from RunPod, {wishes.gpus[0]} first, at {price:.2f} $ an hour: "
        f"at most {wishes.max_cost:.2f} $ and {wishes.max_hours:g} hours.",
        "`idiolect plan` estimates how long it takes. If that is right, answer yes, or run again with --yes.",
    )


def _errand(run: Run, base: Path) -> Errand:
    return Errand(run.bundle, base, job_name(run), mirrored=run.cycle.trains == "adapter")


def job_name(run: Run) -> str:
    """Name a run's job elsewhere: neither person nor date can be read from it."""
    return hashlib.sha256(run.label.encode()).hexdigest()[:16]
