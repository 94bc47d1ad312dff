"""How a job is done on the machine that it has come to: what it lacks, what it is faster at; said once."""

from __future__ import annotations

import importlib.util
import time
from dataclasses import dataclass
from typing import Literal

import msgspec
import torch

from idiolect.training.attention import BY_SAMPLE
from idiolect.training.bundle import Job
from idiolect.training.work import ROW_TOKENS

#: So much faster must float32 be before bfloat16, which was asked for, is not used.
_CLEARLY = 1.2
_ROUNDS = 5
#: Rows, columns and depth of the product that is timed: a layer of a small model over a fused row.
_PRODUCT = (512, 1536, 576)


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """What is used; a note says what of it is otherwise than was asked for, and why."""

    device: Literal["cpu", "cuda"] = "cpu"
    dtype: Literal["bfloat16", "float32"] = "float32"
    optimizer: str = "adamw_torch"
    in_4bit: bool = False
    activation_checkpointing: bool = False
    attention: str = "eager"
    row_tokens: int = 512
    """Tokens in a row of fused samples."""
    note: str = ""


@dataclass(frozen=True)
class Has:
    """What a machine has that matters to training."""

    gpu: bool
    bfloat16: bool
    bitsandbytes: bool
    flash_attention: bool


def decide(job: Job, processes: int, has: Has) -> Setup:
    """Decide how to do a job on a machine."""
    return _on_gpu(job, processes, has) if has.gpu else _on_cpu(job)


def this_machine() -> Has:
    return Has(
        gpu=torch.cuda.is_available(),
        bfloat16=torch.cuda.is_available() and torch.cuda.is_bf16_supported(),
        bitsandbytes=importlib.util.find_spec("bitsandbytes") is not None,
        flash_attention=importlib.util.find_spec("flash_attn") is not None,
    )


def _on_cpu(job: Job) -> Setup:
    options, lora = job.options, job.trains == "adapter"
    lacking = ["4-bit weights"] if options.load_in_4bit and lora else []
    lacking += [options.optimizer] if options.optimizer.endswith("8bit") else []
    lacking += ["gradient checkpointing"] if options.use_gradient_checkpointing else []
    optimizer = "adamw_torch" if options.optimizer.endswith("8bit") else options.optimizer
    dtype, measured = _faster_here() if options.dtype == "bfloat16" else ("float32", "float32")
    note = f"No GPU here, so without {_listed(lacking)}: {optimizer}, {measured}." if lacking else ""
    if not note and dtype != options.dtype:
        note = f"On this CPU: {measured}."
    return Setup(
        device="cpu",
        dtype=dtype,
        optimizer=optimizer,
        row_tokens=ROW_TOKENS["cpu"],
        attention=BY_SAMPLE,
        note=note,
    )


def _on_gpu(job: Job, processes: int, has: Has) -> Setup:
    options, lora = job.options, job.trains == "adapter"
    eight_bit = options.optimizer.endswith("8bit")
    sharded = processes > 1 and not lora
    flash = has.flash_attention and has.bfloat16 and options.dtype == "bfloat16"
    notes = []
    if not has.bitsandbytes and (eight_bit or (options.load_in_4bit and lora)):
        notes.append("bitsandbytes is not installed, so without 4-bit weights and 8-bit optimizers.")
    if has.bitsandbytes and eight_bit and sharded:
        notes.append(f"{options.optimizer} cannot take sharded weights: adamw_torch, whose states are sharded, too.")
    if options.dtype == "bfloat16" and not has.bfloat16:
        notes.append("This GPU has no bfloat16: float32.")
    return Setup(
        device="cuda",
        dtype=options.dtype if has.bfloat16 else "float32",
        optimizer="adamw_torch" if eight_bit and (sharded or not has.bitsandbytes) else options.optimizer,
        in_4bit=options.load_in_4bit and lora and has.bitsandbytes,
        activation_checkpointing=options.use_gradient_checkpointing,
        # Only this one sees the borders of samples within a row without a mask as large as its square.
        attention="flash_attention_2" if flash else "sdpa",
        row_tokens=ROW_TOKENS["gpu"],
        note=" ".join(notes),
    )


def _faster_here() -> tuple[Literal["bfloat16", "float32"], str]:
    """Return the type that this CPU multiplies faster in, and why, in words.

    One that has instructions for bfloat16 is not timed: two runs must not differ because one began at a busy moment.
    """
    if torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported():
        return "bfloat16", "bfloat16 (this CPU has instructions for it)"
    slow, fast = _seconds(torch.float32), _seconds(torch.bfloat16)
    if fast > _CLEARLY * slow:
        return "float32", f"float32 (measured {fast / slow:.1f} times as fast as bfloat16)"
    return "bfloat16", f"bfloat16 (measured {slow / fast:.1f} times as fast as float32)"


def _seconds(dtype: torch.dtype) -> float:
    rows, columns, depth = _PRODUCT
    one, other = torch.ones(rows, depth, dtype=dtype), torch.ones(columns, depth, dtype=dtype)
    best = float("inf")
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        torch.nn.functional.linear(one, other)
        best = min(best, time.perf_counter() - began)
    return best


def _listed(things: list[str]) -> str:
    return " and ".join([", ".join(things[:-1]), things[-1]] if len(things) > 1 else things)
