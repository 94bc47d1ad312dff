"""A data set file of the person's own, in the place of curated memories: each record as it is, none left out.

JSON lines, or one JSON list, of records in any of these forms; `mode` may stand beside each:

    {"messages": [{"role": "user", "content": …}, {"role": "assistant", "content": …}, …]}   the chat form, and ours
    {"instruction": …, "input": …, "output": …}   and {"input": …, "output": …}, as MetaHuman OS writes them
    {"raw_input": …, "raw_output": …} and {"user_text": …, "assistant_text": …}   its files on the way there

What MetaHuman OS has put around a text (a mode's tag, the wrapper of etc/schemas/) is taken off again: the tag says
the mode, and the base model's own chat template takes the wrapper's place.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from idiolect.config import MODES, Mode
from idiolect.curation import Fate, Message, Sample, Source
from idiolect.dataset import INLINE_TAGS
from idiolect.errors import DataFault, OptionFault
from idiolect.files import DAMAGED, regular_bytes
from idiolect.home import Home

#: Where MetaHuman OS keeps what was said and what was answered, what is least wrapped first.
_PAIRS = (("raw_input", "raw_output"), ("user_text", "assistant_text"), ("instruction", "output"), ("input", "output"))
_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_MOST_FAULTS = 100


@dataclass(frozen=True)
class GivenDataset:
    """Samples and the fate of each record; `systems` counts records that bring a system message, which is left out."""

    samples: list[Sample]
    fates: list[Fate]
    systems: int


@dataclass(frozen=True)
class _Wrapper:
    """What a schema of MetaHuman OS puts before and after what is said, and what is answered."""

    said: tuple[str, str] = ("", "")
    answered: tuple[str, str] = ("", "")


class _Fault(Exception):
    """What is wrong with a record."""


def read_given(path: Path, home: Home) -> GivenDataset:
    """Read a data set file. Raises DataFault with every record that cannot be trained on, by its line."""
    wrappers = [_Wrapper(), *_wrappers(home.schemas)]
    samples, faults, systems = [], [], 0
    for where, record in _records(path):
        try:
            if isinstance(record, _Fault):
                raise record
            mode, messages, source = _read(record, wrappers)
        except _Fault as fault:
            faults.append(f"{where}: {fault}")
            continue
        systems += messages[0].role == "system"
        memory = f"{path.name}:{where.split()[-1]}"
        source = msgspec.structs.replace(source, memory=memory)
        name = hashlib.blake2b(memory.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()
        spoken = tuple(m for m in messages if m.role != "system")
        samples.append(Sample(id=name, mode=mode, messages=spoken, source=source))
    if not samples and not faults:
        faults.append("there is no record in it")
    if faults:
        more = f"; and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
        raise DataFault(
            f"{path} cannot be trained on: {'; '.join(faults[:_MOST_FAULTS])}{more}",
            'Each line is a record: {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", …}]}.',
        )
    fates = [Fate(memory=s.source.memory, fate="kept", sample=s.id) for s in samples]
    return GivenDataset(samples, fates, systems)


def _records(path: Path) -> Iterator[tuple[str, Any]]:
    """Yield where each record stands, and the record or what is wrong with it."""
    try:
        content = regular_bytes(path).removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise OptionFault(f"{path} cannot be read: {error.strerror}", "Name a JSONL file: --dataset FILE") from error
    if content.lstrip()[:1] == b"[":
        records = _decoded(content)
        if isinstance(records, list):
            yield from ((f"record {number}", record) for number, record in enumerate(records, start=1))
            return
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            yield f"line {number}", _decoded(line)


def _decoded(text: bytes) -> Any:
    try:
        return msgspec.json.decode(text)
    except DAMAGED as error:
        return _Fault("nested too deep" if isinstance(error, RecursionError) else f"not JSON: {error}")


def _read(record: Any, wrappers: Sequence[_Wrapper]) -> tuple[Mode, Sequence[Message], Source]:
    if not isinstance(record, dict):
        raise _Fault("not a JSON object")
    stated = record.get("mode")
    if stated is not None and stated not in MODES:
        raise _Fault(f"mode {stated!r} is not {', '.join(MODES)}")
    tagged, messages = _messages(record, wrappers)
    mode: Mode = stated or tagged or "emulation"
    decided_by = "the record" if stated else "its tags" if tagged else "default"
    return mode, messages, _source(record, decided_by)


def _source(record: Mapping[str, Any], decided_by: str) -> Source:
    """Return what a record of ours says of where it comes from; others say nothing."""
    try:
        return msgspec.convert(record["source"], Source, strict=False)
    except (KeyError, msgspec.ValidationError):
        return Source(
            memory="",
            type="data set",
            timestamp=None,
            conversation=None,
            mode_from=decided_by,
            prompt_from="memory",
        )


def _messages(record: Mapping[str, Any], wrappers: Sequence[_Wrapper]) -> tuple[Mode | None, Sequence[Message]]:
    if "messages" in record:
        return None, _in_turns(record["messages"])
    if "learned" in record and "text" in record:
        raise _Fault("a text in a chat template already; take formatted_samples.json, which stands beside such a file")
    said, answered = next((pair for pair in _PAIRS if all(key in record for key in pair)), ("", ""))
    if not said:
        raise _Fault("neither messages nor input and output in it")
    asked = _text(record, said)
    if said == "instruction" and (more := _text(record, "input")).strip():
        asked = f"{asked}\n\n{more}" if asked.strip() else more
    mode, asked, reply = _unwrapped(asked, _text(record, answered), wrappers)
    if not asked.strip():
        raise _Fault(f"{said} is empty")
    if not reply.strip():
        raise _Fault(f"{answered} is empty")
    return mode, (Message("user", asked.strip()), Message("assistant", reply.strip()))


def _text(record: Mapping[str, Any], key: str) -> str:
    text = record.get(key, "")
    if not isinstance(text, str):
        raise _Fault(f"{key} is no text")
    return text


def _in_turns(messages: Any) -> Sequence[Message]:
    """Return messages as taken turns: a system message first, if any, then user and assistant, who ends it."""
    if not isinstance(messages, list):
        raise _Fault("messages is no list")
    turns: list[Message] = []
    for number, message in enumerate(messages, start=1):
        role, text = _message(message, number)
        if role == "system" and any(turn.role != "system" for turn in turns):
            raise _Fault(f"message {number}: a system message after the first")
        if turns and turns[-1].role == role:
            turns[-1] = Message(turns[-1].role, f"{turns[-1].content}\n{text}")
        else:
            turns.append(msgspec.convert({"role": role, "content": text}, Message))
    while turns and turns[-1].role == "user":  # nobody has answered it
        turns.pop()
    spoken = [turn for turn in turns if turn.role != "system"]
    if not spoken:
        raise _Fault("nothing in it is said by the assistant")
    if spoken[0].role == "assistant":
        raise _Fault("it begins with the assistant, whom nobody has asked")
    return turns


def _message(message: Any, number: int) -> tuple[str, str]:
    if not isinstance(message, dict):
        raise _Fault(f"message {number}: not a JSON object")
    role = _ROLES.get(str(message.get("role")))
    if role is None:
        raise _Fault(f"message {number}: role {message.get('role')!r} is not system, user or assistant")
    content = message.get("content")
    if isinstance(content, list):  # parts, as the chat form has them
        content = "\n".join(p["text"] for p in content if isinstance(p, dict) and isinstance(p.get("text"), str))
    if not isinstance(content, str) or not content.strip():
        raise _Fault(f"message {number}: no text in its content")
    return role, content.strip()


def _unwrapped(said: str, answered: str, wrappers: Sequence[_Wrapper]) -> tuple[Mode | None, str, str]:
    """Take off a mode's tags, and a schema's wrapper around them; without tags a text is as the person wrote it."""
    for wrapper in wrappers:
        asked, reply = _inside(said, wrapper.said), _inside(answered, wrapper.answered)
        for mode, (before_said, before_answered) in INLINE_TAGS.items():
            if asked.startswith(f"{before_said}: ") and reply.startswith(f"{before_answered}: "):
                return mode, asked[len(before_said) + 2 :], reply[len(before_answered) + 2 :]
    return None, said, answered


def _inside(text: str, around: tuple[str, str]) -> str:
    before, after = around
    return text.removeprefix(before).removesuffix(after).strip()


def _wrappers(schemas: Path) -> Iterator[_Wrapper]:
    for path in sorted(schemas.glob("*.json")):
        try:
            schema: Any = msgspec.json.decode(regular_bytes(path))
        except DAMAGED:
            continue  # whoever renders with it says what is wrong
        if isinstance(schema, dict):
            parts = [
                str(schema.get(f"{who}_{end}") or "") for who in ("user", "assistant") for end in ("prefix", "suffix")
            ]
            yield _Wrapper((parts[0], parts[1]), (parts[2], parts[3]))
