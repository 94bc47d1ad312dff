"""Which encoding a file of text has that does not say it: UTF-8, UTF-16, or what Windows writes in some country.

A wrong one shows in letters that stand together in no language: each encoding is held against the letters beyond ASCII
of the languages that it is for. Tried instead: charset-normalizer 3.5.2, right on 7 of 15 small tables.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter

#: For each encoding, in the order in which they are tried, by language: the letters beyond ASCII.
_LETTERS = {
    "cp1252": "äöüß éèêëàâçîïôùûœæÿ áéíóúñü¡¿ºª àèéìíîòóùú ãâáàçéêíóôõúü éëïóöüèê æøåéòó åäöéü áéíóúýðþæö àéèíïóòúüç·",
    "cp1250": "ąćęłńóśźż áčďéěíňóřšťúůýž áäčďéíĺľňóôŕšťúýž áéíóöőúüű ăâîșțşţ čćđšž",
    "cp1254": "çğıöşüâîûİ",
    "cp1257": "ąčęėįšųūž āčēģīķļņšūž õäöüšž",
    "cp1255": "אבגדהוזחטיכךלמםנןסעפףצץקרשת",
    "cp1251": "абвгдежзийклмнопрстуфхцчшщъыьэюяё абвгґдеєжзиіїйклмнопрстуфхцчшщьюя’ абвгдђежзијклљмнњопрстћуфхцчџш",
    "cp1253": "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ",
    "cp1256": "ابتثجحخدذرزسشصضطظعغفقكلمنهويىةءآأؤإئپچژگکی،؟ًٌٍَُِّْـ",
    "mac_roman": "äöüß éèêëàâçîïôùûœæÿ áéíóúñü¡¿ºª æøåéòó åäöéü",
}
#: Signs that stand in texts of any language.
_SIGNS = frozenset("€£§°«»„“”‘’‚…–—·•©®™×±²³½¼\u00a0´`¸")
#: The most frequent of Chinese, which tell its two encodings from each other and from Korean.
_CHINESE = {
    "gb18030": frozenset(
        "的一是不了在人有我他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可她里后小"
    ),
    "big5": frozenset(
        "的一是不了在人有我他這中大來上個國到說們為子和你地出道也時年得就那要下以生會自著去之過家學對可她裡後小"
    ),
}
_KANA = re.compile("[\u3040-\u30ff]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_INNER_CAPITAL = re.compile(r"[^\W\d_](?<=[a-zà-ÿα-ωа-я])[A-ZÀ-ÞΑ-ΩА-Я]")
#: Forms that letters have at the end of a word alone; of Hebrew, whose bytes are small Cyrillic letters too.
_FINAL = {"cp1253": "ς", "cp1255": "ךםןףץ"}
_OTHER_SCRIPTS = frozenset({"cp1251", "cp1253", "cp1255", "cp1256"})
_TWO_SCRIPTS = re.compile(r"[A-Za-z](?=[^\W\d_A-Za-z])|[^\W\d_A-Za-z](?=[A-Za-z])")
#: So much of what stands out is looked at.
_LOOKED_AT = 200_000
#: So many of its letters have to be one language's.
_ENOUGH = 0.97


def by_first_bytes(head: bytes) -> str:
    """Return the encoding that a file's first bytes show; "" if they do not."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        if len(head) > 8 and head[first:200:2].count(0) > len(head[first:200:2]) * 0.7:
            return encoding
    return ""


def is_utf8(text: bytes) -> bool:
    """Tell whether bytes are UTF-8, with perhaps something broken here and there."""
    try:
        text.decode()
    except UnicodeDecodeError:
        read = text.decode("utf-8", "replace")
        broken = read.count("\ufffd")
        return sum(c > "\x7f" for c in read) - broken > 10 * broken
    return True


def guessed(text: bytes) -> str:
    """Return the encoding of a text that is no UTF-8; "" if nothing fits well, or several do."""
    lines = b"\n".join(line for line in text.splitlines() if not line.isascii())[:_LOOKED_AT]
    return _of_east_asia(lines) or next((e for e in _LETTERS if _fits(lines, e)), "")


def _of_east_asia(lines: bytes) -> str:
    high = sum(byte > 0x7F for byte in lines)
    for encoding, fits in (("cp932", _KANA), ("cp949", _HANGUL)):
        # Of Korean the plain set, for what Windows adds to it is any high byte and a letter.
        read = _decoded(lines, "euc_kr" if encoding == "cp949" else encoding)
        if read and len(fits.findall(read)) * 2 > high * 0.4 and not _is_chinese(lines):
            return encoding
    return _is_chinese(lines)


def _is_chinese(lines: bytes) -> str:
    hits = {}
    for encoding, frequent in _CHINESE.items():
        read = _decoded(lines, encoding) or ""
        beyond = [c for c in read if c > "\u2e80"]
        hits[encoding] = sum(c in frequent for c in beyond) / len(beyond) if beyond else 0.0
    best = max(hits, key=lambda encoding: hits[encoding])
    return best if hits[best] > 0.08 else ""


def _decoded(text: bytes, encoding: str) -> str | None:
    try:
        return text.decode(encoding)
    except UnicodeDecodeError:
        # Cut off within a letter.
        try:
            return text[:-1].decode(encoding)
        except UnicodeDecodeError:
            return None


def _fits(lines: bytes, encoding: str) -> bool:
    """Tell whether nearly all letters beyond ASCII are those of one language, and capitals stand where they do."""
    read = _decoded(lines, encoding)
    if read is None:
        return False
    final = _FINAL.get(encoding)
    if final and (re.search(rf"[{final}][^\W\d_]", read) or not re.search(rf"[{final}]", read)):
        return False
    counted = Counter(c for c in read if c > "\x7f" and c not in _SIGNS)
    total = counted.total()
    if not total:
        return encoding == "cp1252"
    odd = len(_INNER_CAPITAL.findall(read))
    if encoding in _OTHER_SCRIPTS:
        odd += len(_TWO_SCRIPTS.findall(read))
    fitting = max(
        sum(count for c, count in counted.items() if c.lower() in language or c in language)
        for language in map(frozenset, _LETTERS[encoding].split())
    )
    return fitting - odd >= _ENOUGH * total
