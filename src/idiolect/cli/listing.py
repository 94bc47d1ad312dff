"""Lists on a terminal or in a file: no name is ever cut, for it may be typed next; a narrow terminal wraps lines."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

#: Characters that a sheet has where there is no terminal, and a whole line: more than any needs.
_WIDE, _WHOLE = 160, 1000


def listing(*columns: str) -> Table:
    """Return an empty list, of which a line is a line."""
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, no_wrap=True)
    return table


def sheet(*columns: str) -> Table:
    """Return an empty table in which a long text goes on below, within its column."""
    table = Table(box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def line_console() -> Console:
    """Return a console for lines: a terminal breaks them between words, and in a file or a pipe each is one line."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WHOLE
    return console


def show_table(table: Table) -> None:
    console = Console(highlight=False)
    if any(column.no_wrap for column in table.columns):
        console.width = _WHOLE
    elif not console.is_terminal:
        console.width = _WIDE
    console.print(table, markup=False)
