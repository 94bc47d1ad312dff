"""Rented pods, seen from the runs that they were rented for: those that nobody needs any more are given back."""

from __future__ import annotations

from collections.abc import Iterator

from idiolect.config import environment
from idiolect.errors import UserFault
from idiolect.home import Home, Profile, Run, default_root
from idiolect.machines import Pod, Renting, RunPodWishes, all_pods, reap
from idiolect.workflow.archive.runs import standing
from idiolect.workflow.planning.where import account, job_name

#: How a run stands that may still need its pod.
_GOES_ON = ("queued", "running", "interrupted", "cancelling")


def list_pods(home: Home | None = None) -> Iterator[Pod]:
    """Yield all pods of the account, whoever rented them. Raises UserFault without an API key."""
    return all_pods(account(home or Home(default_root())))


def has_leases(home: Home) -> bool:
    """Whether this computer has rented what was not given back in order, and has the key to do so now."""
    return home.pods.is_dir() and any(home.pods.iterdir()) and "RUNPOD_API_KEY" in environment(home)


def reap_pods(home: Home) -> Iterator[Pod]:
    """Terminate, and yield, the pods of runs that have ended, and those past their deadline.

    Raises MachineFault, when the others are ended, for those that could not be.
    """
    may_go_on = {
        job_name(run)
        for profile in map(home.profile, home.people())
        for run in profile.runs()
        if _may_go_on(profile, run)
    }
    # What is wished of pods plays no part: a slip in machines.toml must not keep one rented.
    return reap(Renting(account(home), RunPodWishes(), home.pods), may_go_on.__contains__)


def _may_go_on(profile: Profile, run: Run) -> bool:
    """Whether a run may need its pod; one that is damaged does not keep it: money goes on, and a run can rent anew."""
    try:
        return standing(profile, run) in _GOES_ON
    except UserFault:
        return False
