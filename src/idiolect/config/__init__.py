"""Every option, once: those of a cycle, those of a person's data set, and the sources that they come from."""

from idiolect.config.checkout import NOT_OURS, SAME
from idiolect.config.described import Described, described_import_options, described_options
from idiolect.config.dotenv_file import environment
from idiolect.config.importing import ImportOptions
from idiolect.config.options import FULL_FINE_TUNE, MODES, Mode, Options, Quantization, Typed, typed
from idiolect.config.patterns import TimedPattern
from idiolect.config.rules import MASKED, CurationRules, Masked, PromptWriter, curation_rules
from idiolect.config.sources import Settings, our_part, resolve
from idiolect.config.whose import WhoseWords, conditions
from idiolect.config.written import REMARKS

__all__ = [
    "FULL_FINE_TUNE",
    "MASKED",
    "MODES",
    "NOT_OURS",
    "REMARKS",
    "SAME",
    "CurationRules",
    "Described",
    "ImportOptions",
    "Masked",
    "Mode",
    "Options",
    "PromptWriter",
    "Quantization",
    "Settings",
    "TimedPattern",
    "Typed",
    "WhoseWords",
    "conditions",
    "curation_rules",
    "described_import_options",
    "described_options",
    "environment",
    "our_part",
    "resolve",
    "typed",
]
