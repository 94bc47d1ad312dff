from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

from rich.console import Console

from idiolect.cli.plan import show
from idiolect.home import Home
from idiolect.workflow.planning.estimate import estimate
from idiolect.workflow.planning.plan import Asked
from tests.cli.test_commands import idiolect
from tests.published import QWEN3_14B


def test_plan_prints_json(home: Home, tmp_path: Path) -> None:
    (tmp_path / "qwen").mkdir()
    (tmp_path / "qwen" / "config.json").write_text(json.dumps(QWEN3_14B))
    words = ["plan", "--home", str(home.root), "--base-model", str(tmp_path / "qwen"), "--tokens", "200000"]
    data = json.loads(idiolect(*words, "--json").stdout)
    assert data["work"]["tokens"] == 200_000
    fitting = {f["machine"] for f in data["forecasts"] if f["fits"] and f["trains"] == "model"}
    assert "H100 SXM" in fitting
    assert "RTX 4090" not in fitting
    assert all((f["memory"]["peak"] <= f["room"]) == f["fits"] for f in data["forecasts"])


def test_the_tables_say_what_fits_and_what_would_help(home: Home) -> None:
    asked = Asked("", {}, {"base_model": "embedded", "dtype": "float32"})
    page = StringIO()
    show(Console(file=page, width=160), estimate(home, asked, 10_000, lambda _: None))
    shown = page.getvalue()
    assert "134,515,008 weights; an adapter has 2,442,240" in shown
    assert "100 samples, 10,000 tokens an epoch (10,000 tokens, as asked)" in shown
    assert shown.count("RTX 4090") == 2
    here = next(line for line in shown.splitlines() if "this computer" in line)
    assert [cell.strip() for cell in here.split("│")[4:7]] == ["?", "–", "fits"]


def test_a_model_that_cannot_be_planned_for_is_refused_by_name(home: Home, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["MixtralForCausalLM"]}))
    done = idiolect("plan", "--home", str(home.root), "--base-model", str(tmp_path))
    assert done.returncode == 2
    assert "MixtralForCausalLM" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2
