"""A GGUF that talks: in process, and as a Modelfile for Ollama."""

from idiolect.serving.in_process import Reply, Sampling, load, reply
from idiolect.serving.modelfile import modelfile

__all__ = ["Reply", "Sampling", "load", "modelfile", "reply"]
