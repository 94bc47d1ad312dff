"""What a person sees while a cycle runs, and when it has ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table

from idiolect.evaluation import Answers
from idiolect.training import Event, HeldOut, Moved, Note, Started, Stepped
from idiolect.workflow.archive.summary import Summary
from idiolect.workflow.records.events import Began, Ended, Written

#: Where there is no terminal, so many steps go by between two printed ones.
_STEPS_A_LINE = 10


@dataclass
class CycleView:
    """Shows a cycle's events: bars in a terminal, plain lines elsewhere."""

    console: Console
    bars: Progress = field(init=False)
    bar: TaskID | None = None

    def __post_init__(self) -> None:
        self.bars = Progress(
            TextColumn("           "),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[said]}"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )

    def tell(self, event: Event | Written | Began | Ended) -> None:
        match event:
            case Began(step, again):
                if again:
                    self.console.print(f"[yellow]↻[/] {step:<10} again; {escape(again)}")
                if step in ("train", "merge", "quantize"):
                    self.bars.start()
            case Ended():
                self._ended(event)
            case Moved(_, done, total):
                self.bars.start()
                self._move(done // 1_000_000, total // 1_000_000, f"MB: {event.what}")
            case Written(done, total):
                self._move(done // 1_000_000, total // 1_000_000, "MB")
            case Stepped():
                self._step(event)
            case _:
                self._say(event)

    def _ended(self, event: Ended) -> None:
        self._close_bar()
        if event.now:
            outcome = f"{escape(event.outcome)} [dim]{event.seconds:.1f} s[/]"
            self.console.print(f"[bold green]✓[/] {event.step:<10} {outcome}")
        else:
            self.console.print(f"[dim]✓ {event.step:<10} done before: {escape(event.outcome)}[/]")

    def _say(self, event: Event) -> None:
        match event:
            case Started():
                self.console.print(
                    f"             {event.samples} samples, {event.learned_tokens:,} tokens to learn, "
                    f"{event.steps} steps; {event.trained_parameters:,} weights in training"
                    + (f", {event.processes} processes" if event.processes > 1 else "")
                )
            case HeldOut(epoch, loss):
                when = "before training" if epoch == 0 else f"after epoch {epoch:g}"
                self.console.print(f"             held-out loss {when}: [bold]{loss:.3f}[/] nats a token")
            case Note(text):
                self.console.print(f"             [yellow]{escape(text)}[/]")

    def _step(self, event: Stepped) -> None:
        said = f"loss {event.loss:.3f}  {event.tokens_per_second:.0f} learned tokens/s"
        said += f"  {event.memory_bytes / 1e9:.1f} GB"
        self._move(event.step, event.steps, said)
        if not self.console.is_terminal and (event.step % _STEPS_A_LINE == 0 or event.step == event.steps):
            self.console.print(f"             step {event.step}/{event.steps}  {said}")

    def _move(self, done: int, total: int, said: str) -> None:
        if self.bar is None:
            self.bar = self.bars.add_task("", total=total, said=said)
        self.bars.update(self.bar, completed=done, total=total, said=said)

    def _close_bar(self) -> None:
        if self.bar is not None:
            self.bars.remove_task(self.bar)
            self.bar = None
        self.bars.stop()


def show_summary(console: Console, summary: Summary, folder: Path, chat_command: str) -> None:
    """Show what became of the memories, what training did, and how to go on."""
    fates = Table(title=f"{sum(summary.memories.values())} memories", title_justify="left")
    fates.add_column("what became of them")
    fates.add_column("memories", justify="right")
    for fate, count in sorted(summary.memories.items(), key=lambda item: -item[1]):
        shown = {"train": "learned from", "held_out": "held out, to judge by"}.get(fate, f"dropped: {fate}")
        fates.add_row(shown, str(count))
    console.print(fates)
    if result := summary.training:
        console.print(
            f"Held-out loss on their own words: [bold]{result.loss_before:.3f}[/] before, "
            f"[bold]{result.loss_after:.3f}[/] after ({result.loss_after - result.loss_before:+.3f} nats a token)"
        )
    console.print(f"Everything of this run: {escape(str(folder))}", soft_wrap=True)
    console.print(f"Talk to it:  [bold]{escape(chat_command)}[/]", soft_wrap=True)


def show_side_by_side(console: Console, answers: Sequence[Answers]) -> None:
    """Show held-out prompts with three answers each."""
    for a in answers:
        table = Table(title=f"“{escape(a.prompt)}”", title_justify="left", expand=True)
        for name in ("base model", "trained model", "what they really said"):
            table.add_column(name, ratio=1)
        table.add_row(*map(escape, (a.base, a.new, a.real)))
        console.print(table)
