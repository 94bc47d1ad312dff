"""Every error that a person may meet, in one tree.

    IdiolectError
    ├── UserFault            something that the person typed or wrote can be mended      exit code 2
    │   ├── UnknownPerson        no such profile
    │   ├── EmptyProfile         a profile in which nothing can be learned from
    │   ├── OptionFault          a setting, flag or settings file
    │   ├── BaseModelFault       a base model that is missing, broken or not supported
    │   ├── DataFault            a data set or one of its records
    │   ├── DamagedFile          a file of the home that cannot be read as what it must be
    │   └── ExportFault          what another program exported
    ├── MachineFault         this computer lacks something                               exit code 2
    │   ├── NoRoom               disk
    │   ├── MissingPart          an optional part of Idiolect is not installed
    │   ├── NeedsConsent         what only a person can say yes to: a strange computer, money
    │   └── NoOllama             Ollama does not answer
    ├── OllamaRefused        Ollama answers, and could not do what it was asked for      exit code 1
    ├── RunFailed            a step of a run that had begun came to nothing              exit code 1
    └── RunCancelled         somebody has cancelled the run                              exit code 1

Exit code 2 means that nothing was begun. Whatever is not in this tree is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import re

#: What a terminal obeys instead of showing it (ECMA-48), and what makes text read backwards (UAX #9).
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """Return text of unknown origin as what can be shown: no control code of a terminal, nothing that is no text."""
    return _CONTROL.sub("\ufffd", text)


class IdiolectError(Exception):
    """What happened (and on what), and what to do about it: one line each."""

    exit_code = 1

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem, self.remedy = plain(problem), plain(remedy)
        super().__init__(self.problem, self.remedy)

    def __str__(self) -> str:
        return f"{self.problem}\n{self.remedy}"


class UserFault(IdiolectError):
    """Something that the person typed or wrote can be mended."""

    exit_code = 2


class UnknownPerson(UserFault):
    """There is no profile of that name."""


class EmptyProfile(UserFault):
    """The profile holds nothing that can be learned from."""


class OptionFault(UserFault):
    """A setting has an unknown name or an impossible value."""


class BaseModelFault(UserFault):
    """The base model is missing, broken, or of a kind that cannot be trained or exported."""


class DataFault(UserFault):
    """A data set, or records of it, cannot be trained on."""


class DamagedFile(UserFault):
    """A file of the home is gone, cut short, or not what it must be."""


class ExportFault(UserFault):
    """What another program exported cannot be imported, or not without being told more."""


class MachineFault(IdiolectError):
    """Something is lacking on this computer."""

    exit_code = 2


class NoRoom(MachineFault):
    """There is not enough room on a disk."""


class MissingPart(MachineFault):
    """An optional part of Idiolect is not installed."""


class NeedsConsent(MachineFault):
    """Something that only a person can say yes to; the option named `flag` says it for them."""

    flag = ""


class NoOllama(MachineFault):
    """Ollama does not answer."""


class OllamaRefused(IdiolectError):
    """Ollama answers, and could not do what it was asked for."""


class RunFailed(IdiolectError):
    """A step of a run that had begun came to nothing."""


class RunCancelled(IdiolectError):
    """Somebody has cancelled the run."""
