"""MetaHuman OS' old data set builder, for comparison: pairs as they stand, nothing cleaned, masked or invented."""

from __future__ import annotations

from idiolect.curation.prepare import dropped, sample_id
from idiolect.curation.sample import Fate, Message, Prepared, Sample, Source
from idiolect.memories import Memory, Unreadable


def classic(item: Memory | Unreadable) -> Prepared:
    """Take the first prompt and reply of a memory; what has none is dropped, as it always was."""
    if isinstance(item, Unreadable):
        return Prepared(fate=dropped(item.source, "unreadable", item.reason))
    if len(item.turns) < 2 or item.turns[0].speaker == "person":
        return Prepared(fate=dropped(item.source, "no reply in it"))
    prompt, reply = item.turns[:2]
    source = Source(
        memory=item.source,
        type=item.type,
        timestamp=item.timestamp,
        conversation=item.conversation,
        mode_from="default",
        prompt_from="memory",
    )
    name = sample_id(item.source)
    messages = (Message("user", prompt.text), Message("assistant", reply.text))
    sample = Sample(id=name, mode="emulation", messages=messages, source=source)
    return Prepared(fate=Fate(memory=item.source, fate="kept", sample=name), sample=sample)
