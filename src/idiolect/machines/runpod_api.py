"""RunPod's REST API, version 2, as far as renting a GPU for one job needs it.

Read from RunPod's OpenAPI description 2.0.0 (August 2026): https://api.runpod.io/v2. Errors are RFC 9457 problems.
A create that fails unclearly may have made a pod that costs money: it is looked up by its name before another try.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from idiolect.errors import MachineFault, MissingPart, UserFault

API = "https://api.runpod.io"
_TIMEOUT_SECONDS = 30
_TRIES = 6
#: Waiting doubles from here on, where the server does not say how long.
_WAIT_SECONDS = 2.0
_LONGEST_WAIT_SECONDS = 60.0


class NoCapacity(MachineFault):
    """A wish that nobody can fulfil now: another GPU, cloud or data centre may."""


class Unclear(MachineFault):
    """The server failed, or the reply was lost: whatever was asked for may have happened."""


@dataclass(frozen=True)
class Account:
    """Whose pods: an API key, which nothing ever prints, and where the API is."""

    key: str = field(repr=False)
    url: str = API
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)


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
    """Rent a pod. Raises NoCapacity, and UserFault for a wish that no waiting mends (key, balance, a field)."""
    for attempt in range(_TRIES):
        try:
            return _pod(_call(account, "POST", "/v2/pods", json=_body(wish)))
        except Unclear:
            account.sleep(min(_WAIT_SECONDS * 2**attempt, _LONGEST_WAIT_SECONDS))
            made = [p for p in all_pods(account) if p.name == wish.name]
            if made:
                return made[0]
    raise NoCapacity(f"RunPod failed {_TRIES} times to make a pod.", "Try again later.")


def all_pods(account: Account) -> Iterator[Pod]:
    """Yield all pods of the account, page by page if they come in pages."""
    cursor = None
    while True:
        reply = _again(account, "GET", "/v2/pods", params={"cursor": cursor} if cursor else {})
        yield from map(_pod, reply["pods"])
        cursor = (reply.get("pagination") or {}).get("nextCursor")
        if not cursor:
            return


def pod(account: Account, pod_id: str) -> Pod | None:
    """Return a pod as it is now, or None where it is gone."""
    reply = _again(account, "GET", f"/v2/pods/{pod_id}", gone_is_fine=True)
    return _pod(reply) if reply else None


def terminate(account: Account, pod_id: str) -> None:
    """Give a pod back; one that is gone already is given back. Raises MachineFault if RunPod does not take it."""
    _again(account, "DELETE", f"/v2/pods/{pod_id}", gone_is_fine=True)


def prices(account: Account) -> dict[tuple[str, str], tuple[float, str]]:
    """Return (GPU, cloud) → (dollars an hour, availability: NONE, LOW, MEDIUM or HIGH)."""
    wanted = {"include": "AVAILABILITY", "product": "POD"}
    found = {}
    for gpu in _again(account, "GET", "/v2/catalog/gpus", params=wanted)["gpus"]:
        for cloud in ("SECURE", "COMMUNITY"):
            price = (gpu.get("price") or {}).get(cloud.lower())
            if gpu.get(cloud.lower()) and price:
                found[gpu["id"], cloud] = (float(price), str(gpu.get("availability") or "NONE"))
    return found


def log_lines(account: Account, pod_id: str) -> list[str]:
    """Return what a pod's container has printed so far (server-sent events, read until they pause)."""
    httpx = _httpx()
    lines = []
    try:
        with httpx.stream(
            "GET",
            f"{account.url}/v2/pods/{pod_id}/logs",
            params={"source": "container", "tail": 500},
            headers=_headers(account),
            timeout=httpx.Timeout(_TIMEOUT_SECONDS, read=5),
        ) as reply:
            for line in reply.iter_lines():
                if line.startswith("data:"):
                    lines.append(_decoded(line.removeprefix("data:")))
    except httpx.TransportError:
        return lines
    return lines


def _decoded(data: str) -> str:
    import msgspec

    try:
        return str(msgspec.json.decode(data)["line"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return data


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


def _again(account: Account, method: str, path: str, *, gone_is_fine: bool = False, **given: Any) -> Any:
    """Call what may be called twice, until it is answered."""
    for attempt in range(_TRIES):
        try:
            return _call(account, method, path, gone_is_fine=gone_is_fine, **given)
        except Unclear as fault:
            if attempt == _TRIES - 1:
                raise MachineFault(fault.problem, "Look at your pods on runpod.io: they cost money.") from fault
            account.sleep(min(_WAIT_SECONDS * 2**attempt, _LONGEST_WAIT_SECONDS))
    raise AssertionError("the last try returns or raises")


def _call(account: Account, method: str, path: str, *, gone_is_fine: bool = False, **given: Any) -> Any:
    """Make one call; wait as long as the server wants where it has had too many."""
    httpx = _httpx()
    while True:
        try:
            reply = httpx.request(
                method, account.url + path, headers=_headers(account), timeout=_TIMEOUT_SECONDS, **given
            )
        except httpx.TransportError as error:
            raise Unclear(f"RunPod does not answer: {type(error).__name__}.", "Try again.") from error
        if reply.status_code != 429:
            break
        account.sleep(float(reply.headers.get("Retry-After", _WAIT_SECONDS)))
    if reply.status_code == 404 and gone_is_fine:
        return None
    if reply.is_success:
        return reply.json() if reply.content else None
    raise _fault(reply.status_code, _problem(reply))


def _fault(status: int, said: str) -> Exception:
    match status:
        case 401:
            return UserFault(f"RunPod refuses the API key: {said}", "Set RUNPOD_API_KEY to a valid one.")
        case 402:
            return UserFault(f"RunPod wants money first: {said}", "Add credit to the account.")
        case 400 | 403:
            # No code tells a lack of machines from a broken rule: the next wish is tried, the last word is shown.
            return NoCapacity(f"RunPod has none: {said}", "Name other GPUs or data centres, or try later.")
        case _ if status >= 500:
            return Unclear(f"RunPod failed ({status}): {said}", "Try again.")
    return UserFault(f"RunPod refuses the request ({status}): {said}", "Mend [runpod] in machines.toml.")


def _problem(reply: Any) -> str:
    try:
        body = reply.json()
        return "; ".join(map(str, (body.get("detail") or body.get("title"), *body.get("errors", ()))))
    except (ValueError, AttributeError):
        return str(reply.text)[:200]


def _pod(told: Mapping[str, Any]) -> Pod:
    direct = (told.get("ssh") or {}).get("direct")
    return Pod(
        id=told["id"],
        name=told["name"],
        status=told["status"],
        cost_per_hour=float(told.get("cost") or 0),
        gpu=str((told.get("gpu") or {}).get("id", "")),
        ssh=(direct["host"], int(direct["port"])) if direct else None,
    )


def _headers(account: Account) -> dict[str, str]:
    return {"Authorization": f"Bearer {account.key}"}


def _httpx() -> Any:
    try:
        import httpx2
    except ModuleNotFoundError as missing:
        raise MissingPart("RunPod is reached by httpx2.", "Install it: pip install 'idiolect[machines]'") from missing
    return httpx2
