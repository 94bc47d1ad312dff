"""What Messenger and Instagram write in somebody's name, and which messages a later one replaces.

A sentence of the program begins with whom it is about: the sender by name, another participant, or "You"; or it is one
of the few that begin with what was done. Nobody else's sentence is looked at, whatever words are in it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from difflib import SequenceMatcher

import msgspec

from idiolect.memories.importers.message import Message

REPLACED = "edited: a later version of it stands below"
#: Sentences about somebody are no longer.
_LONGEST = 300
_FEW_WORDS = 12
#: What comes after a participant's first name, or "You". Whole, so that "You sent me to Oslo" is somebody's own.
_DONE = re.compile(
    r"(?:sent (?:an?|the) (?:attachment|photo|video|GIF|sticker|voice message|link|live location|location|file"
    r"|poll|game)"
    r"|shared an? (?:story|post|reel|link|live location|profile|location|video|photo|album|event)"
    r"|(?:reacted|responded with|voted for|liked|loved|pinned|unpinned) .{1,120}"
    r"|missed (?:your|an?) (?:video |voice |audio )?(?:call|chat)(?: from .{1,80})?|called (?P<called>.{1,80})"
    r"|left the (?:group|call|video chat)|(?:joined|started|ended) (?:the|an?) (?:video |audio |voice )?(?:call"
    r"|chat|group)"
    r"|(?:started|stopped) sharing .{1,40}|(?:joined|left) the (?:video|audio|voice) call"
    r"|is waving at you|waved at (?:each other|you|.{1,80})"
    r"|(?:changed|set|removed|cleared|named|renamed) (?:the|your|their|his|her|this) (?:own )?"
    r"(?:group|nickname|theme|emoji|quick reaction|chat|name|photo|group photo|conversation|title|color|video"
    r"|word effect)"
    r".{0,160}|(?:added|removed|invited) .{1,120} (?:to|from) the (?:group|chat|call|conversation)"
    r"|created (?:the group|a group|an? poll|an? event|a plan).{0,160}|ended the poll.{0,160}"
    r"|(?:turned|switched) (?:on|off) .{1,80}|made .{1,80} an? admin|changed .{1,80} vote.{0,120}"
    r"|updated their vote.{0,160}|unsent a message|deleted a message|replied to .{1,60} story"
    r"|mentioned you in .{1,40})[.!]?",
    re.DOTALL,
)
#: The same in the words of other languages: what stands in it, where it begins with a name and ends with a full stop.
_DONE_ELSEWHERE = re.compile(
    r"anhang|angerufen|anruf|videochat|gesendet|geteilt|umfrage|spitznamen|emoji|gruppe|reagiert|hinzugefügt"
    r"|verlassen"
    r"|adjunto|llamada|llamó|videochat|envió|enviado|compart|encuesta|apodo|grupo|reaccion"
    r"|pièce jointe|appel|envoyé|partagé|sondage|pseudo|groupe|réagi|allegato|chiamat|inviat|condivis|sondaggio"
    r"|gruppo"
    r"|anexo|ligou|chamada|enviou|enquete|apelido|bijlage|gebeld|oproep|gestuurd|gedeeld|groep|bilaga|ringde|skickade"
    r"|gruppen|vedlegg|ringte|sendte|delte|załącznik|dzwoni|wysłał|udostępni|ankiet|grup[yaęi]|вложени|звон|отправил"
    r"|опрос|групп|gönderdi|paylaştı|anket|grub|aradı|送信|通話|グループ|사진|통화|그룹|发送|通话|群",
    re.IGNORECASE,
)
_YOU = re.compile(
    r"(?:You|Du|Sie|Tú|Has|Tu|Vous|Hai|Você|Je|U|Вы|Sen|Siz|あなた|您|你)\b\s*(?:hast|haben|has|as|avez|hebt|har)?"
)
#: Sentences without anybody in them.
_ALONE = re.compile(
    r"(?:Liked a message|Reacted .{1,60} to (?:your|a) (?:message|story)|(?:The|This) (?:video|audio"
    r"|voice) call (?:has )?ended"
    r"|This poll is no longer available|Say hi to your new Facebook friend, .{1,80}|(?:Audio|Video|Voice) call ended"
    r"|You(?:'|’)re (?:now )?friends on Facebook|(?:This|The) poll (?:is|has) (?:closed|ended)|Waved at .{1,80}"
    r"|Messages and calls are (?:secured|protected) with end-to-end encryption.{0,160}"
    r"|You are now connected on Messenger|You can now (?:message and call|call) each other.{0,160}"
    r"|Missed (?:video |audio )?call"
    r"|Gefällt eine Nachricht|Gefällt deine Nachricht|A aimé (?:un|votre|ton) message|Aime (?:un|votre) message"
    r"|Le gustó (?:un|tu) mensaje|Indicó que le gusta (?:un|tu) mensaje|(?:Ha messo"
    r"|Mette) Mi piace a un(?: tuo)? messaggio"
    r"|Curtiu (?:uma|sua|a sua) mensagem|Gostou de uma mensagem|Vindt een bericht leuk|Vond (?:een|je) bericht leuk"
    r"|Gillade (?:ett|ditt) meddelande|Liker en melding|Likte (?:en|meldingen din) ?(?:melding)?"
    r"|Synes godt om en besked"
    r"|Polubi(?:ł|ła|ono) (?:wiadomość|Twoją wiadomość)|Lubi wiadomość|Понравилось сообщение|Нравится сообщение"
    r"|(?:Bir mesajı|Mesajını) beğendi|Menyukai (?:pesan|pesan Anda)|メッセージに「いいね！」しました"
    r"|메시지를 좋아합니다"
    r"|赞了一条消息|說一則訊息讚)[.!]?\s*"
)
#: In any language: somebody reacted, with a picture, to a message.
_REACTED = re.compile(
    r"rea[gkct]|réagi|реаг|tepki|ifade|beğen|リアクション|반응|回应|回應|心情|تفاعل|הגיב|αντέδρ|отреаг", re.IGNORECASE
)
_MESSAGE = re.compile(
    r"messa|nachricht|mensa|bericht|beskjed|besked|melding|meddelande|viesti|wiadomo|zpráv|správ|üzenet|сообщ|повідом"
    r"|mesaj|pesan|mesej|tin nhắn|メッセージ|메시지|消息|訊息|رسالت|رسالة|הודע|μήνυμα",
    re.IGNORECASE,
)
_PICTURE = re.compile("[\u2190-\u2bff\U0001f000-\U0001faff]")
_EDITED = re.compile(r"(.*\S) \(([^()\n]{3,20})\)", re.DOTALL)
_EDITED_WORDS = re.compile(
    r"edited|bearbeitet|editad[oa]|modifi(?:é|cato)|bewerkt|redigera[dt]|redigert|redigeret|muokattu|edytowan[oae]"
    r"|upraveno|szerkesztve|editat|измен[её]но|редаговано|düzenlendi|diedit|編集済み|수정됨|已编辑|已編輯",
    re.IGNORECASE,
)
#: An earlier version is among so many messages before.
_LOOKED_BACK = 12
_ALIKE = 0.6


def is_programs(text: str, sender: str, participants: Collection[str]) -> bool:
    """Tell whether the program wrote a text that stands under a sender's name."""
    if len(text) > _LONGEST:
        return False
    if not text[0].isupper() and not text.startswith((sender, *participants)):
        return not text.isascii() and _is_reaction(text)
    if _ALONE.fullmatch(text):
        return True
    # Nobody begins with their own whole name; with a single word, as on Instagram, one might.
    if (" " in sender and text.startswith(f"{sender} ")) or _is_reaction(text):
        return True
    for name in (sender, *participants):
        for called in (name, name.partition(" ")[0]):
            if text.startswith(f"{called} "):
                return _is_done(text[len(called) + 1 :], participants)
    found = _YOU.match(text)
    return found is not None and _is_done(text[found.end() :].lstrip(), participants)


def _is_reaction(text: str) -> bool:
    return bool(
        len(text.split()) <= _FEW_WORDS
        and _PICTURE.search(text[1:-1])
        and _REACTED.search(text)
        and _MESSAGE.search(text)
    )


def _is_done(rest: str, participants: Collection[str]) -> bool:
    """Tell whether the rest of a sentence after whom it is about is the program's."""
    if found := _DONE.fullmatch(rest):
        called = found["called"]
        return called is None or called.rstrip(".") in {
            "you",
            *participants,
            *(p.partition(" ")[0] for p in participants),
        }
    # With a full stop, as the program ends each, and in few words.
    return rest.endswith(".") and len(rest.split()) <= _FEW_WORDS and _DONE_ELSEWHERE.search(rest) is not None


def last_versions(messages: Sequence[Message]) -> list[Message]:
    """Return messages with the earlier versions of edited ones marked, and these without what is put after them."""
    found = list(messages)
    for at, message in enumerate(found):
        if message.kind != "said" or not message.text.endswith(")") or not (edited := _EDITED.fullmatch(message.text)):
            continue
        before = _earlier(found, at, edited[1])
        if before is not None:
            found[before] = msgspec.structs.replace(found[before], kind="deleted", rule=REPLACED)
        if before is not None or _EDITED_WORDS.fullmatch(edited[2]):
            found[at] = msgspec.structs.replace(message, text=edited[1])
    return found


def _earlier(messages: Sequence[Message], at: int, text: str) -> int | None:
    """Return where the version before stands: the nearest of the same writer that is much alike."""
    for number in range(at - 1, max(at - 1 - _LOOKED_BACK, -1), -1):
        other = messages[number]
        if other.who is messages[at].who and other.kind == "said":
            alike = other.text in text or text in other.text
            if alike or SequenceMatcher(None, other.text[:500], text[:500]).ratio() >= _ALIKE:
                return number
    return None
