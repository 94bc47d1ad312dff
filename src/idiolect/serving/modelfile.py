"""The Modelfile, for people who prefer `ollama create -f Modelfile`.

The chat template is the one inside the GGUF, which Ollama from 0.30 on renders itself. A Modelfile has no escape
sequences, so a system message must not hold three quotation marks.
"""

from __future__ import annotations


def modelfile(gguf: str, system: str, stop: str) -> str:
    """Return the text of a Modelfile beside the file `gguf`; `stop` ends a turn."""
    quoted = system.replace('"""', "'''")
    lines = [f"FROM ./{gguf}", f'PARAMETER stop "{stop}"']
    if quoted:
        lines.append(f'SYSTEM """{quoted}"""')
    return "\n".join(lines) + "\n"
