"""Tiny random models with a real byte-level BPE tokenizer, and llama.cpp to run what comes of them."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

ServedModel = Callable[[str, dict[str, Any]], Any]
Folders = Mapping[str, Path]

ROWS = 448  # of every embedding; the tokenizers have fewer tokens

# ChatML, as short as it can be.
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
SENTENCES = [
    "I walked to the river in the morning, and it was 7 degrees.",
    "She said that she'd never seen so many birds, not in 1996 nor in 2026.",
    "Blåbærsyltetøy på brødskiva smaker godt om morgenen.",
    "def walk(home): return home + 1  # and back again",
    "We're going home. They'll come later, won't they?",
] * 8


def write_tokenizer(folder: Path, steps: list[Any], *, ignore_merges: bool = False) -> None:
    """Train a byte-level BPE on a few sentences and write it as Transformers does."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.add_special_tokens([AddedToken(text, special=True) for text in SPECIAL])
    tokenizer.add_tokens([AddedToken("<think>", special=False), AddedToken("<|fim|>", special=False)])
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|im_end|>",
        "pad_token": "<|endoftext|>",
        "chat_template": CHAT_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def split_steps(regex: str) -> list[Any]:
    from tokenizers import Regex, pre_tokenizers

    return [
        pre_tokenizers.Split(Regex(regex), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]


def write_model(folder: Path, kind: str, dtype: str = "float32", **settings: Any) -> Path:
    """Write a model of Transformers' class `kind`ForCausalLM with random weights, biases and norms too."""
    import torch
    import transformers

    folder.mkdir(exist_ok=True)
    defaults = {
        "vocab_size": ROWS,
        "hidden_size": 256,
        "intermediate_size": 512,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        # Wide enough that attention looks at something in particular: else its order would not matter.
        "initializer_range": 0.08,
        "bos_token_id": None,
        "eos_token_id": None,
    }
    shard = settings.pop("max_shard_size", "1GB")
    config = getattr(transformers, f"{kind}Config")(**defaults | settings)
    torch.manual_seed(1)
    model = getattr(transformers, f"{kind}ForCausalLM")(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 1:
                weight.normal_(0.0 if name.endswith("bias") else 1.0, 0.2)
    model.to(getattr(torch, dtype)).save_pretrained(folder, max_shard_size=shard)
    return folder


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Several threads gain nothing on models this small, and wait for each other by spinning."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """One base of each kind, stored in each of the three types, whole or in shards; read only."""
    from idiolect.export import vocabulary

    made = tmp_path_factory.mktemp("bases")
    llama_3 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
    long = llama_3 | {"original_max_position_embeddings": 64, "rope_theta": 500_000.0}
    yarn = {
        "rope_type": "yarn",
        "factor": 4.0,
        "original_max_position_embeddings": 64,
        "rope_theta": 10_000.0,
    }
    linear = {"rope_type": "linear", "factor": 2.0, "rope_theta": 10_000.0}
    folders = {
        "llama": write_model(made / "llama", "Llama", rope_parameters=long, max_shard_size="500KB"),
        "llama-tied": write_model(made / "llama-tied", "Llama", "bfloat16", tie_word_embeddings=True),
        "llama-biased": write_model(made / "llama-biased", "Llama", attention_bias=True, mlp_bias=True),
        "llama-96": write_model(made / "llama-96", "Llama", hidden_size=96, intermediate_size=160, head_dim=24),
        "mistral": write_model(made / "mistral", "Mistral", "float16", head_dim=32, rope_parameters=linear),
        "qwen2": write_model(made / "qwen2", "Qwen2", "bfloat16", rope_parameters=yarn),
        "qwen3": write_model(made / "qwen3", "Qwen3", "float16", head_dim=32, num_attention_heads=6),
    }
    for name, folder in folders.items():
        known = vocabulary.QWEN_2 if name.startswith("qwen") else vocabulary.LLAMA_3
        write_tokenizer(folder, split_steps(known["pattern"]["Regex"]), ignore_merges=not name.startswith("qwen"))
    return folders


@pytest.fixture(scope="session")
def serve() -> Callable[[Path], ServedModel]:
    """Return a function that loads a GGUF into llama.cpp and returns a function that posts to it."""
    return served


def served(path: Path) -> ServedModel:
    import xllamacpp

    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(path)
    parameters.n_ctx, parameters.n_parallel, parameters.verbosity = 256, 1, 0
    # One thread: those of llama.cpp wait for each other by spinning, which starves a shared machine.
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = 1
    parameters.warmup = False
    return partial(posted, xllamacpp.Server(parameters))


def posted(server: Any, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(  # noqa: S310 - it listens on 127.0.0.1
        f"{server.listening_address}/{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
        return json.load(reply)
