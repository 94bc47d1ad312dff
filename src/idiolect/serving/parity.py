"""Whether what is served is what was trained on: a dozen talks, as training and as those who serve them render them.

Compared are token ids, for they are what a model sees; the text is kept to show where two part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from idiolect.curation import Message
from idiolect.dataset import ChatTemplate
from idiolect.errors import BaseModelFault, DataFault
from idiolect.serving.in_process import Model, prompt_text, prompt_tokens


def _talk(*said: str, system: str | None = None) -> tuple[Message, ...]:
    turns = [Message("user" if number % 2 == 0 else "assistant", text) for number, text in enumerate(said)]
    return (*([] if system is None else [Message("system", system)]), *turns)


#: What each talk has in it → the talk. All end where the model is to speak.
TALKS: Mapping[str, tuple[Message, ...]] = {
    "one turn": _talk("How was the crossing?"),
    "a system message": _talk("How was the crossing?", system="You are Marit, talking with somebody."),
    "an empty system message": _talk("How was the crossing?", system=""),
    "several turns": _talk("How was it?", "Wind west 5.", "And the bees?", "Asleep.", "Good."),
    "several turns under a system message": _talk("Hi.", "Hello.", "And?", system="You are Marit."),
    "quotes": _talk("She said \"no\", and he: 'why?'", "`No` “is” «no».", "Hm.", system='You are "Marit".'),
    "triple quotes": _talk("He wrote \"\"\"so\"\"\" and '''so'''.", system='Answer """in full"""\nand well.'),
    "emoji": _talk("👩‍🚀🇳🇴 and 🐝", "🙂", "❤️", system="You like 🐝."),
    "lines": _talk("First.\n\nSecond:\n\t- a list\n\t- of two", "Yes.\nBoth.", "Fine.\r\nGood."),
    "code and braces": _talk("{{ message }} {% if x %} <b>&amp;</b> \\n", "def f(x):\n    return x", "`{{.Prompt}}`"),
    "other scripts": _talk("Blåbærsyltetøy, 北京, привет, שלום, e\u0301", "ñ", "ｆｕｌｌ width"),
    "numbers and spaces": _talk("1 22 333  4444   55555.5, 2026-11-25T10:00", "12°", "So."),
}


@dataclass(frozen=True)
class Rendering:
    """A talk as the model sees it, up to where its reply begins."""

    text: str
    tokens: tuple[int, ...]


Renderings = Mapping[str, Rendering]


def by_training(template: ChatTemplate, tokenizer_json: Path, system: str = "") -> Renderings:
    """Render the talks as training does; those that the template refuses (system messages, say) are left out.

    Talks without a system message are put under `system`, as whoever serves a model with one of its own does.
    """
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_json))

    def render(talk: Sequence[Message]) -> Rendering:
        text = template.render(talk, ask=True)
        return Rendering(text, tuple(tokenizer.encode(text, add_special_tokens=False).ids))

    return _rendered(render, system)


def by_llama_cpp(model: Model, system: str = "") -> Renderings:
    """Render the talks as llama.cpp does, by what stands in the GGUF; those that it refuses are left out."""

    def render(talk: Sequence[Message]) -> Rendering:
        text = prompt_text(model, talk)
        return Rendering(text, prompt_tokens(model, text))

    return _rendered(render, system)


def by_server(render: Callable[[Sequence[Message]], str], model: Model, names: Iterable[str]) -> Renderings:
    """Render talks by what a server answers; the same GGUF cuts them into tokens."""
    texts = {name: render(TALKS[name]) for name in names}
    return {name: Rendering(text, prompt_tokens(model, text)) for name, text in texts.items()}


def _rendered(render: Callable[[Sequence[Message]], Rendering], system: str) -> Renderings:
    rendered = {}
    for name, talk in TALKS.items():
        under = (Message("system", system), *talk) if system and talk[0].role != "system" else talk
        with suppress(BaseModelFault, DataFault):
            rendered[name] = render(under)
    return rendered


def differences(trained: Renderings, served: Renderings) -> list[str]:
    """Say for each talk that is not token for token the same where the two part."""
    return [
        f"{name}: {_parting(expected, served[name]) if name in served else 'it is refused'}"
        for name, expected in trained.items()
        if name not in served or expected.tokens != served[name].tokens
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
