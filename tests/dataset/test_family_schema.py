from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from idiolect.curation import Message
from idiolect.dataset import load_chat_template
from idiolect.errors import BaseModelFault

TALK = [Message("system", "Be Ada."), Message("user", 'Say "x".'), Message("assistant", "X.\nY {{ 1 }}")]


@pytest.fixture
def bare(tiny_base: Path, tmp_path: Path) -> Path:
    """A base model whose tokenizer has no chat template."""
    folder = tmp_path / "bare"
    shutil.copytree(tiny_base, folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    del settings["chat_template"]
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    return folder


@pytest.mark.parametrize(("model", "family"), [("org/Llama-2-7b", "llama"), ("Phi-2", "phi"), ("some/gpt", "qwen")])
def test_a_base_without_a_template_gets_that_of_its_family(bare: Path, tmp_path: Path, model: str, family: str) -> None:
    schema = {
        "family": family,
        "user_prefix": "[INST] ",
        "user_suffix": " [/INST]",
        "assistant_prefix": "\n",
        "separator": "\n",
        "eos_token": "<|im_end|>",
        "notes": "anything",
    }
    (tmp_path / f"{family}.json").write_text(json.dumps(schema))
    template = load_chat_template(bare, tmp_path, model)
    text, (start, end) = template.answered(template.prompt(TALK[:2]), TALK[2].content)
    assert text == 'Be Ada.\n[INST] Say "x". [/INST]\n\nX.\nY {{ 1 }}<|im_end|>'
    assert text[start:end] == "X.\nY {{ 1 }}<|im_end|>"
    assert template.prompt(TALK[:2]) == 'Be Ada.\n[INST] Say "x". [/INST]\n\n'


def test_without_a_file_of_the_family_it_is_refused(bare: Path, tmp_path: Path) -> None:
    with pytest.raises(BaseModelFault, match=r"no chat template.*llama\.json"):
        load_chat_template(bare, tmp_path, "a-llama")
    (tmp_path / "llama.json").write_text('{"user_prefix": 5}')
    with pytest.raises(BaseModelFault, match=r"llama\.json"):
        load_chat_template(bare, tmp_path, "a-llama")
