"""The report, in a real browser where there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from idiolect.evaluation import Evaluation, Parity, Thresholds, read_evaluation, report_html, verdict
from idiolect.evaluation.charts import chart, course, curve
from idiolect.evaluation.resampling import Estimate

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def page(evaluation: Evaluation) -> str:
    return report_html(evaluation, verdict(evaluation, Thresholds()))


def test_marks_lie_where_their_figures_do() -> None:
    drawn = chart([("all", "", {"base": Estimate(4.0, 3.0, 5.0), "new": Estimate(2.0, 1.0, 3.0)})], span=(0.0, 10.0))
    assert drawn
    base, new = drawn.tracks[0].marks
    assert (base.at, base.start, base.length) == pytest.approx((40, 30, 20))
    assert (new.at, new.start, new.length) == pytest.approx((20, 10, 20))
    assert chart([]) is None


def test_a_curve_runs_from_the_first_step_to_the_last() -> None:
    drawn = curve([(1, 4.0), (2, 3.0)], [(0.0, 5.0), (1.0, 2.0)])
    assert drawn
    assert (drawn.low, drawn.high, drawn.steps) == ("2", "5", 2)
    assert drawn.line == "50.0,33.33 100.0,66.67"
    assert [(x, y) for x, y, _ in drawn.points] == [(0, 0), (100, 100)]
    assert curve([], []) is None


def test_a_course_has_its_runs_in_order_and_a_scale_that_does_not_blow_up_noise() -> None:
    stops = [(0, Estimate(3.0, 2.9, 3.1), "previous", "a"), (3, Estimate(3.05, 3.0, 3.1), "new", "b")]
    drawn = course("all", "", stops, 4)
    assert float(drawn.high) - float(drawn.low) == pytest.approx(0.5)
    assert [(m.x, m.kind, m.told) for m in drawn.moments] == [
        (12.5, "previous", "a: 3.000 (2.900 to 3.100)"),
        (87.5, "new", "b: 3.050 (3.000 to 3.100)"),
    ]
    first, last = drawn.moments
    assert (first.y - last.y, first.height, last.height) == pytest.approx((10, 40, 20))
    assert first.top < first.y < first.top + first.height


def test_an_evaluation_is_written_and_read_back(monthly: Evaluation) -> None:
    assert read_evaluation(msgspec.json.encode(monthly)) == monthly


def test_the_page_shows_all_and_escapes_all(monthly: Evaluation) -> None:
    shown = page(monthly)
    assert "<b>Samuel</b>" not in shown
    assert "&lt;b&gt;Samuel&lt;/b&gt; &amp; Elisabeth" in shown
    assert shown.count('class="talk"') == 12
    assert shown.count("Woke and rose.") == 12
    for wanted in (
        "Not to be published",
        "of the way from the base model",
        "2026-10-25-120000-abcdef",
        "7 of 10",
        "trained on 20 times",
        "said before",
        "EMAIL",
        "too few texts of two modes",
        "<polyline",
        "1 to 10",
        "When they were said",
        "12 talks are rendered by llama.cpp token for token",
        "138 MB",
        "+0.050",
        "said in 1660-Q1",
        "4.00 now; on 20 of 40: +0.20 (0.05 to 0.35) since 2026-10-25",
        "2026-08-25-120000-abcdef, 31 samples: 4.300 (4.200 to 4.400)",
        "2 min 3 s up to this report; a rented machine cost $1.25.",
    ):
        assert wanted in shown
    assert not re.search(r"https?://|<script|\bsrc=|url\(", shown)


def test_the_page_says_what_was_asked_for_whatever_it_finds(monthly: Evaluation) -> None:
    judged = verdict(monthly, Thresholds())
    assert "--publish" not in report_html(monthly, judged)
    assert "to be published whatever this says (--publish always)" in report_html(monthly, judged, "always")
    assert "Take Q6_K." in report_html(monthly, judged, advice="Take Q6_K.")
    parted = msgspec.structs.replace(monthly, parity=Parity(12, ["emoji: from token 3 on"]))
    assert "other tokens than in training in 1 of 12 talks. emoji" in page(parted)


def test_a_run_of_which_hardly_anything_is_known_has_a_page(evaluation: Evaluation) -> None:
    trained = msgspec.structs.replace(evaluation.trained, fidelity=None, general=None, seen=None)
    bare = msgspec.structs.replace(
        evaluation, trained=trained, served=None, voice=None, recited={}, verbatim=None, answers=()
    )
    assert "Nothing was held out" in page(bare)


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("how", ["--blink-settings=preferredColorScheme=0", "--window-size=390,844"])
def test_a_browser_has_nothing_to_complain_about(monthly: Evaluation, tmp_path: Path, how: str) -> None:
    report = tmp_path / "report.html"
    report.write_text(page(monthly), encoding="utf-8")
    shown = browsed(report, how)
    assert "CONSOLE" not in shown.stderr
    assert shown.stdout.count('class="talk"') == 12
    assert shown.stdout.count('class="course"') == 3
    # The same page with something to complain about: a picture from elsewhere, which it forbids itself.
    report.write_text(page(monthly).replace("</main>", '<img src="http://127.0.0.1:9/x.png"></main>'))
    assert "CONSOLE" in browsed(report, how).stderr


def browsed(report: Path, how: str) -> subprocess.CompletedProcess[str]:
    words = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0"]
    return subprocess.run(
        [*words, f"--user-data-dir={report.parent / 'profile'}", how, "--dump-dom", report.as_uri()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
