"""What a program puts around words when it records them, taken away: wrappers, labels, headers, thoughts.

How a person's events are read: the rules of their curation.json, and the names that they go by.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from idiolect.config import TimedPattern, WhoseWords
from idiolect.memories.memory import Turn


@dataclass(frozen=True)
class Reading:
    """How events are read; `names` are what the person is called in chats with several people, in lower case."""

    rules: WhoseWords = field(default_factory=WhoseWords)
    names: frozenset[str] = frozenset()

    def unwrapped(self, prompt: str) -> str:
        """Return what was said, without `Me: "…"` around it."""
        for wrapper in self._wrappers:
            if found := wrapper.fullmatch(prompt):
                return str(found[1] or "").strip()
        return prompt

    def is_wrapped(self, text: str) -> bool:
        return any(wrapper.fullmatch(text) for wrapper in self._wrappers)

    def begins_as_recorded(self, text: str) -> bool:
        """Tell whether there may be a header or labels: most texts have neither, which is seen at once."""
        return bool(self._beginning and self._beginning.match(text))

    def without_header(self, text: str) -> str:
        found = self._header.match(text) if self._header else None
        return text[found.end() :].strip() if found else text

    def rounds(self, text: str, *, chat: bool) -> tuple[Turn, ...]:
        """Split `User: …`, a blank line, `Assistant: …`, once or more often, into turns.

        A text that does not begin with a label, or in which only one stands, is none of that, and comes back as
        nothing: a person may write of users and assistants. In what is a chat by its type (`chat`) one label is
        enough, and one line break between two.
        """
        if not self.begins_as_recorded(text):
            return ()
        for pair in self._label_pairs:
            if not pair.begin.match(text):
                continue
            turns = pair.turns(pair.after_blank_line.split(text))
            if chat and len(turns) < 2:
                turns = pair.turns(pair.after_line.split(text))
            if len(turns) > 1 or chat:
                return joined(turns)
        return ()

    def without_thoughts(self, reply: str) -> str:
        """Return a reply without what a model thought before it; of a thought that has no end, nothing is left."""
        if "<" not in reply or not self._thought_tag or not self._thought_tag.search(reply):
            return reply
        said = self._thought.sub("", reply)
        # Some chat templates open the thought in the prompt: what is before its end is thought, too.
        *_, said = self._end_of_thought.split(said)
        return "" if self._thought_tag.match(said.lstrip()) else said.strip()

    @cached_property
    def _wrappers(self) -> list[TimedPattern]:
        return [TimedPattern(wrapper, dot_is_all=True) for wrapper in self.rules.wrappers]

    @cached_property
    def _header(self) -> TimedPattern | None:
        headers = "|".join(f"(?:{header})" for header in self.rules.headers)
        return TimedPattern(rf"(?:{headers})") if headers else None

    @cached_property
    def _beginning(self) -> TimedPattern | None:
        labels = [rf"{re.escape(label)}:" for pair in self.rules.labels for label in pair]
        beginnings = "|".join([*labels, *(f"(?:{header})" for header in self.rules.headers)])
        return TimedPattern(beginnings) if beginnings else None

    @cached_property
    def _label_pairs(self) -> list[_LabelPair]:
        return [_LabelPair(other, person) for other, person in self.rules.labels]

    @cached_property
    def _tags(self) -> str:
        return "|".join(map(re.escape, self.rules.thought_tags))

    @cached_property
    def _thought_tag(self) -> re.Pattern[str] | None:
        return re.compile(rf"</?(?:{self._tags})>", re.IGNORECASE) if self._tags else None

    @cached_property
    def _thought(self) -> re.Pattern[str]:
        return re.compile(rf"<({self._tags})>(?:(?!<(?:{self._tags})>).)*?</\1>\s*", re.IGNORECASE | re.DOTALL)

    @cached_property
    def _end_of_thought(self) -> re.Pattern[str]:
        return re.compile(rf"</(?:{self._tags})>\s*", re.IGNORECASE)


class _LabelPair:
    """The labels of one form of conversation, and where they stand."""

    def __init__(self, other: str, person: str) -> None:
        self._person = person
        label = rf"({re.escape(other)}|{re.escape(person)}):(?=\s|\Z)"
        self.begin = re.compile(label)
        # From the beginning of white space only: a long run of it would else be gone through from each line break.
        self.after_blank_line = re.compile(rf"(?:\A|(?<!\s)[^\S\n]*+\n[^\S\n]*+\n\s*+){label}")
        self.after_line = re.compile(rf"(?:\A|(?<!\s)[^\S\n]*+\n\s*+){label}")

    def turns(self, pieces: Sequence[str]) -> list[Turn]:
        """Make turns of what was split at labels: nothing, then label and text by turns."""
        said = zip(pieces[1::2], pieces[2::2], strict=True)
        turns = [Turn("person" if label == self._person else "other", text.strip()) for label, text in said]
        return [turn for turn in turns if turn.text]


def joined(turns: Sequence[Turn], seam: str = "\n") -> tuple[Turn, ...]:
    """Make one turn of consecutive ones of the same speaker."""
    together: list[Turn] = []
    for turn in turns:
        if together and together[-1].speaker == turn.speaker:
            together[-1] = Turn(turn.speaker, f"{together[-1].text}{seam}{turn.text}")
        else:
            together.append(turn)
    return tuple(together)
