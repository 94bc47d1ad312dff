"""`idiolect evaluate` and `idiolect blind`: judge a run once more, and let the person judge it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from idiolect.cli.flags import HomeFolder, Username, home_at


def evaluate(
    username: Username,
    run: Annotated[str, typer.Option("--run", help="Which run, by its label.")],
    against: Annotated[
        str | None, typer.Option("--against", help="Which run to compare it with; as before, if not said.")
    ] = None,
    prompts: Annotated[
        int | None,
        typer.Option("--prompts", min=1, help="How many held-out prompts each model answers; in a cycle, 12 to 24."),
    ] = None,
    home: HomeFolder = None,
) -> None:
    """Evaluate a run once more: its model file answers, is measured, and is judged; writes report.html anew."""
    from idiolect.workflow.models.evaluating import advised, evaluate_run, evaluation_of, judged_by

    finished, judged = evaluate_run(home_at(home), username, run, against, prompts)
    console = Console(highlight=False, soft_wrap=True)
    fit = "[bold green]fit to be published[/]" if judged.publish else "[bold yellow]not to be published[/]"
    console.print(f"{fit}: ", end="")
    console.print(judged.reason, markup=False)
    if advice := advised(evaluation_of(finished.run), judged_by(finished)):
        console.print(advice, markup=False)
    console.print(f"Report: {finished.run.report}", markup=False)


def blind(
    username: Username,
    run: Annotated[str | None, typer.Option("--run", help="Which run; the newest if not said.")] = None,
    home: HomeFolder = None,
) -> None:
    """Show pairs of answers, real and generated: say which is yours. The score goes into the report."""
    from secrets import randbits

    from idiolect.evaluation import Pair
    from idiolect.workflow.models.evaluating import blind_test, keep_blind

    finished, shown = blind_test(home_at(home), username, run, randbits(32))
    console = Console(highlight=False)
    asked: list[Pair] = []
    chosen: list[int] = []
    for number, pair in enumerate(shown, start=1):
        console.print(f"\n{number}/{len(shown)}  {pair.prompt}", style="bold", markup=False)
        for letter, text in zip("ab", pair.answers, strict=True):
            console.print(f"  {letter}  {text}", markup=False)
        choice = _choice(console)
        if choice is None:
            break
        asked.append(pair)
        chosen.append(choice)
    if not chosen:
        return
    result = keep_blind(finished, asked, chosen)
    console.print(
        f"\n{result.right} of {result.asked} told right; 95 % interval {result.share.low:.0%} to "
        f"{result.share.high:.0%}, guessing gives 50 %. It stands in {finished.run.report}",
        soft_wrap=True,
    )


def _choice(console: Console) -> int | None:
    """Return 0 or 1, or None at the end of the input or for q."""
    while True:
        try:
            said = console.input("Which is yours? [a/b, q ends] ", markup=False).strip().lower()
        except EOFError:
            return None
        if said in ("a", "b"):
            return "ab".index(said)
        if said == "q":
            return None
