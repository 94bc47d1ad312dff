"""How the next token is drawn: one set of values, for everything that asks a model.

They stand in the model file, where llama.cpp reads them, in the Modelfile and in what Ollama is sent, and are what
`chat`, `serve`, Compare and evaluation ask with. A person hears the same voice, whoever serves the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Sampling:
    """How the next token is drawn. The penalty keeps small models from repeating themselves.

    All that a server would otherwise decide by a default of its own is said: llama.cpp and Ollama differ in theirs.
    """

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.9
    min_p: float = 0.05
    repeat_penalty: float = 1.1
    repeat_last_n: int = 64
    """So many tokens back the penalty looks."""
    max_tokens: int = 256
    """The longest answer."""
    seed: int = 0

    def request(self) -> dict[str, float]:
        """Return the values as llama.cpp's server takes them beside the messages (its tools/server/README.md)."""
        return {**self._shared(), "max_tokens": self.max_tokens, "seed": self.seed}

    def ollama_parameters(self) -> dict[str, float]:
        """Return the values as a Modelfile's PARAMETER and Ollama's API name them; a seed would freeze each answer."""
        return {**self._shared(), "num_predict": self.max_tokens}

    def gguf_keys(self) -> Mapping[str, float]:
        """Return key → value for a model file's metadata, whole numbers as int32, others as float32.

        llama.cpp takes them for what a request does not say (common_init_sampler_from_model in its common/common.cpp;
        the keys are those of its gguf-py/gguf/constants.py). It knows none for the longest answer.
        """
        return {
            "general.sampling.temp": self.temperature,
            "general.sampling.top_k": self.top_k,
            "general.sampling.top_p": self.top_p,
            "general.sampling.min_p": self.min_p,
            "general.sampling.penalty_repeat": self.repeat_penalty,
            "general.sampling.penalty_last_n": self.repeat_last_n,
        }

    def _shared(self) -> dict[str, float]:
        return {
            "temperature": self.temperature,
            "top_k": self.top_k,
            "top_p": self.top_p,
            "min_p": self.min_p,
            "repeat_penalty": self.repeat_penalty,
            "repeat_last_n": self.repeat_last_n,
        }
