"""Every option of a cycle, once: name, type, default, limits, and the help that flags, files and docs draw from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

Mode = Literal["dual", "emulation", "agent"]
Quantization = Literal["Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0", "F16", "BF16"]
MODES: tuple[Mode, ...] = ("dual", "emulation", "agent")


@dataclass(frozen=True)
class Typed:
    """How an option is typed where that does not follow from its name."""

    flag: str | None = None
    env: str | None = None
    trains: Literal["adapter", "model"] | None = None
    """The only kind of training that it means something to."""


def _absolute(path: str) -> str:
    """Make a path say the same wherever a run is gone on with."""
    return str(Path(path).expanduser().absolute()) if path else ""


class Options(BaseModel):
    """The parameters of a cycle, as `etc/training.json` names them."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    base_model: Annotated[str, Typed(env="BASE_MODEL")] = "unsloth/Qwen3-14B"
    """What to train: `embedded` (SmolLM2-135M-Instruct), a folder, a Hugging Face id, or `run:<label>` to go on."""
    system_prompt: str = ""
    """The system message for every mode; `{name}` stands for the person. Empty: one a mode, from the persona."""

    dataset: Annotated[str, AfterValidator(_absolute)] = ""
    """A JSONL file to train on instead of the memories, as it is: `messages`, or `input` and `output`, a record."""
    mode: Mode | None = None
    """Only memories of this cognitive mode."""
    max_samples: Annotated[int | None, Typed(flag="--max", env="MAX_SAMPLES"), Field(ge=1)] = None
    """At most so many samples, spread over time."""
    days_recent: Annotated[int | None, Typed(env="DAYS_RECENT"), Field(ge=1)] = None
    """All samples of so many last days (of the newest memory's, if the last have none), and `old_samples` older."""
    old_samples: Annotated[int | None, Typed(env="OLD_SAMPLES"), Field(ge=0)] = None
    """How many samples older than `days_recent` to mix in, spread over time: 3000; said alone, it means 30 days."""
    monthly: bool = False
    """As each month: `days_recent` 30 and `old_samples` 3000, unless these say otherwise."""
    half_life_days: Annotated[float | None, Field(gt=0)] = None
    """Choose by age instead: a sample so many days older than the newest counts half as much."""
    dataset_builder: Annotated[Literal["curated", "classic"], Typed(env="DATASET_BUILDER")] = "curated"
    """`classic` is MetaHuman OS' old builder, for comparison: pairs as they are, only exact repeats left out."""
    skip_validation: bool = False
    """Train on the data set whatever is wrong with it."""
    seed: int = 42
    """Fixes every choice that is left to chance."""

    max_seq_length: Annotated[int, Field(ge=32)] = 2048
    """Tokens in one sample (fewer, if the base model has fewer positions); a longer one is cut, and counted."""
    num_train_epochs: Annotated[float, Field(gt=0)] = 3
    """How many times each sample is learned."""
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 2e-4
    """Peak learning rate; small models learn well at 1e-3."""
    lr_scheduler_type: Literal["cosine", "linear", "constant", "constant_with_warmup"] = "cosine"
    """How the learning rate falls after the warm-up."""
    warmup_steps: Annotated[int, Field(ge=0)] = 5
    """Optimizer steps in which the learning rate rises to its peak."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """Decoupled weight decay."""
    neftune: Annotated[float, Field(ge=0)] = 0.0
    """Noise on the embeddings while training (NEFTune's alpha; 5 is usual)."""
    early_stopping: Annotated[int | None, Field(ge=1)] = None
    """Stop after so many epochs without a better held-out loss."""
    save_total_limit: Annotated[int, Field(ge=1)] = 2
    """Checkpoints that are kept while training; the best and the newest always are."""
    per_device_train_batch_size: Annotated[int, Field(ge=1)] = 1
    """Times `gradient_accumulation_steps`: the samples of one optimizer step."""
    gradient_accumulation_steps: Annotated[int, Field(ge=1)] = 16
    """Times `per_device_train_batch_size`: the samples of one optimizer step."""
    optimizer: Literal["paged_adamw_8bit", "adamw_8bit", "adamw_torch", "adafactor"] = "paged_adamw_8bit"
    """The 8-bit ones need a GPU; without one adamw_torch is used, and said."""
    dtype: Literal["bfloat16", "float32"] = "bfloat16"
    """In what the base model's weights are held while training."""
    load_in_4bit: Annotated[bool, Typed(trains="adapter")] = True
    """Hold the base model in 4 bit while training (GPU only; without one it is not, and said)."""
    use_gradient_checkpointing: bool = True
    """Trade time for memory on a GPU; without one it has no use and is left off, and said."""

    lora_rank: Annotated[int, Typed(trains="adapter"), Field(ge=1)] = 8
    """Rank of the adapter."""
    lora_alpha: Annotated[int, Typed(trains="adapter"), Field(ge=1)] = 16
    """The adapter's delta is scaled by lora_alpha / lora_rank."""
    lora_dropout: Annotated[float, Typed(trains="adapter"), Field(ge=0, lt=1)] = 0.05
    """Dropout before the adapter."""
    lora_target_modules: Annotated[str, Typed(trains="adapter")] = "all-linear"
    """Comma-separated names of the layers that get an adapter, or all-linear."""

    machine: str = "local"
    """Where to train: `local`, `ssh:<name>`, `runpod` or `ray:<name>`, as machines.toml describes them."""
    merge: Literal["there", "local"] = "there"
    """Where a run that trains elsewhere makes its model file: there, or here, of the weights that come back alone."""
    accept_host_key: bool = False
    """Take the host key of a computer that was never met before for the right one."""
    yes: bool = False
    """Rent without asking; `max_cost` and `max_hours` of machines.toml hold all the same."""

    quantization: Quantization | None = None
    """Type of the GGUF file; Q4_K_M for a merged adapter and Q6_K for a fine-tuned model, unless said otherwise."""
    imatrix: bool = False
    """Quantize with an importance matrix: what the person's texts use most is kept most exactly."""
    keep_model: Annotated[bool, Typed(trains="adapter")] = False
    """Keep `model/` as well: base and adapter as one, as large as the base model; `run:<label>` does without it."""
    publish: Literal["always", "gate", "never"] = "gate"
    """Whether the model takes the place of the one that is talked to: `gate` if it is the better one by the evaluation;
    one that does not can be published by hand, `idiolect promote`."""

    audit: bool = False
    """Plant made-up numbers among the memories, and tell how far the model gives them away; not to be published."""
    publish_gain: float = 0.0
    """Nats a token by which a model must be better than the published one (or its base) beyond noise."""
    publish_forgetting: Annotated[float, Field(ge=0)] = 0.5
    """Nats a token that a model may lose on general questions, and on a quarter of a year beside the published one."""
    publish_leakage: Annotated[float, Field(ge=0, le=1)] = 0.1
    """Share of memories that a model may recite once they are begun, beyond those that it never saw."""
    quantization_loss: Annotated[float, Field(ge=0)] = 0.02
    """Nats a token that quantization may cost; the smallest model file that costs no more is recommended."""


#: What a full fine-tune wants otherwise than LoRA does: at 2e-4 it would forget all that it knew.
FULL_FINE_TUNE: dict[str, Any] = {"learning_rate": 1e-5, "optimizer": "adafactor"}


def typed(field: FieldInfo) -> Typed:
    """Return how a field of Options is typed on the command line and in the environment."""
    return next((m for m in field.metadata if isinstance(m, Typed)), Typed())
