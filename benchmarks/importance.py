"""Whether an importance matrix from a person's own texts makes a better model file, by the loss on held-out replies.

    python -m benchmarks.importance [DIARY.jsonl]

Trains the embedded model on 280 texts of the sample person, or of a diary of {"time", "text"} lines, and exports it in
each quantization with and without: what is lost against the same model unquantized, in nats a learned token. A diary
has a hundred held-out texts to judge by, the sample person twenty.

The embedded model's weights come out of a 4-bit file and lie on its grid, which is kind to some quantizations and hard
on others. So each weight is first moved by chance within its cell of that grid: it could have come from there.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from benchmarks.length_policy import OPTIONS, diary, lines_under
from idiolect.bases import resolve
from idiolect.dataset import TrainingText
from idiolect.evaluation import gguf_loss, unquantized_loss
from idiolect.export import export_gguf
from idiolect.home import Home
from idiolect.machines import train_here
from idiolect.memories.sample_person import write_sample_person
from idiolect.training import write_bundle

LEARNED = 280
#: A block of the packaged file: so many weights in a row lie on so many evenly spaced values.
BLOCK, VALUES = 32, 16


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        home, bundle = Home(Path(made)), Path(made) / "bundle"
        base = off_the_grid(resolve("embedded", home.cache).folder, Path(made) / "base")
        learned, held_out = texts(home, base)
        tokenizer = base / "tokenizer.json"
        options = OPTIONS.model_copy(update={"imatrix": True})
        write_bundle(bundle, "adapter", options, [*learned, *held_out], tokenizer)
        train_here(bundle, base, Path(made) / "log", lambda _: None)
        adapter, importance = bundle / "outputs" / "adapter", bundle / "outputs" / "importance.safetensors"
        exact = unquantized_loss(base, adapter, held_out, tokenizer)
        print(f"unquantized: {exact:.4f} on {len(held_out)} held-out texts", flush=True)
        for quantization in ("Q4_K_M", "Q5_K_M", "Q6_K", "Q8_0"):
            lost = []
            for weighed in (None, importance):
                file = Path(made) / "m.gguf"
                export_gguf(base, file, quantization, adapter=adapter, importance=weighed, name="benchmark")
                lost.append(gguf_loss(file, base, held_out, tokenizer) - exact)
            print(f"{quantization:<7} lost {lost[0]:+.4f} without, {lost[1]:+.4f} with", flush=True)


def texts(home: Home, base: Path) -> tuple[list[TrainingText], list[TrainingText]]:
    """Return what is learned and what is judged by."""
    profile = diary(home, Path(sys.argv[1])) if sys.argv[1:] else write_sample_person(home)
    lines = lines_under("keep", profile, base, max_samples=2000)
    learned = [line for line in lines if line.split == "train"]
    return learned[:: max(1, len(learned) // LEARNED)][:LEARNED], [line for line in lines if line.split == "held_out"]


def off_the_grid(base: Path, folder: Path) -> Path:
    """Copy a base model, each weight of its linear layers moved by chance within its cell of the grid."""
    shutil.copytree(base, folder)
    weights = load_file(folder / "model.safetensors")
    draw = torch.Generator().manual_seed(7)
    for name in (n for n in weights if n.endswith("proj.weight")):
        blocks = weights[name].float().unflatten(1, (-1, BLOCK))
        cell = (blocks.amax(-1, keepdim=True) - blocks.amin(-1, keepdim=True)) / (VALUES - 1)
        moved = blocks + cell * (torch.rand(blocks.shape, generator=draw) - 0.5)
        weights[name] = moved.flatten(1).to(torch.bfloat16)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


if __name__ == "__main__":
    main()
