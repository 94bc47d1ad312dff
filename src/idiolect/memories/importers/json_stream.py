"""The records of a long JSON array, some at a time, so that a file larger than memory is never held whole.

What lies between two borders of records (`json_borders.py`) is decoded by msgspec, many records at once. A record
that msgspec refuses is mended, if it is one of the known faults of exporting programs, or reported; it takes no other
with it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, Generic, TypeVar

import msgspec

from idiolect.memories.importers.json_borders import TOKEN, Border, border_at, elements, guess, whole_records
from idiolect.memories.importers.message import Unreadable

T = TypeVar("T")

BLOCK = 1 << 20
#: No record of a person's life is larger; what is, is not taken into memory.
LARGEST_RECORD = 64_000_000
#: After so many wrong guesses of where the records of an array end, no more are made.
MISSES = 8

_ESCAPE = re.compile(
    rb"\\x([0-9A-Fa-f]{2})"
    rb"|\\u[Dd][89ABab]..\\u[Dd][C-Fc-f].."  # a pair of surrogates
    rb"|(\\u[Dd][89A-Fa-f]..)"  # half of one
    rb"|\\.",
    re.DOTALL,
)


class Batch(msgspec.Struct, Generic[T], frozen=True):
    """Records that follow each other in one array."""

    head: bytes
    """The object in which the array stands, as far as it goes before it; the same bytes for all batches of an array."""
    records: list[T]


def records(
    file: BinaryIO, name: str, kind: type[T], key: str | None = None, largest: int = LARGEST_RECORD
) -> Iterator[Batch[T] | Unreadable]:
    """Yield the records of the array that the file is or, with a key, of every array that has that key.

    What cannot be decoded as a `kind` is reported as Unreadable, and so is a file that ends too early. Fields of
    `kind` should be lax (`Any`), for a record of which one field is odd is still worth reading.
    """
    decoder = msgspec.json.Decoder(list[kind])  # type: ignore[valid-type]

    def decode(text: bytes) -> list[T] | None:
        try:
            return decoder.decode(b"[%b]" % text.strip(b", \t\r\n"))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None

    number = 0
    for found in _arrays(file, key, largest, decode):
        if isinstance(found, str):
            yield Unreadable(name, found)
            return
        head, some = found
        decoded = some if isinstance(some, list) else decode(some)
        if decoded is not None:
            number += len(decoded)
        elif isinstance(some, bytes):
            decoded = []
            for offset, element in enumerate(elements(some)):
                try:
                    decoded.append(lenient(element, kind))
                except (ValueError, RecursionError) as fault:
                    yield Unreadable(f"{name}, record {number + offset + 1}", str(fault))
            number += offset + 1
        if decoded:
            yield Batch(head, decoded)


def lines(file: BinaryIO, name: str, kind: type[T]) -> Iterator[tuple[int, T] | Unreadable]:
    """Yield (number, record) for each line of a JSON Lines file that is not blank."""
    decoder = msgspec.json.Decoder(kind)
    number = 0
    while line := file.readline(LARGEST_RECORD):
        number += 1
        if not line.strip():
            continue
        try:
            try:
                yield number, decoder.decode(line)
            except (msgspec.MsgspecError, ValueError):
                yield number, lenient(line.removeprefix(b"\xef\xbb\xbf"), kind)
        except (ValueError, RecursionError) as fault:
            yield Unreadable(f"{name}, line {number}", str(fault))


def lenient(text: bytes, kind: type[T]) -> T:
    r"""Decode one JSON value, mending `\xNN` (Telegram), raw control characters and halves of surrogate pairs.

    Raises ValueError with msgspec's reason where that does not help, and RecursionError for what is nested too deep.
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, ValueError) as fault:
        reason = str(fault)
    try:
        mended = _ESCAPE.sub(_mend, text).decode("utf-8", "replace")
        return msgspec.convert(json.loads(mended, strict=False), type=kind)
    except (msgspec.MsgspecError, ValueError):
        raise ValueError(reason) from None


def _mend(escape: re.Match[bytes]) -> bytes:
    if escape[1]:
        return b"\\u00" + escape[1]
    return rb"\ufffd" if escape[2] else escape[0]


def _arrays(
    file: BinaryIO, key: str | None, largest: int, decode: Callable[[bytes], list[T] | None]
) -> Iterator[tuple[bytes, bytes | list[T]] | str]:
    """Yield (head, whole records), or as the last a sentence on why reading ended too early.

    Records are decoded already if it was quicker to guess where they end, and to see whether they can be; else they
    are text, with commas between.
    """
    outside = _Outside(key)
    rest = b""
    while True:
        head = outside.next_array(rest)
        while head is None:
            block = file.read(BLOCK)
            if not block:
                if outside.depth:
                    yield "the file ends too early"
                return
            if outside.size > largest:
                yield f"more than {largest // 1_000_000} MB without a record"
                return
            head = outside.next_array(block)
        inside = _Inside(outside.taken(), decode)
        while True:
            if some := inside.records():
                yield head, some
            if inside.closed:
                break
            # Twice as much as is left over, so that a large record is not looked through again and again.
            block = file.read(max(BLOCK, len(inside.rest)))
            if (not block and not inside.guessed) or len(inside.rest) > largest:
                yield f"a record larger than {largest // 1_000_000} MB" if block else "the file ends too early"
                return
            inside.rest += block
        rest = inside.rest


class _Inside(Generic[T]):
    """The text of an array that is yet to be read, and what the borders of its records look like."""

    def __init__(self, rest: bytes, decode: Callable[[bytes], list[T] | None]) -> None:
        self.rest = rest
        self.closed = False
        self.guessed = False
        """Whether what was taken last was found by guessing, so that the end may be in the text already."""
        self._decode = decode
        self._fresh = True
        self._misses = 0
        self._border = Border()

    def records(self) -> bytes | list[T]:
        """Take the whole records off the text: decoded, if a guess of where they end was right, else as they are."""
        end = guess(self.rest, self._border)
        if end:
            decoded = self._decode(self.rest[:end])
            if decoded is not None:
                self.rest, self.guessed = self.rest[end:], True
                return decoded
            self._misses += 1
        self.guessed = False
        end, self.closed = whole_records(self.rest, fresh=self._fresh)
        self._border = border_at(self.rest, end) if self._misses < MISSES else Border()
        text = self.rest[:end].strip(b", \t\r\n")
        self.rest, self._fresh = self.rest[end:], False
        return text


class _Outside:
    """The text around arrays: read token by token, and kept, because an array's head stands in it."""

    def __init__(self, key: str | None) -> None:
        self._key = None if key is None else json.dumps(key).encode()
        self._text = bytearray()
        self._at = 0
        self._opened: list[int] = []
        self._string: tuple[int, int] = (0, 0)

    @property
    def depth(self) -> int:
        return len(self._opened)

    @property
    def size(self) -> int:
        return len(self._text)

    def taken(self) -> bytes:
        """Return what was given and lies behind the beginning of the array; the array itself is never kept."""
        rest = bytes(self._text[self._at :])
        del self._text[self._at :]
        return rest

    def next_array(self, block: bytes) -> bytes | None:
        """Go on with more text; return the head of the next array that is looked for, or None if more is needed."""
        self._text += block
        text = self._text
        end = self._at
        found: bytes | None = None
        for token in TOKEN.finditer(text, self._at):
            sign = text[token.start()]
            if sign == 0x22:
                if not token[1]:
                    end = token.start()
                    break
                self._string = token.span()
            elif sign in b"[{":
                self._opened.append(token.start())
                if sign == 0x5B and self._is_wanted(token.start()):
                    end = token.end()
                    found = self._head(end)
                    break
            elif self._opened:
                self._opened.pop()
            end = token.end()
        self._at = end if found is not None or end < len(text) else len(text)
        return found

    def _is_wanted(self, start: int) -> bool:
        if self._key is None:
            return len(self._opened) == 1
        before, after = self._string
        return self._text[before:after] == self._key and self._text[after:start].strip() == b":"

    def _head(self, end: int) -> bytes:
        if len(self._opened) < 2:
            return b""
        return bytes(self._text[self._opened[-2] : end]) + b"]}"
