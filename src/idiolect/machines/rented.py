"""A job on a rented pod: rent, train, fetch, and give it back, whatever happens."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import suppress

from idiolect.errors import IdiolectError
from idiolect.machines import runpod_api as api
from idiolect.machines.far_job import Heard
from idiolect.machines.pods import Lease, Renting, give_back, leased, over, rent, spent
from idiolect.machines.ssh import Errand, Gone, bring_checkpoints, train_there
from idiolect.training import Event, Note

#: So many pods may be lost under a job before it is given up.
_MOST_PODS = 3


def train_rented(renting: Renting, errand: Errand, report: Callable[[Event], None]) -> None:
    """Train a bundle on a pod, the one that has it already if there is one; its outputs come back into the bundle.

    The pod is given back when the job has ended, has failed, costs too much, or is interrupted, with the last
    checkpoint fetched. A pod that is lost is replaced; the next one goes on from the last checkpoint that is here.
    """
    heard = Heard(errand.bundle / "events.jsonl")
    for pods_left in reversed(range(_MOST_PODS)):
        lease = leased(renting, errand.name) or rent(renting, errand.name, report)
        try:
            _train(renting, lease, errand, report, heard)
        except Gone as lost:
            give_back(renting, errand.name)
            if not pods_left:
                raise
            report(Note(f"{lost.problem} Another one is rented."))
        else:
            return


def _train(renting: Renting, lease: Lease, errand: Errand, report: Callable[[Event], None], heard: Heard) -> None:
    ours = dataclasses.replace(
        errand,
        must_end=lambda: over(lease, renting.wishes),
        is_gone=lambda: _is_gone(renting, lease),
    )
    box, known = renting.box(lease), renting.known_hosts(errand.name)
    try:
        train_there(box, known, ours, report, heard)
    except Gone:
        raise
    except KeyboardInterrupt:
        # The person wants to stop paying, not to lose what was paid for.
        with suppress(IdiolectError):
            bring_checkpoints(box, known, ours)
        give_back(renting, errand.name)
        raise
    except BaseException:
        give_back(renting, errand.name)
        raise
    give_back(renting, errand.name)
    report(Note(f"The pod is given back; it cost {spent(lease):.2f} $."))


def _is_gone(renting: Renting, lease: Lease) -> bool:
    """Whether a pod that does not answer has ended, or has another address now."""
    now = api.pod(renting.account, lease.pod)
    return now is None or now.status != "RUNNING" or now.ssh not in (None, (lease.host, lease.port))
