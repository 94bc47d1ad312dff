"""What is taken from a request, within which bounds."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from idiolect.curation import Message
from idiolect.errors import UserFault
from idiolect.serving import Sampling
from idiolect.serving.openai_request import MESSAGES, check_length, read_completion

HI = [{"role": "user", "content": "Hi."}]


def request(**said: Any) -> bytes:
    return json.dumps({"model": "ada", "messages": HI, **said}).encode()


def test_a_request_that_says_nothing_is_drawn_as_everything_is() -> None:
    ours = {name: value for name, value in Sampling().request().items() if name != "seed"}
    assert read_completion(request()).sampling(2048) == ours
    assert read_completion(request(temperature=None, seed=None, n=1, tools=[])).sampling(2048) == ours


def test_what_is_said_is_taken() -> None:
    told = {"temperature": 0, "top_p": 1, "seed": -1, "stop": ["\n"], "frequency_penalty": 0.5, "ignore_eos": True}
    drawn = read_completion(request(max_completion_tokens=5000, **told, user="somebody", metadata={})).sampling(2048)
    assert drawn["max_tokens"] == 2048
    assert drawn["seed"] == 2**32 - 1
    assert {name: drawn[name] for name in told if name != "seed"} == {n: v for n, v in told.items() if n != "seed"}
    assert "user" not in drawn


def test_messages_are_texts_or_parts_of_text_under_a_system_message() -> None:
    parts = [{"type": "text", "text": "One."}, {"type": "text", "text": "Two."}]
    said = read_completion(request(messages=[{"role": "user", "content": parts}])).said("You are Ada.")
    assert said == [Message("system", "You are Ada."), Message("user", "One.\nTwo.")]
    own = [{"role": "developer", "content": "You are Bea."}, *HI]
    assert read_completion(request(messages=own)).said("You are Ada.")[0] == Message("system", "You are Bea.")
    assert read_completion(request()).said("") == [Message("user", "Hi.")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff",
        b'{"model": "ada"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        request(messages=[]),
        request(messages=HI * (MESSAGES + 1)),
        request(messages=[{"role": "assistant", "content": "Hi."}]),
        request(messages=[{"role": "tool", "content": "Hi."}]),
        request(messages=[{"role": "user", "content": 5}]),
        request(messages=[{"role": "user", "content": None}]),
        request(messages=[{"role": "user"}]),
        request(messages=[{"role": "user", "content": []}]),
        request(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///x"}}]}]),
        b'{"model": "ada", "messages": [{"role": "user", "content": "\\ud800"}]}',
        b'{"model": "ada", "messages": [{"role": "user", "content": "\\udc00 and"}]}',
        b'{"model": "ada", "temperature": NaN}',
        request(seed=10**30),
        request(seed="one"),
        request(temperature=-1),
        request(temperature=1e300),
        request(temperature="warm"),
        request(top_k=10**9),
        request(repeat_last_n=10**9),
        request(repeat_last_n=-1),
        request(repeat_penalty=0),
        request(max_tokens=-1),
        request(max_tokens=0),
        request(max_completion_tokens=10**12),
        request(stop=["x"] * 1000),
        request(stop="x" * 10_000),
        request(n=2),
        request(tools=[{"type": "function"}]),
        request(logit_bias={"5": 100}),
        request(logprobs=True),
        request(response_format={"type": "json_object"}),
        request(grammar='root ::= "a"'),
        request(model="x" * 1000),
        request(stream="yes"),
    ],
    ids=lambda body: body[:60].decode(errors="replace"),
)
def test_what_is_out_of_bounds_is_refused_in_no_time(body: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(UserFault):
        read_completion(body)
    assert time.monotonic() - began < 1


def test_a_conversation_that_cannot_fit_is_refused_before_its_tokens_are_counted() -> None:
    check_length([Message("user", "word " * 300)] * 3, 256)
    for messages in ([Message("user", "x" * 20_000)], [Message("user", "x")] * 257):
        with pytest.raises(UserFault, match=r"exceeds the available context size \(256 tokens\)"):
            check_length(messages, 256)
