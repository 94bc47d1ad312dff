"""What is published, from the command line: the commands as a person types them, the endpoint as programs ask."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
from typer.testing import CliRunner

from idiolect.cli import app
from idiolect.errors import IdiolectError
from idiolect.home import Home
from idiolect.workflow.models.publish import promote
from tests.cli.test_commands import idiolect
from tests.conftest import Event, MakePerson, MakeRun
from tests.ollama import OllamaStandIn, gguf_of, ollama_stand_in
from tests.tiny import CHAT_TEMPLATE


@pytest.fixture
def ollama(monkeypatch: pytest.MonkeyPatch) -> Iterator[OllamaStandIn]:
    with ollama_stand_in() as state:
        monkeypatch.setenv("OLLAMA_HOST", state.address)
        yield state


def typed(home: Home, *words: str, code: int = 0) -> str:
    """Return what a command says, typed into this process."""
    done = CliRunner(env={"COLUMNS": "60"}).invoke(app, [*words, "--home", str(home.root)])
    if isinstance(done.exception, IdiolectError):
        assert code == done.exception.exit_code
        return str(done.exception)
    assert done.exit_code == code, done.output
    return done.output


def test_models_are_promoted_listed_brought_back_and_cleaned_up(home: Home, make_run: MakeRun) -> None:
    first, second, third = (make_run(f"2026-10-0{n}") for n in (1, 2, 3))
    ada = ("--username", "ada")
    for words in (["rollback"], ["cleanup"], ["promote", first.label], ["chat"]):
        typed(home, *words, "-u", "adda", code=2)
    assert home.people() == ["ada"]
    assert "no model of ada to go back to" in typed(home, "rollback", *ada, code=2)
    for run in (first, second):
        assert "published; not in Ollama" in typed(home, "promote", run.label, *ada)
    assert f"{first.label} is back" in typed(home, "rollback", *ada)
    rows = json.loads(typed(home, "models", "--json"))
    assert [(row["person"], row["state"], row["run"]) for row in rows] == [
        ("ada", "published", first.label),
        ("ada", "before", second.label),
    ]
    assert rows[0]["file"] == f"out/adapters/2026-10-01/{first.label}/adapter.gguf"
    assert all(str(row[name]) in typed(home, "models", *ada) for row in rows for name in ("run", "file"))
    assert "There is nothing to remove." in typed(home, "cleanup", *ada)
    fourth = make_run("2026-10-04")
    assert f"would remove {third.gguf}" not in typed(home, "cleanup", *ada, "--dry-run")
    said = typed(home, "cleanup", *ada, "--keep", "1", "--dry-run")
    assert f"would remove {third.gguf}, 0.2 MB" in said
    assert "1 things, 0.2 MB" in said
    assert third.gguf.exists()
    typed(home, "cleanup", *ada, "--keep", "1")
    assert [run.gguf.exists() for run in (first, second, third, fourth)] == [True, True, False, True]


def test_check_template_compares_three_and_says_where_they_part(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn
) -> None:
    run = make_run("2026-10-01")
    said = typed(home, "check-template", "--run", run.label)
    assert said.count("the same") == 24
    assert "Ollama: Ollama 0.33.0" in said
    ollama.renders = "{{ .Prompt }}"
    said = typed(home, "check-template", "--run", run.label, code=1)
    assert said.count("the same") == said.count("differs") == 12
    assert "triple quotes: trained on" in said
    assert not ollama.manifests
    ollama.version = "0.11.0"
    said = typed(home, "check-template", "--run", run.label)
    assert said.count("not asked") == 12
    assert "no run 'x'" in typed(home, "check-template", "--run", "x", code=2)


def test_an_ollama_that_asks_otherwise_is_said_and_is_no_failure_of_publishing(
    home: Home, make_run: MakeRun, ollama: OllamaStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run("2026-10-01")
    ollama.renders = "{{ .Prompt }}"
    said = typed(home, "promote", run.label, "--username", "ada")
    assert "published; not in Ollama: Ollama 0.33.0 would serve the model otherwise" in said
    assert "12 of 12" in said
    typed(home, "check-template", "--run", run.label, code=1)
    monkeypatch.setenv("OLLAMA_HOST", "[::1")
    assert "not in Ollama: OLLAMA_HOST is no address" in typed(home, "promote", run.label, "--username", "ada")


def test_chat_talks_with_the_published_model_or_the_one_that_is_named(home: Home, make_run: MakeRun) -> None:
    first, second = make_run("2026-10-01"), make_run("2026-10-02")
    talk = idiolect("chat", "-u", "ada", "--home", str(home.root), given="/exit\n")
    assert str(second.gguf) in talk.stdout
    promote(home, "ada", first.label)
    assert str(first.gguf) in typed(home, "chat", "-u", "ada")
    assert str(second.gguf) in typed(home, "chat", "-u", "ada", "--run", second.label)
    first.gguf.unlink()
    assert str(second.gguf) in typed(home, "chat", "-u", "ada")


def test_chat_forgets_the_oldest_turns_and_says_what_it_cannot_ask(home: Home, make_run: MakeRun) -> None:
    run = make_run("2026-10-01", context=256)
    chat = ("chat", "-u", "ada", "--home", str(home.root), "--run", run.label)
    grown = idiolect(*chat, given=f"{'One two three. ' * 12}\n" * 4 + "/good\n")
    assert grown.returncode == 0, grown.stderr
    assert re.search(r"holds 256 tokens: the (oldest turn is|\d oldest turns are) forgotten", grown.stdout)
    assert "will be learned from" in grown.stdout

    failed = idiolect(*chat, given=f"{'word ' * 400}\n/good\nHello?\n")
    assert failed.returncode == 2
    assert re.search(r"What is asked takes [\d,]+ tokens, and the model holds 256", failed.stderr)
    assert "no answer yet" in failed.stdout
    assert "Traceback" not in failed.stderr


def test_what_is_typed_in_chat_is_kept_composed(home: Home, make_run: MakeRun) -> None:
    run = make_run("2026-10-01")
    typed = "Un cafe\u0301?\n/better Oui, un cafe\u0301.\n"
    done = idiolect("chat", "-u", "ada", "--home", str(home.root), "--run", run.label, given=typed)
    assert done.returncode == 0, done.stderr
    kept = [json.loads(f.read_text()) for f in (home.profile("ada").memories / "feedback").rglob("*.json")]
    assert ("Un café?", "Oui, un café.") in [(m["content"], m.get("response")) for m in kept]
    assert {m["content"] for m in kept} == {"Un café?"}


def test_serve_answers_the_openai_client_until_ctrl_c(home: Home, make_run: MakeRun) -> None:
    assert "no published model" in typed(home, "serve", code=2)
    promote(home, "ada", make_run("2026-10-01").label)
    words = [sys.executable, "-m", "idiolect", "serve", "--port", "0", "--home", str(home.root)]
    serving = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert serving.stdout
    assert "ada:latest, ada:dual, ada:emulation, ada:agent" in serving.stdout.readline()
    address = re.search(r"http://127\.0\.0\.1:(\d+)/v1", serving.stdout.readline())
    assert address
    with openai.OpenAI(base_url=address[0], api_key="none", max_retries=0) as client:
        pieces = client.chat.completions.create(
            model="ada:dual", messages=[{"role": "user", "content": "Hi."}], max_tokens=3, stream=True
        )
        assert [p.choices[0].finish_reason for p in pieces][-1] in ("length", "stop")
    assert "cannot be had" in typed(home, "serve", "--port", address[1], code=2)
    serving.send_signal(signal.SIGINT)
    said, errors = serving.communicate(timeout=20)
    assert serving.returncode == 0
    assert "Ended." in said
    assert "Traceback" not in errors


@pytest.mark.slow
def test_an_ollama_that_renders_otherwise_keeps_no_run_from_being_published(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path, ollama: OllamaStandIn
) -> None:
    make_person("ada", talks, num_train_epochs=1, base_model=str(tiny_base))
    place = {"IDIOLECT_HOME": str(home.root), "OLLAMA_HOST": os.environ["OLLAMA_HOST"]}
    # A random model of this size learns nothing that the gate would let pass.
    words = ("full-cycle", "-u", "ada", "--publish", "always")
    good = idiolect(*words, environ=place)
    assert good.returncode == 0, good.stderr
    assert " prompts, token for token as in training" in good.stdout
    assert "published; `ollama run ada:latest`" in good.stdout
    (first,) = home.profile("ada").runs()
    assert ollama.manifests["ada:latest"]["model"] == gguf_of(first.gguf)

    ollama.renders = "{{ .Prompt }}"
    other = idiolect(*words, environ=place)
    assert other.returncode == 0, other.stderr
    assert "published; not in Ollama: " in other.stdout
    (_, second) = home.profile("ada").runs()
    assert json.loads(second.summary.read_text())["state"] == "succeeded"
    assert ollama.manifests["ada:latest"]["model"] == gguf_of(first.gguf)

    ollama.renders = ""
    done = idiolect("promote", second.label, "-u", "ada", environ=place)
    assert done.returncode == 0, done.stderr
    assert ollama.manifests["ada:latest"]["model"] == gguf_of(second.gguf)
    third = idiolect("full-cycle", "-u", "ada", "--publish", "never", environ=place)
    assert third.returncode == 0, third.stderr
    assert "not published: as asked" in third.stdout
    assert f"idiolect chat --username ada --run {home.profile('ada').runs()[-1].label}" in third.stdout
    assert f"removed {first.gguf}" not in third.stdout
    assert ollama.manifests["ada:latest"]["model"] == gguf_of(second.gguf)


def test_answers_are_judged_in_a_talk(home: Home, make_run: MakeRun, make_person: MakePerson) -> None:
    make_person("ada", [{"content": "Rain."}])
    run = make_run("2026-01-01")
    typed = "/good\nHello?\n/good\n/bad\n/better Good day to you.\n/better\n/mode dual\n/what\n/exit\n"
    done = idiolect("chat", "--username", "ada", "--home", str(home.root), "--run", run.label, given=typed)
    assert done.returncode == 0, done.stderr
    for said in (
        "no answer yet",
        "will be learned from",
        "will not be",
        "your words",
        "Nothing is said",
        "/better TEXT",
    ):
        assert said in done.stdout
    events = [json.loads(path.read_bytes()) for path in home.profile("ada").feedback.glob("*.json")]
    by_signal = {e["metadata"]["reinforcementSignal"]: e for e in events}
    assert by_signal[1]["response"] == "Good day to you."
    assert by_signal[-1]["content"] == "Hello?"
    assert by_signal[1]["metadata"]["model"] == run.label


def test_check_template_shows_what_a_base_would_be_asked_with_before_any_training(
    home: Home, tiny_base: Path, tmp_path: Path
) -> None:
    said = typed(home, "check-template", "--base-model", str(tiny_base))
    assert "<|im_start|>user\nHow was the crossing?<|im_end|>\n<|im_start|>assistant\nWind west 5." in said
    assert "12 prompts, token for token as llama.cpp will ask." in said
    thinking = shutil.copytree(tiny_base, tmp_path / "thinking")
    (thinking / "model.safetensors").unlink()  # how a model is asked shows without its weights
    opened = CHAT_TEMPLATE.replace("assistant\n{% endif", "assistant\n<think>\n{% endif")
    (thinking / "chat_template.jinja").write_text(opened)
    said = typed(home, "check-template", "--base-model", str(thinking))
    assert "<|im_start|>assistant\n<think>\n\n</think>\n\nWind west 5." in said
    assert "each reply is learned in a text of its own" in said
    (thinking / "chat_template.jinja").write_text("{% for x in range(9) %}{{ 1 / 0 }}{% endfor %}")
    assert "ZeroDivisionError" in typed(home, "check-template", "--base-model", str(thinking), code=2)
    assert "It would be refused" in typed(home, "plan", "--base-model", str(thinking))
    assert "Of which model?" in typed(home, "check-template", code=2)
