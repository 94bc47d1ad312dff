"""Whether a server asks with what training saw: the same prompts as training and as those who serve them cut them.

Compared are token ids, for they are what a model sees; the text is kept to show where two part. Training's side are
the tokens that were trained on (`trained`), and a dozen conversations of ours that have in them what servers and
tokenizers differ in (`by_training`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from idiolect.curation import Message
from idiolect.dataset import ChatTemplate, FormattedSample, RenderedSample, open_tokenizer, shown, tokenize_marked
from idiolect.errors import DataFault
from idiolect.serving.in_process import Model, prompt_text, prompt_tokens, stops_at

#: Prompts of a run's own that are compared, spread over all of them.
_OWN_PROMPTS = 48


def _talk(*said: str, system: str | None = None) -> tuple[Message, ...]:
    turns = [Message("user" if number % 2 == 0 else "assistant", text) for number, text in enumerate(said)]
    return (*([] if system is None else [Message("system", system)]), *turns)


Conversations = Mapping[str, Sequence[Message]]

#: What each conversation has in it → the conversation. All end where the model is to speak, and all are composed.
TALKS: Conversations = {
    "one turn": _talk("How was the crossing?"),
    "a system message": _talk("How was the crossing?", system="You are Marit, talking with somebody."),
    "several turns": _talk("How was it?", "Wind west 5.", "And the bees?", "Asleep.", "Good."),
    "several turns under a system message": _talk("Hi.", "Hello.", "And?", system="You are Marit."),
    "quotes": _talk("She said \"no\", and he: 'why?'", "`No` “is” «no».", "Hm.", system='You are "Marit".'),
    "triple quotes": _talk("He wrote \"\"\"so\"\"\" and '''so'''.", system='Answer """in full"""\nand well.'),
    "emoji": _talk("👩‍🚀🇳🇴 and 🐝", "🙂", "❤️", system="You like 🐝."),
    "lines": _talk("First.\n\nSecond:\n\t- a list\n\t- of two", "Yes.\nBoth.", "Fine.\r\nGood."),
    "code and braces": _talk("{{ message }} {% if x %} <b>&amp;</b> \\n", "def f(x):\n    return x", "`{{.Prompt}}`"),
    "other scripts": _talk("Blåbærsyltetøy, 北京, привет, שלום, é, q\u0301", "ñ", "ｆｕｌｌ width"),
    "numbers and spaces": _talk("1 22 333  4444   55555.5, 2026-11-25T10:00", "12°", "So."),
    "marks of markup": _talk("What is <think> for? And [INST]?", "<b>Bold</b>, no more.", "And ### this:"),
}


@dataclass(frozen=True)
class Rendering:
    """A conversation as the model sees it, up to where its reply begins."""

    text: str
    tokens: tuple[int, ...]


Renderings = Mapping[str, Rendering]


def by_training(template: ChatTemplate, tokenizer_json: Path, system: str = "") -> Renderings:
    """Render our conversations as training does.

    Those without a system message are put under `system`, as whoever serves a model with one of its own does. Those
    that the template refuses are left out.
    """
    tokenizer = open_tokenizer(tokenizer_json)
    asked = template.ask([_under(system, talk) for talk in TALKS.values()])
    texts = {name: a.text for name, a in zip(TALKS, asked, strict=True) if not a.fault}
    return {name: Rendering(t, tuple(tokenizer.encode(t, add_special_tokens=False).ids)) for name, t in texts.items()}


def trained(
    samples: Sequence[FormattedSample],
    texts: Sequence[RenderedSample],
    template: ChatTemplate,
    tokenizer_json: Path,
) -> tuple[Renderings, Conversations]:
    """Return what stands before replies in the texts that are trained on, and the conversations that these end.

    Each is the tokens of a label mask's own cut, up to its first target.
    """
    said = {s.id: [Message(m.role, template.plain(m.content)) for m in s.messages] for s in samples}
    replies = [(t, n) for t in texts if not t.dropped for n in range(len(t.replies))]
    chosen = replies[:: max(1, len(replies) // _OWN_PROMPTS)][:_OWN_PROMPTS]
    cuts = tokenize_marked([(t.text, t.learned[: n + 1]) for t, n in chosen], tokenizer_json)
    prompts, conversations = {}, {}
    for (text, n), cut in zip(chosen, cuts, strict=True):
        name = f"{text.id}, reply {n + 1}"
        before = cut.ends[n] - sum(takewhile(bool, reversed(cut.mask[: cut.ends[n]])))
        prompts[name] = Rendering(text.text[: text.learned[n][0]], cut.tokens[:before])
        conversations[name] = shown(said[text.sample], text.first, text.replies[n])
    return prompts, conversations


def by_llama_cpp(model: Model, system: str = "", talks: Conversations = TALKS) -> Renderings:
    """Render conversations as llama.cpp does, by what stands in the GGUF; those that it refuses are left out."""

    def render(talk: Sequence[Message]) -> Rendering:
        text = prompt_text(model, talk)
        return Rendering(text, prompt_tokens(model, text))

    rendered = {}
    for name, talk in talks.items():
        with suppress(DataFault):
            rendered[name] = render(_under(system, talk))
    return rendered


def by_server(render: Callable[[Sequence[Message]], str], model: Model, names: Iterable[str]) -> Renderings:
    """Render conversations of ours by what a server answers; the same GGUF cuts them into tokens."""
    texts = {name: render(TALKS[name]) for name in names}
    return {name: Rendering(text, prompt_tokens(model, text)) for name, text in texts.items()}


def never_stops(model: Model, turn_end: str) -> str:
    """Say what is wrong if llama.cpp does not stop at the token that ends a trained reply."""
    tokens = prompt_tokens(model, turn_end)
    if len(tokens) and stops_at(model, tokens[-1]):
        return ""
    return f"llama.cpp does not stop at {turn_end!r}, which ends a reply"


def _under(system: str, talk: Sequence[Message]) -> Sequence[Message]:
    return (Message("system", system), *talk) if system and talk[0].role != "system" else talk


def differences(expected: Renderings, served: Renderings) -> list[str]:
    """Say for each conversation that is not token for token the same where the two part."""
    return [
        f"{name}: {_parting(here, served[name]) if name in served else 'it is refused'}"
        for name, here in expected.items()
        if name not in served or here.tokens != served[name].tokens
    ]


def _parting(expected: Rendering, got: Rendering) -> str:
    if expected.text != got.text:
        at = _same(expected.text, got.text)
        return f"trained on …{expected.text[at : at + 40]!r}, served …{got.text[at : at + 40]!r}"
    at = _same(expected.tokens, got.tokens)
    return f"from token {at} on trained on {expected.tokens[at : at + 4]}, served {got.tokens[at : at + 4]}"


def _same(one: Sequence[object], other: Sequence[object]) -> int:
    """Return how long two sequences are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
