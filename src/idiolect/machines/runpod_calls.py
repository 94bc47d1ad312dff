"""Calls of RunPod's REST API: each with one deadline over all of it, tried again where that may help, never for ever.

Errors are RFC 9457 problems. An answer is JSON, or it is none.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

from idiolect.errors import MachineFault, MissingPart, UserFault
from idiolect.files import decode_json

API = "https://api.runpod.io"
TIMEOUT_SECONDS = 30.0
_TRIES = 6
#: Waiting doubles from here on, where the server does not say how long.
WAIT_SECONDS = 2.0
_LONGEST_WAIT_SECONDS = 60.0
MOST_BYTES = 8 << 20
LOOK = "Look at your pods on runpod.io, they cost money; idiolect machines reap tries again."
#: Instead of an answer.
_GONE = object()


class NoCapacity(MachineFault):
    """A wish that nobody can fulfil now: another GPU, cloud or data centre may."""


class Unclear(MachineFault):
    """The server failed, or the reply was lost: whatever was asked for may have happened."""


class Busy(Unclear):
    """The server has had too many requests; `after` says how many seconds to wait, if it has said so."""

    def __init__(self, problem: str, remedy: str, after: float | None) -> None:
        super().__init__(problem, remedy)
        self.after = after


@dataclass(frozen=True)
class Account:
    """Whose pods: an API key, which nothing ever prints, and where the API is."""

    key: str = field(repr=False)
    url: str = API
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)


def again(
    account: Account,
    method: str,
    path: str,
    *,
    gone_is_fine: bool = False,
    reads: Callable[[Any], Any] | None = None,
    **given: Any,
) -> Any:
    """Call what may be called twice, until it is answered; return what `reads` makes of the answer, None if gone."""
    try:
        for attempt in tries(account):
            with attempt:
                reply = call(account, method, path, gone_is_fine=gone_is_fine, **given)
                return None if reply is _GONE else (reads or _object)(reply)
    except Unclear as fault:
        raise MachineFault(fault.problem, LOOK) from fault


def tries(account: Account) -> Any:
    """Return tenacity's tries: what is unclear is tried again, later each time, or when the server wants it."""
    try:
        import tenacity
    except ModuleNotFoundError as missing:
        raise MissingPart("RunPod is asked by tenacity.", "Install it: pip install 'idiolect[machines]'") from missing
    doubling = tenacity.wait_exponential(WAIT_SECONDS, max=_LONGEST_WAIT_SECONDS)

    def wait(state: Any) -> float:
        wanted: float | None = getattr(state.outcome.exception(), "after", None)
        return float(doubling(state)) if wanted is None else wanted

    return tenacity.Retrying(
        sleep=account.sleep,
        stop=tenacity.stop_after_attempt(_TRIES),
        wait=wait,
        retry=tenacity.retry_if_exception_type(Unclear),
        reraise=True,
    )


def call(account: Account, method: str, path: str, *, gone_is_fine: bool = False, **given: Any) -> Any:
    """Make one call, under one deadline; return its JSON, None if it has none, or _GONE."""
    httpx = http_library()

    async def ask() -> tuple[Any, bytes]:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_SECONDS) as client,
            client.stream(method, account.url + path, headers=headers(account), **given) as reply,
        ):
            content = b""
            async for part in reply.aiter_bytes():
                content += part
                if len(content) > MOST_BYTES:
                    raise Unclear("RunPod answers without end.", "Try again.")
            return reply, content

    try:
        reply, content = asyncio.run(asyncio.wait_for(ask(), TIMEOUT_SECONDS))
    except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
        raise Unclear(f"RunPod does not answer: {type(error).__name__}.", "Try again.") from error
    if reply.status_code == 404 and gone_is_fine:
        return _GONE
    if reply.status_code == 429:
        raise Busy("RunPod has too many requests.", "Try again later.", _seconds(reply.headers.get("Retry-After", "")))
    if not reply.is_success:
        raise _fault(reply.status_code, _problem(content))
    try:
        return decode_json(content, object) if content else None
    except ValueError as error:
        raise Unclear(f"RunPod answers what is no JSON: {error}.", "Try again.") from error


def _seconds(said: str) -> float | None:
    """Return how long to wait by a Retry-After: seconds, or a date (RFC 9110, 10.2.3); None if it says neither."""
    try:
        wait = float(said) if said.strip().isdecimal() else parsedate_to_datetime(said).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(wait, 0.0), _LONGEST_WAIT_SECONDS)


def _fault(status: int, said: str) -> Exception:
    match status:
        case 401:
            return UserFault(f"RunPod refuses the API key: {said}", "Set RUNPOD_API_KEY to a valid one.")
        case 402:
            return UserFault(f"RunPod wants money first: {said}", "Add credit to the account.")
        case 400 | 403:
            # No code tells a lack of machines from a broken rule: the next wish is tried, the last word is shown.
            return NoCapacity(f"RunPod has none: {said}", "Name other GPUs or data centres, or try later.")
        case _ if status >= 500 or status == 409:
            # 409: not while the pod is what it is now.
            return Unclear(f"RunPod failed ({status}): {said}", "Try again.")
    return UserFault(f"RunPod refuses the request ({status}): {said}", "Mend [runpod] in machines.toml.")


def _problem(content: bytes) -> str:
    try:
        body = decode_json(content, dict)
    except ValueError:
        return content.decode(errors="replace")[:200]
    more = body.get("errors")
    said = (body.get("detail") or body.get("title"), *(more if isinstance(more, list) else ()))
    return "; ".join(str(s) for s in said if s)[:500]


def _object(reply: Any) -> dict[str, Any]:
    if not isinstance(reply, dict):
        raise Unclear("RunPod answers what is no object.", "Try again.")
    return reply


def headers(account: Account) -> dict[str, str]:
    return {"Authorization": f"Bearer {account.key}"}


def http_library() -> Any:
    try:
        import httpx2
    except ModuleNotFoundError as missing:
        raise MissingPart("RunPod is reached by httpx2.", "Install it: pip install 'idiolect[machines]'") from missing
    return httpx2
