"""What a person said: the memories on their disk, read one event at a time."""

from idiolect.memories.feedback import Answered, Opinion, event_id, feedback_event
from idiolect.memories.memory import Memory, Turn
from idiolect.memories.metahuman import read_event
from idiolect.memories.persona import persona_name, persona_names
from idiolect.memories.reading import (
    MemoryFile,
    Stamp,
    Unreadable,
    memory_files,
    read_memories,
    read_memory,
    read_stamped,
    stamp,
)

__all__ = [
    "Answered",
    "Memory",
    "MemoryFile",
    "Opinion",
    "Stamp",
    "Turn",
    "Unreadable",
    "event_id",
    "feedback_event",
    "memory_files",
    "persona_name",
    "persona_names",
    "read_event",
    "read_memories",
    "read_memory",
    "read_stamped",
    "stamp",
]
