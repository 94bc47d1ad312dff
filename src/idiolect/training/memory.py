"""How much memory a training takes at its worst moment, by what it is for. The terms are explained in docs/plan.md.

What autograd keeps is counted layer by layer from Transformers' own code: norms keep a float32 copy of what enters
them, an adapter the input of its layer (on a GPU in float32, as itself is), attention its queries, keys, values and
result.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from idiolect.bases import Anatomy, Linear
from idiolect.config import Options
from idiolect.errors import OptionFault
from idiolect.training.work import Device, Row, Trains

#: Bytes of a weight in NF4 with double quantization: half a byte, an 8-bit scale for 64 weights, and a 32-bit one
#: for 256 of those (https://arxiv.org/abs/2305.14314, section 3).
NF4 = Fraction(1, 2) + Fraction(1, 64) + Fraction(4, 64 * 256)
#: Bytes of a state of 8-bit Adam: one, and a 32-bit scale for 256 (https://arxiv.org/abs/2110.02861).
_EIGHT_BIT = 1 + Fraction(4, 256)
#: Bytes that a logit takes while its gradient is computed: log-probability, its gradient, the logit's, all float32.
_LOGIT = 12
_GB = 1_000_000_000
#: CUDA's context, the libraries' workspaces and Python's share of a GPU; Python and its libraries in a computer's
#: memory. And what allocators cannot use of what they hold.
_PROGRAM = {"gpu": int(0.9 * _GB), "cpu": int(0.75 * _GB)}
_UNUSABLE = {"gpu": Fraction(5, 100), "cpu": Fraction(10, 100)}


@dataclass(frozen=True)
class Memory:
    """Bytes. `passing` is the most that comes and goes: with the logits, a layer going backward, or a step."""

    weights: int
    adapter: int
    gradients: int
    optimizer: int
    activations: int
    passing: int
    program: int

    @property
    def peak(self) -> int:
        return sum((self.weights, self.adapter, self.gradients, self.optimizer, self.activations, self.passing)) + (
            self.program
        )


def memory(anatomy: Anatomy, options: Options, trains: Trains, row: Row, device: Device) -> Memory:
    """Return what training with `options` takes on a "gpu" or a "cpu", where `row` is the largest that passes."""
    size = 4 if options.dtype == "float32" else 2
    trained = adapter_parameters(anatomy, options) if trains == "adapter" else anatomy.parameters
    kept = _kept(anatomy, options, trains, row, device)
    backward = max(row.learned * anatomy.vocabulary * _LOGIT, row.tokens * 3 * size * anatomy.feed_forward)
    if trains == "model":
        # A gradient is computed beside the sum that it goes into.
        backward += size * max(anatomy.embedding, *(linear.weights for linear in anatomy.linears))
    step = _step(anatomy, options, trains)
    wasted = _UNUSABLE[device] * (kept + backward)
    return Memory(
        weights=_weights(anatomy, options, size),
        adapter=_trained_size(trains, device, size) * trained if trains == "adapter" else 0,
        gradients=_trained_size(trains, device, size) * trained,
        optimizer=_optimizer(anatomy, options, trains, trained),
        activations=kept,
        passing=max(backward, step - kept, 0) + int(wasted),
        program=_PROGRAM[device],
    )


def _trained_size(trains: Trains, device: Device, size: int) -> int:
    """Return the bytes of a trained weight: adapters are float32 on a GPU."""
    return 4 if trains == "adapter" and device == "gpu" else size


def adapter_parameters(anatomy: Anatomy, options: Options) -> int:
    """Count the weights of a LoRA adapter. Raises OptionFault if the model has none of the layers asked for."""
    return options.lora_rank * sum(linear.rows + linear.columns for linear in _targets(anatomy, options))


def _targets(anatomy: Anatomy, options: Options) -> list[Linear]:
    """Return every layer that gets an adapter: PEFT's "all-linear" is all but the output."""
    asked = {name.strip() for name in options.lora_target_modules.split(",")}
    within = [linear for linear in anatomy.linears if linear.name in asked or asked == {"all-linear"}]
    ends = [
        Linear("embed_tokens", anatomy.hidden, anatomy.vocabulary),
        Linear("lm_head", anatomy.vocabulary, anatomy.hidden),
    ]
    found = within * anatomy.layers + [end for end in ends if end.name in asked]
    if not found:
        raise OptionFault(
            f"lora_target_modules: {anatomy.architecture} has none of {', '.join(sorted(asked))}.",
            f"It has {', '.join(linear.name for linear in anatomy.linears)}; or write all-linear.",
        )
    return found


def _weights(anatomy: Anatomy, options: Options, size: int) -> int:
    """Count the base model's; 4 bit takes hold of the layers' matrices, not of embeddings, output and norms."""
    if not options.load_in_4bit:
        return size * anatomy.parameters
    unpacked = size * max(linear.weights for linear in anatomy.linears)
    return int(NF4 * anatomy.in_linears) + size * (anatomy.parameters - anatomy.in_linears) + unpacked


def _optimizer(anatomy: Anatomy, options: Options, trains: Trains, trained: int) -> int:
    """Count what the optimizer remembers: Adam two numbers a weight, in float32 or in 8 bit.

    Adafactor: one a row and one a column of each matrix, float32 (https://arxiv.org/abs/1804.04235).
    """
    if options.optimizer != "adafactor":
        return int(2 * trained * (_EIGHT_BIT if options.optimizer.endswith("8bit") else 4))
    if trains == "model":
        return 4 * (sum(map(sum, anatomy.shapes)) + anatomy.in_norms_and_biases)
    rank = options.lora_rank
    return 4 * sum(linear.rows + linear.columns + 2 * rank for linear in _targets(anatomy, options))


def _step(anatomy: Anatomy, options: Options, trains: Trains) -> int:
    """Count what an optimizer step takes beside what stays: float32 copies, one tensor at a time.

    Adafactor's are of the weight, its gradient, the square of that, and the update twice; AdamW's as many.
    """
    if trains == "adapter" or options.optimizer.endswith("8bit"):
        return 0
    return 20 * max(anatomy.embedding, *(linear.weights for linear in anatomy.linears))


def _kept(anatomy: Anatomy, options: Options, trains: Trains, row: Row, device: Device) -> int:
    """Count what a row's forward pass keeps for the backward one."""
    size = 4 if options.dtype == "float32" else 2
    layer = row.tokens * _kept_by_a_layer(anatomy, options, trains, row.sample, device)
    if options.use_gradient_checkpointing:
        return layer + anatomy.layers * row.tokens * size * anatomy.hidden
    return anatomy.layers * layer


def _kept_by_a_layer(anatomy: Anatomy, options: Options, trains: Trains, sample: int, device: Device) -> int:
    """Count the bytes a token that a layer keeps; `sample` is how many tokens see each other."""
    size = 4 if options.dtype == "float32" else 2
    queries, keys = anatomy.heads * anatomy.head, anatomy.key_heads * anatomy.head
    around = 4 if anatomy.norms_a_layer >= 4 * anatomy.hidden else 2
    norms = 4 * around * anatomy.hidden
    if anatomy.norms_a_layer % anatomy.hidden:
        norms += 4 * (queries + keys)
    norms += 0 if trains == "adapter" else size * (norms // 4)
    inputs = size * (2 * anatomy.hidden + queries + anatomy.feed_forward)
    if trains == "adapter" and (options.lora_dropout or device == "gpu"):
        # Each adapter has a copy of its own, and a byte for what was dropped.
        of_its_own = sum(linear.columns for linear in _targets(anatomy, options)) // anatomy.layers
        inputs = (_trained_size(trains, device, size) + (1 if options.lora_dropout else 0)) * of_its_own
    gate = 3 * size * anatomy.feed_forward
    return norms + inputs + gate + _kept_by_attention(anatomy, size, sample, device)


def _kept_by_attention(anatomy: Anatomy, size: int, sample: int, device: Device) -> int:
    queries, keys = anatomy.heads * anatomy.head, anatomy.key_heads * anatomy.head
    if device == "gpu":
        # A mask is given with fused rows, for which PyTorch repeats keys and values.
        return 4 * size * queries
    # Weights of every pair, in float32 and in the model's own type.
    pairs = anatomy.heads * sample * (4 if size == 4 else 4 + size)
    return size * (2 * queries + 2 * keys) + pairs
