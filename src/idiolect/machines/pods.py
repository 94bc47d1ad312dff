"""A rented pod that is always given back: chosen by price, its identity pinned, ended by a timer of its own if need be.

What is rented is written down before it is asked for, in a lease below `<home>/state/pods/`. A pod is named
`idiolect-<job>-<deadline>`, so that any later call finds it, whoever made it and however it ended.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from idiolect.errors import IdiolectError, MachineFault, RunFailed
from idiolect.files import remove, write_json
from idiolect.machines import runpod_api as api
from idiolect.machines.connection import Unreachable
from idiolect.machines.described import RunPodWishes, SshBox
from idiolect.machines.leases import Lease, read_lease, spent, write_bill
from idiolect.machines.runpod_api import Pod, Wish
from idiolect.machines.runpod_calls import Account, NoCapacity
from idiolect.machines.ssh import has_gpu
from idiolect.training import Event, Note

PREFIX = "idiolect-"
_NAME = re.compile(rf"{PREFIX}(?P<job>[0-9a-z]+)-(?P<deadline>\d+)")
#: From RUNNING to an open port takes a minute or two; a pod that needs longer has a bad host (no driver, no disk).
_READY_SECONDS = 600
_POLL_SECONDS, _SCAN_SECONDS = 5.0, 30
#: So long a pod may be there that was asked for, and that the list of pods does not show.
_LAG_SECONDS = 300
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
#: What a pod does by itself at its deadline, with the key that RunPod gives every pod for itself.
_END = (
    "import os,urllib.request as u;"
    "u.urlopen(u.Request(os.environ.get('IDIOLECT_RUNPOD_API','https://api.runpod.io')+'/v2/pods/'"
    "+os.environ['RUNPOD_POD_ID'],method='DELETE',headers={'Authorization':'Bearer '+os.environ['RUNPOD_API_KEY']}))"
)


@dataclass(frozen=True)
class Candidate:
    """A GPU in a cloud, at a price."""

    gpu: str
    cloud: str
    price: float
    availability: str


@dataclass(frozen=True)
class Renting:
    """Where and how pods are rented: the account, what is wished for, and the folder of the leases."""

    account: Account
    wishes: RunPodWishes
    leases: Path

    def lease_file(self, job: str) -> Path:
        return self.leases / job / "lease.json"

    def identity(self, job: str) -> Path:
        return self.leases / job / "identity"

    def known_hosts(self, job: str) -> Path:
        return self.leases / job / "known_hosts"

    def box(self, lease: Lease) -> SshBox:
        return SshBox(
            host=lease.host,
            port=lease.port,
            user=self.wishes.user,
            identity=str(self.identity(lease.job)),
            folder=self.wishes.folder,
            python=self.wishes.python,
            install=self.wishes.install,
        )


def candidates(renting: Renting) -> list[Candidate]:
    """Return what may be rented, the wished-for GPUs in their order, those in stock first. Raises MachineFault."""
    offered = api.prices(renting.account)
    wanted = [(gpu, cloud) for gpu in renting.wishes.gpus for cloud in renting.wishes.clouds]
    found = [Candidate(*where, *offered[where]) for where in wanted if where in offered]
    cheap = [c for c in found if c.price <= renting.wishes.max_price_per_hour]
    if not cheap:
        seen = ", ".join(f"{c.gpu} {c.price:.2f} ({c.cloud})" for c in found) or "none of them"
        raise MachineFault(
            f"RunPod offers no GPU that was wished for at {renting.wishes.max_price_per_hour:.2f} $/h or less: {seen}.",
            "Name other GPUs, or a higher max_price_per_hour, below [runpod] in machines.toml.",
        )
    return sorted(cheap, key=lambda c: c.availability == "NONE")


def rent(
    renting: Renting, job: str, report: Callable[[Event], None], bills: Path | None = None, paid: float = 0.0
) -> Lease:
    """Rent a pod for a job and wait until it can be reached; what cannot is given back, and the next one tried.

    What each has cost goes into the folder `bills` when it is given back; `paid` dollars count as spent already.
    Raises NoCapacity with the last refusal when none of the candidates could be had, and RunFailed at a ceiling.
    """
    make_identity(renting.identity(job))
    last: IdiolectError = NoCapacity("RunPod has none of the GPUs.", "Name others, or try later.")
    for candidate in candidates(renting):
        now = time.time()
        deadline = now + renting.wishes.max_hours * 3600
        lease = Lease(job, f"{PREFIX}{job}-{deadline:.0f}", deadline, asked=now, bills=str(bills or ""))
        write_json(renting.lease_file(job), lease)
        try:
            return _rented(renting, lease, candidate, report, paid)
        except (NoCapacity, NotReady) as fault:
            last = fault
            give_back(renting, job, keep_identity=True)
            report(Note(f"{candidate.gpu} ({candidate.cloud}): {fault.problem}"))
        except BaseException:
            give_back(renting, job)
            raise
    remove(renting.lease_file(job).parent)
    raise last


def _rented(
    renting: Renting, lease: Lease, candidate: Candidate, report: Callable[[Event], None], paid: float
) -> Lease:
    """Rent one; return its lease when it can be used. Raises NoCapacity if it is not to be had, or NotReady."""
    made = api.create(renting.account, _wish(renting, lease, candidate))
    price = made.cost_per_hour or candidate.price
    lease = msgspec.structs.replace(lease, pod=made.id, began=time.time(), cost_per_hour=price)
    write_json(renting.lease_file(lease.job), lease)
    _check_price(renting, price)
    report(Note(f"Rented {candidate.gpu} ({candidate.cloud}) for {price:.2f} $/h."))
    lease = _reachable(renting, lease, paid)
    write_json(renting.lease_file(lease.job), lease)
    _check_hardware(renting, lease, made, candidate)
    return lease


def _check_price(renting: Renting, price: float) -> None:
    """Raise NotReady for what costs more than was wished for, whatever the catalogue had said."""
    if price > renting.wishes.max_price_per_hour:
        raise NotReady(f"the pod costs {price:.2f} $/h, and not what was offered", "Another one is tried.")


class NotReady(MachineFault):
    """A pod that was rented and cannot be used."""


def leased(renting: Renting, job: str) -> Lease | None:
    """Return the lease of a job whose pod still runs; of another kind nothing is left when this returns."""
    lease = read_lease(renting.lease_file(job))
    if lease is None:
        return None
    now = api.pod(renting.account, lease.pod) if lease.pod and lease.host else None
    if now and now.status == "RUNNING" and now.ssh:
        host, port = now.ssh
        return msgspec.structs.replace(lease, host=host, port=port)
    give_back(renting, job)
    return None


def give_back(renting: Renting, job: str, *, keep_identity: bool = False) -> list[Pod]:
    """End the pod in a job's lease, and every other that bears the job's name; return them.

    Lease and key are forgotten when RunPod says that the pods are gone. Raises MachineFault while one may be there.
    """
    lease = read_lease(renting.lease_file(job))
    pods, fault = _pods_of(renting, job, lease)
    for pod in pods:
        try:
            api.terminate(renting.account, pod.id)
        except MachineFault as stays:
            fault = stays
    if fault:
        raise fault
    write_bill(lease)
    if not pods and lease and time.time() - lease.asked < _LAG_SECONDS:
        return []  # what was asked for may yet come; `reap` looks again
    if not keep_identity:
        remove(renting.lease_file(job).parent)
    return pods


def _pods_of(renting: Renting, job: str, lease: Lease | None) -> tuple[list[Pod], MachineFault | None]:
    """Return a job's pods, that of its lease first, and why others may be missing."""
    leased = [Pod(lease.pod, lease.name, "", lease.cost_per_hour, "", None)] if lease and lease.pod else []
    pods = {pod.id: pod for pod in leased}
    try:
        for found in api.all_pods(renting.account):
            named = _NAME.fullmatch(found.name)
            if named and named["job"] == job and found.status != "TERMINATED":
                pods[found.id] = found
    except MachineFault as fault:
        # The lease's own is ended all the same.
        return leased, None if leased else fault
    return list(pods.values()), None


def reap(renting: Renting, goes_on: Callable[[str], bool]) -> Iterator[Pod]:
    """End, and yield, the pods that nobody needs: past their deadline, or of a job of ours that has ended.

    `goes_on` says whether a job may still be gone on with. Pods that another computer rented are left alone until
    their deadline. What cannot be ended stops nothing else; raises MachineFault for it at the end.
    """
    faults: list[MachineFault] = []
    for job in sorted(folder.name for folder in renting.leases.iterdir()) if renting.leases.is_dir() else ():
        lease = read_lease(renting.lease_file(job))
        if goes_on(job) and not (lease and time.time() > lease.deadline):
            continue
        try:
            yield from give_back(renting, job)
        except MachineFault as fault:
            faults.append(fault)
    try:
        for found in list(api.all_pods(renting.account)):
            named = _NAME.fullmatch(found.name)
            if named and found.status != "TERMINATED" and time.time() > float(named["deadline"]):
                api.terminate(renting.account, found.id)
                yield found
    except MachineFault as fault:
        faults.append(fault)
    if faults:
        raise MachineFault(" ".join(f.problem for f in faults), faults[0].remedy)


def over(lease: Lease, wishes: RunPodWishes, paid: float = 0.0) -> str | None:
    """Say why a lease must end now, or None: with what was paid before it costs too much, or its deadline is near."""
    if spent(lease) + paid >= wishes.max_cost:
        return f"{spent(lease) + paid:.2f} $ are spent, and max_cost is {wishes.max_cost:.2f}"
    if time.time() > lease.deadline - wishes.spare_seconds:
        return f"max_hours ({wishes.max_hours:g}) are over"
    return None


def make_identity(path: Path) -> None:
    """Make a key pair for one job, unless there is one."""
    import asyncssh

    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        key = asyncssh.generate_private_key("ssh-ed25519", comment="idiolect")
        path.touch(mode=0o600)
        path.write_bytes(key.export_private_key("openssh"))
        path.with_suffix(".pub").write_bytes(key.export_public_key("openssh"))


def _wish(renting: Renting, lease: Lease, candidate: Candidate) -> Wish:
    wishes = renting.wishes
    seconds = max(int(lease.deadline - time.time()), 1)
    timer = f'(sleep {seconds}; until python3 -c "{_END}"; do sleep 60; done) & exec {wishes.start}'
    public = renting.identity(lease.job).with_suffix(".pub").read_text().strip()
    return Wish(
        name=lease.name,
        gpu=candidate.gpu,
        cloud=candidate.cloud,
        image="" if wishes.template else wishes.image,
        template=wishes.template,
        disk_gb=wishes.disk_gb,
        data_centres=wishes.data_centres,
        min_cuda=wishes.min_cuda,
        env={"PUBLIC_KEY": public, "IDIOLECT_RUNPOD_API": renting.account.url},
        args=f"bash -c {shlex.quote(timer)}",
    )


def _reachable(renting: Renting, lease: Lease, paid: float) -> Lease:
    """Wait until ssh answers with a host key that the pod's own log names; pin it. Raises RunFailed at a ceiling."""
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until:
        if why := over(lease, renting.wishes, paid):
            raise RunFailed(f"The pod was not ready in time: {why}.", "Raise the ceiling, or try later.")
        now = api.pod(renting.account, lease.pod)
        if now is None or now.status in ("EXITED", "ERROR", "TERMINATED"):
            raise NotReady(f"the pod came to nothing ({now.status if now else 'gone'})", "Another one is tried.")
        _check_price(renting, now.cost_per_hour)
        if now.ssh:
            host, port = now.ssh
            named = {f for line in api.log_lines(renting.account, lease.pod) for f in _FINGERPRINT.findall(line)}
            if named and _pinned(renting.known_hosts(lease.job), host, port, named):
                price = now.cost_per_hour or lease.cost_per_hour
                return msgspec.structs.replace(lease, host=host, port=port, cost_per_hour=price)
        renting.account.sleep(_POLL_SECONDS)
    raise NotReady(f"the pod cannot be reached after {_READY_SECONDS} seconds", "Another one is tried.")


def _check_hardware(renting: Renting, lease: Lease, made: Pod, candidate: Candidate) -> None:
    """Raise NotReady for a pod with another GPU than was asked for, or with one whose driver does not answer."""
    if made.gpu not in ("", candidate.gpu):
        raise NotReady(f"the pod has another GPU, {made.gpu}", "Another one is tried.")
    try:
        there = has_gpu(renting.box(lease), renting.known_hosts(lease.job))
    except Unreachable as fault:
        raise NotReady(f"the pod cannot be entered: {fault.problem}", "Another one is tried.") from fault
    if not there:
        raise NotReady("the GPU of the pod does not answer", "Another one is tried.")


def _pinned(known_hosts: Path, host: str, port: int, named: set[str]) -> bool:
    """Write down the host key that is shown if the pod's log names it; False if none, or another, is shown."""
    import asyncssh

    words = ["ssh-keyscan", "-T", "5", "-p", str(port), host]
    try:
        shown = subprocess.run(words, capture_output=True, check=False, timeout=_SCAN_SECONDS).stdout
    except subprocess.TimeoutExpired:
        return False
    for line in shown.decode(errors="replace").splitlines():
        _, _, key = line.partition(" ")
        try:
            known = key and asyncssh.import_public_key(key).get_fingerprint("sha256") in named
        except (asyncssh.KeyImportError, ValueError):
            continue
        if known:
            known_hosts.write_text(f"[{host}]:{port} {key}\n", encoding="utf-8")
            return True
    return False
