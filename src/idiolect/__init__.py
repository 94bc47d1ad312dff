"""Idiolect: a language model that speaks as one person does, trained on that person's own memories."""

__version__ = "0.1.0"
