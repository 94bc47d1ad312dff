"""Whether a model is asked exactly as it was trained: its base before training, its file before it is published."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from idiolect.bases import without_weights
from idiolect.curation import Message, Source
from idiolect.dataset import FormattedSample, RenderedSample, apply_schema, load_chat_template
from idiolect.errors import BaseModelFault, DataFault, MissingPart, RunFailed
from idiolect.export import export_vocabulary, is_foreign
from idiolect.home import Dataset, Home
from idiolect.serving import (
    Model,
    by_llama_cpp,
    by_server,
    by_training,
    differences,
    load,
    never_stops,
    ollama,
    trained,
)
from idiolect.workflow.archive.ollama_names import claim, give_up
from idiolect.workflow.archive.registry import PLAIN, candidate
from idiolect.workflow.archive.runs import find_run
from idiolect.workflow.data.steps import read_records
from idiolect.workflow.models import in_ollama
from idiolect.workflow.planning.plan import Target, target


@dataclass(frozen=True)
class Compared:
    """How many prompts were compared, and where llama.cpp parts from training."""

    prompts: int
    differences: list[str]


def compare_base(asked: Target, made: Dataset | None = None) -> Compared | None:
    """Ask llama.cpp as it will be asked, by the base's vocabulary alone: no weights are needed for that.

    Compared are our conversations, and the prompts of the data set `made`. None for a base that llama.cpp's own
    converter exports: that one is compared when its file is there.
    """
    if is_foreign(asked.base.folder):
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "vocabulary.gguf"
        export_vocabulary(asked.base.folder, file, chat_template=asked.template.source)
        try:
            model = load(file, warm_up=False)
        except DataFault as fault:
            raise BaseModelFault(
                f"llama.cpp cannot use the chat template or the vocabulary of {asked.base.name}.",
                "Use another instruct model; llama.cpp says more if it is asked itself: "
                f"llama-cli -m MODEL.gguf. ({fault.problem})",
            ) from fault
        return compare_file(asked, model, made)


def compare_file(asked: Target, model: Model, made: Dataset | None = None) -> Compared:
    """Compare what llama.cpp asks a loaded model file with, and stops at, with what was trained on."""
    expected = by_training(asked.template, asked.tokenizer)
    parted = differences(expected, by_llama_cpp(model))
    compared = len(expected)
    if made and made.formatted.exists() and made.schema_applied.exists():
        samples = read_records(made.formatted, FormattedSample)
        texts = read_records(made.schema_applied, RenderedSample)
        prompts, conversations = trained(samples, texts, asked.template, asked.tokenizer)
        parted += differences(prompts, by_llama_cpp(model, talks=conversations))
        compared += len(prompts)
    stops = never_stops(model, asked.template.turn_end)
    return Compared(compared, [*parted, *([stops] if stops else [])])


def check_base(asked: Target, made: Dataset | None = None) -> str:
    """Refuse a base that would be asked otherwise than it is trained. Raises BaseModelFault; returns what was seen."""
    found = compare_base(asked, made)
    if found is None:
        return "not compared yet: llama.cpp's own converter makes its file"
    if found.differences:
        raise BaseModelFault(
            f"{asked.base.name} would be asked otherwise than it is trained; {len(found.differences)} of "
            f"{found.prompts} prompts differ. {found.differences[0]}",
            f"Nothing was trained. See them all: idiolect check-template --base-model {asked.base.name}",
        )
    return f"{found.prompts} prompts, token for token as llama.cpp will ask"


def check_parity(asked: Target, model: Model, made: Dataset | None = None) -> str:
    """Refuse a model file that is asked otherwise than it was trained. Raises RunFailed."""
    found = compare_file(asked, model, made)
    if found.differences:
        raise RunFailed(
            f"{model.gguf} would be asked otherwise than it was trained; {len(found.differences)} of {found.prompts} "
            f"prompts differ. {found.differences[0]}",
            "It is not published. See them all: idiolect check-template --run LABEL",
        )
    return f"{found.prompts} prompts, token for token as in training"


@dataclass(frozen=True)
class Preview:
    """A short conversation as a base would be trained on it: texts with the [start, end) of what is learned."""

    texts: list[tuple[str, tuple[tuple[int, int], ...]]]
    notes: list[str]
    differences: list[str]


_SOURCE = Source(memory="", type="", timestamp=None, conversation=None, mode_from="", prompt_from="memory")
_EXAMPLE = FormattedSample(
    id="example",
    mode="emulation",
    messages=(
        Message("system", "You are Marit, talking."),
        Message("user", "How was the crossing?"),
        Message("assistant", "Wind west 5. Carried on."),
        Message("user", "And the bees?"),
        Message("assistant", "Asleep."),
    ),
    source=_SOURCE,
)


def preview(home: Home, name: str) -> Preview:
    """Show what a base model would be asked with and learn, and compare it with llama.cpp. Raises BaseModelFault."""
    asked = _without_weights(home, name)
    texts = apply_schema([_EXAMPLE], asked.template, asked.tokenizer, max_tokens=4096)
    found = compare_base(asked)
    notes = [f"A reply ends with {asked.template.turn_end}."]
    if len(texts) > 1:
        notes.append("What is asked next does not go on from a reply: each reply is learned in a text of its own.")
    if found is None:
        notes.append("Not compared yet: llama.cpp's own converter makes its file; the run itself will compare.")
    elif not found.differences:
        notes.append(f"{found.prompts} prompts, token for token as llama.cpp will ask.")
    return Preview([(t.text, t.learned) for t in texts], notes, found.differences if found else [])


def prompts_note(home: Home, name: str) -> str:
    """Say in a sentence whether a base model is asked as it is trained, or why it would be refused."""
    try:
        return f"Asked as it is trained: {check_base(_without_weights(home, name))}."
    except (BaseModelFault, MissingPart) as fault:
        return f"It would be refused: {fault.problem} {fault.remedy}"


def _without_weights(home: Home, name: str) -> Target:
    base = without_weights(name, home.cache)
    return Target(base, load_chat_template(base.folder, home.schemas, base.name))


@dataclass(frozen=True)
class Parity:
    """A run's conversations, and where those who serve it part from training; None where Ollama could not be asked."""

    talks: tuple[str, ...]
    llama_cpp: list[str]
    ollama: list[str] | None
    ollama_said: str


def compare(home: Home, label: str, person: str | None = None) -> Parity:
    """Render a run's conversations by training, by llama.cpp, and by Ollama if it answers; it is given the file."""
    found = find_run(home, label, person)
    profile = home.profile(found.summary.person)
    summary, trained_on = found.summary, target(home, profile, found.summary.base_model)
    expected = by_training(trained_on.template, trained_on.tokenizer)
    model = load(found.run.gguf, warm_up=False)
    about = candidate(profile, found.run, summary.system_messages, summary.turn_end, summary.go_template)
    name = ollama.model_name(profile.person, f"check-{label}")
    parted: list[str] | None = None

    def ask(there: ollama.Ollama) -> str:
        nonlocal parted
        if not there.shows_renderings:
            return f"{in_ollama.version(there)} is too old to show what it renders"
        under = by_training(trained_on.template, trained_on.tokenizer, summary.system_messages[PLAIN])
        claim(there, profile, [name])  # killed here, it is for the next cleanup to remove
        try:
            in_ollama.create(there, profile, about, name)
            rendered = by_server(lambda t: ollama.rendered(there, name, t), model, tuple(under))
            parted = differences(under, rendered)
        finally:
            give_up(there, profile, [name], ())
        return in_ollama.version(there)

    _, said = in_ollama.if_there(ask)
    return Parity(tuple(expected), compare_file(trained_on, model, found.run).differences, parted, said)
