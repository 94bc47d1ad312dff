"""Ollama's HTTP API, as far as a model needs it to get there, be tried, and be called by its names.

Two eras (their source: server/routes.go, create.go, images.go): from 0.30 on Ollama renders the chat template of the
GGUF itself and rewrites a file that it imports, which takes room for it twice; before that it takes a template of Go.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from idiolect.curation import Message
from idiolect.errors import NoOllama
from idiolect.files import sha256
from idiolect.serving.in_process import as_objects
from idiolect.serving.ollama_http import asked, lines, parsed, refusal, refuse_unless_ok, whole
from idiolect.serving.sampling import Sampling

#: Seconds until Ollama is taken to be away, for a question that it answers from its memory or a folder's listing, and
#: for work on a model (it is read from a disk, and a large one takes minutes) of which nobody has said its size.
_ANSWERS, _LISTS, _WORKS = 5.0, 30.0, 300.0
#: A model is sent, copied, hashed and loaded at no fewer bytes a second than these, all of it together.
_SLOWEST = 10_000_000
#: Of a version, and of what is listed, rendered or said otherwise, no more bytes are read.
_SHORT, _LONG = 10_000, 16_000_000
#: What a server listens on that listens everywhere; it is reached here.
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - not bound to, replaced


@dataclass(frozen=True)
class Ollama:
    """An Ollama that has answered, and its version; what it is asked has to be answered before `until` (monotonic)."""

    address: str
    version: tuple[int, ...]
    until: float | None = None

    def within(self, size: int) -> Ollama:
        """Give all that is asked from now on, together, the time that a model of so many bytes may take."""
        return replace(self, until=time.monotonic() + 2 * _LISTS + size / _SLOWEST)

    @property
    def to_work(self) -> float:
        """Return for how many seconds from now it may work on a model."""
        return _WORKS if self.until is None else self.until - time.monotonic()

    @property
    def to_list(self) -> float:
        """Return for how many seconds from now it may look up what it has."""
        return min(_LISTS, self.to_work)

    @property
    def renders_jinja(self) -> bool:
        """Whether it renders the GGUF's own chat template."""
        return self.version >= (0, 30)

    @property
    def shows_renderings(self) -> bool:
        """Whether it can be asked what it would ask a model."""
        return self.version >= (0, 11, 11)

    @property
    def here(self) -> bool:
        """Whether its disk is this computer's."""
        return urlsplit(self.address).hostname in ("127.0.0.1", "localhost", "::1")


def address(environ: Mapping[str, str]) -> str:
    """Return where Ollama is, from OLLAMA_HOST, read as Ollama reads it (its envconfig/config.go): [scheme://]host[:port].

    Raises NoOllama for what cannot be an address.
    """
    stated = (environ.get("OLLAMA_HOST") or "").strip()
    scheme, found, rest = stated.rpartition("://")
    scheme = scheme if found else "http"
    usual = {"https": 443}.get(scheme, 80 if found else 11434)
    try:
        parts = urlsplit(f"//{rest.partition('/')[0]}")
        host = parts.hostname or ""
    except ValueError as error:
        raise NoOllama(f"OLLAMA_HOST is no address: {stated[:100]!r}.", "Set it as in 127.0.0.1:11434.") from error
    try:
        port = usual if parts.port is None else parts.port
    except ValueError:  # no number, or too large a one: Ollama takes the usual one, too
        port = usual
    host = _EVERYWHERE.get(host, host)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def reach(environ: Mapping[str, str] | None = None) -> Ollama:
    """Find Ollama. Raises NoOllama if nobody answers there, or somebody else does."""
    where = address(os.environ if environ is None else environ)
    with asked(where, "GET", "/api/version", seconds=_ANSWERS) as response:
        answer = parsed(response.read(_SHORT))
    stated = answer.get("version") if isinstance(answer, dict) else None
    version = re.match(r"v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?!\d)", stated) if isinstance(stated, str) else None
    if version is None:
        raise NoOllama(f"What answers at {where} is not Ollama.", "Set OLLAMA_HOST to where Ollama is.")
    return Ollama(where, tuple(int(number) for number in version.groups() if number))


def model_name(person: str, tag: str) -> str:
    """Return a name that Ollama takes: letters, digits, `_-.`, at most 80 in each part, a letter or digit first."""
    plain = re.sub(r"[^a-z0-9_.-]+", "-", person.lower())
    return f"{re.sub(r'^[^a-z0-9_]+', '', plain)[:80] or 'person'}:{tag[:80]}"


def push_file(ollama: Ollama, gguf: Path, before: Callable[[], None] = lambda: None) -> str:
    """See to it that Ollama has a file; send it only if it has not, having done what is to be done before."""
    digest = f"sha256:{sha256(gguf)}"
    if not has_file(ollama, digest):
        before()
        path = f"/api/blobs/{digest}"
        with gguf.open("rb") as body, asked(ollama.address, "POST", path, body, seconds=ollama.to_work) as response:
            refuse_unless_ok(response)
    return digest


def has_file(ollama: Ollama, digest: str) -> bool:
    with asked(ollama.address, "HEAD", f"/api/blobs/{digest}", seconds=ollama.to_list) as response:
        return response.status == 200


def create(ollama: Ollama, name: str, **what: Any) -> list[str]:
    """Create a model: `files` {name: digest} or `from`, `system`, `template`, `parameters`. Returns the statuses.

    Only a last status of `success` is one: errors come inside a reply of status 200, and a server that dies
    leaves a reply that just ends. Raises OllamaRefused, NoOllama.
    """
    statuses = []
    body = {"model": name, **{key: value for key, value in what.items() if value}}
    with asked(ollama.address, "POST", "/api/create", body, seconds=ollama.to_work) as response:
        refuse_unless_ok(response)
        for event in lines(response, _LONG):
            if "error" in event:
                raise refusal(event["error"])
            statuses.append(str(event.get("status", "")))
    if statuses[-1:] != ["success"]:
        raise refusal(f"it stopped at {statuses[-1] if statuses else 'nothing'!r} and did not say that it succeeded")
    return statuses


def parameters(turn_end: str, context: int) -> dict[str, Any]:
    """Return how a model is asked there: as everywhere else, what ends a turn, and how many tokens it holds."""
    return {"stop": [turn_end], **Sampling().ollama_parameters(), "num_ctx": context}


def copy(ollama: Ollama, source: str, destination: str) -> None:
    """Let another name stand for a model too, whatever it stood for before."""
    _done(ollama, "POST", "/api/copy", {"source": source, "destination": destination})


def delete(ollama: Ollama, name: str) -> bool:
    """Let a model go from memory, and delete its name and files that no other name needs.

    Returns whether it was there. A deleted model that is loaded would keep its memory for minutes (server/sched.go).
    """
    unloading = {"model": name, "messages": [], "keep_alive": 0}
    with asked(ollama.address, "POST", "/api/chat", unloading, seconds=ollama.to_list) as response:
        if response.status == 404:
            return False
        response.read(_SHORT)  # any other refusal does not matter here: what is asked for is that it be deleted
    with asked(ollama.address, "DELETE", "/api/delete", {"model": name}, seconds=ollama.to_list) as response:
        if response.status != 404:
            refuse_unless_ok(response)
        return response.status != 404


def models(ollama: Ollama) -> dict[str, str]:
    """Return name → digest of what is there; it is the same for two names of one model, and for no other."""
    listed = _done(ollama, "GET", "/api/tags").get("models")
    found = [model for model in (listed if isinstance(listed, list) else ()) if isinstance(model, dict)]
    return {str(model["name"]): str(model.get("digest", "")) for model in found if "name" in model}


def chat(ollama: Ollama, name: str, messages: Sequence[Message], max_tokens: int = 16) -> str:
    """Let a model answer, then let it go from memory. Raises OllamaRefused also for a reply that breaks off."""
    body = {
        "model": name,
        "messages": as_objects(messages),
        "options": {"num_predict": max_tokens},
        "keep_alive": 0,
    }
    pieces, ended = [], False
    with asked(ollama.address, "POST", "/api/chat", body, seconds=ollama.to_work) as response:
        refuse_unless_ok(response)
        for event in lines(response, _LONG):
            if "error" in event:
                raise refusal(event["error"])
            message = event.get("message")
            pieces.append(str(message.get("content") or "") if isinstance(message, dict) else "")
            ended = bool(event.get("done"))
    if not ended:
        raise refusal(f"{name} broke off in the middle of a reply")
    return "".join(pieces)


def rendered(ollama: Ollama, name: str, messages: Sequence[Message]) -> str:
    """Return the text that a model would be asked to go on from; a server before 0.11.11 cannot say."""
    body = {"model": name, "messages": as_objects(messages), "stream": False, "_debug_render_only": True}
    try:
        return str(_done(ollama, "POST", "/api/chat", body, ollama.to_work)["_debug_info"]["rendered_template"])
    except (LookupError, TypeError) as error:
        raise refusal("it does not say what it renders") from error


def disk(environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the folder in which an Ollama of this computer keeps its models, if it can be told."""
    stated = (os.environ if environ is None else environ).get("OLLAMA_MODELS")
    usual = ("~/.ollama/models", "/usr/share/ollama/.ollama/models", "/var/lib/ollama/models")
    found = [Path(p).expanduser() for p in ([stated] if stated else usual)]
    return next((p for p in found if p.is_dir()), None)


def _done(
    ollama: Ollama, method: str, path: str, body: Mapping[str, Any] | None = None, seconds: float | None = None
) -> dict[str, Any]:
    with asked(ollama.address, method, path, body, seconds=seconds or ollama.to_list) as response:
        refuse_unless_ok(response)
        answer = parsed(whole(response, _LONG))
    return answer if isinstance(answer, dict) else {}
