"""A data set without a run: all its steps in order, into profiles/<user>/out/dataset/."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from idiolect.curation import Fate
from idiolect.dataset import Quality, report_html
from idiolect.files import write_json, write_text
from idiolect.home import Dataset, Home
from idiolect.workflow.data import steps as data_steps
from idiolect.workflow.planning.plan import Asked, plan_data, plan_target


def make_dataset(home: Home, asked: Asked, tell: Callable[[str, str], None]) -> tuple[Dataset, Quality]:
    """Make a person's data set and measure it; `tell` gets each step's name and outcome."""
    data = plan_data(home, asked)
    target = plan_target(home, data)
    made = data.profile.dataset()
    for note in data.settings.notes:
        tell("settings", note)
    tell("curate", data_steps.curate(data, made.curated, made.fates, datetime.now(UTC)))
    tell("format", data_steps.format_curated(data, made.curated, made.formatted))
    tell("schema", data_steps.apply_chat_template(data, target, made.formatted, made.schema_applied))
    tell("export", data_steps.export_dataset(data, made.schema_applied, made))
    quality = data_steps.measure_dataset(data, target, made)
    write_json(made.quality, quality)
    write_text(made.report, report_html(f"The data set of {asked.person}", quality))
    selected = data_steps.not_selected(data, data_steps.read_lines(made.ledger, Fate))
    tell("validate", data_steps.validate_dataset(made.dataset, skip=data.options.skip_validation, selected=selected))
    return made, quality
