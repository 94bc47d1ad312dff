"""Bad input: a clear word about which file or tensor, before or during the export, and no file left."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from idiolect import export
from idiolect.errors import BaseModelFault, MissingPart, NoRoom
from idiolect.export import configuration, ggml


@pytest.fixture
def base(bases: Mapping[str, Path], tmp_path: Path) -> Path:
    """A copy of one base that a test may spoil: float32, untied, in one file."""
    copy = tmp_path / "base"
    shutil.copytree(bases["llama-biased"], copy)
    return copy


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """A hand-made adapter that fits the base."""
    made = tmp_path / "adapter"
    made.mkdir()
    settings = {"peft_type": "LORA", "r": 2, "lora_alpha": 4, "bias": "none", "target_modules": ["q_proj"]}
    (made / "adapter_config.json").write_text(json.dumps(settings))
    save_file(lora("model.layers.0.self_attn.q_proj", 256, 256), made / "adapter_model.safetensors")
    return made


def lora(module: str, rows: int, columns: int, rank: int = 2) -> dict[str, Any]:
    return {
        f"base_model.model.{module}.lora_A.weight": np.ones((rank, columns), np.float32),
        f"base_model.model.{module}.lora_B.weight": np.ones((rows, rank), np.float32),
    }


def refused(base: Path, tmp_path: Path, adapter: Path | None = None, quantization: str = "Q4_K_M") -> BaseModelFault:
    """Export, and return the refusal, having seen that nothing was left on disk."""
    target = tmp_path / "out" / "m.gguf"
    with pytest.raises(BaseModelFault) as fault:
        export.export_gguf(base, target, quantization, adapter=adapter, name="tiny")
    assert not target.parent.exists() or not list(target.parent.iterdir())
    return fault.value


def test_the_base_of_these_tests_is_exportable(base: Path, adapter: Path, tmp_path: Path) -> None:
    export.check_exportable(base)
    export.export_gguf(base, tmp_path / "m.gguf", "Q4_K_M", adapter=adapter, name="tiny")


def set_config(base: Path, **changes: Any) -> None:
    config = json.loads((base / "config.json").read_bytes()) | changes
    (base / "config.json").write_text(json.dumps(config))


def test_an_unsupported_architecture_is_named_with_the_supported(base: Path) -> None:
    set_config(base, architectures=["Gemma3ForConditionalGeneration"])
    with pytest.raises(BaseModelFault, match="Gemma3ForConditionalGeneration") as fault:
        export.check_exportable(base)
    assert "Gemma3ForCausalLM, LlamaForCausalLM, MistralForCausalLM, Phi3ForCausalLM" in fault.value.remedy


def test_all_faults_of_a_configuration_are_said_at_once(base: Path) -> None:
    set_config(
        base,
        hidden_size=None,
        hidden_act="gelu",
        quantization_config={"quant_method": "bitsandbytes"},
        rope_parameters={"rope_type": "longrope", "partial_rotary_factor": 0.5},
    )
    with pytest.raises(BaseModelFault) as fault:
        export.check_exportable(base)
    for part in ("no hidden_size", "gelu", "stored quantized", "longrope", "partial_rotary_factor"):
        assert part in fault.value.problem


def test_a_number_missing_from_the_stretching_is_named(base: Path) -> None:
    set_config(base, rope_parameters=None, rope_scaling={"type": "llama3", "factor": 8, "low_freq_factor": 1})
    with pytest.raises(BaseModelFault, match="no high_freq_factor"):
        export.check_exportable(base)


def test_the_configuration_of_transformers_4_reads_the_same(bases: Mapping[str, Path], tmp_path: Path) -> None:
    shutil.copytree(bases["qwen2"], tmp_path / "base")
    rope = json.loads((tmp_path / "base" / "config.json").read_bytes())["rope_parameters"]
    base_frequency = rope.pop("rope_theta")
    rope["type"] = rope.pop("rope_type")
    set_config(tmp_path / "base", rope_parameters=None, rope_theta=base_frequency, rope_scaling=rope)
    assert configuration.read(tmp_path / "base") == configuration.read(bases["qwen2"])


def test_gemmas_and_phis_configuration_of_transformers_4_read_the_same(
    bases: Mapping[str, Path], tmp_path: Path
) -> None:
    for name in ("gemma3", "phi3"):
        shutil.copytree(bases[name], tmp_path / name)
    config = json.loads((tmp_path / "gemma3" / "config.json").read_bytes())
    ropes = config["rope_parameters"]
    local, everywhere = ropes["sliding_attention"]["rope_theta"], ropes["full_attention"].pop("rope_theta")
    old = {"rope_parameters": None, "rope_theta": everywhere, "rope_local_base_freq": local, "layer_types": None}
    # What is the class's own value is left out of the file.
    set_config(tmp_path / "gemma3", **old, rope_scaling=ropes["full_attention"], tie_word_embeddings=None)
    rope = json.loads((tmp_path / "phi3" / "config.json").read_bytes())["rope_parameters"]
    factors = {"type": "su", "long_factor": rope["long_factor"], "short_factor": rope["short_factor"]}
    old = {"rope_parameters": None, "rope_theta": rope["rope_theta"], "partial_rotary_factor": 0.75}
    set_config(tmp_path / "phi3", **old, rope_scaling=factors)
    for name in ("gemma3", "phi3"):
        assert configuration.read(tmp_path / name) == configuration.read(bases[name])


def test_llama_3s_stretching_is_refused_where_llama_cpp_has_it_not(bases: Mapping[str, Path], tmp_path: Path) -> None:
    shutil.copytree(bases["qwen3"], tmp_path / "base")
    set_config(tmp_path / "base", rope_parameters={"rope_type": "llama3", "factor": 8})
    with pytest.raises(BaseModelFault, match="of the kind llama3"):
        export.check_exportable(tmp_path / "base")


def test_what_llama_cpp_assumes_of_gemma_is_checked(bases: Mapping[str, Path], tmp_path: Path) -> None:
    shutil.copytree(bases["gemma3"], tmp_path / "base")
    set_config(
        tmp_path / "base",
        hidden_activation="gelu",
        query_pre_attn_scalar=64,
        layer_types=["full_attention"] * 7,
        attn_logit_softcapping=50.0,
        rope_parameters={"sliding_attention": {"rope_type": "linear"}, "full_attention": {"rope_type": "llama3"}},
    )
    with pytest.raises(BaseModelFault) as fault:
        export.check_exportable(tmp_path / "base")
    for part in (
        "hidden_activation is gelu, not gelu_pytorch_tanh",
        "query_pre_attn_scalar is 64, not 32",
        "layer_types are not full_attention in 1 of 6",
        "attn_logit_softcapping is on",
        "in the layers that see a window only",
        "of the kind llama3, not default or linear",
    ):
        assert part in fault.value.problem


def test_output_scores_pressed_together_are_refused_but_of_gemma(base: Path) -> None:
    set_config(base, final_logit_softcapping=30.0)
    with pytest.raises(BaseModelFault, match="final_logit_softcapping is on"):
        export.check_exportable(base)


def test_longrope_without_its_factors_is_refused(bases: Mapping[str, Path], tmp_path: Path) -> None:
    shutil.copytree(bases["phi3"], tmp_path / "base")
    set_config(tmp_path / "base", rope_parameters={"rope_type": "longrope", "long_factor": [1.0] * 24})
    with pytest.raises(BaseModelFault, match="rotary scaling has no short_factor"):
        export.check_exportable(tmp_path / "base")


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_missing_file_is_named(base: Path, name: str) -> None:
    (base / name).unlink()
    with pytest.raises(BaseModelFault, match=f"There is no {base / name}"):
        export.check_exportable(base)


@pytest.mark.parametrize("kept", [4, 100, -1])
def test_a_file_cut_short_is_named(base: Path, kept: int) -> None:
    path = base / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(BaseModelFault, match=r"model\.safetensors is cut short"):
        export.check_exportable(base)


def test_a_file_of_something_else_is_named(base: Path) -> None:
    (base / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0" + b"not JSON at all!" * 9)
    with pytest.raises(BaseModelFault, match=r"model\.safetensors is not safetensors"):
        export.check_exportable(base)


@pytest.mark.parametrize("header", [b"[1]", b'{"x": 1}', b'{"x": {"dtype": "F32"}}'])
def test_a_header_of_something_else_is_named(base: Path, header: bytes) -> None:
    (base / "model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(BaseModelFault, match=r"model\.safetensors is not safetensors"):
        export.check_exportable(base)


def test_every_missing_shard_is_named(bases: Mapping[str, Path], tmp_path: Path) -> None:
    shutil.copytree(bases["llama"], tmp_path / "base")
    shards = sorted((tmp_path / "base").glob("*.safetensors"))
    assert len(shards) > 2
    shards[0].unlink()
    shards[2].write_bytes(b"")
    fault = refused(tmp_path / "base", tmp_path)
    assert f"There is no {shards[0]}" in fault.problem
    assert f"{shards[2]} is cut short" in fault.problem


def test_weights_of_another_model_are_listed_once(base: Path, tmp_path: Path) -> None:
    weights = load_file(base / "model.safetensors")
    weights["model.layers.9.extra.weight"] = weights.pop("model.norm.weight")
    weights["model.layers.1.mlp.up_proj.weight"] = np.ones((512, 64), np.float32)
    save_file(weights, base / "model.safetensors")
    problem = refused(base, tmp_path).problem
    assert "no model.norm.weight" in problem
    assert "model.layers.9.extra.weight is not a part of LlamaForCausalLM" in problem
    assert "model.layers.1.mlp.up_proj.weight has the shape (512, 64), not (512, 256)" in problem


def test_weights_in_eight_bits_are_refused(base: Path, tmp_path: Path) -> None:
    weights = load_file(base / "model.safetensors")
    weights["model.norm.weight"] = np.ones(256, np.int8)
    save_file(weights, base / "model.safetensors")
    assert "model.norm.weight" in refused(base, tmp_path).problem


@pytest.mark.parametrize(
    ("name", "value", "quantization"),
    [
        ("model.layers.2.mlp.up_proj.weight", np.nan, "Q4_K_M"),
        ("model.layers.2.mlp.up_proj.weight", -np.inf, "BF16"),
        ("model.layers.2.self_attn.k_proj.bias", np.inf, "Q4_K_M"),
    ],
)
def test_a_weight_that_is_no_number_names_its_tensor(
    base: Path, tmp_path: Path, name: str, value: float, quantization: str
) -> None:
    weights = load_file(base / "model.safetensors")
    weights[name][-1] = value
    save_file(weights, base / "model.safetensors")
    fault = refused(base, tmp_path, quantization=quantization)
    assert name in fault.problem
    assert str(base / "model.safetensors") in fault.problem


def test_a_weight_too_large_for_f16_is_refused_there_and_only_there(base: Path, tmp_path: Path) -> None:
    weights = load_file(base / "model.safetensors")
    weights["lm_head.weight"][3, 3] = 1e5
    save_file(weights, base / "model.safetensors")
    assert "lm_head.weight" in refused(base, tmp_path, quantization="F16").problem
    export.export_gguf(base, tmp_path / "m.gguf", "BF16", name="tiny")


def test_an_adapter_for_another_base_lists_every_tensor(base: Path, adapter: Path, tmp_path: Path) -> None:
    tensors = {
        **lora("model.layers.0.self_attn.q_proj", 256, 512),
        **lora("model.layers.40.mlp.up_proj", 512, 256),
        **lora("model.layers.1.mlp.up_proj", 512, 256, rank=3),
        **lora("model.layers.2.mlp.up_proj", 512, 256),
        "base_model.model.model.layers.3.mlp.up_proj.lora_magnitude_vector": np.ones(512, np.float32),
        "base_model.model.lm_head.base_layer.weight": np.ones((450, 256), np.float32),
    }
    del tensors["base_model.model.model.layers.2.mlp.up_proj.lora_B.weight"]
    save_file(tensors, adapter / "adapter_model.safetensors")
    problem = refused(base, tmp_path, adapter).problem
    assert all(name in problem for name in tensors)
    assert "make (256, 512), where model.layers.0.self_attn.q_proj.weight is (256, 256)" in problem
    assert "find no base tensor model.layers.40.mlp.up_proj.weight" in problem
    assert "not of rank 2" in problem
    assert "without the other half" in problem


def test_an_empty_adapter_is_refused(base: Path, adapter: Path, tmp_path: Path) -> None:
    save_file({}, adapter / "adapter_model.safetensors")
    assert "no LoRA matrices" in refused(base, tmp_path, adapter).problem


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"use_dora": True}, "use_dora=True"),
        ({"bias": "all"}, "bias='all'"),
        ({"peft_type": "IA3"}, "peft_type='IA3'"),
        ({"init_lora_weights": "pissa"}, "init_lora_weights='pissa'"),
        ({"ensure_weight_tying": True}, "ensure_weight_tying=True"),
        ({"something_of_next_year": 1}, "something_of_next_year=1"),
        ({"r": None}, "no r"),
    ],
)
def test_other_kinds_of_adapter_are_refused_by_name(
    base: Path, adapter: Path, tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | settings))
    assert said in refused(base, tmp_path, adapter).problem


def test_whole_modules_that_do_not_fit_are_listed(base: Path, adapter: Path, tmp_path: Path) -> None:
    tensors = {
        "base_model.model.lm_head.weight": np.ones((450, 256), np.float32),
        "base_model.model.model.layers.9.mlp.up_proj.weight": np.ones((512, 256), np.float32),
        "base_model.model.model.norm.weight": np.ones(256, np.float32),
    }
    save_file(tensors, adapter / "adapter_model.safetensors")
    path = adapter / "adapter_config.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()) | {"modules_to_save": ["lm_head", "up_proj"]}))
    problem = refused(base, tmp_path, adapter).problem
    assert "lm_head.weight has the shape (450, 256), where lm_head.weight is (448, 256)" in problem
    assert "up_proj.weight finds no base tensor" in problem
    assert "model.norm.weight is not a LoRA matrix" in problem


def test_an_adapter_that_adds_infinity_is_refused(base: Path, adapter: Path, tmp_path: Path) -> None:
    tensors = lora("model.layers.0.self_attn.q_proj", 256, 256)
    save_file(
        {name: tensor * np.float32(1e30) for name, tensor in tensors.items()},
        adapter / "adapter_model.safetensors",
    )
    assert "model.layers.0.self_attn.q_proj.weight" in refused(base, tmp_path, adapter).problem


def test_interrupted_half_way_the_old_file_stays(base: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "m.gguf"
    target.parent.mkdir()
    target.write_bytes(b"the last one")

    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export.export_gguf(base, target, "Q4_K_M", name="tiny", on_progress=stop)
    assert [path.name for path in target.parent.iterdir()] == ["m.gguf"]
    assert target.read_bytes() == b"the last one"


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_becomes_full_leaves_no_file(base: Path, tmp_path: Path) -> None:
    target = tmp_path / "out" / "m.gguf"
    with largest_file(1_000_000), pytest.raises(NoRoom, match=r"m\.gguf"):
        export.export_gguf(base, target, "BF16", name="tiny")
    assert list(target.parent.iterdir()) == []


def test_a_disk_without_room_is_seen_before(base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = 1_000_000

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage)
    with pytest.raises(NoRoom, match="free"):
        export.export_gguf(base, tmp_path / "m.gguf", "BF16", name="tiny")
    assert not (tmp_path / "m.gguf").exists()


def test_without_the_quantizers_the_remedy_is_to_install(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ggml.library.cache_clear()
    monkeypatch.setattr(ggml, "PACKAGE", "gguf")
    with pytest.raises(MissingPart, match="xllamacpp"):
        export.check_exportable(base)


def test_importing_the_room_is_cheap_and_the_export_needs_no_torch(base: Path, tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
import idiolect.export
assert not {{"numpy", "gguf"}} & set(sys.modules)
idiolect.export.export_gguf(Path({str(base)!r}), Path({str(tmp_path / "m.gguf")!r}), "Q4_K_M", name="tiny")
assert not {{"torch", "transformers", "peft", "xllamacpp"}} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
