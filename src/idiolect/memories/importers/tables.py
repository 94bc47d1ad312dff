"""Tables with a line of names above: CSV and TSV in whatever encoding and with whatever delimiter they are written."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator
from functools import lru_cache

from idiolect.errors import ExportFault
from idiolect.memories.importers.encodings import by_first_bytes, guessed, is_utf8
from idiolect.memories.importers.export import HEAD_BYTES, Export, Member
from idiolect.memories.importers.message import Unreadable

Row = dict[str, str]
_LARGEST_FIELD = 16_000_000
_BLOCK = 1 << 20


def is_table(member: Member) -> bool:
    return member.name.lower().endswith((".csv", ".tsv"))


def columns_of(export: Export, member: Member) -> tuple[str, ...]:
    """Return the names above a table, as far as its first bytes show them; none of what is no table."""
    head = export.head(member)
    encoding = by_first_bytes(head) or ("utf-8" if is_utf8(head) else guessed(head)) or "latin-1"
    text = head.decode(encoding, "replace").removeprefix("\ufeff")
    try:
        return tuple(next(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(member, text)), []))
    except csv.Error:
        return ()


def rows_of(member: Member, skip: int = 0) -> Iterator[tuple[int, Row] | Unreadable]:
    """Yield each row and its line's number. Raises ExportFault if the encoding cannot be told.

    `skip`: how many lines stand above the names.
    """
    csv.field_size_limit(min(_LARGEST_FIELD, sys.maxsize))
    with member.open() as file, io.TextIOWrapper(file, encoding_of(member), "replace", newline="") as text:
        first = text.readline()
        for _ in range(skip):
            first = text.readline()
        text.seek(0)
        for _ in range(skip):
            text.readline()
        rows = csv.DictReader(text, delimiter=_delimiter(member, first))
        try:
            yield from enumerate(rows, start=2 + skip)
        except csv.Error as error:
            yield Unreadable(f"{member.name}, line {rows.line_num + skip}", str(error))


@lru_cache(maxsize=64)
def encoding_of(member: Member) -> str:
    """Return the encoding of a file. Raises ExportFault if it cannot be told."""
    with member.open() as file:
        head = file.read(HEAD_BYTES)
        if encoding := by_first_bytes(head):
            return encoding
        rest = b""
        block = head
        odd: list[bytes] = []
        while block:
            whole, newline, rest_of = (rest + block).rpartition(b"\n")
            rest = rest_of
            if newline and not whole.isascii() and (not _is_plain_utf8(whole)):
                odd.append(whole)
                break
            block = file.read(_BLOCK)
        if rest and not odd and not _is_plain_utf8(rest):
            odd.append(rest)
    if not odd or is_utf8(odd[0]):
        return "utf-8-sig"
    if encoding := guessed(odd[0]):
        return encoding
    raise ExportFault(
        f"{member.name} is no UTF-8, and which encoding it has instead cannot be told from it.",
        "Save it as “CSV UTF-8”, as Excel and LibreOffice call it, and import that.",
    )


def _is_plain_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _delimiter(member: Member, text: str) -> str:
    if member.name.lower().endswith(".tsv"):
        return "\t"
    first = text.split("\n", 1)[0]
    return max(",;\t", key=first.count)
