"""What a training will take on each machine, before anything runs: memory, time and money, and what to change.

Memory is counted in memory.py. Time is arithmetic over a share of the machine's peak; docs/plan.md says which share,
and how far to trust it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from idiolect.bases import Anatomy
from idiolect.config import Options
from idiolect.training.gpus import GPUS, Gpu
from idiolect.training.memory import Memory, adapter_parameters, memory
from idiolect.training.work import ROW_TOKENS, Device, Trains, Work, largest_row

GIB = 1 << 30
#: What of a machine's peak a training reaches: assumed on a GPU, measured on a CPU (docs/plan.md).
SHARE_OF_PEAK = {"gpu": 0.35, "gpu, 4 bit": 0.25, "cpu": 0.35}
#: A rented machine costs from its start: minutes until it answers, and bytes of the base model a second.
_STARTS_IN = 300
_FETCHES = 100_000_000
#: Seconds in which a GPU is given the work of a layer, forward and backward, however small that is.
_HANDED_OVER_IN = 1.5e-3
#: More machines than this nobody rents for one person's memories.
_MOST_GPUS = 8


@dataclass(frozen=True)
class Computer:
    """The computer that asks: `memory` in bytes, `rate` in operations a second on matrices (None: not measured)."""

    memory: int
    rate: float | None


@dataclass(frozen=True)
class Forecast:
    """One kind of training on one machine. `room` is in bytes; `change` makes it fit, empty if it does or none can."""

    machine: str
    trains: Trains
    memory: Memory
    room: int
    seconds: float | None
    dollars: float | None
    change: str
    rented_seconds: float | None = None
    """With what a rented machine takes to start and to fetch the base model."""

    @property
    def fits(self) -> bool:
        return self.memory.peak <= self.room


@dataclass(frozen=True)
class _Machine:
    name: str
    device: Device
    room: int
    peak: float | None
    price: float | None


def forecasts(anatomy: Anatomy, options: Options, trains: Trains, work: Work, computer: Computer) -> list[Forecast]:
    """Forecast one kind of training on this computer and on every GPU that we know of."""
    here = _Machine("this computer, without a GPU", "cpu", computer.memory, computer.rate, None)
    return [_forecast(anatomy, options, trains, work, machine) for machine in (here, *map(_gpu, GPUS))]


def forecast_gpus(anatomy: Anatomy, options: Options, trains: Trains, work: Work, room: Sequence[int]) -> Forecast:
    """Forecast the memory of one kind of training on GPUs with so many bytes each, be they of the table or not.

    The smallest must suffice. Of a whole model on several, what comes and goes is left out, since part of it is
    divided, too: what does not fit then never does.
    """
    alone = _forecast(anatomy, options, trains, work, _Machine("", "gpu", min(room), None, None))
    if len(room) < 2 or trains == "adapter":
        return alone
    return replace(alone, memory=replace(_shared(alone.memory, len(room)), passing=0))


def without_gpu(options: Options) -> Options:
    """Return the options as a computer without a GPU carries them out: what it lacks it does without."""
    lacking: dict[str, Any] = {"load_in_4bit": False, "use_gradient_checkpointing": False}
    if options.optimizer.endswith("8bit"):
        lacking["optimizer"] = "adamw_torch"
    return options.model_copy(update=lacking)


def operations(anatomy: Anatomy, options: Options, trains: Trains, work: Work) -> float:
    """Return what a whole training computes: two operations a weight and token forward, and again for each gradient.

    6 N T for all weights of a model, 8 N T with gradient checkpointing, 4 and 6 N T and a little for an adapter. The
    output layer is passed by learned tokens alone.
    """
    adapter = adapter_parameters(anatomy, options) if trains == "adapter" else 0
    attention = anatomy.layers * 2 * work.tokens / work.samples * anatomy.heads * anatomy.head
    forward = 2 * (anatomy.in_linears + adapter) + attention
    for_weights = 2 * (adapter if trains == "adapter" else anatomy.in_linears)
    again = forward if options.use_gradient_checkpointing else 0
    output = 2 * anatomy.embedding * (2 if trains == "adapter" else 3)
    return float(options.num_train_epochs * (work.tokens * (2 * forward + for_weights + again) + work.learned * output))


def _gpu(gpu: Gpu) -> _Machine:
    return _Machine(gpu.name, "gpu", int(gpu.memory * GIB), gpu.peak * 1e12, gpu.price)


def _forecast(anatomy: Anatomy, options: Options, trains: Trains, work: Work, machine: _Machine) -> Forecast:
    if trains == "model":
        options = options.model_copy(update={"load_in_4bit": False})
    if machine.device == "cpu":
        options = without_gpu(options)
    needed = _memory(anatomy, options, trains, work, machine)
    seconds = _seconds(anatomy, options, trains, work, machine)
    dollars = rented = None
    if machine.price is not None and seconds is not None:
        rented = seconds + _STARTS_IN + 2 * anatomy.parameters / _FETCHES
        dollars = machine.price * rented / 3600
    change = "" if needed.peak <= machine.room else _change(anatomy, options, trains, work, machine)
    return Forecast(machine.name, trains, needed, machine.room, seconds, dollars, change, rented)


def _seconds(anatomy: Anatomy, options: Options, trains: Trains, work: Work, machine: _Machine) -> float | None:
    if machine.peak is None:
        return None
    share = SHARE_OF_PEAK["gpu, 4 bit" if options.load_in_4bit else machine.device]
    computing = operations(anatomy, options, trains, work) / (machine.peak * share)
    if machine.device == "cpu":
        return computing
    samples_a_step = options.per_device_train_batch_size * options.gradient_accumulation_steps
    steps = -(-work.samples // samples_a_step)
    rows = options.num_train_epochs * max(steps, work.tokens / ROW_TOKENS["gpu"])
    return computing + rows * anatomy.layers * _HANDED_OVER_IN


def _memory(anatomy: Anatomy, options: Options, trains: Trains, work: Work, machine: _Machine) -> Memory:
    """Count with as many tokens in a row as fit: where memory does not suffice, a training halves them."""
    budget = ROW_TOKENS[machine.device]
    while True:
        row = largest_row(work, budget, options)
        needed = memory(anatomy, options, trains, row, machine.device)
        if needed.peak <= machine.room or row.tokens <= row.sample:
            return needed
        budget //= 2


def _change(anatomy: Anatomy, options: Options, trains: Trains, work: Work, machine: _Machine) -> str:
    """Return the fewest settings that make a training fit, or how many GPUs do; empty if neither does."""

    def peak(changes: Sequence[tuple[str, Any]]) -> int:
        return _memory(anatomy, options.model_copy(update=dict(changes)), trains, work, machine).peak

    taken: list[tuple[str, Any]] = []
    for change in _savings(options, trains, work, machine):
        if machine.room < peak(taken) > peak([*taken, change]):
            taken.append(change)
    if peak(taken) <= machine.room:
        for change in reversed(list(taken)):
            without = [other for other in taken if other != change]
            taken = without if peak(without) <= machine.room else taken
        return ", ".join(f"{name} {str(value).lower()}" for name, value in dict(taken).items())
    return _several(_memory(anatomy, options.model_copy(update=dict(taken)), trains, work, machine), trains, machine)


def _savings(options: Options, trains: Trains, work: Work, machine: _Machine) -> Iterator[tuple[str, Any]]:
    """Yield settings that save memory, those that cost most last."""
    yield "dtype", "bfloat16"
    if machine.device == "gpu":
        yield "use_gradient_checkpointing", True
        if trains == "adapter":
            yield "load_in_4bit", True
    yield "optimizer", "adafactor"
    shorter = (length for length in (1024, 512, 256) if length < min(work.longest, options.max_seq_length))
    yield from (("max_seq_length", length) for length in shorter)


def _several(needed: Memory, trains: Trains, machine: _Machine) -> str:
    """Return how many GPUs hold a whole model between them; of an adapter's base each holds a copy."""
    if trains == "adapter" or machine.device == "cpu":
        return ""
    enough = (n for n in range(2, _MOST_GPUS + 1) if _shared(needed, n).peak <= machine.room)
    number = next(enough, None)
    return f"{number} of them (FSDP)" if number else ""


def _shared(needed: Memory, gpus: int) -> Memory:
    """Return what each of some GPUs holds of a whole model that is divided among them."""
    divided = (needed.weights, needed.gradients, needed.optimizer)
    weights, gradients, optimizer = (-(-part // gpus) for part in divided)
    return replace(needed, weights=weights, gradients=gradients, optimizer=optimizer)
