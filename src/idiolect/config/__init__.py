"""Every option, once: those of a cycle, those of a person's data set, and the sources that they come from."""

from idiolect.config.options import FULL_FINE_TUNE, MODES, Mode, Options, Quantization, Typed, typed
from idiolect.config.rules import CurationRules, PromptWriter, curation_rules
from idiolect.config.sources import Settings, our_part, resolve

__all__ = [
    "FULL_FINE_TUNE",
    "MODES",
    "CurationRules",
    "Mode",
    "Options",
    "PromptWriter",
    "Quantization",
    "Settings",
    "Typed",
    "curation_rules",
    "our_part",
    "resolve",
    "typed",
]
