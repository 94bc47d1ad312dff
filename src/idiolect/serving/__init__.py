"""A GGUF that talks: in process, over an endpoint like OpenAI's, in Ollama; and whether it sees what training saw."""

from idiolect.serving import ollama
from idiolect.serving.checked_by import check_again, note_checked
from idiolect.serving.continuation import continuation
from idiolect.serving.conversation import Fitted, within
from idiolect.serving.endpoint import Offered, endpoint
from idiolect.serving.go_template import go_template
from idiolect.serving.in_process import CONTEXT, Model, all_threads, engine, load
from idiolect.serving.likelihood import last_states, likelihood_losses
from idiolect.serving.modelfile import modelfile
from idiolect.serving.parity import TALKS, by_llama_cpp, by_server, by_training, differences, never_stops, trained
from idiolect.serving.reply import Reply, reply
from idiolect.serving.sampling import Sampling
from idiolect.serving.shelf import Shelf

__all__ = [
    "CONTEXT",
    "TALKS",
    "Fitted",
    "Model",
    "Offered",
    "Reply",
    "Sampling",
    "Shelf",
    "all_threads",
    "by_llama_cpp",
    "by_server",
    "by_training",
    "check_again",
    "continuation",
    "differences",
    "endpoint",
    "engine",
    "go_template",
    "last_states",
    "likelihood_losses",
    "load",
    "modelfile",
    "never_stops",
    "note_checked",
    "ollama",
    "reply",
    "trained",
    "within",
]
