"""What a person said: the memories on their disk, read one event at a time."""

from idiolect.memories.feedback import Answered, Opinion, event_id, feedback_event, is_feedback
from idiolect.memories.machine_written import MachineWritten
from idiolect.memories.memory import Memory, Turn
from idiolect.memories.metahuman import read_event
from idiolect.memories.persona import persona_name, persona_names
from idiolect.memories.reading import (
    MemoryFile,
    Stamp,
    Unreadable,
    decoded,
    memory_files,
    parts,
    read_memories,
    read_memory,
    read_stamped,
    reading_of,
    stamp,
)
from idiolect.memories.recorded import Reading

__all__ = [
    "Answered",
    "MachineWritten",
    "Memory",
    "MemoryFile",
    "Opinion",
    "Reading",
    "Stamp",
    "Turn",
    "Unreadable",
    "decoded",
    "event_id",
    "feedback_event",
    "is_feedback",
    "memory_files",
    "parts",
    "persona_name",
    "persona_names",
    "read_event",
    "read_memories",
    "read_memory",
    "read_stamped",
    "reading_of",
    "stamp",
]
