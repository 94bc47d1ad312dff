"""Where a run trains: the machine that was asked for, looked at before anything begins."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from idiolect.bases import BaseModel
from idiolect.config import Options, environment
from idiolect.errors import NeedsConsent, OptionFault, UserFault
from idiolect.export import is_foreign
from idiolect.home import Home, Profile, Run
from idiolect.machines import (
    LOCAL,
    RAY,
    RUNPOD,
    SSH,
    Account,
    Errand,
    RayCluster,
    Renting,
    SshBox,
    candidates,
    check,
    check_cluster,
    end_on_ray,
    end_rented,
    end_there,
    of_this_computer,
    ray_cluster,
    runpod_wishes,
    ssh_box,
    train_here,
    train_on_ray,
    train_rented,
    train_there,
)
from idiolect.training import Event, Trains
from idiolect.workflow.planning.fitting import Job, check_disk, check_memory, check_rented_disk
from idiolect.workflow.planning.price import foreseen
from idiolect.workflow.records.audit import audit

#: Train the bundle of a run on the base model in a folder; its outputs come back into the bundle. Returns, in a
#: sentence, what became of the data set where it was sent; empty if it was not.
Train = Callable[[Run, Path, Callable[[Event], None]], str]
#: End what still goes on elsewhere for a run, with what came of it fetched; say so in a line, empty if there was none.
End = Callable[[Run, Path], str]

#: What MetaHuman OS rents where nothing else is wished for, for an adapter and for a whole model.
_GPU = {
    "adapter": ("RUNPOD_GPU_TYPE", "NVIDIA GeForce RTX 4090"),
    "model": ("RUNPOD_GPU_TYPE_FULL", "NVIDIA A100 80GB PCIe"),
}


@dataclass(frozen=True)
class Machine:
    """Where a run trains, and whether its model file is made there, too."""

    train: Train
    end: End
    merges: bool = False


class NeedsMoney(NeedsConsent):
    """A pod costs money."""

    flag = "yes"


def machine(home: Home, job: Job) -> Machine:
    """Return where a run trains as it was asked for, having asked whether that machine is there, and suffices.

    Raises OptionFault for a machine that is not described, MachineFault for one that cannot be used or that is too
    small, and NeedsConsent for what only a person can say: whether an unknown computer is theirs, whether money may be
    spent.
    """
    name, options, profile = job.options.machine, job.options, job.profile
    found = described(home, profile, options, job.run.cycle.trains, job.base)
    job = replace(job, merges=found.merges)
    if name == LOCAL:
        check_memory(job, "This computer", of_this_computer())
    elif name.startswith(SSH):
        box = _box(home, profile, name)
        has = check(box, home.known_hosts, job_name(job.run), accept=options.accept_host_key)
        check_memory(job, box.host, has)
        check_disk(job, box.host, has)
    elif name.startswith(RAY):
        cluster = _cluster(home, profile, name)
        check_disk(job, cluster.folder, check_cluster(cluster, job_name(job.run)))
    elif name == RUNPOD:
        where = renting(home, profile, job.run.cycle.trains)
        check_rented_disk(job, where.wishes)
        _check_price(where, job)
    return found


def described(home: Home, profile: Profile, options: Options, trains: Trains, base: BaseModel) -> Machine:
    """Return where a run trains; nothing is asked of that machine. Raises OptionFault, and UserFault without a key."""
    name = options.machine
    check_described(home, profile, name)
    if name == LOCAL:
        return Machine(_train_here, lambda *_: "")
    merges = options.merge == "there" and not is_foreign(base.folder)
    if name.startswith(RAY):
        return _on_ray(home, profile, name, merges=merges)
    if name == RUNPOD:
        return _rented(home, profile, trains, merges=merges)
    return _behind_ssh(home, profile, name, merges=merges)


def check_described(home: Home, profile: Profile, name: str) -> None:
    """Raise OptionFault for a machine that is not described; nothing is asked of it."""
    if name == RUNPOD:
        runpod_wishes(_files(home, profile))
    elif name.startswith(SSH):
        _box(home, profile, name)
    elif name.startswith(RAY):
        _cluster(home, profile, name)
    elif name != LOCAL:
        raise OptionFault(f"There is no machine {name!r}.", f"Write {LOCAL}, {SSH}<name>, {RUNPOD} or {RAY}<name>.")


def renting(home: Home, profile: Profile | None = None, trains: Trains = "adapter") -> Renting:
    """Return the account and the wishes for pods. Raises UserFault without an API key."""
    paid_by = account(home)
    wishes = runpod_wishes(_files(home, profile))
    variable, usual = _GPU[trains]
    stated = environment(home)
    ours = {
        "gpus": wishes.gpus or (stated.get(variable) or usual,),
        "template": wishes.template or stated.get("RUNPOD_TEMPLATE_ID", ""),
    }
    return Renting(paid_by, wishes.model_copy(update=ours), home.pods)


def account(home: Home) -> Account:
    """Return the account at RunPod, by the environment or the home's .env. Raises UserFault without an API key."""
    key, url = environment(home).get("RUNPOD_API_KEY"), os.environ.get("RUNPOD_API_BASE_URL")
    if not key:
        raise UserFault(
            "RunPod wants an API key.", f"Set RUNPOD_API_KEY to one of yours, or write it to {home.dotenv}."
        )
    return Account(key, url) if url else Account(key)


def job_name(run: Run) -> str:
    """Name a run's job elsewhere: neither person nor date can be read from it."""
    return hashlib.sha256(run.label.encode()).hexdigest()[:16]


def _train_here(run: Run, base: Path, report: Callable[[Event], None]) -> str:
    train_here(run.bundle, base, run.printed, report)
    return ""


def _behind_ssh(home: Home, profile: Profile, name: str, *, merges: bool) -> Machine:
    box = _box(home, profile, name)

    def train(run: Run, base: Path, report: Callable[[Event], None]) -> str:
        _audit(profile, run, box.host)
        return train_there(box, home.known_hosts, _errand(run, base, merges=merges), report)

    def end(run: Run, base: Path) -> str:
        ended = end_there(box, home.known_hosts, _errand(run, base, merges=merges))
        return f"The job on {box.host} is ended. {ended}" if ended else ""

    return Machine(train, end, merges)


def _rented(home: Home, profile: Profile, trains: Trains, *, merges: bool) -> Machine:
    where = renting(home, profile, trains)

    def train(run: Run, base: Path, report: Callable[[Event], None]) -> str:
        _audit(profile, run, RUNPOD)
        return train_rented(where, _errand(run, base, merges=merges), report)

    return Machine(train, lambda run, base: end_rented(where, _errand(run, base, merges=merges)), merges)


def _on_ray(home: Home, profile: Profile, name: str, *, merges: bool) -> Machine:
    cluster = _cluster(home, profile, name)

    def train(run: Run, base: Path, report: Callable[[Event], None]) -> str:
        _audit(profile, run, cluster.address)
        return train_on_ray(cluster, _errand(run, base, merges=merges), report)

    def end(run: Run, base: Path) -> str:
        ended = end_on_ray(cluster, _errand(run, base, merges=merges))
        return f"The job on {name} is ended. {ended}" if ended else ""

    return Machine(train, end, merges)


def _check_price(where: Renting, job: Job) -> None:
    """Raise NeedsMoney, with what it will take, unless that was said yes to; MachineFault for a GPU too small."""
    first = candidates(where)[0]
    expected = foreseen(job.profile, job.options, job.run.cycle.trains, job.base, first)
    if not job.options.yes:
        raise NeedsMoney(
            f"This rents a GPU from RunPod, {first.gpu} first, at {first.price:.2f} $ an hour. {expected} "
            f"At most {where.wishes.max_cost:.2f} $ and {where.wishes.max_hours:g} hours.",
            "If that is right, answer yes, or run again with --yes.",
        )


def _box(home: Home, profile: Profile, name: str) -> SshBox:
    return ssh_box(name.removeprefix(SSH), _files(home, profile))


def _cluster(home: Home, profile: Profile, name: str) -> RayCluster:
    return ray_cluster(name.removeprefix(RAY), _files(home, profile))


def _files(home: Home, profile: Profile | None) -> list[Path]:
    return [home.machines_toml, *([profile.machines_toml] if profile else [])]


def _audit(profile: Profile, run: Run, host: str) -> None:
    audit(profile, "data_set_sent", {"run": run.label, "host": host}, category="data")


def _errand(run: Run, base: Path, *, merges: bool) -> Errand:
    mirrored = run.cycle.trains == "adapter"
    return Errand(run.bundle, base, job_name(run), mirrored=mirrored, merges=merges, bills=run.bills)
