"""Ollama's HTTP API, as far as a model needs it to get there, be tried, and be called by its names.

Two eras (their source: server/routes.go, create.go, images.go): from 0.30 on Ollama renders the chat template of the
GGUF itself and rewrites a file that it imports, which takes room for it twice; before that it takes a template of Go.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from idiolect.curation import Message
from idiolect.errors import NoOllama, OllamaRefused
from idiolect.files import sha256
from idiolect.serving.in_process import as_objects
from idiolect.serving.sampling import Sampling

DEFAULT = "http://127.0.0.1:11434"
#: Seconds until Ollama is taken to be away; the first word of a large model takes far longer than an answer.
_ANSWERS, _WORKS = 5.0, 1800.0
#: What a server listens on that listens everywhere; it is reached here.
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - not bound to, replaced


@dataclass(frozen=True)
class Ollama:
    """An Ollama that has answered, and its version."""

    address: str
    version: tuple[int, ...]

    @property
    def renders_jinja(self) -> bool:
        """Whether it renders the GGUF's own chat template."""
        return self.version >= (0, 30)

    @property
    def shows_renderings(self) -> bool:
        """Whether it can be asked what it would ask a model."""
        return self.version >= (0, 12)

    @property
    def here(self) -> bool:
        """Whether its disk is this computer's."""
        return urlsplit(self.address).hostname in ("127.0.0.1", "localhost", "::1")


def address(environ: Mapping[str, str]) -> str:
    """Return where Ollama is, from OLLAMA_HOST, read as Ollama reads it: [scheme://]host[:port]."""
    scheme, found, rest = (environ.get("OLLAMA_HOST") or "").strip().rpartition("://")
    scheme = scheme if found else "http"
    parts = urlsplit(f"//{rest.partition('/')[0]}")
    host = parts.hostname or ""
    port = parts.port or {"https": 443}.get(scheme, 80 if found else 11434)
    host = _EVERYWHERE.get(host, host)
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def reach(environ: Mapping[str, str] | None = None) -> Ollama:
    """Find Ollama. Raises NoOllama if nobody answers there, or somebody else does."""
    where = address(os.environ if environ is None else environ)
    with _asked(where, "GET", "/api/version", seconds=_ANSWERS) as response:
        answer = _json(response.read())
    if not isinstance(answer, dict) or not isinstance(answer.get("version"), str):
        raise NoOllama(f"What answers at {where} is not Ollama.", "Set OLLAMA_HOST to where Ollama is.")
    return Ollama(where, tuple(int(n) for n in re.findall(r"\d+", answer["version"].partition("-")[0])[:3]))


def model_name(person: str, tag: str) -> str:
    """Return a name that Ollama takes: letters, digits, `_-.`, at most 80 in each part, a letter or digit first."""
    plain = re.sub(r"[^a-z0-9_.-]+", "-", person.lower())
    return f"{re.sub(r'^[^a-z0-9_]+', '', plain)[:80] or 'person'}:{tag[:80]}"


def push_file(ollama: Ollama, gguf: Path) -> str:
    """See to it that Ollama has a file; send it only if it has not. Returns its digest."""
    digest = f"sha256:{sha256(gguf)}"
    if not has_file(ollama, digest):
        with gguf.open("rb") as body, _sent(ollama, f"/api/blobs/{digest}", body, gguf.stat().st_size) as response:
            _refuse_unless_ok(response)
    return digest


def has_file(ollama: Ollama, digest: str) -> bool:
    with _asked(ollama.address, "HEAD", f"/api/blobs/{digest}") as response:
        return response.status == 200


def create(ollama: Ollama, name: str, **what: Any) -> list[str]:
    """Create a model: `files` {name: digest} or `from`, `system`, `template`, `parameters`. Returns the statuses.

    Only a last status of `success` is one: errors come inside a reply of status 200, and a server that dies
    leaves a reply that just ends. Raises OllamaRefused, NoOllama.
    """
    statuses = []
    asked = {"model": name, **{key: value for key, value in what.items() if value}}
    with _asked(ollama.address, "POST", "/api/create", asked) as response:
        _refuse_unless_ok(response)
        for event in _lines(response):
            if "error" in event:
                raise _refusal(str(event["error"]))
            statuses.append(str(event.get("status", "")))
    if statuses[-1:] != ["success"]:
        raise _refusal(f"it stopped at {statuses[-1] if statuses else 'nothing'!r} and did not say that it succeeded")
    return statuses


def parameters(turn_end: str, context: int) -> dict[str, Any]:
    """Return how a model is asked there: as everywhere else, what ends a turn, and how many tokens it holds."""
    return {"stop": [turn_end], **Sampling().ollama_parameters(), "num_ctx": context}


def copy(ollama: Ollama, source: str, destination: str) -> None:
    """Let another name stand for a model too, whatever it stood for before."""
    _done(ollama, "POST", "/api/copy", {"source": source, "destination": destination})


def delete(ollama: Ollama, name: str) -> bool:
    """Delete a name, and files that no other name needs. Returns whether it was there."""
    with _asked(ollama.address, "DELETE", "/api/delete", {"model": name}) as response:
        if response.status != 404:
            _refuse_unless_ok(response)
        return response.status != 404


def models(ollama: Ollama) -> dict[str, str]:
    """Return name → digest of what is there."""
    answer = _done(ollama, "GET", "/api/tags")
    return {model["name"]: model.get("digest", "") for model in answer.get("models", ())}


def chat(ollama: Ollama, name: str, messages: Sequence[Message], max_tokens: int = 16) -> str:
    """Let a model answer, then let it go from memory. Raises OllamaRefused also for a reply that breaks off."""
    asked = {
        "model": name,
        "messages": as_objects(messages),
        "options": {"num_predict": max_tokens},
        "keep_alive": 0,
    }
    pieces, ended = [], False
    with _asked(ollama.address, "POST", "/api/chat", asked) as response:
        _refuse_unless_ok(response)
        for event in _lines(response):
            if "error" in event:
                raise _refusal(str(event["error"]))
            pieces.append(event.get("message", {}).get("content", ""))
            ended = bool(event.get("done"))
    if not ended:
        raise _refusal(f"{name} broke off in the middle of a reply")
    return "".join(pieces)


def rendered(ollama: Ollama, name: str, messages: Sequence[Message]) -> str:
    """Return the text that a model would be asked to go on from; a server before 0.12 cannot say."""
    asked = {"model": name, "messages": as_objects(messages), "stream": False, "_debug_render_only": True}
    answer = _done(ollama, "POST", "/api/chat", asked)
    try:
        return str(answer["_debug_info"]["rendered_template"])
    except (LookupError, TypeError) as error:
        raise _refusal("it does not say what it renders") from error


def disk(environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the folder in which an Ollama of this computer keeps its models, if it can be told."""
    stated = (os.environ if environ is None else environ).get("OLLAMA_MODELS")
    usual = ("~/.ollama/models", "/usr/share/ollama/.ollama/models", "/var/lib/ollama/models")
    found = [Path(p).expanduser() for p in ([stated] if stated else usual)]
    return next((p for p in found if p.is_dir()), None)


def _done(ollama: Ollama, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
    with _asked(ollama.address, method, path, body) as response:
        _refuse_unless_ok(response)
        return _json(response.read()) or {}


@contextmanager
def _sent(ollama: Ollama, path: str, body: Any, size: int) -> Iterator[HTTPResponse]:
    with _connected(ollama.address, _WORKS) as connection:
        # A server that gives up early answers and hangs up: what it answered is worth more than that it did.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", path, body, {"Content-Length": str(size)})
        with connection.getresponse() as response:
            yield response


@contextmanager
def _asked(
    where: str, method: str, path: str, body: Mapping[str, Any] | None = None, seconds: float = _WORKS
) -> Iterator[HTTPResponse]:
    with _connected(where, seconds) as connection:
        encoded = None if body is None else json.dumps(body).encode()
        connection.request(method, path, encoded, {"Content-Type": "application/json"})
        with connection.getresponse() as response:
            yield response


@contextmanager
def _connected(where: str, seconds: float) -> Iterator[HTTPConnection]:
    """Yield a connection. Raises NoOllama for whatever keeps the two from speaking, at any time while it is open."""
    parts = urlsplit(where)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_ANSWERS)
    try:
        connection.connect()
        connection.sock.settimeout(seconds)
        yield connection
    except (OSError, HTTPException) as error:
        raise NoOllama(
            f"Ollama at {where} does not answer: {_reason(error)}.",
            "Start it (`ollama serve`), or set OLLAMA_HOST to where it is.",
        ) from error
    finally:
        connection.close()


def _reason(error: OSError | HTTPException) -> str:
    return (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__


def _refuse_unless_ok(response: HTTPResponse) -> None:
    if response.status not in (200, 201):
        answer = _json(response.read())
        said = answer.get("error") if isinstance(answer, dict) else None
        raise _refusal(str(said or f"status {response.status}"))


def _refusal(said: str) -> OllamaRefused:
    remedy = "What it served before is untouched. Its log says more: `ollama serve` prints it, or journalctl -u ollama"
    return OllamaRefused(f"Ollama: {said}", remedy)


def _lines(response: HTTPResponse) -> Iterator[dict[str, Any]]:
    for line in response:
        event = _json(line)
        if isinstance(event, dict):
            yield event


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
