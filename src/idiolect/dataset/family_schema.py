"""A chat template for base models that have none: etc/schemas/{qwen,llama,phi,gptj}.json, as MetaHuman OS has them.

Fields: user_prefix, user_suffix, assistant_prefix, assistant_suffix, separator, eos_token; all are texts, any may be
left out. The eos_token must be a control token of the model, or the model would never learn to stop.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from idiolect.errors import BaseModelFault
from idiolect.files import regular_bytes

#: What a model's name contains → the family whose file is used; without any of them it is the first.
FAMILIES = {"qwen": "qwen", "llama": "llama", "phi": "phi", "gptj": "gptj", "gpt-j": "gptj"}


class _Schema(msgspec.Struct, frozen=True):
    user_prefix: str = ""
    user_suffix: str = ""
    assistant_prefix: str = ""
    assistant_suffix: str = ""
    separator: str = ""
    eos_token: str = ""


def schema_template(schemas: Path | None, model: str) -> str:
    """Return a Jinja chat template from the file of the model's family. Raises BaseModelFault without one."""
    family = next((f for part, f in FAMILIES.items() if part in model.lower()), "qwen")
    path = (schemas or Path("etc/schemas")) / f"{family}.json"
    try:
        schema = msgspec.json.decode(regular_bytes(path), type=_Schema)
    except (OSError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BaseModelFault(
            f"The base model has no chat template, and {path} cannot be used ({error}).",
            "Use an instruct model, or describe its turns in that file.",
        ) from error
    ask, asked, reply, replied, between, end = (
        json.dumps(text)
        for text in (
            schema.user_prefix,
            schema.user_suffix,
            schema.assistant_prefix,
            schema.assistant_suffix,
            schema.separator,
            schema.eos_token,
        )
    )
    return (
        "{% for m in messages %}"
        f"{{% if m.role == 'assistant' %}}{{{{ {reply} + m.content + {replied} + {end} }}}}"
        f"{{% elif m.role == 'user' %}}{{{{ {ask} + m.content + {asked} }}}}"
        "{% else %}{{ m.content }}{% endif %}"
        f"{{{{ {between} }}}}{{% endfor %}}"
        f"{{% if add_generation_prompt %}}{{{{ {reply} }}}}{{% endif %}}"
    )
