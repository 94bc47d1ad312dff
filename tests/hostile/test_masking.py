"""Promise: what is secret is masked, however it is written, and what only looks so is not: 300 of each, and these."""

from __future__ import annotations

import pytest

from benchmarks.masking import COUNT, measured
from idiolect.curation.letters import in_ascii
from idiolect.curation.privacy import mask


def test_of_three_hundred_secrets_nearly_all_are_masked_and_of_what_looks_so_nearly_none() -> None:
    missed, altered = measured()
    assert len(missed) <= 0.03 * COUNT, missed
    assert len(altered) <= 0.02 * COUNT, altered


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("Ring +47\u00a0(0)\u00a0912\u202f34\u202f567!", "Ring [phone]!"),
        ("kort\u00a04111\u00a01111\u00a01111\u00a01111\u00a0!", "kort\u00a0[card]\u00a0!"),
        ("DE89\u202f3704\u202f0044\u202f0532\u202f0130\u202f00", "[iban]"),
        ("4111\u20111111\u20111111\u20111111", "[card]"),
        ("٤١١١ ١١١١ ١١١١ ١١١١", "[card]"),
        ("ada\uff20example\uff0eorg", "[email]"),
        ("api.telegram.org/bot110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw/getMe", "api.telegram.org/[key]/getMe"),
        ("the password for the wifi at the cabin is Solvang1962", "the password for the wifi at the cabin is [key]"),
        ("DB_PASS=hunter22x; pin code: 4711", "DB_PASS=[key]; pin code: [key]"),
        ("passphrase: correct horse battery staple", "passphrase: [key]"),
        ("curl -u ada:hunter2 https://example.org", "curl -u [key] https://example.org"),
        ("My password manager is 1Password. Token count: 2048. Boarding pass: 12A.", None),
        ("Section 1.2.3.4; pkg@18.11.9; git@github.com:ada/x; foo@bar.baz; IMEI 490154203237518", None),
        ("my password was stolen in 2019, le mot de passe est incorrect", None),
    ],
)
def test_what_is_copied_from_pages_and_said_in_passing(said: str, masked: str | None) -> None:
    assert mask(said, {}) == (masked or said)


@pytest.mark.parametrize("drawn", ["7 12 23 30 34 41 5", "12, 15, 23, 31, 38, 44", "ISBN 0-306-40615-2"])
@pytest.mark.parametrize("region", ["NO", "DE", "US", "FR"])
def test_lotteries_and_books_have_no_telephone(drawn: str, region: str) -> None:
    assert mask(drawn, {}, region=region) == drawn


def test_a_letter_stands_where_the_one_stood_that_it_stands_for() -> None:
    every = "".join(map(chr, range(0x110000 - 0x800)))
    assert len(in_ascii(every)) == len(every)
    assert in_ascii("a\u00a0b\u2011c\uff21\u0664\u201c") == 'a b-cA4"'
