"""The base model as it is to be trained: frozen under an adapter, or all of it; a copy in each process, or a part."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, BitsAndBytesConfig
from transformers.distributed import DistributedConfig

from idiolect.config import Options
from idiolect.errors import OptionFault
from idiolect.training import attention
from idiolect.training.bundle import Job
from idiolect.training.dropout import quicken_dropout
from idiolect.training.machine import Setup
from idiolect.training.optimizers import Adafactor, AdamW
from idiolect.training.processes import Processes


def load(base: Path, job: Job, setup: Setup, processes: Processes) -> Any:
    """Load a base model (a Transformers folder) for a job.

    With several processes, each holds a part of a model that is trained whole (FSDP2), and all of one under an adapter.
    """
    placed: dict[str, Any] = {}
    if setup.in_4bit:
        # NF4 with quantized scales, as QLoRA has it (Dettmers et al. 2023, arXiv 2305.14314).
        placed["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=getattr(torch, setup.dtype),
        )
        placed["device_map"] = {"": torch.cuda.current_device() if setup.device == "cuda" else "cpu"}
    elif sharded(job, processes):
        placed["distributed_config"] = DistributedConfig(fsdp_size=processes.count)
    attention.register()
    model = AutoModelForCausalLM.from_pretrained(
        base, dtype=getattr(torch, setup.dtype), attn_implementation=setup.attention, **placed
    )
    model.config.use_cache = False
    return _with_adapter(model, job.options, setup) if job.trains == "adapter" else model


def sharded(job: Job, processes: Processes) -> bool:
    return job.trains == "model" and processes.count > 1


def _with_adapter(model: Any, options: Options, setup: Setup) -> Any:
    targets = options.lora_target_modules
    adapter = LoraConfig(
        task_type="CAUSAL_LM",
        r=options.lora_rank,
        lora_alpha=options.lora_alpha,
        lora_dropout=options.lora_dropout,
        target_modules=targets if targets == "all-linear" else [t.strip() for t in targets.split(",")],
    )
    # On a CPU in the base's own type: casting at every layer costs a fifth of its time. The 8-bit optimizers of a GPU
    # round to the nearest number, which needs float32.
    in_float32 = setup.device == "cuda"
    try:
        adapted = get_peft_model(model, adapter, autocast_adapter_dtype=in_float32)
    except ValueError as error:
        raise OptionFault(
            f"lora_target_modules is {targets!r}, and the base model has no such layers.",
            "Its linear layers: " + ", ".join(_linear_layers(model)),
        ) from error
    if setup.device == "cpu":
        quicken_dropout(adapted)
    return adapted


def _linear_layers(model: Any) -> list[str]:
    return sorted({name.rpartition(".")[2] for name, m in model.named_modules() if isinstance(m, torch.nn.Linear)})


def optimizer(model: Any, name: str, options: Options) -> tuple[type[torch.optim.Optimizer], dict[str, Any]] | None:
    """Return our own optimizer for weights in bfloat16 or in parts; None where Transformers' of that name will do."""
    weights = [p for p in model.parameters() if p.requires_grad]
    plain = all(p.dtype == torch.float32 and not hasattr(p, "device_mesh") for p in weights)
    if plain or name.endswith("8bit"):
        return None
    given: dict[str, Any] = {"lr": options.learning_rate, "seed": options.seed}
    return (Adafactor, given) if name == "adafactor" else (AdamW, {**given, "betas": (0.9, 0.999), "eps": 1e-8})
