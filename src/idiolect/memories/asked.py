"""What the person was asked and answered: therapy sessions, and questions of MetaHuman OS' curiosity."""

from __future__ import annotations

from typing import Any

from idiolect.memories.memory import Memory, Turn
from idiolect.memories.metahuman import moment_of, text_of


def read_session(session: Any, source: str) -> Memory:
    """Turn a therapy session (persona/therapy/session-*.json) into one talk, question by answered question.

    Raises ValueError where it is not one.
    """
    try:
        prompts = {q["id"]: text_of(q.get("prompt")) for q in session["questions"]}
        answers = [(prompts.get(a["questionId"]), text_of(a.get("content")), a) for a in session["answers"]]
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a therapy session ({error!r})") from error
    answered = [(prompt, answer, raw) for prompt, answer, raw in answers if prompt and answer]
    if not answered:
        raise ValueError("no answered question in it")
    return Memory(
        source=source,
        type="therapy",
        turns=tuple(t for prompt, answer, _ in answered for t in (Turn("other", prompt), Turn("person", answer))),
        timestamp=moment_of(answered[-1][2].get("capturedAt")),
        conversation=text_of(session.get("sessionId")),
    )


def read_question(question: Any) -> tuple[str, str]:
    """Return the path of the event that answers a curiosity question, and the question.

    Raises ValueError where it is not one, or not answered.
    """
    if not isinstance(question, dict):
        raise ValueError("not a JSON object")
    path, asked = text_of(question.get("answerEvent")), text_of(question.get("question"))
    if not path or not asked:
        raise ValueError("not an answered question")
    return path, asked
