"""A real ssh server (asyncssh) whose owner is hostile: it does as it is told, and alters the answers."""

from __future__ import annotations

import asyncio
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from idiolect.machines.described import SshBox

#: Given a command's words, and the honest answer, the answer that is given: text, or what does something of its own.
Alter = Callable[[list[str], str], Any]


def honest(_: list[str], answer: str) -> str:
    return answer


@dataclass
class HostileBox:
    """Lets in whoever comes; a thread of its own serves it until `stop`."""

    folder: Path
    alter: Alter = honest
    greeting: str = ""
    """What its .bashrc prints before each answer."""
    commands: list[list[str]] = field(default_factory=list)
    port: int = 0

    def start(self) -> HostileBox:
        self.folder.mkdir(parents=True, exist_ok=True)
        key = asyncssh.generate_private_key("ssh-ed25519")
        ours = asyncssh.generate_private_key("ssh-ed25519")
        (self.folder / "identity").touch(mode=0o600)
        ours.write_private_key(str(self.folder / "identity"))
        ours.write_public_key(str(self.folder / "authorized_keys"))
        ready = threading.Event()

        async def serve() -> None:
            self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
            server = await asyncssh.listen(
                "127.0.0.1",
                0,
                server_host_keys=[key],
                authorized_client_keys=str(self.folder / "authorized_keys"),
                process_factory=self._answer,
                sftp_factory=True,
                encoding=None,
            )
            self.port = server.get_port()
            ready.set()
            await self._ended.wait()
            server.close()

        self._thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
        self._thread.start()
        ready.wait(10)
        known = f"[127.0.0.1]:{self.port} {key.export_public_key('openssh').decode()}"
        self.known_hosts.write_text(known)
        return self

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(10)

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def described(self) -> SshBox:
        """The box as a person's machines.toml has it."""
        there = str(self.folder / "there")
        identity = str(self.folder / "identity")
        return SshBox(
            host="127.0.0.1", port=self.port, identity=identity, folder=there, python=sys.executable, install=False
        )

    async def _answer(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        command = process.command or ""
        words = shlex.split(command)
        self.commands.append(words)
        stdin = await process.stdin.read()
        ran = await asyncio.to_thread(
            subprocess.run, ["sh", "-c", command], input=stdin, capture_output=True, check=False
        )
        answer = self.alter(words, ran.stdout.decode())
        try:
            if isinstance(answer, str):
                process.stdout.write((self.greeting + answer).encode())
            else:
                await answer(process)
            process.stderr.write(ran.stderr)
            process.exit(ran.returncode)
        except (OSError, asyncssh.Error):
            return
