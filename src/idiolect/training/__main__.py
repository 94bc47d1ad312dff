"""`python -m idiolect.training BUNDLE --base FOLDER` trains a bundle anywhere; progress goes to events.jsonl."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from idiolect.errors import IdiolectError
from idiolect.training.bundle import open_bundle
from idiolect.training.events import append


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m idiolect.training", description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--base", type=Path, required=True, help="the base model's Transformers folder")
    asked = parser.parse_args()
    try:
        job = open_bundle(asked.bundle)
        from idiolect.training.train import train

        train(job, asked.base, partial(append, job.events))
    except IdiolectError as error:
        print(error.problem, error.remedy, file=sys.stderr)  # noqa: T201 - a program of its own
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
