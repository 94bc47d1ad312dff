"""Tiny random models with a real byte-level BPE tokenizer, and llama.cpp to run what comes of them."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.tiny import write_model, write_tokenizer

ServedModel = Callable[[str, dict[str, Any]], Any]
Folders = Mapping[str, Path]


def split_steps(regex: str) -> list[Any]:
    from tokenizers import Regex, pre_tokenizers

    return [
        pre_tokenizers.Split(Regex(regex), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]


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
    gemma: dict[str, Any] = {"head_dim": 32, "query_pre_attn_scalar": 32, "sliding_window": 32, "num_hidden_layers": 7}
    phi: dict[str, Any] = {"pad_token_id": None, "original_max_position_embeddings": 64}
    ropes = {
        "full_attention": {"rope_type": "linear", "factor": 2.0, "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 1e3},
    }
    longrope = {
        "rope_type": "longrope",
        "rope_theta": 10_000.0,
        "partial_rotary_factor": 0.75,
        "short_factor": [1.0 + i / 8 for i in range(24)],
        "long_factor": [2.0 + i for i in range(24)],
    }
    folders = {
        "gemma3": write_model(made / "gemma3", "Gemma3", "bfloat16", rope_parameters=ropes, **gemma),
        "llama": write_model(made / "llama", "Llama", rope_parameters=long, max_shard_size="500KB"),
        "llama-tied": write_model(made / "llama-tied", "Llama", "bfloat16", tie_word_embeddings=True),
        "llama-biased": write_model(made / "llama-biased", "Llama", attention_bias=True, mlp_bias=True),
        "llama-96": write_model(made / "llama-96", "Llama", hidden_size=96, intermediate_size=160, head_dim=24),
        "mistral": write_model(made / "mistral", "Mistral", "float16", head_dim=32, rope_parameters=linear),
        "phi3": write_model(made / "phi3", "Phi3", rope_parameters=longrope, **phi),
        "phi3-short": write_model(
            made / "phi3-short",
            "Phi3",
            rope_parameters=longrope,
            **phi | {"original_max_position_embeddings": 256},
        ),
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
    parameters.endpoint_metrics = True
    server = xllamacpp.Server(parameters)
    # Only the running loop answers this. A server that is dropped before its loop runs would never end.
    server.handle_metrics()
    return partial(posted, server)


def posted(server: Any, path: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(  # noqa: S310 - it listens on 127.0.0.1
        f"{server.listening_address}/{path}",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310
        return json.load(reply)
