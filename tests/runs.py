"""Runs without training: a folder as a cycle leaves it, with a real model file of random weights."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from idiolect.config import MODES
from idiolect.export import export_gguf
from idiolect.files import write_json
from idiolect.home import FULL, Cycle, Home, Run
from idiolect.workflow.archive.summary import Summary
from tests.tiny import CHAT_TEMPLATE


def write_run(  # noqa: PLR0913 - all that a run may have or lack
    home: Home,
    base: Path,
    day: str,
    state: str | None = "succeeded",
    *,
    cycle: Cycle = FULL,
    gguf: bool = True,
    weights: bool = True,
    work: float | None = None,
    **summary: Any,
) -> Run:
    """Write a run of ada on a day; `work` is when its work folder was last written to, if it has one."""
    run = home.profile("ada").run(cycle, f"{day}-120000-{day.replace('-', '')[-6:]}")
    run.folder.mkdir(parents=True)
    if gguf:
        export_gguf(base, run.gguf, "Q8_0", name=run.label, chat_template=CHAT_TEMPLATE)
    if weights:
        run.weights.mkdir()
        (run.weights / "adapter_model.safetensors").write_bytes(b"weights")
    if work is not None:
        write_json(run.journal, {})
        for path in (run.journal, run.work):
            os.utime(path, (work, work))
    if state:
        write_json(run.summary, _summary(run, state, str(base), **summary))
    return run


def _summary(run: Run, state: str, base: str, **changed: Any) -> Summary:
    told: dict[str, Any] = {
        "label": run.label,
        "cycle": run.cycle.name,
        "person": "ada",
        "state": state,
        "began": datetime.now(UTC),
        "ended": datetime.now(UTC),
        "base_model": base,
        "quantization": run.quantization,
        "seed": 42,
        "options": {},
        "system_messages": {mode: f"You are ada, {mode}." for mode in MODES},
        "turn_end": "<|im_end|>",
        "steps": [],
        "versions": {},
    }
    return Summary(**(told | changed))
