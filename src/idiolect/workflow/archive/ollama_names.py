"""Whose a name in Ollama is: this home's, or somebody else's, whose names stay as they are.

Ollama knows no owners, and two homes may publish to one, under the same names. So a registry keeps the digests of all
that its home has made there, and a publication notes the names that it sets out to set before it sets any: what
breaks off is known again, and freed by the next clean-up.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import msgspec

from idiolect.config import MODES
from idiolect.errors import NoOllama, OllamaRefused
from idiolect.home import Profile
from idiolect.serving import ollama
from idiolect.workflow.archive.registry import Registry, read_registry, write_registry

#: So many digests are kept; five are made a publication.
_REMEMBERED = 500


def called(person: str) -> list[str]:
    """Return the names by which people call a person's model."""
    return [ollama.model_name(person, tag) for tag in ("latest", *MODES)]


def foreign(standing: Mapping[str, str], registry: Registry, names: Collection[str]) -> list[str]:
    """Return those of `names` that stand for something which this home did not put there."""
    if not registry.made and any(p.ollama for p in (registry.published, *registry.before) if p):
        return []  # published before digests were kept
    ours = {*registry.made}
    return [n for n in names if n in standing and standing[n] not in ours and n not in registry.begun]


def claim(there: ollama.Ollama, profile: Profile, names: Sequence[str]) -> None:
    """Note the names that a publication sets out to set. Raises OllamaRefused where one is somebody else's."""
    registry = read_registry(profile)
    strange = foreign(ollama.models(there), registry, names)
    if strange:
        raise OllamaRefused(
            f"{', '.join(strange)} there was not put there by this home, and stays as it is",
            f"Remove it, if it is yours: ollama rm {' '.join(strange)}",
        )
    write_registry(profile, msgspec.structs.replace(registry, begun=sorted({*registry.begun, *names})))


def give_up(there: ollama.Ollama, profile: Profile, tried: Sequence[str], untouched: Collection[str]) -> None:
    """Delete what a publication has tried, and forget the names that it had not come to; the rest stays noted."""
    gone = {*untouched}
    with suppress(NoOllama, OllamaRefused):  # what is still there then is noted, and freed by the next clean-up
        for name in tried:
            ollama.delete(replace(there, until=None), name)
            gone.add(name)
    registry = read_registry(profile)
    write_registry(profile, msgspec.structs.replace(registry, begun=[n for n in registry.begun if n not in gone]))


def settled(registry: Registry, made: Sequence[str], names: Collection[str]) -> Registry:
    """Return a registry in which names are set that were begun, and what they stand for is this home's."""
    known = [*(digest for digest in registry.made if digest not in made), *made]
    begun = [name for name in registry.begun if name not in names]
    return msgspec.structs.replace(registry, made=known[-_REMEMBERED:], begun=begun)


def left_over(registry: Registry, person: str) -> list[str]:
    """Return the names that a publication which broke off may have left, and that nothing needs."""
    needed = {p.ollama for p in (registry.published, *registry.before) if p} | {*called(person)}
    return [name for name in registry.begun if name not in needed]
