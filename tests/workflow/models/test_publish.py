"""Publishing, promoting and going back: with Ollama, without it, and against its failures."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from idiolect.errors import NoOllama, RunFailed, UserFault
from idiolect.home import FINE_TUNE, Home, Run
from idiolect.serving import Offered
from idiolect.workflow.archive.cleanup import clean_up
from idiolect.workflow.archive.registry import offered, overview, read_registry, voice
from idiolect.workflow.models.parity import compare
from idiolect.workflow.models.publish import promote, rollback
from idiolect.workflow.records.lock import only_publication
from tests.conftest import MakeRun
from tests.ollama import OllamaStandIn, gguf_of, ollama_stand_in

NAMES = ["ada:latest", "ada:dual", "ada:emulation", "ada:agent"]


@pytest.fixture
def ollama(monkeypatch: pytest.MonkeyPatch) -> Iterator[OllamaStandIn]:
    with ollama_stand_in() as state:
        monkeypatch.setenv("OLLAMA_HOST", state.address)
        yield state


def published(home: Home) -> tuple[str | None, list[str]]:
    registry = read_registry(home.profile("ada"))
    return registry.published.label if registry.published else None, [p.label for p in registry.before]


def served(state: OllamaStandIn, run: Run) -> list[str]:
    """Return the names that stand for a run's model."""
    return sorted(name for name, manifest in state.manifests.items() if manifest["model"] == gguf_of(run.gguf))


def test_without_ollama_a_model_is_published_all_the_same(home: Home, make_run: MakeRun) -> None:
    run = make_run("2026-10-01")
    said = promote(home, "ada", run.label)
    assert said.startswith("published; not in Ollama: Ollama at http://127.0.0.1:9 does not answer")
    assert published(home) == (run.label, [])
    assert voice(home, "ada").gguf == run.gguf
    assert list(offered(home, [])) == NAMES
    assert offered(home, ["ada"])["ada:dual"] == Offered(run.gguf, "You are ada, dual.", 2048)
    assert offered(home, ["bea"]) == {}


def test_a_model_gets_its_own_name_and_those_that_people_use(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn
) -> None:
    run = make_run("2026-10-01")
    assert promote(home, "ada", run.label) == "published; `ollama run ada:latest`"
    assert served(ollama, run) == sorted([*NAMES, "ada:2026-10-01"])
    assert len(ollama.blobs) == 1
    systems = {name: ollama.manifests[name]["system"] for name in NAMES}
    assert systems == {
        "ada:latest": "You are ada, emulation.",
        "ada:dual": "You are ada, dual.",
        "ada:emulation": "You are ada, emulation.",
        "ada:agent": "You are ada, agent.",
    }
    sampled = {"temperature": 0.7, "top_k": 40, "top_p": 0.9, "min_p": 0.05, "repeat_penalty": 1.1, "repeat_last_n": 64}
    told = {"stop": ["<|im_end|>"], **sampled, "num_predict": 256, "num_ctx": 2048}
    assert ollama.manifests["ada:latest"]["parameters"] == told
    steps = [request.split()[1].rpartition("/")[2] for request in ollama.requests]
    assert steps.index("create") < steps.index("chat") < steps.index("copy")


def test_an_empty_system_message_of_a_mode_is_not_replaced_by_another(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn
) -> None:
    systems = {"emulation": "You are ada.", "dual": "", "agent": "You are ada."}
    promote(home, "ada", make_run("2026-10-01", system_messages=systems).label)
    assert {name: ollama.manifests[name].get("system", "") for name in NAMES[1:]} == {
        "ada:dual": "",
        "ada:emulation": "You are ada.",
        "ada:agent": "You are ada.",
    }


def test_a_rollback_brings_the_former_model_back_within_a_second(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn
) -> None:
    first, second, third = (make_run(f"2026-10-0{n}") for n in (1, 2, 3))
    for run in (first, second, third):
        promote(home, "ada", run.label)
    assert published(home) == (third.label, [second.label, first.label])
    began = time.monotonic()
    said = rollback(home, "ada")
    assert time.monotonic() - began < 1
    assert said == f"{second.label} is back; in Ollama 0.33.0 too"
    assert served(ollama, second) == sorted([*NAMES, "ada:2026-10-02"])
    assert published(home) == (second.label, [first.label, third.label])
    first.gguf.unlink()
    rollback(home, "ada")
    assert published(home)[0] == third.label
    assert [row["state"] for row in overview(home)] == ["published", "before", "before"]
    assert [row["file"] == "gone" for row in overview(home, "ada")] == [False, True, False]


def test_a_rollback_to_what_ollama_has_lost_or_never_had_gives_it_to_ollama(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = make_run("2026-10-01"), make_run("2026-10-02")
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    promote(home, "ada", first.label)
    monkeypatch.setenv("OLLAMA_HOST", ollama.address)
    promote(home, "ada", second.label)
    assert rollback(home, "ada") == f"{first.label} is back; `ollama run ada:latest`"
    assert served(ollama, first) == sorted([*NAMES, "ada:2026-10-01"])
    ollama.manifests.clear()
    ollama.blobs.clear()
    rollback(home, "ada")
    assert served(ollama, second) == sorted([*NAMES, "ada:2026-10-02"])


def test_two_runs_of_a_day_do_not_take_each_others_name(home: Home, make_run: MakeRun, ollama: OllamaStandIn) -> None:
    first = make_run("2026-10-01")
    second = make_run("2026-10-01", cycle=FINE_TUNE)
    relabelled = home.profile("ada").run(FINE_TUNE, "2026-10-01-180000-abcdef")
    shutil.move(second.folder, relabelled.folder)
    summary = json.loads(relabelled.summary.read_text())
    relabelled.summary.write_text(json.dumps(summary | {"label": relabelled.label}))
    for run in (first, relabelled, first):
        promote(home, "ada", run.label)
    assert {"ada:2026-10-01", "ada:2026-10-01-180000-abcdef"} < set(ollama.manifests)
    assert published(home) == (first.label, [relabelled.label])


@pytest.mark.parametrize(
    "fault", ["create refused", "create fails late", "create dies", "chat fails", "chat dies", "disk full", "busy"]
)
def test_whatever_fails_in_ollama_its_names_keep_their_model(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn, fault: str
) -> None:
    old, new = make_run("2026-10-01"), make_run("2026-10-02")
    promote(home, "ada", old.label)
    ollama.fault = fault
    assert "; not in Ollama: " in promote(home, "ada", new.label)
    assert served(ollama, old) == sorted([*NAMES, "ada:2026-10-01"])
    assert served(ollama, new) == []
    assert published(home) == (new.label, [old.label])
    ollama.fault = ""
    assert "ollama run" in promote(home, "ada", new.label)
    assert served(ollama, new) == sorted([*NAMES, "ada:2026-10-02"])


def test_an_ollama_that_renders_otherwise_stops_no_publication(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn
) -> None:
    old, new = make_run("2026-10-01"), make_run("2026-10-02")
    promote(home, "ada", old.label)
    ollama.renders = "{{ .Prompt }}"
    said = promote(home, "ada", new.label)
    assert (
        "published; not in Ollama: Ollama 0.33.0 would serve the model otherwise than it was trained; 12 of 12" in said
    )
    assert sorted(ollama.manifests) == sorted([*NAMES, "ada:2026-10-01"])
    assert served(ollama, old) == sorted([*NAMES, "ada:2026-10-01"])
    assert published(home) == (new.label, [old.label])
    assert not ollama.loaded
    found = compare(home, new.label)
    assert found.ollama
    assert not found.llama_cpp
    assert len(found.ollama) == len(found.talks) == 12
    assert not any("check" in name for name in ollama.manifests)
    assert not ollama.loaded, "check-template lets its model go from memory"


def test_an_old_ollama_gets_a_template_of_go_or_nothing(home: Home, make_run: MakeRun, ollama: OllamaStandIn) -> None:
    ollama.version = "0.20.1"
    run = make_run("2026-10-01")
    assert "Ollama 0.20.1 cannot render this model's chat template" in promote(home, "ada", run.label)
    each = '{{ range .Messages }}{{ "<|im_start|>" }}{{ .Role }}{{ "\\n" }}{{ .Content }}{{ "<|im_end|>\\n" }}{{ end }}'
    other = make_run("2026-10-02", go_template=each + '{{ "<|im_start|>assistant\\n" }}')
    assert promote(home, "ada", other.label) == "published; `ollama run ada:latest`"


def test_a_file_that_does_not_load_or_is_otherwise_than_trained_is_not_published(
    home: Home, make_run: MakeRun, tiny_base: Path, tmp_path: Path
) -> None:
    good, broken, other = (make_run(f"2026-10-0{n}") for n in (1, 2, 3))
    promote(home, "ada", good.label)
    broken.gguf.write_bytes(broken.gguf.read_bytes()[:5000])
    with pytest.raises(RunFailed, match="cannot be loaded"):
        promote(home, "ada", broken.label)
    base = shutil.copytree(tiny_base, tmp_path / "base")
    (base / "chat_template.jinja").write_text(
        "{% for m in messages %}<|im_start|>{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}"
    )
    summary = json.loads(other.summary.read_text())
    other.summary.write_text(json.dumps(summary | {"base_model": str(base)}))
    with pytest.raises(RunFailed, match="would be asked otherwise than it was trained; 12 of 12"):
        promote(home, "ada", other.label)
    assert published(home) == (good.label, [])
    shutil.rmtree(base)
    assert "not compared with training, for its base model is gone" in promote(home, "ada", other.label)


def test_what_cannot_be_published_or_brought_back_is_said(home: Home, make_run: MakeRun) -> None:
    with pytest.raises(UserFault, match="no run 'x' that has left a model file"):
        promote(home, "ada", "x")
    run = make_run("2026-10-01")
    with pytest.raises(UserFault, match="no model of ada to go back to"):
        rollback(home, "ada")
    with only_publication(home.profile("ada"), "first"), pytest.raises(UserFault, match="is being published: first"):
        promote(home, "ada", run.label)
    home.profile("ada").registry.write_text("{")
    with pytest.raises(UserFault, match=r"registry\.json cannot be read"):
        promote(home, "ada", run.label)


def test_a_disk_without_room_for_ollama_is_seen_before(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path))
    run = make_run("2026-10-01")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert f"{tmp_path}: 0 MB are free on its disk" in promote(home, "ada", run.label)
    assert not ollama.blobs


def test_a_model_that_ollama_has_is_not_refused_for_want_of_room(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path))
    run = make_run("2026-10-01")
    promote(home, "ada", run.label)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
    assert promote(home, "ada", run.label) == "published; `ollama run ada:latest`"


@pytest.fixture
def elsewhere(home: Home, make_run: MakeRun, tmp_path: Path) -> Callable[[str], Home]:
    """Return a function that makes another home, in which a person of the same name has a run of a day."""

    def make(day: str) -> Home:
        run = make_run(day)
        other = Home(tmp_path / "other")
        place = other.root / run.folder.relative_to(home.root)
        place.parent.mkdir(parents=True)
        shutil.move(run.folder, place)
        return other

    return make


def only_run(home: Home) -> str:
    (run,) = home.profile("ada").runs()
    return run.label


def test_names_of_another_home_are_never_touched(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn, elsewhere: Callable[[str], Home]
) -> None:
    other = elsewhere("2026-10-01")
    promote(other, "ada", only_run(other))
    before = dict(ollama.manifests)
    ours = make_run("2026-10-01", system_messages={"emulation": "Ours.", "dual": "", "agent": "Ours."})
    for fault in ("", "chat fails", "copy fails"):
        ollama.fault = fault
        said = promote(home, "ada", ours.label)
        assert "published; not in Ollama: ada:latest, ada:dual" in said
        assert ollama.manifests == before
    ollama.fault = ""
    assert not clean_up(home.profile("ada"))
    for name in NAMES:
        del ollama.manifests[name]
    assert promote(home, "ada", ours.label) == "published; `ollama run ada:latest`"
    assert set(ollama.manifests) == {*NAMES, "ada:2026-10-01", f"ada:{ours.label}"}
    assert ollama.manifests["ada:2026-10-01"] == before["ada:2026-10-01"]
    now = dict(ollama.manifests)
    assert "not in Ollama" in promote(other, "ada", only_run(other))
    assert ollama.manifests == now


@pytest.mark.parametrize("fault", ["chat fails", "copy fails"])
def test_a_failing_publication_leaves_a_good_name_of_its_own_run(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn, fault: str
) -> None:
    run = make_run("2026-10-01")
    promote(home, "ada", run.label)
    before = dict(ollama.manifests)
    ollama.fault = fault
    assert "not in Ollama" in promote(home, "ada", run.label)
    assert ollama.manifests == before


@pytest.mark.parametrize("fault", ["chat fails", "copy fails"])
def test_what_a_broken_publication_could_not_take_back_the_next_clean_up_does(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    run = make_run("2026-10-01")
    ollama.fault = fault
    monkeypatch.setattr("idiolect.serving.ollama.delete", lambda *_: (_ for _ in ()).throw(NoOllama("gone", "")))
    assert "not in Ollama" in promote(home, "ada", run.label)
    monkeypatch.undo()
    monkeypatch.setenv("OLLAMA_HOST", ollama.address)
    trial = f"ada:trial-{run.label}"
    assert (list(ollama.manifests), len(ollama.blobs)) == ([trial], 1)
    assert trial in read_registry(home.profile("ada")).begun
    assert [str(r) for r in clean_up(home.profile("ada"), dry_run=True)] == [
        f"removed {trial} in Ollama: a publication that broke off had left it"
    ]
    ollama.fault = ""
    assert [str(r.what) for r in clean_up(home.profile("ada"))] == [f"{trial} in Ollama"]
    assert not ollama.manifests
    assert not ollama.blobs
    assert clean_up(home.profile("ada")) == []
    assert promote(home, "ada", run.label) == "published; `ollama run ada:latest`"
    assert read_registry(home.profile("ada")).begun == []


def test_a_home_that_published_before_digests_were_kept_knows_its_names(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn
) -> None:
    first, second = make_run("2026-10-01"), make_run("2026-10-02")
    promote(home, "ada", first.label)
    file = home.profile("ada").registry
    told = json.loads(file.read_text())
    file.write_text(json.dumps({"published": told["published"], "before": []}))
    assert promote(home, "ada", second.label) == "published; `ollama run ada:latest`"
