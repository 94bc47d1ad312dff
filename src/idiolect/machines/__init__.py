"""Where a job runs: on this computer, or on any that answers ssh."""

from idiolect.machines.connection import UnknownHostKey
from idiolect.machines.described import LOCAL, SSH, SshBox, ssh_box
from idiolect.machines.local import train_here
from idiolect.machines.ssh import Errand, check, train_there

__all__ = ["LOCAL", "SSH", "Errand", "SshBox", "UnknownHostKey", "check", "ssh_box", "train_here", "train_there"]
