"""Write the words for months, weekdays and times of the day that exports use, from Unicode's CLDR as Babel has it.

    .venv/bin/python scripts/write_cldr.py            writes src/idiolect/memories/importers/cldr.json
    .venv/bin/python scripts/write_cldr.py --check    says whether it is up to date

A table, not Babel itself: reading ninety languages with it takes seconds and thirty megabytes at each start.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from babel import Locale

from idiolect.memories.importers.cldr import worded

OUT = Path(__file__).parents[1] / "src" / "idiolect" / "memories" / "importers" / "cldr.json"
#: The languages of telephones and of Google's and Meta's pages; of those with two scripts, both.
LANGUAGES = (
    "af am ar ar_EG az be bg bn bs ca cs cy da de de_AT el en en_GB en_AU es es_MX et eu fa fi fil fr fr_CA "
    "ga gl gu he hi hr hu hy id is it ja ka kk km kn ko ky lo lt lv mk ml mn mr ms my nb "
    "ne nl nn pa pl ps pt pt_PT ro ru si sk sl sq sr sr_Latn sv sw ta te th tr uk ur uz vi zh zh_Hant zu"
)
#: Narrow forms are single letters, which could be any word.
WIDTHS = ("wide", "abbreviated")
#: Where CLDR gives no range.
HALVES = {"am": (0, 12), "pm": (12, 24), "midnight": (0, 1), "noon": (12, 13)}
#: What telephones write and CLDR has not.
MORE = {"傍晚": (16, 19), "半夜": (22, 29), "深夜": (22, 29), "清早": (5, 8)}


def table() -> dict[str, object]:
    months: dict[str, dict[str, int]] = {}
    days: dict[str, dict[str, int]] = {}
    periods: dict[str, list[int]] = {}
    for name in LANGUAGES.split():
        locale = Locale.parse(name)
        own = months.setdefault(name, {}), days.setdefault(name, {})
        for context in ("format", "stand-alone"):
            for width in WIDTHS:
                for words, found in zip(own, (locale.months, locale.days), strict=True):
                    for number, word in found[context][width].items():
                        if not worded(word).isdecimal():
                            words.setdefault(worded(word), number)
                for period, word in locale.day_periods[context].get(width, {}).items():
                    _add(periods, worded(word), _range(locale, period))
    for word, hours in MORE.items():
        _add(periods, word, hours)
    return {"months": months, "days": days, "periods": dict(sorted(periods.items()))}


def _range(locale: Locale, period: str) -> tuple[int, int] | None:
    """Return the hours that a period of the day has, the first and the one after its last (over 24 past midnight)."""
    if period in HALVES:
        return HALVES[period]
    for rule in locale.day_period_rules[None].get(period, ()):
        if "from" in rule and "before" in rule:
            first, end = rule["from"] // 3600, -(-rule["before"] // 3600)
            return first, end if end > first else end + 24
    return None


def _add(periods: dict[str, list[int]], word: str, hours: tuple[int, int] | None) -> None:
    """Take a word in; two languages' hours for one word are joined, but halves of the day are certain."""
    if not word or word.isdecimal() or hours is None:
        return
    if word not in periods or hours in {HALVES["am"], HALVES["pm"]}:
        periods[word] = list(hours)
    elif tuple(periods[word]) not in {HALVES["am"], HALVES["pm"]}:
        periods[word] = [min(periods[word][0], hours[0]), max(periods[word][1], hours[1])]


def main() -> int:
    text = json.dumps(table(), ensure_ascii=False, separators=(",", ":"), sort_keys=True).replace("},", "},\n") + "\n"
    if "--check" in sys.argv:
        return int(OUT.read_text(encoding="utf-8") != text)
    OUT.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
