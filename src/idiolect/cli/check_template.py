"""`idiolect check-template`: what a base is asked with and would learn, and whether every server asks the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from idiolect.cli.flags import AnyUsername, HomeFolder, home_at

if TYPE_CHECKING:
    from idiolect.home import Home


def check_template(
    run: Annotated[str | None, typer.Option(help="A run's label, as `idiolect runs` lists it.")] = None,
    base_model: Annotated[
        str | None, typer.Option("--base-model", help="A base model, before any training: embedded, a folder, an id.")
    ] = None,
    username: AnyUsername = None,
    home: HomeFolder = None,
) -> None:
    """Compare what training saw before each reply with what llama.cpp and Ollama ask with, token for token.

    Of a base model, what it would be asked with is shown, and in green what it would learn.
    """
    from idiolect.errors import OptionFault

    if (run is None) == (base_model is None):
        raise OptionFault(
            "Of which model?", "Say --base-model NAME (before training) or --run LABEL (see: idiolect runs)."
        )
    different = _of_base(home_at(home), base_model) if base_model else _of_run(home_at(home), run or "", username)
    console = Console(highlight=False)
    for line in different:
        console.print(line, markup=False, soft_wrap=True)
    if different:
        raise typer.Exit(1)


def _of_base(home: Home, name: str) -> list[str]:
    """Show a short conversation as a base model would be trained on it; return where llama.cpp would ask otherwise."""
    from idiolect.workflow.models.parity import preview

    seen = preview(home, name)
    console = Console(highlight=False)
    for number, (text, learned) in enumerate(seen.texts, start=1):
        shown = Text(text)
        for start, end in learned:
            shown.stylize("bold green", start, end)
        title = f"text {number} of {len(seen.texts)}" if len(seen.texts) > 1 else "one text for all replies"
        console.rule(f"[dim]{title}; learned: [bold green]green[/][/]", align="left")
        console.print(shown)
    console.rule(style="dim")
    for line in seen.notes:
        console.print(line, markup=False, soft_wrap=True)
    return seen.differences


def _of_run(home: Home, label: str, person: str | None) -> list[str]:
    """Show a table of our conversations; return where llama.cpp or Ollama ask otherwise than training did."""
    from idiolect.workflow.models.parity import compare

    found = compare(home, label, person)
    table = Table()
    for name in ("conversation", "llama.cpp", "Ollama"):
        table.add_column(name)
    for conversation in found.talks:
        table.add_row(conversation, _mark(conversation, found.llama_cpp), _mark(conversation, found.ollama))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"Ollama: {found.ollama_said}", markup=False, soft_wrap=True)
    return [*found.llama_cpp, *(found.ollama or ())]


def _mark(conversation: str, parted: list[str] | None) -> str:
    if parted is None:
        return "not asked"
    return "differs" if any(line.startswith(f"{conversation}: ") for line in parted) else "the same"
