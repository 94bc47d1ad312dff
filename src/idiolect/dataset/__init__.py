"""Samples → training text: mode and persona as system message, chat template, split, checks, JSONL."""

from idiolect.dataset.chat_template import ChatTemplate, chat_template, load_chat_template
from idiolect.dataset.export import export, ledger, token_counts
from idiolect.dataset.formatter import INLINE_TAGS, FormattedSample, format_samples, system_messages
from idiolect.dataset.normalised_template import THOUGHTS
from idiolect.dataset.quality import Quality, measure
from idiolect.dataset.report import figures, report_html
from idiolect.dataset.schema import RenderedSample, apply_schema, shown
from idiolect.dataset.split import talk_of
from idiolect.dataset.tokens import TokenizedSample, open_tokenizer, tokenize, tokenize_marked
from idiolect.dataset.training_text import TrainingText, sample_of
from idiolect.dataset.validation import validate, words_of

__all__ = [
    "INLINE_TAGS",
    "THOUGHTS",
    "ChatTemplate",
    "FormattedSample",
    "Quality",
    "RenderedSample",
    "TokenizedSample",
    "TrainingText",
    "apply_schema",
    "chat_template",
    "export",
    "figures",
    "format_samples",
    "ledger",
    "load_chat_template",
    "measure",
    "open_tokenizer",
    "report_html",
    "sample_of",
    "shown",
    "system_messages",
    "talk_of",
    "token_counts",
    "tokenize",
    "tokenize_marked",
    "validate",
    "words_of",
]
