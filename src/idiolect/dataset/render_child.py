"""The process in which chat templates are rendered: started as a file, it loads Jinja and nothing of ours.

A template is a stranger's program. Here it may use so much memory and no more; how long it may take is for the other
end to decide, which ends this process. See rendering.py for what the two say to each other.
"""

from __future__ import annotations

import json
import signal
import sys
from contextlib import suppress
from functools import lru_cache
from typing import Any, BinaryIO

import jinja2
import jinja2.ext
import msgspec
from jinja2.sandbox import ImmutableSandboxedEnvironment

#: Addresses that this process may use, in bytes: Python and Jinja take some 40 MB of memory.
_MEMORY = 1 << 30
#: A rendered text may be longer than what was said by this much, and by this factor (escapes, tags of each turn).
_MARKUP_CHARACTERS, _MARKUP_FACTOR = 200_000, 20


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Render until the other end closes: lists of [messages, whether to end with the generation prompt]."""
    while size := requests.read(4):
        source, names, typed, prompts = msgspec.msgpack.decode(requests.read(int.from_bytes(size)))
        answer = msgspec.msgpack.encode([_rendered(source, names, typed, messages, ask) for messages, ask in prompts])
        answers.write(len(answer).to_bytes(4) + answer)
        answers.flush()


def _rendered(source: str, names: dict[str, str], typed: bool, messages: list[Any], ask: bool) -> tuple[str, str]:
    """Return a text, or else what the template did wrong."""
    shown = [{"role": role, "content": _parts(content) if typed else content} for role, content in messages]
    try:
        text = _compiled(source).render(messages=shown, add_generation_prompt=ask, **names)
        text.encode()  # half of a surrogate pair is no text
    except Exception as error:  # noqa: BLE001 - whatever a stranger's program does wrong is its fault, by any name
        return "", f"{type(error).__name__}: {error}".encode("utf-8", "replace").decode()[:300]
    said = sum(len(content) for _, content in messages)
    if len(text) > _MARKUP_CHARACTERS + _MARKUP_FACTOR * said:
        return "", f"it makes {len(text):,} characters of {said:,}"
    return text, ""


def _parts(content: str) -> list[dict[str, str]]:
    """Return a message's text as the only part of it: templates of models that see pictures read it so."""
    return [{"type": "text", "text": content}]


@lru_cache(maxsize=8)
def _compiled(source: str) -> jinja2.Template:
    """Compile in the dialect of Transformers (its docs, "Chat templates")."""
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols]
    )
    environment.filters["tojson"] = lambda value, **how: json.dumps(value, ensure_ascii=False, **how)
    environment.globals["raise_exception"] = _refuse
    return environment.from_string(source)


def _refuse(message: str) -> None:
    raise jinja2.TemplateError(message)


def _limit_memory() -> None:
    with suppress(ImportError, ValueError, OSError):  # Windows has no such limit, and macOS does not keep to it
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started this to answer
    _limit_memory()
    serve(sys.stdin.buffer, sys.stdout.buffer)
