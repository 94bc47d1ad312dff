"""A GGUF loaded into this process by llama.cpp (xllamacpp), and how it renders and cuts what it is asked.

llama.cpp listens on a port of its own as well, of which only `/props`, `/apply-template` and `/tokenize` are used here,
for they exist nowhere else. Whoever else finds the port is refused: it asks for a key that this process drew.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from idiolect.curation import Message
from idiolect.errors import DataFault, MissingPart
from idiolect.unbroken import check_breaks

#: Tokens of a conversation, prompt and replies together, where no run says how many it was trained on.
CONTEXT = 2048


@dataclass(frozen=True)
class Model:
    """A loaded model file, and the key of its port."""

    gguf: Path
    server: Any
    key: str
    context: int
    """Tokens that it holds: those asked for, rounded up to 256, or what the base was made for if that is less."""


def load(
    gguf: Path, context: int = CONTEXT, *, warm_up: bool = True, threads: int | None = None, mapped: bool = True
) -> Model:
    """Load a model file that is to hold `context` tokens.

    Without `warm_up` its weights are read from the disk only when it is asked something. If `mapped`, the file must
    stay as it is for as long as the model is used: one that is overwritten in its place ends the process (SIGBUS).
    Else the weights are copied into memory, which takes as much of it. The model computes on `threads`; if that is not
    said, on as many as OMP_NUM_THREADS says, or as there are cores.

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
    if not mapped:
        wanted.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
    # A reply is handed on as the model says it, asked not to think first. llama.cpp would guess a form from the
    # template otherwise, put what it takes for a thought elsewhere, and fail where a reply has another form.
    wanted.enable_reasoning = 0
    wanted.force_pure_content_parser = True
    # What an assistant said last is part of the conversation, not the beginning of the next reply.
    wanted.prefill_assistant = False
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
    holds = _ask(Model(gguf, server, key, context), "/props")["default_generation_settings"]["n_ctx"]
    return Model(gguf, server, key, int(holds))


def engine() -> str:
    """Return which llama.cpp model files are asked by: another one may answer otherwise. Raises MissingPart."""
    return f"xllamacpp {_llama_cpp().__version__}"


def all_threads() -> int:
    """Return on how many threads a model computes that has the computer for itself."""
    return int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)


def prompt_text(model: Model, messages: Sequence[Message]) -> str:
    """Return the text that llama.cpp makes of a conversation, up to where the reply begins."""
    return str(_ask(model, "/apply-template", {"messages": as_objects(messages)})["prompt"])


def prompt_tokens(model: Model, text: str) -> tuple[int, ...]:
    """Return the token ids that llama.cpp makes of a rendered conversation before it answers.

    Raises DataFault for a text that it cannot cut.
    """
    return tuple(token for token, _ in pieces(model, text))


def pieces(model: Model, text: str, *, control: bool = True, begin: bool = True) -> list[tuple[int, str]]:
    """Return the tokens of a text, each with what it stands for; a part of a character stands for nothing.

    With `control`, control tokens that are spelled out are taken for such, as in what is asked; with `begin`, the
    token that begins a text is put before it where the tokenizer has such. Raises as prompt_tokens.
    """
    check_breaks(text)
    asked = {"content": text, "add_special": begin, "parse_special": control, "with_pieces": True}
    found = _ask(model, "/tokenize", asked)["tokens"]
    return [(one["id"], one["piece"] if isinstance(one["piece"], str) else "") for one in found]


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


def _ask(model: Model, path: str, body: Mapping[str, Any] | None = None) -> Any:
    """Ask llama.cpp's own port. Raises DataFault where it refuses, as a broken template makes it."""
    connection = HTTPConnection(urlsplit(model.server.listening_address).netloc)
    try:
        method, sent = ("GET", None) if body is None else ("POST", json.dumps(body))
        connection.request(method, path, sent, {"Authorization": f"Bearer {model.key}"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    finally:
        connection.close()
    if response.status != 200:
        raise DataFault(
            f"{model.gguf}: llama.cpp refuses {path}: {answer['error']['message']}", "Make it again from its run."
        )
    return answer
