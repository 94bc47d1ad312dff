"""A connection to another computer whose identity is known: keys or agent, jump hosts, and known host keys only."""

from __future__ import annotations

import asyncio
import secrets
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idiolect.errors import MachineFault, MissingPart, NeedsConsent
from idiolect.machines.described import SshBox

if TYPE_CHECKING:
    import asyncssh

_LOGIN_SECONDS = 20
_SSH_PORT = 22
#: What only looks, or begins something, answers within a minute; what reads all of a model takes longer, see there.
QUICK_SECONDS = 60.0
#: A list of twenty thousand files is a few megabytes.
_MOST_BYTES, _CHUNK = 16 << 20, 1 << 16
_CUT = "The connection was cut in the middle of a command."
_BY_HAND = "Try the same there by hand."
#: A peer that says nothing for so long is gone: a laptop that slept notices within a minute and a half.
_ALIVE_SECONDS, _ALIVE_TRIES = 15, 4


class UnknownHostKey(NeedsConsent):
    """A computer is met for the first time."""

    flag = "accept_host_key"


class FarFault(MachineFault):
    """A command on the other computer failed."""


class Unreachable(MachineFault):
    """Nobody answers: the network, or the computer, is down."""


@asynccontextmanager
async def connected(
    box: SshBox, known_hosts: Path, *, accept: bool = False, on_the_way: bool = False
) -> AsyncIterator[asyncssh.SSHClientConnection]:
    """Log in. `known_hosts` is ours, beside the person's own; `accept` writes a host key never seen before into it.

    Raises UnknownHostKey with its fingerprint if it is not accepted, and MachineFault where the key has changed, the
    login is refused, nobody answers, or a computer `on_the_way` is not known.
    """
    ssh = _asyncssh()
    where: dict[str, Any] = {"host": box.host, "config": _config(), **_given(port=box.port, tunnel=box.jump)}
    meant = await ssh.SSHClientConnectionOptions.construct(**where)
    async with _through(str(meant.tunnel or ""), box.host, known_hosts, accept=accept) as tunnel:
        where["tunnel"] = tunnel
        try:
            connection = await _logged_in(box, where, known_hosts)
        except ssh.HostKeyNotVerifiable as error:
            name, port = meant.host_key_alias or meant.host, meant.port
            key = await _first_contact(box, (name, port), where, known_hosts, refused=error)
            if not accept:
                raise _unknown(box, key.get_fingerprint("sha256"), on_the_way=on_the_way) from error
            _remember(known_hosts, name if port == _SSH_PORT else f"[{name}]:{port}", key)
            connection = await _logged_in(box, where, known_hosts)
        async with connection:
            yield connection


async def _logged_in(box: SshBox, where: dict[str, Any], known_hosts: Path) -> asyncssh.SSHClientConnection:
    ssh = _asyncssh()
    try:
        connection: asyncssh.SSHClientConnection = await ssh.connect(
            **where,
            **_given(username=box.user, client_keys=[box.identity] if box.identity else None),
            known_hosts=_known(known_hosts),
            connect_timeout=_LOGIN_SECONDS,
            login_timeout=_LOGIN_SECONDS,
            keepalive_interval=_ALIVE_SECONDS,
            keepalive_count_max=_ALIVE_TRIES,
        )
    except ssh.HostKeyNotVerifiable:
        raise
    except ssh.PermissionDenied as error:
        raise MachineFault(
            f"{box.host} does not let us in: {error.reason}.",
            "Check the user and the key: ssh must work without a password.",
        ) from error
    except (OSError, ssh.Error, TimeoutError) as error:
        raise Unreachable(f"{box.host} cannot be reached: {error}", "Check that `ssh` reaches it.") from error
    return connection


@asynccontextmanager
async def _through(
    jump: str, target: str, known_hosts: Path, *, accept: bool
) -> AsyncIterator[asyncssh.SSHClientConnection | None]:
    """Log in to the last of some jump hosts, through the others; `jump` is as `ssh -J` and ProxyJump take it."""
    *before, last = jump.split(",")
    user, _, address = last.rpartition("@")
    host, _, port = address.rpartition(":") if address.rpartition(":")[2].isdigit() else (address, "", "")
    if host in ("", "none", target):  # `Host *` names the jump host for itself, too
        yield None
        return
    hop = SshBox(
        host=host.strip("[]"), user=user or None, port=int(port) if port else None, jump=",".join(before) or None
    )
    async with connected(hop, known_hosts, accept=accept, on_the_way=True) as connection:
        yield connection


@dataclass(frozen=True)
class Done:
    """A command that has ended there: its exit code, and what it said."""

    exit_status: int
    stdout: str
    stderr: str


async def run(
    connection: asyncssh.SSHClientConnection, command: str, stdin: str = "", seconds: float = QUICK_SECONDS
) -> Done:
    """Run a command there to its end, whatever that is; what the login itself prints before it is left out.

    Raises Unreachable if the connection ends before it, and FarFault if it takes longer than `seconds`, or says more
    than any command of ours.
    """
    ssh, mark = _asyncssh(), secrets.token_hex(8)
    try:
        async with asyncio.timeout(seconds):
            process = await connection.create_process(f"umask 077; echo {mark}; {command}", encoding=None)
            try:
                process.stdin.write(stdin.encode())
                process.stdin.write_eof()
                said = await asyncio.gather(_all_of(process.stdout), _all_of(process.stderr))
                await process.wait_closed()
            finally:
                process.close()
    except TimeoutError as error:
        raise FarFault(
            f"`{_shown(command)}` has not ended on the other computer within {seconds:g} seconds.", _BY_HAND
        ) from error
    except (BrokenPipeError, ssh.ChannelOpenError) as error:
        raise Unreachable(_CUT, "Check that `ssh` reaches it.") from error
    if process.exit_status is None:
        raise Unreachable(_CUT, "Check that `ssh` reaches it.")
    greeting, marked, out = said[0].partition(f"{mark}\n")
    if not marked and process.exit_status == 0:
        raise FarFault(f"The other computer does not answer `{_shown(command)}` as a shell does.", _BY_HAND)
    # A login that runs no commands says so instead.
    return Done(process.exit_status, out, said[1] or ("" if out else greeting))


async def _all_of(stream: asyncssh.SSHReader[bytes]) -> str:
    parts, size = [], 0
    while part := await stream.read(_CHUNK):
        parts.append(part)
        size += len(part)
        if size > _MOST_BYTES:
            raise FarFault("A command on the other computer says more than it can have to say.", _BY_HAND)
    return b"".join(parts).decode(errors="replace")


async def output_of(
    connection: asyncssh.SSHClientConnection, *words: str, stdin: str = "", seconds: float = QUICK_SECONDS
) -> str:
    """Run a command there and return what it prints. Raises FarFault with the end of what it complained of."""
    done = await run(connection, shlex.join(words), stdin, seconds)
    if done.exit_status != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise FarFault(
            f"`{shlex.join(words[:4])}` failed on the other computer: {said[-1][:300] if said else done.exit_status}",
            _BY_HAND,
        )
    return done.stdout


def _shown(command: str) -> str:
    return command if len(command) < 80 else f"{command[:79]}…"


async def exists(connection: asyncssh.SSHClientConnection, path: str) -> bool:
    return (await run(connection, f"test -e {shlex.quote(path)}")).exit_status == 0


async def _first_contact(
    box: SshBox, known_as: tuple[str, int], where: dict[str, Any], known_hosts: Path, *, refused: Exception
) -> asyncssh.SSHKey:
    """Return the key of a host that has none yet. Raises MachineFault for a changed one, which is never taken."""
    ssh = _asyncssh()
    name, port = known_as
    trusted, *_ = ssh.match_known_hosts(ssh.read_known_hosts(_known(known_hosts)), name, "", port)
    if trusted:
        raise MachineFault(
            f"{box.host} does not show the host key that is known of it: it is another computer, or was set up anew.",
            f"If it was, take its old key out of {known_hosts} or ~/.ssh/known_hosts.",
        ) from refused
    key: asyncssh.SSHKey | None = await asyncio.wait_for(ssh.get_server_host_key(**where), _LOGIN_SECONDS)
    if key is None:
        raise MachineFault(f"{box.host} shows no host key.", "Check that `ssh` reaches it.") from refused
    return key


def _unknown(box: SshBox, fingerprint: str, *, on_the_way: bool) -> MachineFault:
    """Return what to say of a host never met: a person's yes is for the one computer that they are shown."""
    problem = f"{box.host} was never met before; its host key is {fingerprint}."
    if on_the_way:
        return MachineFault(
            problem, f"It is on the way: log in to it once, `ssh {box.host}`, or use --accept-host-key."
        )
    return UnknownHostKey(problem, "If that is right, answer yes, or run again with --accept-host-key.")


def _remember(known_hosts: Path, name: str, key: asyncssh.SSHKey) -> None:
    known_hosts.parent.mkdir(parents=True, exist_ok=True)
    with known_hosts.open("a", encoding="utf-8") as file:
        file.write(f"{name} {key.export_public_key('openssh').decode().strip()}\n")


def _known(ours: Path) -> list[str]:
    files = (Path("~/.ssh/known_hosts").expanduser(), ours)
    return [str(f) for f in files if f.exists()]


def _config() -> list[str]:
    file = Path("~/.ssh/config").expanduser()
    return [str(file)] if file.exists() else []


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _asyncssh() -> Any:
    try:
        import asyncssh
    except ModuleNotFoundError as missing:
        raise MissingPart(
            "Other computers are reached by asyncssh.", "Install it: pip install 'idiolect[machines]'"
        ) from missing
    return asyncssh
