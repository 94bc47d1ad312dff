from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idiolect.config import MASKED, CurationRules, Masked
from idiolect.curation.privacy import mask, mask_names

HEX, LETTERS = "0123456789abcdef" * 8, "a1B2c3D4e5F6g7H8" * 8


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("Write to ada.l+x@mail.example.org.", "Write to [email]."),
        ("(ola@eksempel.no), <kari@blåbær.no>", "([email]), <[email]>"),
        ("Ring +47 10 47 22 63 or +1 (650) 253-0000 now", "Ring [phone] or [phone] now"),
        ("From abroad 0044 20 7946 0958, or 00 44 is Britain", "From abroad [phone], or 00 44 is Britain"),
        ("at 192.168.1.20:8080", "at [ip]:8080"),
        ("fe80::1ff:fe23:4567:890a, 2001:db8::1, [2001:db8:0:0:8:800:200c:417a]:443", "[ip], [ip], [[ip]]:443"),
        ("mapped ::ffff:192.0.2.128", "mapped [ip]"),
        ("At 12:30:45 std::vector and a::b; version 1.2.3 and 1.2.3.4.5", None),
        # Numbers that the standards themselves give as examples; the last digit of the others is wrong.
        ("card 4111 1111 1111 1111 or 5500-0000-0000-0004", "card [card] or [card]"),
        ("card 4111 1111 1111 1111 12/27, 3782 822463 10005 123", "card [card] 12/27, [card] 123"),
        ("no card 4111 1111 1111 1112, no 1234567890123", None),
        ("to GB82 WEST 1234 5698 7654 32, or DE89370400440532013000.", "to [iban], or [iban]."),
        ("from de89 3704 0044 0532 0130 00 and more of it", "from [iban] and more of it"),
        ("not to GB82 WEST 1234 5698 7654 33", None),
        ("Version 1.2.3 of 2026-05-01, 12 + 30 = 42, sk-ating @ten", None),
    ],
)
def test_what_must_not_be_learned_is_replaced_by_its_kind(said: str, masked: str | None) -> None:
    found: dict[str, int] = {}
    text = mask(said, found)
    assert text == (masked or said)
    assert sum(found.values()) == sum(text.count(f"[{kind}]") for kind in MASKED)


@pytest.mark.parametrize(
    "key",
    [
        "sk-" + LETTERS[:48],
        "sk-proj-" + LETTERS[:70],
        "sk-ant-api03-" + LETTERS[:90] + "-AA",
        "sk_live_" + LETTERS[:24],
        "whsec_" + LETTERS[:32],
        "ghp_" + "x" * 36,
        "github_pat_" + LETTERS[:22] + "_" + LETTERS[:59],
        "glpat-" + LETTERS[:20],
        "AKIA" + "IOSFODNN7EXAMPLE",
        "ASIA" + "Y34FZKBOKMUTVV7A",
        "AIza" + LETTERS[:35],
        "GOCSPX-" + LETTERS[:28],
        "ya29." + LETTERS[:60],
        "hf_" + LETTERS[:34],
        "xoxb-" + "123456789012-123456789012-" + LETTERS[:24],
        "xapp-1-A0123456789-123456789-" + HEX[:64],
        "https://hooks.slack.com/services/T01234567/B01234567/" + LETTERS[:24],
        "SK" + HEX[:32],
        "AC" + HEX[:32],
        "SG." + LETTERS[:22] + "." + LETTERS[:43],
        HEX[:32] + "-us12",
        "npm_" + LETTERS[:36],
        "pypi-AgEIcHlwaS5vcmc" + LETTERS[:60],
        "dckr_pat_" + LETTERS[:27],
        "dop_v1_" + HEX[:64],
        "shpat_" + HEX[:32],
        "110201543:AA" + LETTERS[:33],
        "hvs." + LETTERS[:90],
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0." + LETTERS[:43],
        "AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2,
        "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nnever ended",
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nabc\n-----END PGP PRIVATE KEY BLOCK-----",
    ],
)
def test_keys_of_those_who_issue_them_are_known(key: str) -> None:
    found: dict[str, int] = {}
    text = mask(f"It is ({key}", found)
    assert text in ("It is ([key]", "It is (https://[key]")
    assert found == {"[key]": 1}


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("password = hunter2", "password = [key]"),
        ("Password: swordfish", "Password: [key]"),
        ('{"api_key": "abcdefghijkl", "n": 1}', '{"api_key": "[key]", "n": 1}'),
        ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCY", "AWS_SECRET_ACCESS_KEY=[key]"),
        ("the wifi password is solvang1962, ok", "the wifi password is [key], ok"),
        ("Passord: Fjord99! Mitt Passwort: Berg", "Passord: [key] Mitt Passwort: [key]"),
        ("PIN: 4711, and the pin is 0815", "PIN: [key], and the pin is [key]"),
        ("curl -H 'Authorization: Bearer abc123def456ghi789'", "curl -H 'Authorization: Bearer [key]'"),
        ("postgres://ada:s3cret@db.example.org/x", "postgres://[key]@db.example.org/x"),
        ("The secret: never give up. My password is gone. The token is lost.", None),
        ("I forgot the password: nobody knew. A pin is a pin: small.", None),
    ],
)
def test_what_is_called_a_secret_is_one(said: str, masked: str | None) -> None:
    assert mask(said, {}) == (masked or said)


@pytest.mark.parametrize(
    ("region", "said", "masked"),
    [
        (None, "Ring 22 22 55 55 or (650) 253-0000", None),
        ("NO", "Ring 22 22 55 55 or +44 20 7946 0958.", "Ring [phone] or [phone]."),
        ("US", "Ring (650) 253-0000 on 2026-05-01.", "Ring [phone] on 2026-05-01."),
        ("DE", "030 901820 um 12:30, 17 Bienen, 1662", "[phone] um 12:30, 17 Bienen, 1662"),
    ],
)
def test_at_home_a_number_needs_no_country_code(region: str | None, said: str, masked: str | None) -> None:
    assert mask(said, {}, region=region) == (masked or said)


def test_the_country_must_be_one() -> None:
    assert CurationRules(phone_region="no").phone_region == "NO"
    with pytest.raises(ValueError, match="'Norway' is not the code of a country"):
        CurationRules(phone_region="Norway")


def test_fewer_kinds_or_none_may_be_masked() -> None:
    said = "ada@example.org, 192.168.1.20, password = hunter2"
    some: tuple[Masked, ...] = ("email",)
    assert mask(said, {}, some) == "[email], 192.168.1.20, password = hunter2"
    assert mask(said, {}, ()) == said
    assert CurationRules(mask=("phone", "key")).mask == ("key", "phone")


def test_names_stay_who_they_are_and_the_longest_is_meant() -> None:
    found: dict[str, int] = {}
    said = "Anna told anna maria of Key and the [key], Annas."
    assert mask_names(said, ["Anna", "Anna Maria", "key", " "], found) == (
        "[name 1] told [name 2] of [name 3] and the [key], Annas."
    )
    assert found == {"[name]": 3}
    assert mask_names("[name 2] of [key]", ["name", "Key"], {}) == "[name 2] of [key]"


PIECES = ["+47 10 47 22 63", "4111 1111 1111 1111", "DE89370400440532013000", "a@b.no", "192.168.1.20", "fe80::1:2"]
PIECES += ["password = ", "hunter2", "sk-" + LETTERS[:20], "://", ":", "@", "-----BEGIN PRIVATE KEY-----", "[", "]"]
PIECES += ["[name 1] ", "Bearer ", "0047", " ", "\n", "٣٤٥", "²", "\ud800", "\x00", ".", "-", "22 22 55 55", "is "]
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=12).map("".join)


@given(texts, st.sampled_from([None, "NO", "US"]), st.sets(st.sampled_from(MASKED)))
@settings(max_examples=300, deadline=None)
def test_what_was_masked_stays_as_it_is(text: str, region: str | None, kinds: set[Masked]) -> None:
    some = [kind for kind in MASKED if kind in kinds]
    found: dict[str, int] = {}
    once = mask(mask_names(text, ["Ada", "key"], {}), found, some, region)
    again: dict[str, int] = {}
    assert mask(mask_names(once, ["Ada", "key"], again), again, some, region) == once
    assert again == {}
    assert set(found) <= {f"[{kind}]" for kind in some}


@pytest.mark.parametrize("piece", [*PIECES, "1 ", "a.", "a:", "+1 ", "-----BEGIN ", "sk-a", "key=", "eyJa", "x" * 99])
def test_no_text_takes_for_ever(piece: str) -> None:
    """A long text costs as much a character as a short one: no pattern goes over it again from each place."""

    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        began = time.process_time()
        mask(text + "@", {}, region="NO")
        return time.process_time() - began

    seconds(1000)
    assert seconds(60_000) < 100 * max(seconds(3_000), 0.002)
