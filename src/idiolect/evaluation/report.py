"""report.html: one run for its person to read. One file without scripts or network; light, dark, phone and paper."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import jinja2

from idiolect.dataset import figures
from idiolect.evaluation.charts import Chart, Course, Curve, Row, chart, course, curve
from idiolect.evaluation.evaluated import Evaluation, Month
from idiolect.evaluation.fidelity import Loss
from idiolect.evaluation.resampling import Estimate
from idiolect.evaluation.verdict import Verdict

#: What the four voices are called, in the order in which they stand.
WHO = {"base": "base model", "previous": "previous model", "new": "new model", "real": "really said"}
_ANSWERS = 12


def report_html(evaluation: Evaluation, verdict: Verdict, publish: str = "gate", advice: str = "") -> str:
    """Return the page; `publish` is what was asked for, whatever the verdict, and `advice` is which file to take."""
    page = files("idiolect.evaluation").joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(page).render(
        e=evaluation,
        verdict=verdict,
        asked=_ASKED.get(publish, ""),
        advice=advice,
        files=_files(evaluation),
        took=_took(evaluation),
        who=WHO,
        headlines=_headlines(evaluation),
        answers=[_answer(evaluation, i) for i in range(min(len(evaluation.answers), _ANSWERS))],
        fidelity=_fidelity(evaluation),
        curve=_curve(evaluation),
        against=_against(evaluation),
        months=_months(evaluation),
        authorship=_authorship(evaluation),
        modes=_modes(evaluation),
        mauve=_mauve(evaluation),
        distances=_distances(evaluation),
        styles=_styles(evaluation),
        leakage=_leakage(evaluation),
        made_of=figures(evaluation.made_of.quality),
        shares=_shares(evaluation),
        memories=_counted(evaluation.made_of.memories, _FATES),
        masked=_counted(evaluation.made_of.quality.masked),
        costs=_costs(evaluation),
    )


_ASKED = {
    "always": "It was to be published whatever this says (--publish always).",
    "never": "It was not to be published whatever this says (--publish never).",
}
_FATES = {"train": "learned from", "held_out": "held out, to judge by"}


def _headlines(e: Evaluation) -> list[tuple[str, str, str]]:
    """Return (figure, what it is, how sure) of what matters most."""
    found = []
    if e.trained.fidelity:
        loss = e.trained.fidelity.all
        found.append(
            (
                f"{loss.gain.value:+.2f}",
                "nats a token gained on replies it never saw",
                f"{_interval(loss.gain)}; {loss.before.value:.2f} before, {loss.after.value:.2f} after",
            )
        )
    if e.voice and e.voice.authorship:
        judged = e.voice.authorship
        found.append(
            (
                f"{judged.moved:.0%}",
                "of the way from the base model's voice to theirs",
                f"by a judge that errs in {judged.error:.0%} of cases",
            )
        )
    if e.trained.general:
        gain = e.trained.general.gain
        what, sign = ("gained", 1) if gain.value > 0 else ("lost", -1)
        found.append(
            (
                f"{abs(gain.value):.2f}",
                f"nats a token {what} on what everybody knows",
                _interval(gain, sign),
            )
        )
    if seen := e.recited.get("train"):
        unseen = e.recited.get("held_out")
        beside = f"; {unseen.recited} of {unseen.tries} that it never saw" if unseen else ""
        found.append((f"{seen.recited} of {seen.tries}", "memories recited once they were begun", f"8 words{beside}"))
    if e.blind:
        found.append(
            (
                f"{e.blind.right} of {e.blind.asked}",
                "times they told their own words from the model's",
                f"{_interval(e.blind.share)}; guessing gives half",
            )
        )
    return found


def _interval(estimate: Estimate, sign: int = 1) -> str:
    low, high = sorted((sign * estimate.low, sign * estimate.high))
    return f"{low:+.2f} to {high:+.2f}" if low < 0 or high > 1 else f"{low:.2f} to {high:.2f}"


def _answer(e: Evaluation, number: int) -> tuple[str, str, list[tuple[str, str]]]:
    answer = e.answers[number]
    said = {"base": answer.base, "previous": answer.previous, "new": answer.new, "real": answer.real}
    return answer.prompt, answer.mode, [(who, text) for who, text in said.items() if text is not None]


def _fidelity(e: Evaluation) -> Chart | None:
    if e.trained.fidelity is None:
        return None
    found = e.trained.fidelity
    rows = [("all", found.all), *found.by_mode.items(), *found.by_quarter.items()]
    drawn = [_loss_row(name, loss) for name, loss in rows]
    drawn += [_loss_row("general questions", e.trained.general)] if e.trained.general else []
    drawn += [_loss_row("some of what it learned", e.trained.seen)] if e.trained.seen else []
    return chart(drawn)


def _loss_row(name: str, loss: Loss) -> Row:
    return name, f"{_samples(loss)}, {loss.tokens:,} tokens", {"base": loss.before, "new": loss.after}


def _samples(loss: Loss) -> str:
    """Say of how many replies a loss is; one by itself spans no interval."""
    return f"{loss.samples} samples" if loss.samples > 1 else "1 sample, which tells no interval"


def _curve(e: Evaluation) -> Curve | None:
    result = e.trained.result
    epochs = len(result.loss_by_epoch)
    after = [((n + 1) / epochs, loss) for n, loss in enumerate(result.loss_by_epoch)]
    return curve(e.trained.measured.curve, [(0.0, result.loss_before), *after])


def _against(e: Evaluation) -> Chart | None:
    if e.against is None:
        return None
    named = {"held out now": e.against.now, "held out then": e.against.then}
    rows = {name: loss for name, loss in (named | e.against.by_quarter).items() if loss}
    notes = {name: f"{loss.gain.value:+.3f} ({_interval(loss.gain)})" for name, loss in rows.items()}
    return chart(
        [
            (name, f"{_samples(loss)}, gained {notes[name]}", {"previous": loss.before, "new": loss.after})
            for name, loss in rows.items()
        ]
    )


def _months(e: Evaluation) -> list[Course]:
    """Return how the loss went from run to run: on all replies, on those of each quarter, on general questions."""
    now = e.trained.fidelity
    courses = [_course(e, "all replies", [m.all for m in e.months], now.all if now else None)]
    for quarter, loss in (now.by_quarter if now else {}).items():
        courses.append(_course(e, f"said in {quarter}", [m.by_quarter.get(quarter) for m in e.months], loss))
    courses.append(_course(e, "general questions", [m.general for m in e.months], e.trained.general))
    return [drawn for drawn in courses if drawn]


def _course(e: Evaluation, name: str, beside: Sequence[Loss | None], now: Loss | None) -> Course | None:
    """Draw what earlier runs lost and what this one does; None where there is nothing to compare."""
    there = [(number, m, loss) for number, (m, loss) in enumerate(zip(e.months, beside, strict=True)) if loss]
    if not there or now is None:
        return None
    stops = [(n, loss.before, _kind(m), f"{m.label}, {_samples(loss)}") for n, m, loss in there]
    stops.append((len(e.months), now.after, "new", f"this run, {_samples(now)}"))
    _, last, both = there[-1]
    since = f"{-both.gain.value:+.2f} ({_interval(both.gain, -1)}) since {last.label[:10]}"
    return course(
        name, f"{now.after.value:.2f} now; on {both.samples} of {now.samples}: {since}", stops, len(e.months) + 1
    )


def _kind(month: Month) -> str:
    return "previous" if month.published else "previous unpublished"


def _authorship(e: Evaluation) -> Chart | None:
    if e.voice is None or e.voice.authorship is None:
        return None
    scores = e.voice.authorship.scores
    rows: list[Row] = [(WHO[who], "", {who: scores[who]}) for who in WHO if who in scores]
    return chart(rows, "{:.0%}", (0.0, 1.0))


def _modes(e: Evaluation) -> Chart | None:
    if e.voice is None or e.voice.modes is None:
        return None
    shares = e.voice.modes.in_mode
    return chart([(WHO[who], "", {who: shares[who]}) for who in WHO if who in shares], "{:.0%}", (0.0, 1.0))


def _distances(e: Evaluation) -> list[tuple[str, str, float]]:
    """Return (who, Burrows's Delta, its share of the farthest)."""
    if e.voice is None or e.voice.delta is None:
        return []
    distances = e.voice.delta.distances
    most = max(distances.values()) or 1.0
    return [(who, f"{distances[who]:.2f}", 100 * distances[who] / most) for who in WHO if who in distances]


def _mauve(e: Evaluation) -> list[tuple[str, str, float]]:
    """Return (who, MAUVE, percent)."""
    found = (e.voice.mauve if e.voice else None) or {}
    return [(who, f"{found[who]:.2f}", 100 * found[who]) for who in WHO if who in found]


def _styles(e: Evaluation) -> tuple[list[str], list[tuple[str, list[str]]]]:
    """Return who there is, and a row of figures for each feature."""
    found = e.voice.style if e.voice else {}
    there = [who for who in WHO if who in found]
    marks = list(dict.fromkeys(mark for who in reversed(there) for mark in list(found[who].marks_a_hundred)[:5]))
    features: list[tuple[str, list[str]]] = [
        ("words in an answer", [f"{found[who].words_a_text:.1f}" for who in there]),
        ("words in a sentence", [f"{found[who].words_a_sentence:.1f}" for who in there]),
        ("different words, of as many", [f"{found[who].different_words:.0%}" for who in there]),
        ("emoji in 100 words", [f"{found[who].emoji_a_hundred:.1f}" for who in there]),
    ]
    features += [
        (f"{mark} in 100 words", [f"{found[who].marks_a_hundred.get(mark, 0.0):.1f}" for who in there])
        for mark in marks
    ]
    return there, features if there else []


def _leakage(e: Evaluation) -> list[tuple[str, str]]:
    found = {
        "train": "memories that it was trained on, begun with a third of the reply",
        "held_out": "the same with memories that it never saw",
    }
    rows = [
        (text, f"{r.recited} of {r.tries} recited ({_interval(r.share)})")
        for split, text in found.items()
        if (r := e.recited.get(split))
    ]
    if e.verbatim is not None and e.answers:
        rows.append(
            (
                "free answers with eight words in a row from a memory",
                f"{e.verbatim} of {len(e.answers)}",
            )
        )
    rows += [
        (
            f"planted number of the {canary.name}, {_times(canary.planted)}",
            f"exposed by {canary.exposure_bits:.1f} bits: {'found' if canary.found else 'not found'}",
        )
        for canary in e.trained.canaries
    ]
    return rows


def _times(count: int) -> str:
    return {0: "never trained on", 1: "trained on once"}.get(count, f"trained on {count} times")


def _files(e: Evaluation) -> list[tuple[str, str, str, str]]:
    """Return (quantization, size, what it loses, interval) of each model file that was looked at."""
    return [
        (q.quantization, f"{q.bytes / 1e6:,.0f} MB", f"{q.lost:+.3f}", _interval_of(q.loss.gain))
        for q in e.quantizations
    ]


def _interval_of(gain: Estimate) -> str:
    return f"{-gain.high:+.3f} to {-gain.low:+.3f}"


def _took(e: Evaluation) -> str:
    """Say how long it all took up to here, and what it cost."""
    minutes, seconds = divmod(round(sum(e.made_of.seconds.values())), 60)
    time = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    money = f"; a rented machine cost ${e.made_of.cost_dollars:,.2f}" if e.made_of.cost_dollars else ""
    return f"{time} up to this report{money}."


def _shares(e: Evaluation) -> list[tuple[str, list[tuple[str, str, float]]]]:
    """Return a heading and bars for each way in which the samples are spread."""
    quality = e.made_of.quality
    shared = {"Modes": quality.modes, "Languages": quality.languages}
    counted = {"Words in a sample": quality.lengths, "When they were said": quality.over_time}
    charts = [
        (heading, [(n, f"{share:.0%}", 100 * share) for n, share in found.items()]) for heading, found in shared.items()
    ]
    charts += [(heading, _counted(found, ordered=False)) for heading, found in counted.items()]
    return [(heading, rows) for heading, rows in charts if rows]


def _counted(
    counts: dict[str, int], names: dict[str, str] | None = None, *, ordered: bool = True
) -> list[tuple[str, str, float]]:
    """Return (name, count, percent of the most), the most first unless they have an order of their own."""
    most = max(counts.values(), default=1) or 1
    rows = sorted(counts.items(), key=lambda item: -item[1]) if ordered else counts.items()
    return [((names or {}).get(name, name), f"{count:,}", 100 * count / most) for name, count in rows]


def _costs(e: Evaluation) -> list[tuple[str, str, float]]:
    most = max(e.made_of.seconds.values(), default=1.0) or 1.0
    return [(step, f"{seconds:,.1f} s", 100 * seconds / most) for step, seconds in e.made_of.seconds.items()]
