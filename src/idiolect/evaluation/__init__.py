"""Whether it sounds like them, whether it forgot, whether it leaks: evaluation.json, report.html, and a verdict."""

from idiolect.evaluation.answers import Answers
from idiolect.evaluation.blind import Pair, pairs, score
from idiolect.evaluation.evaluate import evaluate, trained
from idiolect.evaluation.evaluated import Blind, Evaluation, MadeOf, Month, Parity, read_evaluation
from idiolect.evaluation.fidelity import known
from idiolect.evaluation.model_files import ModelFile, advice
from idiolect.evaluation.months import month
from idiolect.evaluation.probes import planted, probes
from idiolect.evaluation.quantization import gguf_loss, unquantized_loss
from idiolect.evaluation.report import report_html
from idiolect.evaluation.served import Earlier, Evaluated
from idiolect.evaluation.still_known import StillKnown, still_known
from idiolect.evaluation.verdict import Thresholds, Verdict, verdict

__all__ = [
    "Answers",
    "Blind",
    "Earlier",
    "Evaluated",
    "Evaluation",
    "MadeOf",
    "ModelFile",
    "Month",
    "Pair",
    "Parity",
    "StillKnown",
    "Thresholds",
    "Verdict",
    "advice",
    "evaluate",
    "gguf_loss",
    "known",
    "month",
    "pairs",
    "planted",
    "probes",
    "read_evaluation",
    "report_html",
    "score",
    "still_known",
    "trained",
    "unquantized_loss",
    "verdict",
]
