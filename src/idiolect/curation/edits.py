"""What a person has decided about single memories by hand: `profiles/<user>/etc/edits.jsonl`.

Edits are kept apart from the memories and from all data sets, so that each new data set has them, too. A line is one
edit of one memory, which is known by its name in ledgers. Turns are counted from 1, and the first is always a
question: where the person spoke unasked, the one that was invented.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from idiolect.config import Mode
from idiolect.errors import DataFault
from idiolect.files import decode_lines, regular_bytes
from idiolect.memories import Memory, Turn

What = Literal["drop", "keep", "mode", "text", "mask"]

#: What stands where something was masked by hand.
MASK = "[masked]"
#: Rules that a person may overrule: they judge a memory. Others say that nothing is in it, or what this run is for.
OVERRULED: tuple[str, ...] = (
    "written by a machine",
    "blocked word",
    "disapproved of",
    "said before",
    "nearly said before",
)
DROPPED = "dropped by hand"
_CHANGED = "not applied, for the memory has changed since"


class Edit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decision: `drop` and `keep` a memory, state its `mode`, put another `text` into a turn, `mask` a piece."""

    id: str
    at: datetime
    memory: str
    do: What
    mode: Mode | None = None
    turn: int = 0
    was: str = ""
    """What stood in that turn of the memory's file; nothing for an invented question."""
    text: str = ""
    """What is to stand there, or what is to be masked wherever it stands in this memory."""

    @property
    def slot(self) -> tuple[str, str, int, str]:
        """What an edit decides; of two that decide the same the later one holds."""
        kind = "fate" if self.do in ("drop", "keep") else self.do
        return self.memory, kind, self.turn, self.text if self.do == "mask" else ""


class ByHand(msgspec.Struct, frozen=True):
    """All that was decided about one memory."""

    drop: bool = False
    keep: bool = False
    mode: Mode | None = None
    texts: tuple[Edit, ...] = ()
    masks: tuple[str, ...] = ()


NOTHING = ByHand()


def read_edits(path: Path) -> list[Edit]:
    """Read a person's edits, oldest first; none where there is no file. Raises DataFault naming every bad line."""
    if not path.exists():
        return []
    edits, faults = decode_lines(regular_bytes(path), Edit)
    if faults:
        raise DataFault(f"{path} has malformed edits: {'; '.join(faults)}", "Mend these lines, or remove them.")
    return edits


def with_edit(edits: Sequence[Edit], new: Edit) -> list[Edit]:
    """Add an edit; it takes the place of one that decided the same."""
    return [*(e for e in edits if e.slot != new.slot), new]


def by_memory(edits: Sequence[Edit]) -> dict[str, ByHand]:
    """Gather what was decided about each memory."""
    gathered: dict[str, list[Edit]] = defaultdict(list)
    for edit in edits:
        gathered[edit.memory].append(edit)
    return {
        memory: ByHand(
            drop=any(e.do == "drop" for e in of_one),
            keep=any(e.do == "keep" for e in of_one),
            mode=next((e.mode for e in reversed(of_one) if e.do == "mode"), None),
            texts=tuple(e for e in of_one if e.do == "text"),
            # The longest first: "Anna Maria" is masked before "Anna" leaves the rest of it.
            masks=tuple(sorted((e.text for e in of_one if e.do == "mask"), key=len, reverse=True)),
        )
        for memory, of_one in gathered.items()
    }


def numbered_turns(memory: Memory, invented: str = "") -> list[Turn]:
    """Return the turns as edits count them: an invented question goes before what was said unasked."""
    asked = memory.turns[0].speaker == "other"
    return list(memory.turns) if asked else [Turn("other", invented), *memory.turns]


def stands(edit: Edit, memory: Memory) -> bool:
    """Say whether a text edit still means what stands in the memory."""
    turns = numbered_turns(memory)
    return 1 <= edit.turn <= len(turns) and turns[edit.turn - 1].text == edit.was


def rewritten(memory: Memory, by_hand: ByHand) -> tuple[Memory, frozenset[int], str]:
    """Put the person's texts into a memory; return it, which turns (from 0) are theirs, and what to remark.

    A text for what no longer stands there is not put in.
    """
    standing = [e for e in by_hand.texts if stands(e, memory)]
    lost = len(by_hand.texts) - len(standing)
    remark = f"{lost} edit{'s' if lost > 1 else ''} {_CHANGED}" if lost else ""
    if not standing:
        return memory, frozenset(), remark
    texts = {e.turn - 1: e.text for e in standing}
    unasked = memory.turns[0].speaker == "person"
    turns = [Turn(t.speaker, texts.get(n, t.text)) for n, t in enumerate(numbered_turns(memory))]
    if unasked and 0 not in texts:
        turns = turns[1:]
    return msgspec.structs.replace(memory, turns=tuple(turns)), frozenset(texts), remark


def masked_by_hand(text: str, pieces: Sequence[str], masked: dict[str, int]) -> str:
    """Put a placeholder for each piece, and count them."""
    for piece in pieces:
        if count := text.count(piece) if piece else 0:
            text = text.replace(piece, MASK)
            masked[MASK] = masked.get(MASK, 0) + count
    return text


def remark_on(by_hand: ByHand, rewritten_turns: frozenset[int], remark: str) -> str:
    """Say in a ledger what was decided by hand."""
    edited = bool(rewritten_turns or by_hand.mode or by_hand.masks)
    said = ("kept by hand" if by_hand.keep else "", "edited by hand" if edited else "", remark)
    return "; ".join(filter(None, said))


def values_of(edits: Sequence[Edit]) -> list[Mapping[str, object]]:
    """Return what decides a data set of edits: neither their names nor when they were made."""
    return [{k: v for k, v in msgspec.to_builtins(e).items() if k not in ("id", "at")} for e in edits]
