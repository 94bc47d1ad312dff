"""Whose words stand in a memory: the rules by which MetaHuman OS' events are read, as data that a person can override.

Read from the writers of MetaHuman OS at eabcdc93 (2025-11-22) and 0edce518 (2026-07-18): docs/metahuman.md says which
part of it writes which kind of event.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import regex
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

#: `type=dream`, `tag=agency`, `folder=audio`, `metadata.source`, `metadata.source=drift-monitor`, or a bare word.
_CONDITION = re.compile(r"(?:type|tag|folder)=\S.*|metadata\.[\w-]+(?:\.[\w-]+)?(?:=.*)?|[^=.]+")


def compiles(pattern: str) -> str:
    """Return a regular expression that can be a part of a longer one. Raises ValueError for another."""
    try:
        re.compile(f"(?:{pattern})")
        regex.compile(f"(?:{pattern})")
    except (re.error, regex.error) as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
    return pattern


def conditions(mark: str) -> tuple[str, ...]:
    """Split `type=inner_dialogue & tag=agency & not tag=mine` into what has to hold, and what must not."""
    return tuple(part.strip() for part in mark.split(" & "))


def _holds_something(mark: str) -> str:
    first, *rest = conditions(mark)
    for condition in (first, *(other.removeprefix("not ") for other in rest)):
        if not _CONDITION.fullmatch(condition):
            raise ValueError(f"{condition!r} is not type=…, tag=…, folder=…, metadata.… or a word")
    return mark


def _with_a_group(pattern: str) -> str:
    if regex.compile(compiles(pattern)).groups != 1:
        raise ValueError(f"{pattern!r} must have one group, (…), for what was said")
    return pattern


Marks = tuple[Annotated[str, AfterValidator(_holds_something)], ...]

_MACHINE_WRITTEN: dict[str, tuple[str, ...]] = {
    "tool call": ("type=tool_invocation", "folder=tool-invocations"),
    "summary": ("type=summary", "type=reflection_summary", "type=inner_dialogue & tag=summary"),
    "research": ("metadata.curiosity.researchFile", "type=inner_dialogue & tag=research"),
    "question to the person": (
        "metadata.curiosity.isCuriosityQuestion",
        "tag=curiosity & tag=assistant & tag=chat",
        "type=inner_dialogue & tag=curiosity",
        "type=curiosity_question",
        "metadata.dialogueSource=curiosity",
    ),
    "question to itself": ("metadata.innerCuriosity", "type=inner_dialogue & tag=inner-curiosity"),
    "audio summary": ("type=audio",),
    "agency": (
        "type=inner_dialogue & tag=agency",
        "type=inner_dialogue & metadata.desireId",
        "type=inner_dialogue & metadata.agency",
        "metadata.dialogueSource=desire-executor",
        "metadata.dialogueSource=outcome-reviewer",
        "metadata.source=desire-planner",
    ),
    "proposal": ("type=operator_feedback", "type=operator_policy", "metadata.dialogueSource=operator-policy"),
    "drift": ("type=inner_dialogue & tag=drift", "metadata.source=drift-monitor"),
    "curator": ("metadata.curator", "type=inner_dialogue & tag=curator"),
    "environment": (
        "metadata.cognitiveMode=environment",
        "metadata.source=environment",
        "metadata.environmentId",
        "metadata.environment",
        "type=environment",
        "type=environment_observation",
        "type=environment_command",
    ),
    "calendar": ("metadata.calendar", "metadata.provenance=calendar-sync"),
    "photo": ("metadata.photo",),
    "voice memo": ("metadata.voiceMemo", "metadata.provenance=voice-memo"),
    # Of a long document the older ai-ingestor kept a language model's abstract as the memory, and tagged it so.
    # Later ones keep the document's own words, in pieces, under the same tags and one more.
    "abstract": ("tag=ingested & tag=ai & tag=curated & not tag=raw-text & not metadata.rawText",),
}


class WhoseWords(BaseModel):
    """Whose words stand in a memory."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    machine_written: dict[str, Marks] = _MACHINE_WRITTEN
    """Rules by which a machine wrote a memory, so that nothing of it is learned: name → marks of which one suffices.
    A mark is `type=…`, `tag=…`, `folder=…`, `metadata.KEY`, `metadata.KEY=…`, several joined by ` & `, or a word that
    is a type, a tag or a folder. An empty list switches a rule off; a list instead of rules replaces them all."""
    wrappers: tuple[Annotated[str, AfterValidator(_with_a_group)], ...] = (r'Me:\s*"(.*)"',)
    """Regular expressions for what a recorder put around a prompt, whole; their group is what was said."""
    headers: tuple[Annotated[str, AfterValidator(compiles)], ...] = (
        r"Persona Notes - Self-Reflection\n+",
        r"Quick Personality Survey - Onboarding\n+",
    )
    """Regular expressions for what a recorder put before the person's own text."""
    labels: tuple[tuple[Annotated[str, Field(min_length=1)], Annotated[str, Field(min_length=1)]], ...] = (
        ("User", "Assistant"),
        ("Interviewer", "You"),
    )
    """Words before the colon in a conversation that is one text: whoever speaks to the person, and the person."""
    thought_tags: tuple[Annotated[str, Field(pattern=r"^[\w-]+$")], ...] = ("think", "thinking")
    """Tags around what a model thought before a reply: it is no word of the person's, and taken out."""
    my_names: tuple[str, ...] = ()
    """What the person is called in exported chats, beside the names that their persona states."""

    @field_validator("machine_written", mode="before")
    @classmethod
    def _over_the_rules(cls, given: Any) -> Any:
        """Let a person name only the rules that they want otherwise."""
        if isinstance(given, dict):
            return {**_MACHINE_WRITTEN, **given}
        return {"listed": given} if isinstance(given, list | tuple) else given
