"""What might have been asked, for memories in which the person speaks without having been asked.

Which prompt a memory gets follows from the seed and the memory's name, so that it stays the same when others come.
"""

from __future__ import annotations

import hashlib

_PROMPTS = {
    "observation": (
        "What did you notice?",
        "What have you seen lately?",
        "What is going on around you?",
        "Tell me what you saw.",
        "Anything worth mentioning?",
        "How do things look where you are?",
        "What caught your eye?",
        "What is new?",
    ),
    "journal": (
        "How was your day?",
        "What happened today?",
        "Tell me about your day.",
        "What would you write in your diary about this?",
        "What did you get up to?",
        "What have you been doing?",
        "How did it go?",
        "What is there to report?",
    ),
    "reflection": (
        "What have you been thinking about?",
        "What do you make of it all?",
        "Looking back, what do you see?",
        "What has this taught you?",
        "What is on your mind?",
        "What do you believe about that?",
        "What matters to you here?",
    ),
    "inner_dialogue": (
        "What goes through your head?",
        "What are you telling yourself?",
        "What are you thinking right now?",
        "Say what you think, as if nobody heard it.",
        "What is the voice in your head saying?",
    ),
    "dream": (
        "What did you dream?",
        "Tell me a dream of yours.",
        "What happened in your dream?",
        "Did you dream last night?",
        "What did you see in your sleep?",
    ),
    "chat": (
        "Hello?",
        "Yes?",
        "What is it?",
        "You wanted to say something?",
        "I am here.",
        "What is up?",
        "Tell me.",
        "Any news?",
    ),
    "request": (
        "What can I help with?",
        "How can I help you?",
        "What do you need?",
        "What are you working on?",
        "What would you like to know?",
        "Ask me anything.",
    ),
    "action": (
        "What did you do about it?",
        "What have you done?",
        "What did you get done?",
        "Tell me what you did.",
    ),
}
_AS = {"task": "action", "tool_use": "action", "conversation": "observation"}


def invented_prompt(memory_type: str, memory: str, seed: int) -> str:
    """Return a fitting prompt for a memory of this type; unknown types are asked as observations are."""
    choices = _PROMPTS.get(_AS.get(memory_type, memory_type), _PROMPTS["observation"])
    return choices[int(draw(f"{seed}:{memory}") * len(choices))]


def draw(lot: str) -> float:
    """Return a number from 0 up to 1 that follows from the lot alone."""
    digest = hashlib.blake2b(lot.encode("utf-8", "surrogatepass"), digest_size=6).digest()
    return int.from_bytes(digest) / 2**48
