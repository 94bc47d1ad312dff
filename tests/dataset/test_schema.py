"""The law: what is trained on is what a server asks with, then the reply, then the end of the turn; no reply twice."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idiolect.curation import Message, Source
from idiolect.dataset import (
    ChatTemplate,
    FormattedSample,
    RenderedSample,
    apply_schema,
    chat_template,
    shown,
    token_counts,
    tokenize_marked,
)
from idiolect.home import Home
from idiolect.workflow.data.dataset import make_dataset
from idiolect.workflow.planning.plan import Asked
from tests.conftest import Event, MakePerson
from tests.tiny import CHAT_TEMPLATE

LONG = " ".join(["We walked to the river in the morning."] * 12)
END = "<|im_end|>"

#: Ways in which replies share a text, or do not.
TEMPLATES = {
    "chains": CHAT_TEMPLATE,
    # As Qwen3: the prompt has an empty thought that the history has not.
    "forgets thoughts": CHAT_TEMPLATE.replace(
        "assistant\n{% endif", "assistant\n<think>\n\n</think>\n\n{% endif"
    ).replace(
        "{{ message.role }}\n",
        "{{ message.role }}\n{% if loop.last and message.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}",
    ),
    # As Mistral's: the system message stands before the last turn, wherever that is.
    "moves the system message": "{% if messages[0].role == 'system' %}{% set system = messages[0].content + '\n' %}"
    "{% set turns = messages[1:] %}{% else %}{% set system = '' %}{% set turns = messages %}{% endif %}"
    "{% for m in turns %}{% if m.role == 'user' %}[INST]{{ system if loop.last else '' }}{{ m.content }}[/INST]"
    "{% else %} {{ m.content }}<|im_end|>{% endif %}{% endfor %}",
    "trims": CHAT_TEMPLATE.replace("message.content", "message.content | trim"),
}


def template_of(name: str) -> ChatTemplate:
    return chat_template(TEMPLATES[name], {}, ("<|endoftext|>", "<|im_start|>", END))


def sample(*turns: str, system: str = "", name: str = "a") -> FormattedSample:
    roles = ("user", "assistant") * len(turns)
    messages = [Message(role, said) for role, said in zip(roles, turns, strict=False)]  # type: ignore[arg-type]
    source = Source(
        memory="a.json", type="chat", timestamp=None, conversation=None, mode_from="t", prompt_from="memory"
    )
    told = (Message("system", system), *messages) if system else tuple(messages)
    return FormattedSample(id=name, mode="dual", messages=told, source=source)


def rendered(base: Path, one: FormattedSample, name: str = "chains", most: int = 500) -> list[RenderedSample]:
    made = apply_schema([one], template_of(name), base / "tokenizer.json", most)
    assert all(count <= most for count in token_counts(made, base / "tokenizer.json").values())
    return made


def learned(made: list[RenderedSample]) -> list[list[str]]:
    return [[text.text[start:end].removesuffix(END).strip() for start, end in text.learned] for text in made]


def test_replies_share_a_text_as_long_as_what_is_asked_goes_on_from_it(tiny_base: Path) -> None:
    (made,) = rendered(tiny_base, sample("Where?", "To the river.", "And then?", "Home."))
    assert learned([made]) == [["To the river.", "Home."]]
    assert (made.id, made.sample, made.replies, made.first) == ("a", "a", (1, 3), 0)


@pytest.mark.parametrize("name", ["forgets thoughts", "moves the system message"])
def test_where_it_does_not_each_reply_has_a_text_of_its_own(name: str, tiny_base: Path) -> None:
    made = rendered(tiny_base, sample("Where?", "To the river.", "And then?", "Home.", system="Be brief."), name)
    assert learned(made) == [["To the river."], ["Home."]]
    assert [(m.id, m.sample) for m in made] == [("a/1", "a"), ("a/2", "a")]
    assert all("Be brief." in m.text for m in made)


def test_a_conversation_longer_than_the_model_may_see_is_gone_through_in_windows(tiny_base: Path) -> None:
    turns = [f"{who} said number {n} of many." for n in range(20) for who in ("She", "I")]
    made = rendered(tiny_base, sample(*turns, system="Be brief."), most=150)
    assert len(made) > 3
    assert [reply for text in learned(made) for reply in text] == turns[1::2]
    assert all("Be brief." in text.text for text in made)
    assert [text.first for text in made] == sorted(text.first for text in made)


@pytest.mark.parametrize("most", [40, 61, 100])
def test_a_reply_that_is_too_long_alone_is_cut_between_words_and_still_ends(tiny_base: Path, most: int) -> None:
    (made,) = rendered(tiny_base, sample("Where?", LONG), most=most)
    assert made.cut
    ((reply,),) = learned([made])
    assert LONG.startswith(reply + " ")
    assert made.text.endswith(reply + END)


def test_a_reply_without_spaces_is_cut_at_a_character(tiny_base: Path) -> None:
    (made,) = rendered(tiny_base, sample("?", "朝、川まで歩いた。" * 20), most=120)
    assert ("朝、川まで歩いた。" * 20).startswith(learned([made])[0][0])


def test_what_comes_after_a_reply_that_was_cut_is_learned_all_the_same(tiny_base: Path) -> None:
    made = rendered(tiny_base, sample("Where?", LONG, "And then?", "Home."), most=100)
    assert [m.cut for m in made] == [True, False]
    assert learned(made)[1] == ["Home."]


def test_a_prompt_that_fills_everything_leaves_nothing_and_says_so(tiny_base: Path) -> None:
    (made,) = rendered(tiny_base, sample(LONG, "To the river."), most=60)
    assert (made.text, made.dropped) == ("", "longer than max_seq_length")


@pytest.mark.parametrize(
    ("turns", "name", "why"),
    [
        (("What of it?", "A <think> </think> mark."), "cuts", "changed by the chat template"),
        (("Shout!", "Quietly."), "refuses", "refused by the chat template: TemplateError: no shouting"),
        (("Hm.", END), "chains", "nothing but control tokens"),
        (("Look: a" + "\u0301" * 5000, "Yes."), "chains", "a row of characters without a break"),
        (("Look:", "QUJD" * 2000), "chains", "a row of characters without a break"),
    ],
)
def test_one_memory_that_a_template_cannot_take_is_dropped_alone(
    turns: tuple[str, str], name: str, why: str, tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        TEMPLATES, "cuts", CHAT_TEMPLATE.replace("message.content", "message.content.split('</think>')[-1]")
    )
    refusing = "{% if 'Shout!' in messages[-1].content %}{{ raise_exception('no shouting') }}{% endif %}"
    monkeypatch.setitem(TEMPLATES, "refuses", refusing + CHAT_TEMPLATE)
    samples = [sample("Where?", "To the river.", name="good"), sample(*turns, name="bad")]
    good, bad = apply_schema(samples, template_of(name), tiny_base / "tokenizer.json", 500)
    assert (good.dropped, bad.dropped) == ("", why)


words = st.text(st.sampled_from("aé🐝 \n.<>|[]/"), min_size=1, max_size=12).filter(lambda text: bool(text.strip()))


@pytest.mark.parametrize("name", TEMPLATES)
@given(
    turns=st.lists(words, min_size=2, max_size=9), system=st.sampled_from(["", "Be brief."]), most=st.integers(30, 200)
)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_law_holds_for_any_conversation(
    name: str, turns: list[str], system: str, most: int, tiny_base: Path
) -> None:
    """Token for token, with a prompt made anew from what was said before, and nothing learned twice."""
    one, template, tokenizer = (
        sample(*turns[: len(turns) // 2 * 2], system=system),
        template_of(name),
        tiny_base / "tokenizer.json",
    )
    made = [text for text in apply_schema([one], template, tokenizer, most) if not text.dropped]
    said = [Message(m.role, template.plain(m.content)) for m in one.messages]
    seen = [place for text in made for place in text.replies]
    assert len(seen) == len(set(seen))
    for text, cut in zip(made, tokenize_marked([(t.text, t.learned) for t in made], tokenizer), strict=True):
        assert len(cut.tokens) <= most
        for number, (place, (start, end)) in enumerate(zip(text.replies, text.learned, strict=True)):
            prompt = template.prompt(shown(said, text.first, place))
            assert text.text[:start] == prompt
            asked = tokenize_marked([(prompt, ((0, len(prompt)),))], tokenizer)[0].tokens
            assert cut.tokens[: len(asked)] == asked
            assert not cut.mask[len(asked) - 1]
            assert cut.mask[len(asked)]
            assert all(cut.mask[len(asked) : cut.ends[number]])
            produced = text.text[start:end]
            assert produced.endswith(template.close)
            if not text.cut:
                assert produced == template.lead + said[place].content + template.close


def test_the_ledger_counts_what_was_cut_and_into_how_many_texts_a_sample_went(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path
) -> None:
    long_reply = {"id": "evt-1", "type": "chat", "content": "Where to?", "response": LONG}
    long_prompt = {"id": "evt-2", "type": "chat", "content": LONG, "response": "To the mountains, then."}
    turns = [{"role": ("user", "assistant")[n % 2], "content": f"This is number {n} of many here."} for n in range(20)]
    person = make_person("ada", [*talks, long_reply, long_prompt, {"id": "e3", "messages": turns}], max_seq_length=130)
    told: dict[str, str] = {}
    made, _ = make_dataset(home, Asked(person, {}, {"base_model": str(tiny_base)}), told.__setitem__)
    assert "1 cut to 130 tokens" in told["schema"]
    fates = [json.loads(line) for line in made.ledger.read_text().splitlines()]
    assert [f["memory"] for f in fates if f.get("detail") == "cut to max_seq_length"] == ["2026/040.json"]
    assert [(f["memory"], f["rule"]) for f in fates if f["fate"] == "dropped"] == [
        ("2026/041.json", "longer than max_seq_length")
    ]
    lines = [json.loads(line) for line in made.dataset.read_text().splitlines()]
    (windows,) = [f for f in fates if f["memory"] == "2026/042.json"]
    assert windows["texts"] == sum(line["id"].startswith(windows["sample"] + "/") for line in lines) > 1
    assert {f["sample"] for f in fates if f["fate"] != "dropped"} == {line["id"].partition("/")[0] for line in lines}
    assert sum(f.get("texts", 1) for f in fates if f["fate"] != "dropped") == len(lines)


def test_no_text_is_longer_than_the_base_model_has_positions_for(
    home: Home, make_person: MakePerson, talks: list[Event], tiny_base: Path, tmp_path: Path
) -> None:
    short = shutil.copytree(tiny_base, tmp_path / "short")
    config = json.loads((short / "config.json").read_text())
    (short / "config.json").write_text(json.dumps(config | {"max_position_embeddings": 130}))
    person = make_person("ada", [*talks, {"id": "evt-1", "type": "chat", "content": "Where to?", "response": LONG}])
    told: dict[str, str] = {}
    make_dataset(home, Asked(person, {}, {"base_model": str(short)}), told.__setitem__)
    assert told["schema"].endswith("1 cut to 130 tokens")


def test_limits_that_somebody_saved_in_a_tokenizer_do_not_count(tiny_base: Path, tmp_path: Path) -> None:
    saved = json.loads((tiny_base / "tokenizer.json").read_text())
    saved["truncation"] = {"direction": "Right", "max_length": 20, "strategy": "LongestFirst", "stride": 0}
    (tmp_path / "tokenizer.json").write_text(json.dumps(saved))
    (made,) = rendered(tmp_path, sample("Where?", LONG), most=2000)
    (cut,) = tokenize_marked([(made.text, made.learned)], tmp_path / "tokenizer.json")
    assert len(cut.tokens) > 100
    assert cut.mask[-1]


def test_a_long_conversation_is_gone_through_in_time_that_grows_with_its_length(tiny_base: Path) -> None:
    def seconds(pairs: int) -> float:
        turns = [f"{who} said number {n} of many, as ever." for n in range(pairs) for who in ("She", "I")]
        begun = time.process_time()
        made = rendered(tiny_base, sample(*turns), most=256)
        assert [reply for text in learned(made) for reply in text] == turns[1::2]
        return time.process_time() - begun

    seconds(50)
    assert seconds(400) < 3 * seconds(200) + 1


def test_a_part_of_a_conversation_that_a_template_refuses_is_left_out(
    tiny_base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing = "{% if '7 of' in messages[0].content %}{{ raise_exception('not seven') }}{% endif %}" + CHAT_TEMPLATE
    monkeypatch.setitem(TEMPLATES, "refuses a beginning", refusing)
    turns = [f"{who} said number {n} of many." for n in range(20) for who in ("She", "I")]
    made = rendered(tiny_base, sample(*turns), "refuses a beginning", most=150)
    seen = [reply for text in learned(made) for reply in text]
    assert len(seen) == len(set(seen)) >= 15
    assert set(seen) <= set(turns[1::2])
