"""What a person says of answers, written into their memories: the next data set learns from it."""

from __future__ import annotations

from pathlib import Path

from idiolect.errors import UserFault
from idiolect.files import remove, write_json
from idiolect.home import Home, Profile
from idiolect.memories import Answered, Opinion, event_id, feedback_event
from idiolect.workflow.archive.runs import known
from idiolect.workflow.records.audit import audit


def approve(home: Home, person: str, answered: Answered) -> Path:
    """Make a memory of an answer that the person would have given; return its file."""
    return _write(known(home, person), answered, "approved", instead_of=("rejected", "own words"))


def reject(home: Home, person: str, answered: Answered) -> Path:
    """Say that an answer is not theirs: it is not learned from, nor any more if it was approved before."""
    return _write(known(home, person), answered, "rejected", instead_of=("approved",))


def reword(home: Home, person: str, answered: Answered, own_words: str) -> Path:
    """Make a memory of how the person would have said it, and reject the answer."""
    own_words = own_words.strip()
    if not own_words:
        raise UserFault("Nothing is said that could be learned.", "Say what you would have answered.")
    reject(home, person, answered)
    return _write(known(home, person), answered, "own words", own_words)


def _write(
    profile: Profile, answered: Answered, opinion: Opinion, own_words: str = "", instead_of: tuple[Opinion, ...] = ()
) -> Path:
    """Write an opinion of an answer; what was said of it before and does not go with that is removed."""
    if not answered.prompt.strip() or not answered.answer.strip():
        raise UserFault("There is no answer yet that could be judged.", "Say something to the model first.")
    path = _file(profile, answered, opinion)
    write_json(path, feedback_event(answered, opinion, own_words))
    for earlier in instead_of:
        remove(_file(profile, answered, earlier))
    audit(profile, "feedback_given", {"opinion": opinion, "model": answered.model, "mode": answered.mode})
    return path


def _file(profile: Profile, answered: Answered, opinion: Opinion) -> Path:
    return profile.feedback / f"{event_id(answered, opinion)}.json"
