"""report.html: the quality of a data set, for a person to read. One file, no network, light and dark."""

from __future__ import annotations

import jinja2

from idiolect.dataset.quality import LONG_WORDS, SHORT_WORDS, TARGETS, Quality

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>
:root { color-scheme: light dark; --bar: #4a7; --faint: #8884; --quiet: #777; }
@media (prefers-color-scheme: dark) { :root { --bar: #5b8; --quiet: #999; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } td { padding: .25rem .75rem .25rem 0; vertical-align: top; }
td:first-child { overflow-wrap: anywhere; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; width: 7rem; }
td:last-child { padding-right: 0; } small { display: block; color: var(--quiet); }
td.b { width: 45%; vertical-align: middle; }
.bar { background: var(--bar); height: .8rem; border-radius: .2rem; min-width: 2px; }
tr + tr { border-top: 1px solid var(--faint); }
@media (max-width: 30rem) { td.n { width: auto; } td.b { width: 35%; } }
@media print { body { margin: 0; } .bar { print-color-adjust: exact; } tr { break-inside: avoid; } }
</style></head><body>
<h1>{{ title }}</h1>
<table>{% for name, value, target in figures %}
<tr><td>{{ name }}{% if target %}<small>wanted: {{ target }}</small>{% endif %}</td><td class="n">{{ value }}</td></tr>
{%- endfor %}
</table>
{% for heading, rows in charts %}{% if rows %}<h2>{{ heading }}</h2>
<table>{% for name, shown, share in rows %}
<tr><td>{{ name }}</td><td class="n">{{ shown }}</td>
<td class="b"><div class="bar" style="width:{{ '%.1f' % (100 * share) }}%"></div></td></tr>{% endfor %}
</table>{% endif %}{% endfor %}
</body></html>
"""


def report_html(title: str, quality: Quality) -> str:
    """Return the page."""
    page = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined).from_string(_PAGE)
    return page.render(title=title, figures=figures(quality), charts=_charts(quality))


def figures(q: Quality) -> list[tuple[str, str, str]]:
    """Return (what, value, target) of a data set, for the terminal and the page alike."""
    return [
        ("samples", f"{q.samples:,}", f"{TARGETS['samples']:,} or more for a full fine-tune"),
        ("their replies", f"{q.turns_of_theirs:,}", ""),
        ("words in a reply, mean and median", f"{q.words_mean:.1f} · {q.words_median:g}", ""),
        (f"short samples (up to {SHORT_WORDS} words)", f"{q.short_share:.0%}", ""),
        (f"long samples (over {LONG_WORDS} words)", f"{q.long_share:.0%}", ""),
        ("samples with a filler taken out", f"{q.filler_share:.1%}", ""),
        ("different words, of all", f"{q.vocabulary:,} of {q.words:,}", ""),
        ("talks of several turns", f"{q.multi_turn_share:.0%}", ""),
        ("answers to what nobody asked", f"{q.asked_by_nobody_share:.0%}", ""),
        (
            "tokens in all, median, longest sample",
            f"{q.tokens:,} · {q.tokens_median:g} · {q.tokens_longest:,}",
            "",
        ),
        ("longer than max_seq_length, cut or left out", f"{q.too_long:,}", "0"),
        ("said in earlier runs, too; nearly so", f"{q.in_earlier_runs:,} · {q.nearly_in_earlier_runs:,}", ""),
        *((f"mode {mode}", f"{share:.0%}", f"{TARGETS[mode]:.0%} or more") for mode, share in q.modes.items()),
    ]


def _charts(q: Quality) -> list[tuple[str, list[tuple[str, str, float]]]]:
    def counted(counts: dict[str, int]) -> list[tuple[str, str, float]]:
        most = max(counts.values(), default=1)
        return [(name, f"{count:,}", count / most) for name, count in counts.items()]

    def shared(shares: dict[str, float]) -> list[tuple[str, str, float]]:
        return [(name, f"{share:.1%}", share) for name, share in shares.items()]

    return [
        ("Modes", shared(q.modes)),
        ("Words in a sample", counted(q.lengths)),
        ("When they were said", counted(q.over_time)),
        ("Languages", shared(q.languages)),
        ("Memories that were left out, by rule", counted(q.dropped)),
        ("Masked", counted(q.masked)),
    ]
