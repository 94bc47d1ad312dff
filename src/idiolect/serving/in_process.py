"""Talking with a GGUF in this process, through llama.cpp (xllamacpp).

llama.cpp listens on a port of its own as well, of which only `/apply-template` and `/tokenize` are used here, for
they exist nowhere else. Whoever else finds the port is refused: it asks for a key that this process drew.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from idiolect.curation import Message
from idiolect.errors import DataFault, MissingPart
from idiolect.serving.sampling import Sampling

#: Tokens of a talk, prompt and replies together.
CONTEXT = 2048


@dataclass(frozen=True)
class Model:
    """A loaded model file, and the key of its port."""

    gguf: Path
    server: Any
    key: str


@dataclass(frozen=True)
class Reply:
    """What the model said, and why it stopped: `stop` of itself, `length` because it had to."""

    text: str
    finish_reason: str
    tokens: int


def load(gguf: Path, context: int = CONTEXT, *, warm_up: bool = True, threads: int | None = None) -> Model:
    """Load a model file; without `warm_up` its weights are read from the disk only when it is asked something.

    It computes on `threads`; if that is not said, on as many as OMP_NUM_THREADS says, or as there are cores.

    Raises DataFault for a file that llama.cpp refuses, MissingPart without xllamacpp.
    """
    xllamacpp = _llama_cpp()
    key = secrets.token_hex()
    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(gguf)
    wanted.n_ctx = context
    wanted.n_parallel = 1
    wanted.cpuparams.n_threads = threads or all_threads()
    wanted.verbosity = 0
    wanted.warmup = warm_up
    wanted.api_keys = [key]
    wanted.ui = False
    wanted.endpoint_slots = False
    wanted.endpoint_metrics = True
    try:
        server = xllamacpp.Server(wanted)
    except RuntimeError as error:
        raise DataFault(f"{gguf} cannot be loaded: {error}", "Make it again from its run.") from error
    # Only the running loop answers this. A server that is dropped before its loop runs would never end.
    server.handle_metrics()
    return Model(gguf, server, key)


def engine() -> str:
    """Return which llama.cpp model files are asked by: another one may answer otherwise. Raises MissingPart."""
    return f"xllamacpp {_llama_cpp().__version__}"


def all_threads() -> int:
    """Return on how many threads a model computes that has the computer for itself."""
    return int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)


def reply(
    model: Model,
    messages: Sequence[Message],
    sampling: Sampling | None = None,
    on_text: Callable[[str], None] = lambda _: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Reply:
    """Let a loaded model answer; `on_text` gets each piece as it comes, and `stopped` is asked whether to go on."""
    how = sampling or Sampling()
    pieces: list[str] = []
    ended: dict[str, Any] = {}

    def heard(chunk: dict[str, Any]) -> bool:
        for choice in chunk.get("choices", ()):
            if piece := choice["delta"].get("content"):
                pieces.append(piece)
                on_text(piece)
            if choice.get("finish_reason"):
                ended["reason"] = choice["finish_reason"]
        ended["tokens"] = chunk.get("timings", {}).get("predicted_n", ended.get("tokens", 0))
        return stopped()

    model.server.handle_chat_completions(
        {
            **how.request(),
            "messages": as_objects(messages),
            "stream": True,
        },
        heard,
    )
    return Reply("".join(pieces).strip(), ended.get("reason", "error"), ended.get("tokens", 0))


def prompt_text(model: Model, messages: Sequence[Message]) -> str:
    """Return the text that llama.cpp makes of a talk, up to where the reply begins."""
    return str(_ask(model, "/apply-template", {"messages": as_objects(messages)})["prompt"])


def prompt_tokens(model: Model, text: str) -> tuple[int, ...]:
    """Return the token ids that llama.cpp makes of a rendered talk before it answers."""
    asked = {"content": text, "add_special": True, "parse_special": True}
    return tuple(_ask(model, "/tokenize", asked)["tokens"])


def stops_at(model: Model, token: int) -> bool:
    """Say whether a token ends an answer: the model is made to say it, and must say no more."""
    wanted = {"prompt": "a", "n_predict": 2, "temperature": 0.0, "logit_bias": [[token, 1000.0]]}
    return bool(_ask(model, "/completion", wanted)["stop_type"] == "eos")


def as_objects(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Return messages as the APIs of OpenAI and Ollama take them."""
    return [{"role": m.role, "content": m.content} for m in messages]


def _llama_cpp() -> Any:
    try:
        import xllamacpp
    except ModuleNotFoundError as error:
        raise MissingPart(
            "Talking to a model file needs xllamacpp.", "Install it: pip install 'idiolect[chat]'"
        ) from error
    return xllamacpp


def _ask(model: Model, path: str, body: Mapping[str, Any]) -> Any:
    """Ask llama.cpp's own port. Raises DataFault where it refuses, as a broken template makes it."""
    connection = HTTPConnection(urlsplit(model.server.listening_address).netloc)
    try:
        connection.request("POST", path, json.dumps(body), {"Authorization": f"Bearer {model.key}"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    finally:
        connection.close()
    if response.status != 200:
        raise DataFault(
            f"{model.gguf}: llama.cpp refuses {path}: {answer['error']['message']}", "Make it again from its run."
        )
    return answer
