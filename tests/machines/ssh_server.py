"""A real OpenSSH server on loopback, with a port, keys and a log of its own."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

SSHD = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")


@dataclass
class SshServer:
    """Runs as whoever runs the tests, and lets in whoever has the key `identity`."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    """What is set for who logs in, besides the usual."""
    most_bytes: int | None = None
    """So many bytes a file of who logs in may have: what would be larger fails as on a full disk."""
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def identity(self) -> Path:
        return self.folder / "identity"

    def start(self) -> SshServer:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._key("host_key")
        self._key("identity")
        shutil.copyfile(self.folder / "identity.pub", self.folder / "authorized_keys")
        self.port = self.port or _free_port()
        settings = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": self.folder / "host_key",
            "AuthorizedKeysFile": self.folder / "authorized_keys",
            "PidFile": self.folder / "pid",
            "UsePAM": "no",
            "StrictModes": "no",
            "PasswordAuthentication": "no",
            "PermitRootLogin": "yes",
            "Subsystem": "sftp internal-sftp",
            # The same machine, and the same number of threads: sums are then the same to the last bit.
            "SetEnv": " ".join(
                f"{k}={v}" for k, v in {"OMP_NUM_THREADS": "1", **_same_arithmetic(), **self.environ}.items()
            ),
        }
        (self.folder / "sshd_config").write_text("".join(f"{k} {v}\n" for k, v in settings.items()))
        assert SSHD
        Path("/run/sshd").mkdir(exist_ok=True)  # where Debian's sshd locks itself in before a login
        command = [SSHD, "-D", "-f", str(self.folder / "sshd_config"), "-E", str(self.folder / "sshd.log")]
        # Python ignores the signal that comes with a file too large; so do those who log in.
        self.process = subprocess.Popen(command, restore_signals=self.most_bytes is None)
        if self.most_bytes:
            resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (self.most_bytes, self.most_bytes))
        _wait_for(self.port)
        return self

    def new_host_key(self) -> None:
        for name in ("host_key", "host_key.pub"):
            (self.folder / name).unlink()
        self.stop()
        self.start()

    def cut(self) -> None:
        """Cut every connection, as a network does; the server goes on, and so does what was begun on it."""
        for session in descendants(self.process.pid, "sshd") if self.process else ():
            subprocess.run(["kill", "-KILL", str(session)], check=False)

    def stop(self) -> None:
        self.cut()
        if self.process:
            self.process.terminate()
            self.process.wait()

    def _key(self, name: str) -> None:
        if not (self.folder / name).exists():
            words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(self.folder / name)]
            subprocess.run(words, check=True)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"sshd does not answer at {port}")


def descendants(ancestor: int, command: str = "") -> list[int]:
    """Return the processes that stem from one, those alone whose command begins so."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,comm="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    mine = {ancestor}
    found: list[int] = []
    while True:
        new = [int(pid) for pid, ppid, name in rows if int(ppid) in mine and name.startswith(command)]
        if not new:
            return found
        found += new
        mine = set(new)


def _same_arithmetic() -> dict[str, str]:
    """Return what chooses OpenBLAS' kernels here: with others, the last bits of a product differ."""
    return {name: value for name, value in os.environ.items() if name.startswith("OPENBLAS_")}
