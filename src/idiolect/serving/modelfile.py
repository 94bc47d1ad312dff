"""The Modelfile, for people who prefer `ollama create -f Modelfile`.

Ollama from 0.30 on renders the chat template inside the GGUF; the TEMPLATE is for servers before that. The grammar is
that of Ollama's parser/parser.go: a value ends with its line, and one that begins with three quotation marks with the
first line that ends with three. Nothing can be escaped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

#: Three quotation marks that would end a text before its last line.
_TOO_EARLY = re.compile(r'"""(?=[ \t]*\n)')


def modelfile(gguf: str, system: str, parameters: Mapping[str, object], template: str | None = None) -> str:
    """Return the text of a Modelfile beside the file `gguf`, with the parameters that Ollama is sent as well.

    A parameter that is a list has a line for each of its texts. `template` is one of Go.
    """
    lines = [f"FROM ./{gguf}"]
    for name, value in parameters.items():
        lines += (
            [f'PARAMETER {name} "{one}"' for one in value] if isinstance(value, list) else [f"PARAMETER {name} {value}"]
        )
    if template:
        lines.append(f"TEMPLATE {template}")
    if system:
        quoted = _TOO_EARLY.sub("'''", system)
        lines.append(f'SYSTEM """{quoted}"""')
    return "\n".join(lines) + "\n"
