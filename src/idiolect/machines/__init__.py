"""Where a job runs: on this computer, on any that answers ssh, or on a rented one."""

from idiolect.machines.described import LOCAL, RUNPOD, SSH, RunPodWishes, SshBox, runpod_wishes, ssh_box
from idiolect.machines.local import train_here
from idiolect.machines.pods import Renting, candidates, reap
from idiolect.machines.rented import train_rented
from idiolect.machines.runpod_api import Account, Pod, all_pods
from idiolect.machines.ssh import Errand, check, train_there

__all__ = [
    "LOCAL",
    "RUNPOD",
    "SSH",
    "Account",
    "Errand",
    "Pod",
    "Renting",
    "RunPodWishes",
    "SshBox",
    "all_pods",
    "candidates",
    "check",
    "reap",
    "runpod_wishes",
    "ssh_box",
    "train_here",
    "train_rented",
    "train_there",
]
