"""What was rented for a job, written down before it is asked for, and what it has cost, when it is given back."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

import msgspec

from idiolect.errors import DamagedFile
from idiolect.files import read_json, write_json


class Lease(msgspec.Struct, frozen=True):
    """What was rented for a job: enough to find it again, to get in, and to give it back."""

    job: str
    name: str
    deadline: float
    """Seconds since 1970, when the pod ends itself."""
    pod: str = ""
    host: str = ""
    port: int = 0
    cost_per_hour: float = 0.0
    began: float = 0.0
    asked: float = 0.0
    """When the pod was asked for, in seconds since 1970."""
    bills: str = ""
    """A folder in which is written down what the pod has cost, when it is given back."""


class Bill(msgspec.Struct, frozen=True):
    """What a pod has cost, in dollars, from the price that it was rented for and its time."""

    pod: str
    seconds: float
    dollars: float


def read_lease(path: Path) -> Lease | None:
    """Return a lease; None where there is none that can be read."""
    try:
        return read_json(path, Lease)
    except DamagedFile:
        return None


def spent(lease: Lease) -> float:
    """Return the dollars that a lease has cost by now."""
    return lease.cost_per_hour * _seconds(lease) / 3600


def _seconds(lease: Lease) -> float:
    """Return how long a pod has been there; after its deadline it is no more."""
    return max(min(time.time(), lease.deadline) - lease.began, 0) if lease.began else 0.0


def write_bill(lease: Lease | None) -> None:
    if lease and lease.pod and lease.bills:
        bill = Bill(lease.pod, round(_seconds(lease), 1), round(spent(lease), 4))
        write_json(Path(lease.bills) / f"{lease.pod}.json", bill)


def billed(bills: Path) -> float | None:
    """Return the dollars that all pods of a run have cost together, as far as bills can be read; None if none was."""
    found = []
    for file in bills.glob("*.json"):
        with suppress(DamagedFile):
            found.append(read_json(file, Bill).dollars)
    return round(sum(found), 4) if found else None
