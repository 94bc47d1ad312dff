"""Memories → samples: whose words, which mode, cleaned, masked, each once, chosen; and a ledger of every fate."""

from idiolect.curation.curate import Curation, curate, settle
from idiolect.curation.duplicates import repeats
from idiolect.curation.edits import (
    OVERRULED,
    ByHand,
    Edit,
    What,
    by_memory,
    numbered_turns,
    read_edits,
    stands,
    values_of,
    with_edit,
)
from idiolect.curation.pool import memory_stamps, prepare_all
from idiolect.curation.prepare import Preparation, prepare, sample_id
from idiolect.curation.prompt_writer import write_prompts
from idiolect.curation.prompts import invented_prompt
from idiolect.curation.sample import Fate, Message, Sample, Source
from idiolect.curation.selection import SELECTION

__all__ = [
    "OVERRULED",
    "SELECTION",
    "ByHand",
    "Curation",
    "Edit",
    "Fate",
    "Message",
    "Preparation",
    "Sample",
    "Source",
    "What",
    "by_memory",
    "curate",
    "invented_prompt",
    "memory_stamps",
    "numbered_turns",
    "prepare",
    "prepare_all",
    "read_edits",
    "repeats",
    "sample_id",
    "settle",
    "stands",
    "values_of",
    "with_edit",
    "write_prompts",
]
