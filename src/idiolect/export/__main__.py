"""`python -m idiolect.export BUNDLE --base FOLDER` makes a model file of a bundle that has been trained here.

What is to be made stands in the bundle; see ordered.py. Done again, it ends with the same files.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from idiolect.bases import copy_tokenizer
from idiolect.errors import IdiolectError
from idiolect.export import export_gguf, merge_model
from idiolect.export.ordered import Order, read_order, write_done
from idiolect.training import Job, Note, append, open_bundle, say_failed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m idiolect.export", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--base", type=Path, required=True, help="the base model: a Transformers folder")
    asked = parser.parse_args()
    try:
        job, order = open_bundle(asked.bundle), read_order(asked.bundle)
        append(job.events, Note(f"Merging and quantizing here: {order.quantization}."))
        export_trained(job, asked.base, order)
    except IdiolectError as error:
        return say_failed(asked.bundle, error)
    return 0


def export_trained(job: Job, base: Path, order: Order) -> None:
    """Make what is asked for of a bundle that has been trained on `base`; see export_gguf for what it raises."""
    outputs, template = job.result.parent, order.chat_template
    adapter = job.weights if job.trains == "adapter" else None
    if adapter is None:
        copy_tokenizer(base, job.weights, template)
    elif order.merged:
        merge_model(base, adapter, outputs / "merged", chat_template=template)
    export_gguf(
        base if adapter else job.weights,
        outputs / "model.gguf",
        order.quantization,
        adapter=adapter,
        importance=job.importance if order.imatrix else None,
        name=order.name,
        chat_template=template,
        keys=order.keys,
    )
    write_done(job.folder, order)


if __name__ == "__main__":
    sys.exit(main())
