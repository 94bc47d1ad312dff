"""Memories → samples: whose words, which mode, cleaned, masked, each once, chosen; and a ledger of every fate."""

from idiolect.curation.curate import Curation, curate, settle
from idiolect.curation.duplicates import repeats
from idiolect.curation.pool import memory_stamps, prepare_all
from idiolect.curation.prompt_writer import write_prompts
from idiolect.curation.sample import Fate, Message, Sample, Source
from idiolect.curation.selection import SELECTION

__all__ = [
    "SELECTION",
    "Curation",
    "Fate",
    "Message",
    "Sample",
    "Source",
    "curate",
    "memory_stamps",
    "prepare_all",
    "repeats",
    "settle",
    "write_prompts",
]
