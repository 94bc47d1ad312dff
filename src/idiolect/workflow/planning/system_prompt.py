"""Whose system prompt the one of the settings is: MetaHuman OS ships with one that names its author.

In a checkout `etc/training.json` says to everybody "You are MetaHuman Greg, …", and its Modelfiles "You are <name>'s
digital personality extension …". One that speaks of somebody else is not used for this person; each mode then has its
own system message.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import replace

from idiolect.config import Settings
from idiolect.home import Home, Profile
from idiolect.memories import persona_names

_SHIPPED = re.compile(
    r"You are MetaHuman (?P<name>.+?), a helpful assistant\.?"
    r"|You are (?P<whose>.+?)['’]s digital personality extension\. Speak naturally in first person as (?P=whose)\.?"
)
_SPOKEN_TO = re.compile(r"\s*You are (?:MetaHuman )?(?P<name>[^\s,.;:!?'’]+)")


def with_own_prompt(home: Home, profile: Profile, settings: Settings) -> Settings:
    """Return the settings without a system prompt that speaks of somebody else; what becomes of one is noted."""
    prompt, where = settings.options.system_prompt, settings.origins["system_prompt"]
    if not prompt:
        return settings
    names = _words([profile.person, *persona_names(profile.persona)])
    other = _other(home, profile, prompt, names, shared=where == "etc/training.json") if where != "command line" else ""
    if not other:
        note = (
            f"{where}: system_prompt stands for all three modes, which the model can then not tell apart. Leave it "
            "empty for one a mode, or write system_messages into etc/curation.json of the profile."
        )
        return replace(settings, notes=(*settings.notes, note))
    note = f"{where}: system_prompt not used, it speaks of {other}, not of {profile.person}: each mode has its own."
    options = settings.options.model_copy(update={"system_prompt": ""})
    origins = {**settings.origins, "system_prompt": "default"}
    return Settings(options, origins, (*settings.notes, note))


def _other(home: Home, profile: Profile, prompt: str, names: Collection[str], *, shared: bool) -> str:
    """Return who a prompt speaks of, if that is somebody else: in one that was shipped, or another person of the home.

    What stands in a file of the person's own and was not shipped is theirs, whoever it speaks of.
    """
    if shipped := _SHIPPED.fullmatch(prompt.strip()):
        named = shipped["name"] or shipped["whose"]
        return "" if "{name}" in named or _words([named]) & set(names) else named
    spoken_to = _SPOKEN_TO.match(prompt)
    if not shared or not spoken_to or spoken_to["name"].casefold() in names:
        return ""
    others = [home.profile(person) for person in home.people() if person != profile.person]
    of_home = _words(name for other in others for name in (other.person, *persona_names(other.persona)))
    return spoken_to["name"] if spoken_to["name"].casefold() in of_home else ""


def _words(names: Iterable[str]) -> set[str]:
    return {word.casefold() for name in names for word in re.split(r"[^\w]+", name) if word}
