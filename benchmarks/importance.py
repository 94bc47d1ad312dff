"""Whether an importance matrix from a person's own texts makes a better model file, by the loss on held-out replies.

    python -m benchmarks.importance [DIARY.jsonl]

Trains the embedded model on the sample person, or on 300 entries of a diary of {"time", "text"} lines, and exports it
in each quantization with and without: what is lost against the same model unquantized, in nats a learned token.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.length_policy import OPTIONS, diary, lines_under
from idiolect.bases import resolve
from idiolect.evaluation import gguf_loss, unquantized_loss
from idiolect.export import export_gguf
from idiolect.home import Home
from idiolect.machines import train_here
from idiolect.memories.sample_person import write_sample_person
from idiolect.training import write_bundle


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        home, bundle = Home(Path(made)), Path(made) / "bundle"
        base = resolve("embedded", home.cache).folder
        lines = lines_under("keep", diary(home, Path(sys.argv[1])) if sys.argv[1:] else write_sample_person(home), base)
        tokenizer, held_out = base / "tokenizer.json", [line for line in lines if line.split == "held_out"]
        write_bundle(bundle, "adapter", OPTIONS.model_copy(update={"imatrix": True}), lines, tokenizer)
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


if __name__ == "__main__":
    main()
