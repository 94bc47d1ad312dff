"""RunPod's REST API, version 2, as far as renting a GPU for one job needs it.

Read from RunPod's OpenAPI description 2.0.0 (August 2026): https://api.runpod.io/v2. Errors are RFC 9457 problems.
A create that fails unclearly may have made a pod that costs money: it is looked up by its name before another try.
Every call has one deadline, and ends, whatever comes; of an answer that is odd what can be read is read.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from idiolect.errors import MachineFault
from idiolect.files import decode_json
from idiolect.machines.runpod_calls import (
    LOOK,
    MOST_BYTES,
    TIMEOUT_SECONDS,
    WAIT_SECONDS,
    Account,
    Busy,
    Unclear,
    again,
    call,
    headers,
    http_library,
    tries,
)

#: A pod's log is read for so long at most: its first minutes name the host keys.
_LOG_SECONDS = 20.0
#: So often is looked whether a pod is there, or gone: the list of pods lags.
_LOOKS = 6
_MOST_PAGES = 1000
#: What names a file and stands in addresses here.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_HOST = re.compile(r"[A-Za-z0-9\[][A-Za-z0-9.:\]-]{0,254}")


@dataclass(frozen=True)
class Wish:
    """One pod to ask for; the first that can be had is taken."""

    name: str
    gpu: str
    cloud: str
    image: str
    disk_gb: int
    env: Mapping[str, str] = field(repr=False)
    data_centres: tuple[str, ...] = ()
    min_cuda: str = ""
    template: str = ""
    args: str = ""


@dataclass(frozen=True)
class Pod:
    """A pod as the API tells of it; `ssh` is (host, port) once it can be reached."""

    id: str
    name: str
    status: str
    cost_per_hour: float
    gpu: str
    ssh: tuple[str, int] | None


def create(account: Account, wish: Wish) -> Pod:
    """Rent a pod. Raises NoCapacity, and UserFault for a wish that no waiting mends (key, balance, a field).

    Raises Unclear where a pod may have been made that the list of pods does not show.
    """
    may_be_there = False
    for attempt in tries(account):
        with attempt:
            if may_be_there and (made := _by_name(account, wish.name)):
                return made
            try:
                return _readable(call(account, "POST", "/v2/pods", json=_body(wish)))
            except Unclear as fault:
                may_be_there |= not isinstance(fault, Busy)
                raise
    raise AssertionError("the last try returns or raises")


def _by_name(account: Account, name: str) -> Pod | None:
    """Look for a pod, which the list shows only a little after it was made."""
    for _ in range(_LOOKS):
        if made := [p for p in all_pods(account) if p.name == name]:
            return made[0]
        account.sleep(WAIT_SECONDS)
    return None


def all_pods(account: Account) -> Iterator[Pod]:
    """Yield all pods of the account, page by page if they come in pages; what cannot be read is somebody else's."""
    cursor: Any = None
    seen: set[str] = set()
    while True:
        reply = again(account, "GET", "/v2/pods", params={"cursor": cursor} if cursor else {})
        yield from filter(None, map(_pod, _items(reply, "pods")))
        cursor = _inside(reply, "pagination").get("nextCursor")
        if not isinstance(cursor, str) or not cursor or cursor in seen or len(seen) > _MOST_PAGES:
            return
        seen.add(cursor)


def pod(account: Account, pod_id: str) -> Pod | None:
    """Return a pod as it is now, or None where it is gone."""
    found = again(account, "GET", f"/v2/pods/{quote(pod_id, safe='')}", gone_is_fine=True, reads=_readable)
    return found if isinstance(found, Pod) and found.status != "TERMINATED" else None


def terminate(account: Account, pod_id: str) -> None:
    """Give a pod back: return when it is gone. Raises MachineFault if RunPod does not take it, or it stays."""
    again(account, "DELETE", f"/v2/pods/{quote(pod_id, safe='')}", gone_is_fine=True, reads=lambda _: None)
    for _ in range(_LOOKS):
        if pod(account, pod_id) is None:
            return
        account.sleep(WAIT_SECONDS)
    raise MachineFault(f"The pod {pod_id} was told to end, and is still there.", LOOK)


def prices(account: Account) -> dict[tuple[str, str], tuple[float, str]]:
    """Return (GPU, cloud) → (dollars an hour, availability: NONE, LOW, MEDIUM or HIGH)."""
    listed = again(account, "GET", "/v2/catalog/gpus", params={"include": "AVAILABILITY", "product": "POD"})
    found = {}
    for gpu in (g for g in _items(listed, "gpus") if isinstance(g, dict)):
        for cloud in ("SECURE", "COMMUNITY"):
            price = _dollars(_inside(gpu, "price").get(cloud.lower()))
            if gpu.get(cloud.lower()) and price and isinstance(gpu.get("id"), str):
                found[gpu["id"], cloud] = (price, str(gpu.get("availability") or "NONE"))
    return found


def log_lines(account: Account, pod_id: str) -> list[str]:
    """Return what a pod's container has printed so far (server-sent events, read until they pause, or long enough)."""
    httpx = http_library()
    lines: list[str] = []

    async def read() -> None:
        where = f"{account.url}/v2/pods/{quote(pod_id, safe='')}/logs"
        given = {"params": {"source": "container", "tail": 500}, "headers": headers(account)}
        timeout = httpx.Timeout(TIMEOUT_SECONDS, read=5)
        async with httpx.AsyncClient(timeout=timeout) as client, client.stream("GET", where, **given) as reply:
            size, rest = 0, b""
            async for part in reply.aiter_bytes():
                size += len(part)
                *whole, rest = (rest + part).split(b"\n")
                lines.extend(_decoded(w.removeprefix(b"data:")) for w in whole if w.startswith(b"data:"))
                if size > MOST_BYTES:
                    return

    try:
        asyncio.run(asyncio.wait_for(read(), _LOG_SECONDS))
    except (TimeoutError, httpx.TransportError):
        return lines
    return lines


def _decoded(data: bytes) -> str:
    try:
        return str(decode_json(data, dict)["line"])
    except (ValueError, KeyError):
        return data.decode(errors="replace")


def _body(wish: Wish) -> dict[str, Any]:
    """Return the request: unknown fields are refused, and there are no default ports."""
    gpu: dict[str, Any] = {"id": wish.gpu, "count": 1}
    optional = {
        "templateId": wish.template,
        "image": wish.image,
        "dataCenterIds": list(wish.data_centres),
        "args": wish.args,
    }
    return {
        "name": wish.name,
        "gpu": gpu | ({"minCudaVersion": wish.min_cuda} if wish.min_cuda else {}),
        "cloud": wish.cloud,
        "disk": wish.disk_gb,
        "env": dict(wish.env),
        "ports": ["22/tcp"],
        **{name: value for name, value in optional.items() if value},
    }


def _readable(told: Any) -> Pod:
    """Return a pod. Raises Unclear for what tells of none."""
    found = _pod(told)
    if found is None:
        raise Unclear("RunPod does not say which pod it means.", "Try again.")
    return found


def _pod(told: Any) -> Pod | None:
    """Return a pod, as far as it can be read: an odd price or port is none; None without an id."""
    if not isinstance(told, dict) or not isinstance(told.get("id"), str) or not _ID.fullmatch(told["id"]):
        return None
    return Pod(
        id=told["id"],
        name=str(told.get("name") or ""),
        status=str(told.get("status") or ""),
        cost_per_hour=_dollars(told.get("cost")),
        gpu=str(_inside(told, "gpu").get("id") or ""),
        ssh=_address(_inside(_inside(told, "ssh"), "direct")),
    )


def _address(direct: Mapping[str, Any]) -> tuple[str, int] | None:
    """Return where ssh answers; nothing that a program would take for an option of its own."""
    host, port = direct.get("host"), direct.get("port")
    if not isinstance(host, str) or not _HOST.fullmatch(host):
        return None
    number = int(port) if isinstance(port, int) or (isinstance(port, str) and port.isdecimal()) else 0
    return (host, number) if 0 < number < 65536 else None


def _dollars(said: Any) -> float:
    """Return a price; 0 for what is none."""
    try:
        price = float(said)
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return price if math.isfinite(price) and price > 0 else 0.0


def _items(told: Mapping[str, Any], name: str) -> list[Any]:
    return told[name] if isinstance(told.get(name), list) else []


def _inside(told: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return told[name] if isinstance(told.get(name), dict) else {}
