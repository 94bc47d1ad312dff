"""Other people's formats: the life that somebody wrote down elsewhere, brought in as memories, once and only once."""

from idiolect.memories.importers.conversations import Others
from idiolect.memories.importers.export import Export
from idiolect.memories.importers.identity import Selves
from idiolect.memories.importers.importing import Imported, UnknownSelf, bring_in, settle_import, survey
from idiolect.memories.importers.message import Asked, Message, Person, Remark, Thread, Unreadable
from idiolect.memories.importers.pseudonyms import Pseudonyms
from idiolect.memories.importers.sources import SOURCES, Source
from idiolect.memories.importers.survey import Survey
from idiolect.memories.importers.times import day

__all__ = [
    "SOURCES",
    "Asked",
    "Export",
    "Imported",
    "Message",
    "Others",
    "Person",
    "Pseudonyms",
    "Remark",
    "Selves",
    "Source",
    "Survey",
    "Thread",
    "UnknownSelf",
    "Unreadable",
    "bring_in",
    "day",
    "settle_import",
    "survey",
]
