"""`idiolect export`: another model file from the weights that a run has kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from idiolect.cli.flags import HomeFolder, Username, home_at
from idiolect.cli.listing import line_console
from idiolect.config import Quantization


def export(  # noqa: PLR0913, PLR0917 - one for each flag
    username: Username,
    run: Annotated[str, typer.Option("--run", help="The label of a run; `idiolect runs` lists them.")],
    quantization: Annotated[Quantization, typer.Option("--quantization", "-q", help="Type of the GGUF file.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write; by default one beside the first.")
    ] = None,
    imatrix: Annotated[
        bool, typer.Option("--imatrix", help="Quantize with the importance matrix of the run, which was given it too.")
    ] = False,
    home: HomeFolder = None,
) -> None:
    """Write the model of a run once more, in another quantization."""
    from idiolect.cli.view import CycleView
    from idiolect.workflow.models.export import Another, export_again

    console = line_console()
    view = CycleView(console)
    try:
        written = export_again(home_at(home), Another(username, run, quantization, output, imatrix), view.tell)
    finally:
        view.bars.stop()
    console.print(str(written), soft_wrap=True, markup=False)
