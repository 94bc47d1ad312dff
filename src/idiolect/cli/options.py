"""`idiolect options`: every option with its default, its other names and its help, as a table."""

from __future__ import annotations

from rich.console import Console

from idiolect.cli.flags import flag
from idiolect.config import Options, typed


def options() -> None:
    """List every option of a cycle."""
    Console(soft_wrap=True, highlight=False).print(options_table(), markup=False)


def options_table() -> str:
    """Return the options as a Markdown table; docs/options.md holds the same."""
    rows = ["| in etc/training.json | default | flag | environment | what it is |", "|---|---|---|---|---|"]
    for name, field in Options.model_fields.items():
        env = typed(field).env
        named = f"`METAHUMAN_{env}`, `IDIOLECT_{env}`" if env else ""
        default = "" if field.default in (None, "") else f"`{field.default}`"
        rows.append(f"| `{name}` | {default} | `{flag(name, field)}` | {named} | {field.description} |")
    return "\n".join(rows)
