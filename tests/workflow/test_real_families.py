"""Both cycles, on bases that have a family's real chat template and real tokenizer: to a published model that talks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from idiolect.curation import Message
from idiolect.home import CYCLES, Cycle, Home
from idiolect.serving import load, reply
from idiolect.workflow.archive.registry import voice
from idiolect.workflow.cycle import run_cycle
from idiolect.workflow.planning.plan import Asked
from idiolect.workflow.records.events import Ended
from tests.conftest import Event, MakePerson
from tests.real import templates, write_base
from tests.tiny import write_model

QUICK: dict[str, Any] = {
    "num_train_epochs": 1,
    "learning_rate": 1e-3,
    "warmup_steps": 0,
    "dtype": "float32",
    "publish": "always",
    "audit": False,
}
#: Family → its real chat template (None: the tokenizer's own), its real tokenizer, its class in Transformers.
FAMILIES = {
    "Qwen3": (None, "qwen3", "Qwen3"),
    "Llama 3.2": ("llama3_2", "llama3_1", "Llama"),
    "Mistral Nemo": (None, "mistral_nemo", "Mistral"),
    "Gemma 3": ("gemma3", "gemma3", "Gemma3"),
}
SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "head_dim": 8,
    "max_position_embeddings": 512,
}


@pytest.mark.slow
@pytest.mark.parametrize("cycle", CYCLES.values(), ids=list(CYCLES))
@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_goes_through_both_cycles_to_a_model_that_talks(  # noqa: PLR0913, PLR0917 - two cycles of four families
    family: str, cycle: Cycle, home: Home, make_person: MakePerson, talks: list[Event], tmp_path: Path
) -> None:
    template, tokenizer, kind = FAMILIES[family]
    base = write_base(tmp_path / "base", templates()[template] if template else None, tokenizer)
    tokens = {"vocab_size": vocabulary(base), "tie_word_embeddings": True}
    scaled = {"query_pre_attn_scalar": SHAPE["head_dim"]} if kind == "Gemma3" else {}
    write_model(base, kind, dtype="bfloat16", **SHAPE, **tokens, **scaled)
    turns = [{"role": ("user", "assistant")[n % 2], "content": f"Number {n}, cafe\u0301 </s> ok."} for n in range(6)]
    person = make_person("ada", [*talks[:24], {"id": "evt-many", "type": "chat", "messages": turns}])
    told: list[Any] = []
    finished = run_cycle(home, Asked(person, {}, {"base_model": str(base), **QUICK}), cycle, told.append)
    outcome = {event.step: event.outcome for event in told if isinstance(event, Ended)}
    assert "token for token as llama.cpp will ask" in outcome["prompts"]
    assert "token for token as in training" in outcome["parity"]
    published = voice(home, person)
    assert published
    assert published.label == finished.run.label
    said = reply(load(published.gguf), [Message("user", "Hello.")])
    assert said.tokens
    assert said.finish_reason in {"stop", "length"}


def vocabulary(base: Path) -> int:
    return int(json.loads((base / "config.json").read_bytes())["vocab_size"])
