"""What model files have said already: none is asked twice for the same answer, or for the loss of the same text.

Next month the base and the earlier model are asked for much of what they were asked for this month. One file, with one
llama.cpp, says the same again; so it is remembered under the digests of the file and of what it was asked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from idiolect.dataset import FormattedSample, TrainingText, tokenize
from idiolect.evaluation.answers import answers, asked, sampling
from idiolect.evaluation.side_by_side import Share
from idiolect.files import regular_bytes, sha256, whole
from idiolect.serving import engine, likelihood_losses, load

_T = TypeVar("_T")

#: Of so many files it is remembered what they said: a base model's of either cycle, and those of some months.
_FILES = 8

#: Text → its learned tokens and their summed loss. By its words: a memory may have been written anew since then.
Losses = Mapping[str, tuple[int, float]]


class Heard(msgspec.Struct):
    """What one model file has said, by the digests of what it was asked: answers, and (learned tokens, loss)."""

    answers: dict[str, str] = {}
    losses: dict[str, tuple[int, float]] = {}

    def answered(self, gguf: Path, talks: Sequence[FormattedSample], context: int, share: Share) -> list[str]:
        """Return the file's answer to each talk, which it is asked for where it has not given it before.

        It is loaded with room for `context` tokens.
        """
        keys = [_of_talk(talk, context) for talk in talks]
        new = _new(keys, talks, self.answers)
        if new:
            said = answers(load(gguf, context, threads=share.threads), share.each(new.values()))
            self.answers.update(zip(new, said, strict=False))
        return [self.answers[key] for key in keys]

    def read(self, gguf: Path, texts: Sequence[TrainingText], tokenizer: Path, share: Share) -> Losses:
        """Return the losses of texts under the file, which reads those that it has not read before, each once."""
        keys = [_of_text(text) for text in texts]
        new = _new(keys, texts, self.losses)
        samples = tokenize(list(new.values()), tokenizer)
        losses = likelihood_losses(gguf, samples, share.threads)
        self.losses.update({k: (s.learned_tokens, loss) for k, s, loss in zip(new, samples, losses, strict=True)})
        return {text.text: self.losses[key] for text, key in zip(texts, keys, strict=True)}


def recall(path: Path, files: Mapping[str, Path]) -> dict[str, Heard]:
    """Return what is remembered of each of these model files; what cannot be read is forgotten, and asked anew."""
    remembered = _remembered(path)
    return {who: remembered.get(_of_file(gguf), Heard()) for who, gguf in files.items()}


def remember(path: Path, files: Mapping[str, Path], heard: Mapping[str, Heard]) -> None:
    """Keep what these model files have said, and what the last others had."""
    now = {_of_file(gguf): heard[who] for who, gguf in files.items()}
    others = {file: said for file, said in _remembered(path).items() if file not in now}
    with whole(path) as partial:
        partial.write_bytes(msgspec.msgpack.encode(dict(list((now | others).items())[:_FILES])))


def _remembered(path: Path) -> dict[str, Heard]:
    try:
        return msgspec.msgpack.decode(regular_bytes(path), type=dict[str, Heard])
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}


def _of_file(gguf: Path) -> str:
    return f"{sha256(gguf)} {engine()}"


def _of_talk(talk: FormattedSample, context: int) -> str:
    return _digest([asked(talk), sampling(talk).request(), context])


def _of_text(text: TrainingText) -> str:
    return _digest([text.text, text.learned])


def _new(keys: Sequence[str], asked_for: Sequence[_T], known: Collection[str]) -> dict[str, _T]:
    return {key: one for key, one in zip(keys, asked_for, strict=True) if key not in known}


def _digest(what: Any) -> str:
    return hashlib.sha256(msgspec.json.encode(what)).hexdigest()[:32]
