"""What of a mail's text is its writer's: the layouts of programs, in many languages, and own lines alike."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idiolect.memories.importers.mail_words import own_words

BELOW = "\n\nShall we meet on Friday?\n\nAnna"


def head(*labels: str, who: str = "Anna Berg <anna@example.org>", when: str = "5 March 2024 13:00") -> str:
    values = (who, when, "Ada Lunde", "Plans")
    return "\n".join(f"{label}{value}" for label, value in zip(labels, values, strict=True))


HEADS = {
    "Swedish": head("Från: ", "Skickat: ", "Till: ", "Ämne: "),
    "Hungarian": head("Feladó: ", "Elküldve: ", "Címzett: ", "Tárgy: "),
    "Polish, bold": head("*Od:* ", "*Wysłane:* ", "*Do:* ", "*Temat:* "),
    "French, spaces before the colon": head("De : ", "Envoyé : ", "À : ", "Objet : "),
    "Chinese, wide colons": head("发件人：", "发送时间：", "收件人：", "主题：", when="2024年3月5日 13:00"),
    "Arabic": head("\u200fمن: ", "تم الإرسال: ", "إلى: ", "الموضوع: "),
    "a language that nobody listed": head("Xara: ", "Yolla: ", "Zemi: ", "Qopa: ", when="5. Xul 2024 13.00"),
    "no address: a colleague": head("From: ", "Sent: ", "To: ", "Subject: ", who="Anna Berg"),
    "a line apart, as HTML leaves them": head("Von: ", "Gesendet: ", "An: ", "Betreff: ").replace("\n", "\n\n"),
    "a long list of readers": "From: Anna Berg <anna@example.org>\nSent: 5 March 2024 13:00\n"
    "To: Ada Lunde;\n Bob\nSubject: X",
    "Apple's order": "Van: Anna Berg <anna@example.org>\nOnderwerp: X\nDatum: 5 maart 2024 om 13:00\nAan: Ada",
    "Gmail's forward": "---------- Forwarded message ---------\n"
    "From: Anna <anna@example.org>\nDate: Tue, Mar 5, 2024\nTo: x",
    "Thunderbird's forward": "-------- Sillä viestillä --------\n"
    "Aihe: X\nPäiväys: 5.3.2024\nLähettäjä: Anna <anna@example.org>",
    "Outlook on the web": "________________________________\nFra: Anna Berg <anna@example.org>\nSendt: tirsdag",
    "Yahoo, not quoted": "On Tuesday, March 5, 2024 at 01:00 PM, Anna Berg <anna@example.org> wrote:",
    "folded before the verb": "On Tue, Mar 5, 2024 at 1:00 PM Annabella Bergstrom <anna@example.org>\nwrote:",
    "Danish, not quoted": "Den tir. 5. mar. 2024 kl. 13.00 skrev Anna Berg <anna@example.org>:",
    "Apple's forward, not quoted": "Debut du message\n\nInizio messaggio inoltrato:\n\n"
    "Da: Anna <anna@example.org>\nData: 5 marzo 2024 13:00",
}


@pytest.mark.parametrize("above", HEADS.values(), ids=HEADS)
def test_what_stands_below_a_head_or_an_introduction_is_anothers(above: str) -> None:
    own, quoted = own_words(f"Yes, gladly.\n\n{above}{BELOW}")
    assert own.removesuffix("\n\nDebut du message") == "Yes, gladly."
    assert "Shall we meet" in quoted


INTRODUCTIONS = (
    "Dne út 5. 3. 2024 v 13:00 odesílatel Anna Berg <anna@example.org> napsal:",
    "În mar., 5 mar. 2024 la 13:00, Anna Berg <anna@example.org> a scris:",
    "вт, 5 бер. 2024 р. о 13:00 Anna Berg <anna@example.org> пише:",
    "Pada Sel, 5 Mar 2024 pukul 13.00 Anna Berg <anna@example.org> menulis:",
    "\u202bבתאריך יום ג׳, 5 במרץ 2024 ב-13:00 מאת \u202aAnna Berg\u202c <\u202aanna@example.org\u202c>:\u202c",
    "في الثلاثاء، ٥ مارس ٢٠٢٤ في ١:٠٠ م تمت كتابة ما يلي بواسطة Anna Berg <anna@example.org>:",
    "Xul 5, 2024 13:00 Anna Berg <anna@example.org> zorbled:",
    "On 05/03/2024 13:00, Anna Berg wrote:",
    "Anna Berg wrote:",
    "Anna Berg <anna@example.org> ezt írta (időpont: 2024. márc. 5., K,\n13:00):",
    "Am Dienstag, den 5. März 2024 um 13:00 Uhr schrieb Annabella Bergstrom-Larsen\n<annabella@example.org>:",
    "On Tue, 5 Mar 2024 at 13:00, Annabella Bergstrom-Larsen of the Harbour\nOffice <\nannabella@example.org> wrote:",
)


@pytest.mark.parametrize("line", INTRODUCTIONS)
@pytest.mark.parametrize("gap", ["\n", "\n\n", "\n\n\n"])
def test_the_introduction_of_a_quotation_goes_with_it(line: str, gap: str) -> None:
    own, quoted = own_words(f"Yes, gladly.\n\n{line}{gap}> Shall we?\n>\n> Anna\n")
    assert (own, quoted) == ("Yes, gladly.", "Shall we?\n\nAnna")


@pytest.mark.parametrize("line", ["Inizio messaggio inoltrato:", "Début du message réexpédié :", "Zorblot drunk:"])
def test_the_line_before_a_quoted_head_is_the_programs(line: str) -> None:
    own, _ = own_words(f"Please read.\n\n{line}\n\n> Da: Eve <eve@example.org>\n> Oggetto: X\n> \n> Words of Eve.")
    assert own == "Please read."


SIGNATURES = (
    "Skickat från min iPhone",
    "Envoyé depuis mon appareil Android",
    "Odesláno z iPhonu",
    "Wysłane z mojego Samsunga Galaxy",
    "Στάλθηκε από το iPhone μου",
    "iPhone’umdan gönderildi",
    "내 iPhone에서 보냄",
    "发自我的iPhone",
    "Holen Sie sich Outlook für Android<https://aka.ms/x>",
    "Obtenir Outlook pour iOS",
    "Sent from my Pixel 8",
    "Sent with Proton Mail secure email.",
    "Von meinem Fairphone gesendet",
)


@pytest.mark.parametrize("line", SIGNATURES)
def test_a_programs_signature_is_taken_out(line: str) -> None:
    assert own_words(f"Yes, gladly.\n\n{line}\n")[0] == "Yes, gladly."
    assert own_words(f"Yes, gladly.\n{line}")[0] == "Yes, gladly."
    assert (
        own_words(f"Yes.\n\n{line}\n\nOn 5/3/2024 13:00, Anna wrote:\n> x\n\nGladly.")[0].replace("\n", "")
        == "Yes.Gladly."
    )


OWN = (
    "Here is my plan:\n\nFrom: Oslo\nTo: Bergen\nDate: Friday 5 March 2024, 13:00\n\nI booked two seats.",
    "What: dinner\nWhen: 5 March 2024 13:00\nWhere: Oslo\nWho: all of us\n\nCome early.",
    "My new details:\nMail: ada@example.org\nPhone: 4711 1234\nFrom then on: 12.3.2024\n\nWrite to me.",
    "Sent from my aunt the parcel was not.\n\nIt came from her neighbour.",
    "Sent from my aunt's kitchen\n\nThe bread is good.",
    "I lost my iPhone on the way.\n\nNow I write from the library.",
    "I wrote in 2024:\n\nthe bread of that year was good.",
    "My list for 2024:\n\n1. bread\n2. salt",
    "--- Bread ---\n\nFlour: 500 g\nWater: 300 g\n\n--- Soup ---\n\nWhat is left.",
    "First part.\n--\n" + "\n".join(f"Line {n} of the second part, which is long." for n in range(20)),
    "Register with bob@example.org before 5 March 2024, 13:00:\n\nhe has the list.",
    "Dear Anna:\n\nas agreed.\n\nAda",
)


@pytest.mark.parametrize("text", OWN)
def test_own_lines_that_look_like_a_programs_stay(text: str) -> None:
    assert own_words(text)[0] == text


def test_answers_between_quoted_lines_stay() -> None:
    text = "On 5/3/2024 13:00, Anna wrote:\n> Friday?\nYes.\n> And bread?\nThat too.\n"
    assert own_words(text) == ("Yes.\nThat too.", "Friday?\nAnd bread?")


def test_armour_is_nobodys_words() -> None:
    key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nabc=\n-----END PGP PUBLIC KEY BLOCK-----"
    assert own_words(f"My key:\n\n{key}\n\nAda")[0].split() == ["My", "key:", "Ada"]
    signed = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nYes.\n- -- \nAda\n-----BEGIN PGP SIGNATURE-----\nx"
    assert own_words(signed)[0] == "Yes."


PROGRAMS = (*OWN[0].split("\n"), *"\n".join((*INTRODUCTIONS, *HEADS.values())).split("\n"), *SIGNATURES)
SIGNS = ("> quoted", ">> twice", "", "  ", "-- ", "--", "-----BEGIN PGP MESSAGE-----", "word:", "_" * 30)
line = st.sampled_from((*PROGRAMS, *SIGNS)) | st.text(max_size=60)


@settings(max_examples=300, deadline=None)
@given(st.lists(line, max_size=14))
def test_nothing_is_made_up_and_own_text_is_own_again(lines: list[str]) -> None:
    text = "\n".join(lines)
    own, quoted = own_words(text)
    source = "".join(text.replace(">", "").split())
    for piece in (own, quoted):
        for part in piece.split("\n"):
            assert "".join(part.replace(">", "").split()) in source
