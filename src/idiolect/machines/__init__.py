"""Where a job runs: on this computer, on any that answers ssh, on a rented one, or on a Ray cluster."""

from idiolect.machines.cluster import check_cluster, end_on_ray, train_on_ray
from idiolect.machines.described import (
    LOCAL,
    RAY,
    RUNPOD,
    SSH,
    RayCluster,
    RunPodWishes,
    SshBox,
    ray_cluster,
    runpod_wishes,
    ssh_box,
)
from idiolect.machines.leases import billed
from idiolect.machines.local import train_here
from idiolect.machines.on_site import memory
from idiolect.machines.pods import Candidate, Renting, candidates, reap
from idiolect.machines.rented import end_rented, train_rented
from idiolect.machines.resources import Resources, of_this_computer
from idiolect.machines.runpod_api import Pod, all_pods
from idiolect.machines.runpod_calls import Account
from idiolect.machines.ssh import Errand, check, end_there, train_there

__all__ = [
    "LOCAL",
    "RAY",
    "RUNPOD",
    "SSH",
    "Account",
    "Candidate",
    "Errand",
    "Pod",
    "RayCluster",
    "Renting",
    "Resources",
    "RunPodWishes",
    "SshBox",
    "all_pods",
    "billed",
    "candidates",
    "check",
    "check_cluster",
    "end_on_ray",
    "end_rented",
    "end_there",
    "memory",
    "of_this_computer",
    "ray_cluster",
    "reap",
    "runpod_wishes",
    "ssh_box",
    "train_here",
    "train_on_ray",
    "train_rented",
    "train_there",
]
