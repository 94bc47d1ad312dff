from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tokenizers import Tokenizer, processors

from idiolect.curation import Message
from idiolect.dataset import ChatTemplate, chat_template, load_chat_template
from idiolect.export import export_gguf
from idiolect.serving import TALKS, by_llama_cpp, by_server, by_training, differences, go_template, load
from tests.ollama_templates import render_go
from tests.tiny import CHAT_TEMPLATE

#: As the families write them: a message that stands there unasked, a begin-of-text token, a system message in the
#: first turn, none at all, an end of text after each reply.
TEMPLATES = {
    "chatml": CHAT_TEMPLATE,
    "with a default": "{% for m in messages %}{% if loop.first and m.role != 'system' %}"
    "<|im_start|>system\nYou help.<|im_end|>\n{% endif %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    "in the first turn": "{% set ns = namespace(system='') %}{% for m in messages %}{% if m.role == 'system' %}"
    "{% set ns.system = m.content + '\n\n' %}{% else %}<|im_start|>{{ m.role }}\n{{ ns.system }}"
    "{% set ns.system = '' %}{{ m.content }}<|im_end|>\n{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    "bracketed": "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system') }}"
    "{% elif m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %} {{ m.content }}<|endoftext|>{% endif %}"
    "{% endfor %}",
}


def normalised(source: str) -> ChatTemplate:
    return chat_template(source, {"bos_token": "<|endoftext|>"}, ("<|im_end|>", "<|endoftext|>"))


@pytest.mark.parametrize("name", TEMPLATES)
def test_llama_cpp_and_go_render_what_training_does(name: str, tiny_base: Path, tmp_path: Path) -> None:
    template, tokenizer = normalised(TEMPLATES[name]), tiny_base / "tokenizer.json"
    export_gguf(tiny_base, tmp_path / "m.gguf", "Q8_0", name="ada", chat_template=template.source)
    trained = by_training(template, tokenizer)
    assert len(trained) == len(TALKS) if name != "bracketed" else len(trained) > 4
    served = by_llama_cpp(load(tmp_path / "m.gguf", warm_up=False))
    assert not differences(trained, served)
    written = go_template(template, tokenizer)
    assert written
    for talk in trained:
        shown = [{"role": m.role, "content": m.content} for m in TALKS[talk]]
        assert render_go(written, shown) == trained[talk].text


def test_another_template_in_the_file_is_found_out(tiny_base: Path, tmp_path: Path) -> None:
    other = TEMPLATES["with a default"]
    export_gguf(tiny_base, tmp_path / "m.gguf", "Q8_0", name="ada", chat_template=other)
    trained = by_training(load_chat_template(tiny_base), tiny_base / "tokenizer.json")
    found = differences(trained, by_llama_cpp(load(tmp_path / "m.gguf", warm_up=False)))
    without_system = [name for name, talk in TALKS.items() if talk[0].role != "system"]
    assert [line.partition(":")[0] for line in found] == without_system
    assert found[0].startswith("one turn: trained on …'user\\nHow was")
    assert ", served …'system\\nYou help." in found[0]


def test_another_tokenizer_is_found_out(tiny_base: Path, tiny_gguf: Path, tmp_path: Path) -> None:
    tokenizer = json.loads((tiny_base / "tokenizer.json").read_text())
    tokenizer["model"]["merges"] = tokenizer["model"]["merges"][:40]
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer))
    trained = by_training(load_chat_template(tiny_base), tmp_path / "tokenizer.json")
    found = differences(trained, by_llama_cpp(load(tiny_gguf, warm_up=False)))
    assert len(found) > len(TALKS) / 2
    assert "from token" in found[0]


@pytest.mark.parametrize("skips", [True, False])
@pytest.mark.parametrize("system", ["", "You are Marit."])
@pytest.mark.parametrize("turns", [1, 3])
def test_an_empty_system_message_is_written_by_go_where_jinja_writes_it(
    tiny_base: Path, skips: bool, system: str, turns: int
) -> None:
    """As Phi-3.5 skips it, and ChatML does not."""
    condition = "{% if m.role != 'system' or m.content %}" if skips else "{% if true %}"
    template = normalised(
        f"{{% for m in messages %}}{condition}<|{{{{ m.role }}}}|>\\n{{{{ m.content }}}}<|im_end|>\\n{{% endif %}}"
        "{% endfor %}{% if add_generation_prompt %}<|assistant|>\\n{% endif %}"
    )
    written = go_template(template, tiny_base / "tokenizer.json")
    assert written
    said = [Message("assistant" if n % 2 else "user", f"Said {n}.") for n in range(turns)]
    talk = [Message("system", system), *said]
    expected = template.prompt(talk)
    assert ("<|system|>" in expected) == (not skips or bool(system))
    assert render_go(written, [{"role": m.role, "content": m.content} for m in talk]) == expected


def test_what_depends_on_more_than_whose_turn_it_is_has_no_go_template(tiny_base: Path) -> None:
    numbered = "{% for m in messages %}{{ loop.index }}{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}"
    assert go_template(normalised(numbered), tiny_base / "tokenizer.json") is None


def test_a_begin_of_text_token_stands_there_once(tiny_base: Path, tmp_path: Path) -> None:
    """As in Llama 3 and Gemma: the template writes it, and so does the tokenizer."""
    base = shutil.copytree(tiny_base, tmp_path / "base")
    tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
    begin = "<|endoftext|>"
    special = [(begin, tokenizer.token_to_id(begin))]
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{begin} $A", special_tokens=special)
    tokenizer.save(str(base / "tokenizer.json"))
    settings = json.loads((base / "tokenizer_config.json").read_text())
    template = "{{ bos_token }}" + settings["chat_template"]
    (base / "tokenizer_config.json").write_text(json.dumps(settings | {"bos_token": begin, "chat_template": template}))
    export_gguf(base, tmp_path / "m.gguf", "Q8_0", name="ada")
    trained = by_training(load_chat_template(base), base / "tokenizer.json")
    model = load(tmp_path / "m.gguf", warm_up=False)
    assert all(rendering.tokens.count(special[0][1]) == 1 for rendering in trained.values())
    assert not differences(trained, by_llama_cpp(model))
    written = go_template(load_chat_template(base), base / "tokenizer.json")
    assert written
    assert begin not in written
    served = by_server(
        lambda talk: render_go(written, [{"role": m.role, "content": m.content} for m in talk]), model, trained
    )
    assert not differences(trained, served)
