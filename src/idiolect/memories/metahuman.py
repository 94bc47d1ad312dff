"""One MetaHuman OS event: a JSON object of many shapes, all fields optional, becomes a Memory.

The shapes are listed in `_turns`; which part of MetaHuman OS writes which is in docs/metahuman.md.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from idiolect.memories.exported_chat import chat_turns
from idiolect.memories.memory import Memory, Turn
from idiolect.memories.recorded import Reading, joined

#: Types whose `content` alone is what was said to the person, where a recorder's wrapper or label says so.
_CHATS = frozenset({"conversation", "chat", "inner_dialogue"})
_AS_SHIPPED = Reading()


def read_event(event: Any, source: str, reading: Reading = _AS_SHIPPED, question: str | None = None) -> Memory:
    """Turn a decoded event into a Memory; `question` is what it answers, if that is known from elsewhere.

    Raises ValueError where it is not one.
    """
    if not isinstance(event, dict):
        raise ValueError("not a JSON object")
    metadata = event.get("metadata")
    if not isinstance(metadata, dict):
        metadata = {}
    kind = text_of(event.get("type")) or "observation"
    turns = _turns(event, kind, metadata, reading, question)
    if not turns:
        raise ValueError("no text in it")
    event_id = text_of(event.get("id")) or ""
    memory = Memory(
        source=source,
        type=kind,
        turns=turns,
        timestamp=moment_of(event.get("timestamp")),
        tags=_strings(event.get("tags")),
        event_id=event_id,
    )
    if not metadata:
        return memory
    asks, answers = _question_ids(metadata)
    return msgspec.structs.replace(
        memory,
        mode=text_of(metadata.get("cognitiveMode")),
        conversation=text_of(metadata.get("conversationId")) or text_of(metadata.get("sessionId")),
        rejects=_rejected(metadata, event_id),
        asks=asks,
        answers=answers if turns[0].speaker == "person" else "",
        metadata=metadata,
    )


def text_of(value: Any) -> str | None:
    """Return a string without the space around it, or None for an empty one or another type."""
    return value.strip() or None if isinstance(value, str) else None


def moment_of(value: Any) -> datetime | None:
    """Read an ISO date; one without an offset counts as UTC, one that is not a date as none."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is UTC:
            return moment
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _turns(
    event: dict[str, Any], kind: str, metadata: dict[str, Any], reading: Reading, question: str | None
) -> tuple[Turn, ...]:
    """Find who said what: by what only one writer writes, then messages, pairs, and what stands alone.

    Pairs are looked for in the order in which MetaHuman OS does.
    """
    turns: tuple[Turn, ...] = ()
    if metadata or question:
        content = _words(event.get("content"))
        turns = _special(kind, metadata, content, reading)
        if not turns and content and (question or _is_answer(metadata)):
            turns = _answer(content, kind, metadata, reading, question)
    if not turns and (messages := event.get("messages")):
        turns = _messages(messages)
    turns = turns or _pair(event, kind, reading) or _alone(event, kind, reading)
    # Nearly all texts are without a "<", which costs least to see here.
    for turn in turns:
        if "<" in turn.text:
            return _without_thoughts(turns, reading)
    return turns


def _special(kind: str, metadata: dict[str, Any], content: str | None, reading: Reading) -> tuple[Turn, ...]:
    """Read an answered card, a question that was put to the person, and an exported chat."""
    if kind == "card_response":
        return _both(text_of(metadata.get("userMessage")), text_of(metadata.get("assistantResponse")))
    curiosity = metadata.get("curiosity")
    if isinstance(curiosity, dict) and curiosity.get("isCuriosityQuestion"):
        return _both(text_of(curiosity.get("questionText")) or content, None)
    if content and metadata.get("provenance") == "chat-export":
        return chat_turns(content, reading.names)
    return ()


def _is_answer(metadata: dict[str, Any]) -> bool:
    """Tell whether the person answers a question of curiosity; replying to another message is an ordinary chat."""
    curiosity, reply_to = metadata.get("curiosity"), metadata.get("replyTo")
    answers = isinstance(curiosity, dict) and curiosity.get("answerTo")
    return bool(answers) or (isinstance(reply_to, dict) and reply_to.get("source") == "curiosity")


def _answer(
    content: str, kind: str, metadata: dict[str, Any], reading: Reading, question: str | None
) -> tuple[Turn, ...]:
    """Read what the person answered: it is the `content`; the `response` is a machine's thanks."""
    rounds = reading.rounds(content, chat=kind.lower() in _CHATS)
    said = next((turn.text for turn in rounds if turn.speaker == "other"), content)
    reply_to = metadata.get("replyTo")
    asked = text_of(reply_to.get("content")) if isinstance(reply_to, dict) else None
    return _both(asked or question, reading.unwrapped(said))


def _pair(event: dict[str, Any], kind: str, reading: Reading) -> tuple[Turn, ...]:
    for said, answered in (("prompt", "response"), ("content", "response"), ("question", "answer")):
        if said not in event or answered not in event:
            continue
        if (prompt := _words(event[said])) and (reply := _words(event[answered])):
            rounds = reading.rounds(prompt, chat=kind.lower() in _CHATS)
            if rounds:
                return rounds if rounds[-1].speaker == "person" else (*rounds, Turn("person", reply))
            return _both(reading.unwrapped(prompt), reply)
    return ()


def _alone(event: dict[str, Any], kind: str, reading: Reading) -> tuple[Turn, ...]:
    """Read what nobody answered, what is a conversation by itself (`User: …`), or a reply to nothing."""
    if "observation" in event and (observed := _words(event["observation"])):
        return (Turn("person", observed),)
    content = _words(event.get("content"))
    if content is None:
        return _both(None, _words(event.get("response")) or _words(event.get("answer")))
    chat = kind.lower() in _CHATS
    if not chat and not reading.begins_as_recorded(content):
        return (Turn("person", content),)
    text = reading.without_header(content)
    if rounds := reading.rounds(text, chat=chat):
        return rounds
    if chat and reading.is_wrapped(text):
        return _both(reading.unwrapped(text), None)
    return _both(None, text)


def _both(said: str | None, answered: str | None) -> tuple[Turn, ...]:
    if said and answered:
        return Turn("other", said), Turn("person", answered)
    if said or answered:
        return (Turn("person", answered) if answered else Turn("other", said or ""),)
    return ()


def _messages(messages: Any) -> tuple[Turn, ...]:
    """Join consecutive messages of one speaker; MetaHuman OS' assistant speaks as the person."""
    turns = []
    for message in messages if isinstance(messages, list) else []:
        text = _words(message.get("content")) if isinstance(message, dict) else None
        if text is not None and message.get("role") in ("user", "assistant"):
            turns.append(Turn("person" if message["role"] == "assistant" else "other", text))
    return joined(turns)


def _words(value: Any) -> str | None:
    """Return a text, or the texts of content parts: [{"type": "text", "text": …}, {"type": "image_url", …}]."""
    if not isinstance(value, list):
        return text_of(value)
    parts = [part.get("text") if isinstance(part, dict) else part for part in value]
    return "\n".join([text for part in parts if (text := text_of(part))]) or None


def _without_thoughts(turns: tuple[Turn, ...], reading: Reading) -> tuple[Turn, ...]:
    """Take out what a model thought; of a reply of which nothing is left, what it answered goes, too."""
    left: list[Turn] = []
    for turn in turns:
        said = reading.without_thoughts(turn.text) if turn.speaker == "person" else turn.text
        if said:
            left.append(Turn(turn.speaker, said))
        elif left and left[-1].speaker == "other":
            left.pop()
    if left:
        return joined(left)
    if turns[0].speaker == "person":
        raise ValueError("nothing in it but what a model thought")
    return turns[:1]


def _question_ids(metadata: dict[str, Any]) -> tuple[str, str]:
    """Return the id of the question that an event puts, and of the one that it answers."""
    curiosity = metadata.get("curiosity")
    if not isinstance(curiosity, dict):
        return "", ""
    asks = text_of(curiosity.get("questionId")) if curiosity.get("isCuriosityQuestion") else None
    return asks or "", text_of(curiosity.get("answerTo")) or ""


def _rejected(metadata: dict[str, Any], event_id: str) -> str | None:
    """Name the event that a thumb down is meant for: the feedback's target, or else the event that bears it."""
    if metadata.get("reinforcementSignal") != -1:
        return None
    return text_of(metadata.get("targetId")) or event_id or None


def _strings(value: Any) -> tuple[str, ...]:
    return tuple([v for v in value if isinstance(v, str)]) if isinstance(value, list) else ()
