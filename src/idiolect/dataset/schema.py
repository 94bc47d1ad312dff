"""Formatted samples → texts under the base model's chat template, with what the model must produce marked.

Each reply stands after exactly what a server asks with. As long as what is asked next begins with what stands there,
replies share a text; where it does not (a template that drops earlier thoughts, or moves the system message), and
where a conversation is longer than the model may see, the next reply begins a text of its own. Nothing is learned
twice.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import msgspec
from tokenizers import Tokenizer

from idiolect.config import Mode
from idiolect.curation import Message, Source
from idiolect.dataset.chat_template import ChatTemplate
from idiolect.dataset.formatter import FormattedSample
from idiolect.dataset.rendering import Rendered
from idiolect.dataset.tokens import Cut, cut_all, open_tokenizer
from idiolect.dataset.training_text import part_id, sample_of
from idiolect.unbroken import LONGEST, longest_run

#: Why a sample has no text, as the ledger says it.
REFUSED = "refused by the chat template"
CHANGED = "changed by the chat template"
TOO_LONG = "longer than max_seq_length"
#: What the ledger says of one that was shortened.
CUT = "cut to max_seq_length"
EMPTY = "nothing but control tokens"
UNBROKEN = "a row of characters without a break"


class RenderedSample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record of schema_applied.json; `learned` has [start, end) character positions of `text`.

    `replies` are the places, among the sample's messages, of the replies that are learned, and `first` is the place of
    the first turn that the model is shown: earlier ones did not fit. `dropped` says why there is no text.
    """

    id: str
    mode: Mode
    text: str
    learned: tuple[tuple[int, int], ...]
    source: Source
    replies: tuple[int, ...] = ()
    first: int = 0
    cut: bool = False
    """Whether the end of its reply is missing: it was longer than the model may see."""
    dropped: str = ""

    @property
    def sample(self) -> str:
        """The id of the sample that this is a text of."""
        return sample_of(self.id)


#: No token of usual text has more characters.
_CHARACTERS = 16


@dataclass(frozen=True)
class _Text:
    """A text that is being made: the places of its replies, and of the first turn that is shown."""

    text: str
    learned: tuple[tuple[int, int], ...]
    replies: tuple[int, ...]
    first: int
    cut: bool = False


def apply_schema(
    samples: Sequence[FormattedSample], template: ChatTemplate, tokenizer_json: Path, max_tokens: int
) -> list[RenderedSample]:
    """Return the texts of all samples, none longer than `max_tokens`.

    A sample that the template refuses or changes is dropped alone, and its record says why. Raises BaseModelFault for
    a template that does not end.
    """
    tokenizer = open_tokenizer(tokenizer_json)
    talks = [[Message(m.role, template.plain(m.content)) for m in s.messages] for s in samples]
    heads = [_head(talk, max_tokens) for talk in talks]
    prompts = iter(template.ask([talk[:place] for talk, head in zip(talks, heads, strict=True) for place in head]))
    asked = [[next(prompts) for _ in head] for head in heads]
    faults = _faults(talks, asked, template)
    chained = [
        [] if fault else _chained(talk, {p: a.text for p, a in zip(head, said, strict=True)}, 0, template)
        for talk, head, said, fault in zip(talks, heads, asked, faults, strict=True)
    ]
    cuts = iter(cut_all(tokenizer, [(c.text, c.learned) for texts in chained for c in texts]))
    fitter = _Fitter(template, tokenizer, max_tokens)
    rendered: list[RenderedSample] = []
    for sample, talk, head, fault, texts in zip(samples, talks, heads, faults, chained, strict=True):
        fitted = [piece for text in texts for piece in fitter.fitted(talk, text, next(cuts))]
        fitted += [] if fault else fitter.later(talk, _replies(talk)[len(head) :], 0)
        rendered += _records(sample, fitted, fault or ("" if fitted else TOO_LONG))
    return rendered


def _records(sample: FormattedSample, texts: Sequence[_Text], fault: str) -> Iterator[RenderedSample]:
    if not texts:
        yield RenderedSample(id=sample.id, mode=sample.mode, text="", learned=(), source=sample.source, dropped=fault)
    for number, made in enumerate(texts, start=1):
        yield RenderedSample(
            id=part_id(sample.id, number) if len(texts) > 1 else sample.id,
            mode=sample.mode,
            text=made.text,
            learned=made.learned,
            source=sample.source,
            replies=made.replies,
            first=made.first,
            cut=made.cut,
        )


def _replies(talk: Sequence[Message]) -> list[int]:
    return [place for place, message in enumerate(talk) if message.role == "assistant"]


def _head(talk: Sequence[Message], most: int) -> list[int]:
    """Return the places of replies that may stand in the first text: to ask for all of a long talk takes its square."""
    lengths = list(accumulate(len(message.content) for message in talk))
    replies = _replies(talk)
    return [place for place in replies if place == replies[0] or lengths[place] <= most * _CHARACTERS]


def shown(talk: Sequence[Message], first: int, place: int) -> list[Message]:
    """Return what a server is given before the reply at `place`, if `first` is the first turn that it is shown."""
    return [*(m for m in talk[:first] if m.role == "system"), *talk[first:place]]


def _faults(
    talks: Sequence[Sequence[Message]], asked: Sequence[Sequence[Rendered]], template: ChatTemplate
) -> list[str]:
    """Return for each conversation why it cannot be learned from, or nothing."""
    refused = [
        next((f"{REFUSED}: {a.fault}" for a in prompts if a.fault), _unusable(talk))
        for talk, prompts in zip(talks, asked, strict=True)
    ]
    at_risk = [
        (number, talk[: place + 1])
        for number, talk in enumerate(talks)
        for place in _replies(talk)
        if not refused[number] and template.may_change(talk[place].content)
    ]
    for (number, talk), whole in zip(at_risk, template.finished([talk for _, talk in at_risk]), strict=True):
        if talk[-1].content + template.close not in whole.text:
            refused[number] = CHANGED
    return refused


def _unusable(talk: Sequence[Message]) -> str:
    """Say why a conversation cannot be trained on, whatever the template; long rows of letters end llama.cpp."""
    if not all(m.content for m in talk):
        return EMPTY
    return UNBROKEN if any(longest_run(m.content) > LONGEST for m in talk) else ""


def _chained(talk: Sequence[Message], prompts: Mapping[int, str], first: int, template: ChatTemplate) -> list[_Text]:
    """Lay replies (place → what is asked with before it, in their order) into as few texts as the law allows."""
    texts: list[_Text] = []
    for place, prompt in prompts.items():
        text, span = template.answered(prompt, talk[place].content)
        if texts and prompt.startswith(texts[-1].text):
            before = texts.pop()
            texts.append(_Text(text, (*before.learned, span), (*before.replies, place), first))
        else:
            texts.append(_Text(text, (span,), (place,), first))
    return texts


@dataclass(frozen=True)
class _Fitter:
    """Makes texts fit: shared by all that is cut in a data set."""

    template: ChatTemplate
    tokenizer: Tokenizer
    most: int

    def fitted(self, talk: Sequence[Message], text: _Text, cut: Cut) -> list[_Text]:
        """Return a text as it is, or as several where its tokens do not chain or are too many."""
        if not cut.chains:
            alone = [one for place in text.replies for one in self._again(talk, text.first, (place,))]
            return [piece for one in alone for piece in self.fitted(talk, one, self._cut(one))]
        whole = sum(end <= self.most for end in cut.ends)
        if whole == len(text.replies):
            return [text]
        kept = text.learned[:whole]
        fitting = [_Text(text.text[: kept[-1][1]], kept, text.replies[:whole], text.first)] if whole else []
        return [*fitting, *self.later(talk, text.replies[whole:], text.first)]

    def later(self, talk: Sequence[Message], replies: Sequence[int], first: int) -> list[_Text]:
        """Make texts for replies without the oldest turns, as a chat drops them: half of the room is free for each."""
        made: list[_Text] = []
        width = 2  # replies that are tried together: twice as many as shared a text last time
        while replies:
            first = self._start(talk, first, replies[0])
            texts = self._again(talk, first, replies[:width])
            if not texts or texts[0].replies[0] != replies[0]:
                replies = replies[1:]  # the template takes the conversation, and refuses this part of it
                continue
            text = texts[0]
            cut = self._cut(text)
            whole = sum(end <= self.most for end in cut.ends) if cut.chains else 0
            if whole:
                kept = text.learned[:whole]
                made.append(_Text(text.text[: kept[-1][1]], kept, text.replies[:whole], first))
            else:
                (alone,) = self._again(talk, first, replies[:1])
                fits = len(self._cut(alone).tokens) <= self.most
                shortened = alone if fits else self._within_reply(alone)
                made += [shortened] if shortened else []
            last = text.replies[max(whole, 1) - 1]
            replies, width = [place for place in replies if place > last], 2 * max(whole, 1)
        return made

    def _start(self, talk: Sequence[Message], first: int, place: int) -> int:
        """Return the first turn, not before `first`, from which on a prompt fills no more than half of the room."""
        starts = [turn for turn in range(first, place) if talk[turn].role == "user"] or [first]

        def fits(start: int) -> bool:
            (prompt,) = self.template.ask([shown(talk, start, place)])
            return len(self.tokenizer.encode(prompt.text, add_special_tokens=False).ids) <= self.most // 2

        return starts[min(bisect_left(starts, 1, key=lambda start: int(fits(start))), len(starts) - 1)]

    def _again(self, talk: Sequence[Message], first: int, replies: Sequence[int]) -> list[_Text]:
        """Make the texts of some replies anew, as they are asked for from the turn `first` on."""
        asked = self.template.ask([shown(talk, first, place) for place in replies])
        prompts = {place: a.text for place, a in zip(replies, asked, strict=True) if not a.fault}
        return _chained(talk, prompts, first, self.template)

    def _cut(self, text: _Text) -> Cut:
        (cut,) = cut_all(self.tokenizer, [(text.text, text.learned)])
        return cut

    def _within_reply(self, text: _Text) -> _Text | None:
        """Cut the first reply of a text, not within a word; what ends its turn stays, so nobody learns to break off."""
        start, end = text.learned[0]
        close = self.template.close
        offsets = self.tokenizer.encode(text.text, add_special_tokens=False).offsets
        stop = min(offsets[min(self.most, len(offsets)) - 1][1], end - len(close))
        while stop > start:
            words = text.text[start:stop].rpartition(" ")[0].rstrip()
            kept = text.text[:start] + (words or text.text[start:stop]) + close
            made = _Text(kept, ((start, len(kept)),), text.replies[:1], text.first, cut=True)
            if len(self._cut(made).tokens) <= self.most:
                return made
            stop = start + len(words) if words else stop - 1
        return None
