"""What a person said: the memories on their disk, read one event at a time."""

from idiolect.memories.memory import Memory, Turn
from idiolect.memories.metahuman import Unreadable, read_event, read_memories
from idiolect.memories.persona import persona_name

__all__ = ["Memory", "Turn", "Unreadable", "persona_name", "read_event", "read_memories"]
