"""A job on a rented pod: rent, train, fetch, and give it back, whatever happens."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from idiolect.errors import IdiolectError
from idiolect.machines import runpod_api as api
from idiolect.machines.far_job import Heard
from idiolect.machines.leases import Lease, billed, spent
from idiolect.machines.pods import Renting, give_back, leased, over, rent
from idiolect.machines.ssh import Errand, Gone, end_there, lost, train_there
from idiolect.training import Event, Note

#: So many pods may be lost under a job before it is given up.
_MOST_PODS = 3


def train_rented(renting: Renting, errand: Errand, report: Callable[[Event], None]) -> str:
    """Train a bundle on a pod, the one that has it already if there is one; its outputs come back into the bundle.

    The pod is given back when the job has ended, has failed, costs too much, or is interrupted, with the last
    checkpoint fetched. A pod that is lost is replaced; the next one goes on from the last checkpoint that is here.
    Return what became of the data set and of the pod.
    """
    heard = Heard(errand.bundle / "events.jsonl")
    paid_before = _billed(errand)
    for pods_left in reversed(range(_MOST_PODS)):
        lease = leased(renting, errand.name) or rent(
            renting, errand.name, report, errand.bills, _billed(errand) - paid_before
        )
        try:
            ours = dataclasses.replace(
                errand,
                must_end=partial(_over, renting, lease, errand, paid_before),
                is_gone=partial(_is_gone, renting, lease),
            )
            return _train(renting, lease, ours, report, heard)
        except Gone as lost:
            give_back(renting, errand.name)
            if not pods_left:
                raise
            report(Note(f"{lost.problem} Another one is rented."))
    raise AssertionError("the last pod returns or raises")


def _train(renting: Renting, lease: Lease, errand: Errand, report: Callable[[Event], None], heard: Heard) -> str:
    box, known = renting.box(lease), renting.known_hosts(errand.name)
    try:
        deleted = train_there(box, known, errand, report, heard)
    except Gone:
        raise
    except KeyboardInterrupt:
        _end(renting, lease, errand)
        report(Note(_given_back(lease)))
        raise
    except BaseException:
        give_back(renting, errand.name)
        report(Note(_given_back(lease)))
        raise
    give_back(renting, errand.name)
    report(Note(_given_back(lease)))
    return f"{deleted} {_given_back(lease)}"


def _given_back(lease: Lease) -> str:
    return f"The pod is given back; it cost {spent(lease):.2f} $."


def _over(renting: Renting, lease: Lease, errand: Errand, paid_before: float) -> str | None:
    """Say why a job must end now, or None; pods that were lost since it was begun here count as well."""
    return over(lease, renting.wishes, _billed(errand) - paid_before)


def _billed(errand: Errand) -> float:
    return (billed(errand.bills) if errand.bills else None) or 0.0


def end_rented(renting: Renting, errand: Errand) -> str:
    """Give back the pod that a job may have, with what it has come to fetched; say, in a line, what it cost."""
    lease = leased(renting, errand.name)
    if lease is None:
        return ""
    _end(renting, lease, errand)
    return _given_back(lease)


def _end(renting: Renting, lease: Lease, errand: Errand) -> None:
    """Stop paying, without losing what was paid for."""
    try:
        with suppress(IdiolectError, *lost()):
            end_there(renting.box(lease), renting.known_hosts(errand.name), errand)
    finally:
        give_back(renting, errand.name)


def _is_gone(renting: Renting, lease: Lease) -> bool:
    """Whether a pod that does not answer has ended, or has another address now."""
    now = api.pod(renting.account, lease.pod)
    return now is None or now.status != "RUNNING" or now.ssh not in (None, (lease.host, lease.port))
