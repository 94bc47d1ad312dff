"""What a person said: the memories on their disk, read one event at a time."""

from idiolect.memories.memory import Memory, Turn
from idiolect.memories.metahuman import read_event
from idiolect.memories.persona import persona_name
from idiolect.memories.reading import MemoryFile, Unreadable, memory_files, read_memories, read_memory

__all__ = [
    "Memory",
    "MemoryFile",
    "Turn",
    "Unreadable",
    "memory_files",
    "persona_name",
    "read_event",
    "read_memories",
    "read_memory",
]
