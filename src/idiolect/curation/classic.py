"""MetaHuman OS' old data set builder, for comparison: pairs as they stand, nothing cleaned, masked or invented."""

from __future__ import annotations

from idiolect.curation.edits import DROPPED, NOTHING, ByHand, masked_by_hand, remark_on, rewritten
from idiolect.curation.prepare import dropped, sample_id
from idiolect.curation.sample import Fate, Message, Prepared, Sample, Source
from idiolect.memories import Memory, Unreadable


def classic(item: Memory | Unreadable, by_hand: ByHand = NOTHING) -> Prepared:
    """Take the first prompt and reply of a memory; what has none is dropped, as it always was."""
    if isinstance(item, Unreadable):
        return Prepared(fate=dropped(item.source, "unreadable", item.reason))
    if by_hand.drop:
        return Prepared(fate=dropped(item.source, DROPPED))
    item, theirs, remark = rewritten(item, by_hand)
    if len(item.turns) < 2 or item.turns[0].speaker == "person":
        return Prepared(fate=dropped(item.source, "no reply in it"))
    prompt, reply = item.turns[:2]
    source = Source(
        memory=item.source,
        type=item.type,
        timestamp=item.timestamp,
        conversation=item.conversation,
        mode_from="by hand" if by_hand.mode else "default",
        prompt_from="memory",
    )
    name = sample_id(item.source)
    masked: dict[str, int] = {}
    said, answered = (masked_by_hand(turn.text, by_hand.masks, masked) for turn in (prompt, reply))
    if not said or not answered:
        return Prepared(fate=dropped(item.source, "no reply in it"))
    messages = (Message("user", said), Message("assistant", answered))
    sample = Sample(id=name, mode=by_hand.mode or "emulation", messages=messages, source=source)
    fate = Fate(memory=item.source, fate="kept", sample=name, detail=remark_on(by_hand, theirs, remark), masked=masked)
    return Prepared(fate=fate, sample=sample, by_hand=by_hand.keep)
