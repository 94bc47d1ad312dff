"""imessage-exporter's text files, one for each chat: what somebody wrote, and what the exporter says in between.

    Mar 05, 2024  1:02:03 PM (Read by you after 5 seconds)      a message: its date, its sender, its lines
    Anna
    hi

    Mar 05, 2024  1:04:03 PM Anna left the conversation.        an announcement, on one line

Forms: imessage-exporter, imessage-exporter/src/exporters/txt.rs as of 2022 to 2024, and txt/ since. Answers are
repeated, indented, below what they answer.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from idiolect.memories.importers.export import Export, Member
from idiolect.memories.importers.message import Asked, Kind, Message, Person, Thread
from idiolect.memories.importers.naming import Naming
from idiolect.memories.importers.times import from_english

ME = Person("Me", "Me", me=True)
_NOBODY = Person("", "", me=False)
_DATE = r"[A-Z][a-z]{2} \d{2}, \d{4} {1,2}\d{1,2}:\d{2}:\d{2} [AP]M"
_HEAD = re.compile(rf"({_DATE})(?: \(Read by .*\))?")
_ANNOUNCED = re.compile(rf"({_DATE}) (\S.*)")
_EDITED = re.compile(r"Edited .{1,60} later: (.*)")
_REACTION = re.compile(r"\s*(?:\S{1,20}(?: \S{1,20})?(?: at)?|.{1,12}) by \S.*|\s*(?:\S+ )?Sticker from .+|\s*")
_PATH = re.compile(r"(?:/|~/|attachments/|[A-Z]:\\)\S.*\.\w{2,6}")
_LINK = re.compile(r"(?:https?://|www\.)\S+")
_MUSIC = re.compile(r"https://(?:music\.apple\.com|open\.spotify\.com)/\S+")
#: An app speaks, to the end of the message: its name, or that of its bundle, begins with a capital or has dots.
_APP = re.compile(
    r"(?:[A-Z0-9][\w.&+'-]*(?: [A-Z0-9][\w.&+'-]*){0,4}|\w+(?:\.\w+){2,}) (?:message:|transaction: .*)"
    r"|(?:Fitness|Activity|Workout) message: .*"
)
_OF_EXPORTER = re.compile(
    r"This message responded to an earlier message\.|This message was deleted from the conversation!"
    r"|Attachment missing!|(?:Started|Stopped) sharing location!|SharePlay Message"
    r"|Handwritten messages are not yet supported!"
    r"|Unable to format app message: .*|Photo album: .*|(?:\S+ )?Sticker from .+|Transcription: .*"
    r"|Sent with (?:Confetti|Echo|Fireworks|Balloons|Heart|Lasers|Shooting Star.?|Sparkles|Spotlight|Slam|Loud|Gentle"
    r"|Invisible Ink)|(?:Emphasized|Loved|Liked|Disliked|Laughed|Questioned)(?: at)? “.*”"
)
_TAKEN_BACK = re.compile(r"(.{1,80}) (?:deleted a message\.|unsent (?:a|this) message.*)")
_ANNOUNCED_TEXT = re.compile(rf"{_DATE} (\S.*)")
#: Only lines that begin so, or have this in them, are looked at more closely.
_SPECIAL = re.compile(
    r" {4}|Tapbacks:|Reactions:|Ended$|Edited |[A-Z][a-z]{2} \d\d, |[/~\ufffc]|[A-Z]:\\|attachments/"
    r"|This message |Attachment "
    r"|St(?:art|opp)ed |SharePlay |Handwritten |Unable |Photo album|Transcription: |Sent with |(?:\S+ )?Sticker from "
    r"|(?:Emphasized|Loved|Liked|Disliked|Laughed|Questioned) |.{1,80} (?:message|transaction: )"
    r"|.{1,80} (?:deleted|unsent) (?:a|this) "
)
_OLD_ANNOUNCED = re.compile(
    r".{1,60} (?:renamed the conversation|added .{1,60} to the conversation|left the conversation"
    r"|removed .{1,60} from the|changed the group photo|removed the group photo|started sharing|stopped sharing).*"
)


def is_exporters(export: Export, member: Member) -> bool:
    """Tell whether a text file begins as imessage-exporter's do."""
    line = next(iter(export.head(member).decode("utf-8-sig", "replace").splitlines()), "")
    return _HEAD.fullmatch(line.rstrip()) is not None or _ANNOUNCED.fullmatch(line.rstrip()) is not None


def messages(member: Member, asked: Asked) -> Iterator[Message]:
    """Yield the messages of one file."""
    people = {"Me": ME}
    names = Naming()
    thread = Thread(member.stem, member.stem)
    for date, lines in _blocks(member):
        when = from_english(date, asked.zone)
        if isinstance(lines, str):
            yield Message(thread, names.name(date, lines, ""), when, _NOBODY, lines, "system")
            continue
        name = lines[0].strip() if lines else ""
        who = people.setdefault(name, Person(name, name))
        text, kind = _words(lines[1:], name)
        if not lines or (not text and _OLD_ANNOUNCED.fullmatch(name)):
            kind = "system"
        yield Message(thread, names.name(date, name, text), when, who, text, kind)


def _blocks(member: Member) -> Iterator[tuple[str, list[str] | str]]:
    """Yield the date of each message and its lines, or of an announcement its words."""
    date = ""
    lines: list[str] = []
    # Before an announcement a line is empty; the lines of a message that begin with a date are its earlier wording.
    apart = True
    with member.open() as file, io.TextIOWrapper(file, "utf-8-sig", "replace", newline="\n") as text:
        for raw in text:
            line = raw.rstrip()
            dated = line[6:8] == ", "
            if dated and (found := _HEAD.fullmatch(line)):
                if date:
                    yield date, lines
                date, lines = found[1], []
            elif dated and apart and (found := _ANNOUNCED.fullmatch(line)):
                if date:
                    yield date, lines
                yield found[1], found[2]
                date, lines = "", []
            elif date:
                lines.append(line)
            apart = not line
    if date:
        yield date, lines


def _words(lines: list[str], name: str) -> tuple[str, Kind]:
    """Return what was written, of all versions the last, and of what kind the message is without that."""
    kept: list[str] = []
    kind: Kind = "empty"
    reactions = False
    for line in lines:
        if not _SPECIAL.match(line):
            if not (reactions and _REACTION.fullmatch(line)):
                kept.append(line)
                reactions = False
            continue
        if reactions and _REACTION.fullmatch(line):
            continue
        reactions = line in ("Tapbacks:", "Reactions:")
        if reactions or line.startswith("    "):
            continue
        if not kept and _APP.fullmatch(line):
            return "", "system"
        if found := _EDITED.fullmatch(line) or (None if kept else _ANNOUNCED_TEXT.fullmatch(line)):
            kept = [found[1]]
        elif of_line := _kind_of_line(line, name, after=kind):
            kind = of_line
        else:
            kept.append(line)
    text = _without_preview("\n".join(kept).replace("\ufffc", "").strip())
    return text, "said" if text else kind


def _kind_of_line(line: str, name: str, after: Kind) -> Kind | None:
    """Return what a line is that nobody wrote, after lines of some kind; None for one that somebody wrote."""
    if by := _TAKEN_BACK.fullmatch(line):
        return "deleted" if by[1] in ("You", "They", name) else None
    if _PATH.fullmatch(line) or line == "\ufffc":
        return "media"
    if _OF_EXPORTER.fullmatch(line) or (line == "Ended" and after == "system"):
        return "system"
    return None


def _without_preview(text: str) -> str:
    """Return of a link with its preview the link: title and summary stand below it, a song's above."""
    first, _, rest = text.partition("\n")
    if rest and _LINK.fullmatch(first.strip()):
        return first.strip()
    last = text.rpartition("\n")[2].strip()
    return last if _MUSIC.fullmatch(last) else text
