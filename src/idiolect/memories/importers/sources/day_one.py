"""Day One: the JSON in its zip, an array of entries with Markdown text whose punctuation is escaped by backslashes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from idiolect.memories.importers.export import Export
from idiolect.memories.importers.json_stream import lenient, records
from idiolect.memories.importers.message import Asked, Message, Person, Thread, Unreadable
from idiolect.memories.importers.sources.markdown import paragraphs, plain
from idiolect.memories.importers.times import from_iso

_FILES = r".*\.json"
_ESCAPED = re.compile(r"\\([\\`*_{}\[\]()#+\-.!>~|&=:])")
_ME = Person("me", "", me=True)


class _Entry(msgspec.Struct, gc=False):
    uuid: Any = None
    creation_date: Any = msgspec.field(name="creationDate", default=None)
    text: Any = None
    rich_text: Any = msgspec.field(name="richText", default=None)
    tags: Any = None


def found(export: Export) -> bool:
    return any(_is_day_ones(export.head(m)) for m in export.matching(_FILES))


def read(export: Export, _: Asked) -> Iterator[Message | Unreadable]:
    for member in export.matching(_FILES):
        if not _is_day_ones(export.head(member)):
            continue
        with member.open() as file:
            for batch in records(file, member.name, _Entry, "entries"):
                if isinstance(batch, Unreadable):
                    yield batch
                else:
                    for entry in batch.records:
                        yield from _messages(entry, member.stem)


def _is_day_ones(head: bytes) -> bool:
    # Programs that write its form may put the entries first.
    return b'"entries"' in head and (b'"metadata"' in head or b'"creationDate"' in head)


def _messages(entry: _Entry, journal: str) -> Iterator[Message]:
    tags = tuple(t for t in entry.tags if isinstance(t, str)) if isinstance(entry.tags, list) else ()
    when = from_iso(entry.creation_date)
    thread = Thread(str(entry.uuid or entry.creation_date), journal, "journal", tags=tags)
    text = _text(entry)
    if text:
        yield from paragraphs(thread, when, text)
    else:
        yield Message(thread, "", when, _ME, "", "media")


def _text(entry: _Entry) -> str:
    if isinstance(entry.text, str):
        # Pictures first: their addresses hold escaped signs.
        text = plain(entry.text)
        return _ESCAPED.sub(lambda sign: sign[1], text) if "\\" in text else text
    if not isinstance(entry.rich_text, str):
        return ""
    try:
        rich = lenient(entry.rich_text.encode("utf-8", "replace"), dict[str, Any])
    except (ValueError, RecursionError):
        return ""
    contents = rich.get("contents")
    pieces = contents if isinstance(contents, list) else []
    return "".join(p["text"] for p in pieces if isinstance(p, dict) and isinstance(p.get("text"), str)).strip()
