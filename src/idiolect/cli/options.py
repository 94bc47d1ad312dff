"""`idiolect options`: every option with its default, its other names and its help."""

from __future__ import annotations

from rich.console import Console

from idiolect.cli.flags import flag
from idiolect.config import FULL_FINE_TUNE, NOT_OURS, REMARKS, SAME, CurationRules, ImportOptions, Options, typed

_PAGE = """# Options

Drawn from `src/idiolect/config/` by `make docs`. Later wins: default, `etc/training.json`,
`profiles/<user>/etc/training.json`, `.env`, environment, command line. Settings may have comments (`//`, `/* */`) and
trailing commas. An unknown key is refused by name, with its file and line.

## `etc/training.json`

{options}

Keys that hold words for people are let through: {remarks}. What MetaHuman OS knows and Idiolect does not is said once,
with what takes its place: {theirs}. {same}. [Settings of MetaHuman OS](metahuman.md#settings) says more.

### For `fine-tune-cycle` alone

A block `"full_fine_tune": {{…}}` in either file, and `etc/modes/<mode>.json` for a run with `--mode`, hold options that
go over the others when all weights are trained. Without them: {block}. `etc/fine-tune-config.json` and
`etc/modes/<mode>-config.json` of MetaHuman OS are read before these, but for their `base_model`.

## `profiles/<user>/etc/curation.json`

{rules}

Entries of `modes` and `system_messages` are laid over the defaults; lists replace them.

## `idiolect import`

{importing}
"""


def options() -> None:
    """List every option of a cycle."""
    Console(soft_wrap=True, highlight=False).print(options_table(), markup=False)


def options_page() -> str:
    """Return docs/options.md."""
    block = ", ".join(f"`{name}` {value}" for name, value in FULL_FINE_TUNE.items())
    return _PAGE.format(
        options=options_table(),
        rules=_rules_table(),
        importing=_import_table(),
        block=block,
        remarks=", ".join(f"`{key}`" for key in REMARKS),
        theirs=", ".join(f"`{key}`" for key in NOT_OURS),
        same=", ".join(f"`{theirs}` counts as `{ours}`" for theirs, ours in SAME.items()),
    )


def options_table() -> str:
    """Return the options of a cycle as a Markdown table."""
    rows = ["| in etc/training.json | default | flag | environment | what it is |", "|---|---|---|---|---|"]
    for name, field in Options.model_fields.items():
        env = typed(field).env
        named = f"`METAHUMAN_{env}`, `IDIOLECT_{env}`" if env else ""
        default = "" if field.default in (None, "") else f"`{field.default}`"
        rows.append(f"| `{name}` | {default} | `{flag(name, field)}` | {named} | {field.description} |")
    return "\n".join(rows)


def _rules_table() -> str:
    rows = ["| key | what it is |", "|---|---|"]
    fields = CurationRules.model_fields.items()
    # A line break would end the row.
    rows += [f"| `{name}` | {' '.join((field.description or '').split())} |" for name, field in fields]
    return "\n".join(rows)


def _import_table() -> str:
    rows = ["| flag | default | what it is |", "|---|---|---|"]
    for name, field in ImportOptions.model_fields.items():
        default = "" if field.default in (None, "", ()) else f"`{field.default}`"
        rows.append(f"| `{flag(name, field)}` | {default} | {field.description} |")
    return "\n".join(rows)
