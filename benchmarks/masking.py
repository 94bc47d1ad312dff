"""How much of what is secret is masked, and how much that only looks so: 300 sentences of each, made up here.

    python -m benchmarks.masking

Values are random within the form that whoever issues them has given them; what they are said in is as people write.
"""

from __future__ import annotations

import random
import string
from collections import Counter
from collections.abc import Callable, Iterator

from idiolect.curation.privacy import mask

COUNT = 300
_RANDOM = random.Random(21)
_WORDS = [
    "harbour",
    "violin",
    "maple",
    "copper",
    "lantern",
    "thistle",
    "granite",
    "willow",
    "ember",
    "quartz",
    "meadow",
    "falcon",
    "pepper",
    "saddle",
]


def _some(letters: str, count: int) -> str:
    made = "".join(_RANDOM.choices(letters, k=count - 2))
    return f"{made[: count // 2]}{_RANDOM.choice(string.digits)}{_RANDOM.choice('abcdef')}{made[count // 2 :]}"


def _digits(count: int) -> str:
    return "".join(_RANDOM.choices(string.digits, k=count))


ALNUM, HEX = string.ascii_letters + string.digits, "0123456789abcdef"
SPACES = [" ", "\u00a0", "\u202f", "-", "\u2011", "\u2009", ""]


def card() -> str:
    from stdnum import luhn

    start = _RANDOM.choice(["4", "51", "55", "2221", "6011"])
    body = start + _digits(15 - len(start))
    number = body + luhn.calc_check_digit(body)
    return _RANDOM.choice(SPACES).join(number[i : i + 4] for i in range(0, 16, 4))


def iban() -> str:
    country, digits = _RANDOM.choice([("DE", 18), ("NO", 11), ("FR", 23), ("BE", 12), ("DK", 14)])
    while True:
        from stdnum import iban as ibans

        body = _digits(digits)
        check = ibans.calc_check_digits(f"{country}00{body}")
        number = f"{country}{check}{body}"
        try:
            valid = ibans.is_valid(number)
        except ValueError:
            continue
        if valid:
            return _RANDOM.choice(SPACES).join(number[i : i + 4] for i in range(0, len(number), 4))


def phone() -> str:
    space = _RANDOM.choice(SPACES)
    return _RANDOM.choice(
        [
            f"+47{space or ' '}9{_digits(1)}{space}{_digits(2)}{space}{_digits(2)}{space}{_digits(2)}",
            f"+49 (0) 30 {_digits(7)}",
            f"0044 20 7{_digits(3)} {_digits(4)}",
            f"+1 (650) 253-{_digits(4)}",
            f"\uff0b46 70{space}{_digits(3)}{space}{_digits(2)}{space}{_digits(2)}",
            f"+33 6 {_digits(2)} {_digits(2)} {_digits(2)} {_digits(2)}",
        ]
    )


def email() -> str:
    name, host = _RANDOM.choice(_WORDS), _RANDOM.choice(_WORDS)
    return _RANDOM.choice(
        [
            f"{name}.{_digits(2)}@{host}.org",
            f"{name}+news@mail.{host}.co.uk",
            f"{name}\uff20{host}.com",
            f"{name} (at) {host} (dot) net",
            f"{name}_{host}@{host}.museum",
        ]
    )


def address() -> str:
    four = f"{_RANDOM.randint(11, 254)}.{_RANDOM.randint(0, 254)}.{_RANDOM.randint(0, 254)}.{_RANDOM.randint(1, 254)}"
    six = f"2001:db8:{_some(HEX, 4)}::{_some(HEX, 4)}"
    return _RANDOM.choice([four, four, six])


def issued() -> str:
    return _RANDOM.choice(
        [
            f"sk-proj-{_some(ALNUM, 60)}",
            f"ghp_{_some(ALNUM, 36)}",
            f"github_pat_{_some(ALNUM, 22)}_{_some(ALNUM, 59)}",
            f"glpat-{_some(ALNUM, 20)}",
            f"AKIA{_some(string.ascii_uppercase, 18).upper()[:16]}",
            f"AIza{_some(ALNUM, 35)}",
            f"hf_{_some(ALNUM, 34)}",
            f"xoxb-{_digits(12)}-{_some(ALNUM, 24)}",
            f"rpa_{_some(ALNUM, 44).upper()}",
            f"sbp_{_some(HEX, 40)}",
            f"vercel_{_some(ALNUM, 24)}",
            f"pscale_tkn_{_some(ALNUM, 43)}",
            f"{_digits(9)}:AA{_some(ALNUM, 33)}",
            f"SG.{_some(ALNUM, 22)}.{_some(ALNUM, 43)}",
            f"npm_{_some(ALNUM, 36)}",
            f"dop_v1_{_some(HEX, 64)}",
            f"r8_{_some(ALNUM, 37)}",
            f"tvly_{_some(ALNUM, 32)}",
            f"lsv2_pt_{_some(HEX, 32)}_{_some(HEX, 10)}",
            f"eyJhbGciOiJIUzI1NiJ9.eyJ{_some(ALNUM, 30)}.{_some(ALNUM, 43)}",
            f"5K{_some('123456789abcdefghijkmnopqrstuvwxyz', 49)}",
        ]
    )


def password() -> str:
    return _RANDOM.choice(
        [f"{_RANDOM.choice(_WORDS)}{_digits(4)}", _some(ALNUM, 12), f"{_RANDOM.choice(_WORDS)}!X{_digits(1)}"]
    )


#: What stands around a secret, and what makes it.
SAID: list[tuple[str, Callable[[], str]]] = [
    ("Pay with {}, it is still valid", card),
    ("My card: {}.", card),
    ("Transfer it to {} by Friday", iban),
    ("IBAN {}, in my name", iban),
    ("Call me on {} tonight", phone),
    ("Tel.: {}, ask for me", phone),
    ("Write to {} instead", email),
    ("<{}> is the new one", email),
    ("The router is at {}", address),
    ("ssh ada@{} -p 22", address),
    ("export KEY={}", issued),
    ("Here it is: {}", issued),
    ("I pasted {} by mistake", issued),
    ("https://api.telegram.org/bot{}/getMe", lambda: f"{_digits(9)}:AA{_some(ALNUM, 33)}"),
    ("password was {}", password),
    ("the password for the wifi is {}", password),
    ("Passwort lautet {}", password),
    ("Das Kennwort war {}.", password),
    ("mot de passe : {}", password),
    ("Le mot de passe du wifi est {}", password),
    ("la contraseña es {}", password),
    ("a senha do wifi é {}", password),
    ("la password è {}", password),
    ("het wachtwoord is {}", password),
    ("passordet er {}", password),
    ("Lösenordet är {}", password),
    ("hasło to {}", password),
    ("пароль от вайфая: {}", password),
    ("pwd=“{}”", password),
    ("curl -u ada:{} https://example.org", password),
    ("mysql -u root -p{} idiolect", password),
    ("postgres://ada:{}@db.example.org/x", password),
    ("WIFI:T:WPA;S:Harbour;P:{};;", password),
    ("pin code: {}", lambda: _digits(4)),
    ("The PIN is {}", lambda: _digits(4)),
    ("the door code is {}", lambda: _digits(4)),
    ("Your verification code is {}", lambda: _digits(6)),
    ("passphrase: {}", lambda: " ".join(_RANDOM.sample(_WORDS, 5))),
    ("seed phrase: {}", lambda: " ".join(_RANDOM.sample(_WORDS, 12))),
    ("Authorization: Bearer {}", lambda: _some(ALNUM, 30)),
    ('{{"client_secret": "{}"}}', lambda: _some(ALNUM, 24)),
]

NUMBER: Callable[[], str] = lambda: _digits(4)  # noqa: E731 - beside its like
#: What is no secret, and looks like one.
INNOCENT: list[tuple[str, Callable[[], str]]] = [
    ("Section 1.2.3.{} of the report", lambda: _digits(1)),
    ("version 10.0.{}.1 is out", lambda: _digits(2)),
    ("Chrome/{}.0.0.0 Safari", lambda: "1" + _digits(2)),
    ("npm i left-pad@{}.11.9", lambda: "1" + _digits(1)),
    ("git clone git@github.com:ada/{}.git", lambda: _RANDOM.choice(_WORDS)),
    ("foo@bar.baz number {}", NUMBER),
    ("logo@2x.png, {} pixels", NUMBER),
    ("https://medium.com/@{}/on-walking", lambda: _RANDOM.choice(_WORDS)),
    ("order number 10000000{} has shipped", lambda: _digits(6)),
    ("ISBN 978-3-16-148410-0, page {}", lambda: _digits(3)),
    ("between 12:30 and 14:{}", lambda: str(_RANDOM.randint(10, 59))),
    ("from 2026-05-01 to 2026-0{}-11", lambda: str(_RANDOM.randint(1, 9))),
    ("12 + 30 = 42, and {} more", NUMBER),
    ("std::vector<int> a::b({})", NUMBER),
    ("commit 3f2a9b7c{}", lambda: _some(HEX, 32)),
    ("sha256 {}", lambda: _some(HEX, 64)),
    ("UUID 550e8400-e29b-41d4-a716-4466554{}", lambda: _digits(5)),
    ("I forgot my password again, {} times now", NUMBER),
    ("my password manager is 1Password, since {}", NUMBER),
    ("The password policy was changed in {}", NUMBER),
    ("My password is gone. It was {} years ago.", lambda: _RANDOM.choice(["two", "ten"])),
    ("The secret: never give up. Rule {}", NUMBER),
    ("The token is lost, and {} others", NUMBER),
    ("Reset your password: it takes {} minutes", NUMBER),
    ("the key to the house is under the {}", lambda: _RANDOM.choice(_WORDS)),
    ("He plays in the key of {} minor", lambda: _RANDOM.choice("ABCDEFG")),
    ("Basic training took {} weeks", NUMBER),
    ("snake_case_names_are_longer_than_{}", lambda: "_".join(_RANDOM.sample(_WORDS, 4))),
    ("The lottery: 7 12 23 30 34 41 {}", lambda: str(_RANDOM.randint(42, 49))),
    ("2 000 000 people, {} of them in the {} town", lambda: _digits(3)),
    ("1234567890123{} is no card", lambda: _digits(2)),
    ("Paragraph § 4.5.6.{} applies", lambda: _digits(1)),
    ("the pin fell off my jacket in {}", NUMBER),
    ("a code review of {} lines", NUMBER),
    ("see page 12-{} and 300-310", lambda: str(_RANDOM.randint(13, 99))),
    ("50°21′N 7°36′{}″E", lambda: str(_RANDOM.randint(10, 59))),
    ("We walked {} km, then sat on the stones beside the water and ate bread with cheese", NUMBER),
    ("Mot de passe oublié ? Il y a {} jours.", NUMBER),
    ("Das Passwort habe ich seit {} vergessen", NUMBER),
    ("Jeg har glemt passordet mitt, for {} gang", NUMBER),
]


def secrets() -> Iterator[tuple[str, str]]:
    """Yield sentences and the secret in each."""
    for number in range(COUNT):
        said, make = SAID[number % len(SAID)]
        secret = make()
        yield said.format(secret), secret


def innocents() -> Iterator[str]:
    for number in range(COUNT):
        said, make = INNOCENT[number % len(INNOCENT)]
        value = make()
        yield said.format(*[value] * said.count("{}"))


def measured() -> tuple[list[str], list[tuple[str, str]]]:
    """Return what was missed, and what was altered that is no secret, with what it became."""
    missed = [text for text, secret in secrets() if secret in mask(text, {})]
    altered = [(text, masked) for text in innocents() if (masked := mask(text, {})) != text]
    return missed, altered


def main() -> None:
    missed, altered = measured()
    print(f"recall        {1 - len(missed) / COUNT:.1%} of {COUNT}")
    print(f"false alarms  {len(altered) / COUNT:.1%} of {COUNT}")
    for text in missed:
        print(f"missed   {text}")
    for text, masked in altered:
        print(f"altered  {text}  →  {masked}")
    kinds = Counter(mask(text, {}) == text for text, _ in secrets())
    print(f"untouched sentences with a secret: {kinds[True]}")


if __name__ == "__main__":
    main()
