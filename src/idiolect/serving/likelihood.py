"""How likely a GGUF finds a text, computed by llama.cpp itself: what is served is what is judged.

llama.cpp's server states no likelihoods of a prompt. It does return the last hidden state of every token (`/embeddings`
with pooling `none`, not normalized); its product with the file's own output matrix is the logits.
"""

from __future__ import annotations

import json
import secrets
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from idiolect.errors import DataFault, MissingPart, RunFailed
from idiolect.serving.gguf_tensors import Tensor, tensors
from idiolect.serving.in_process import all_threads

if TYPE_CHECKING:
    import numpy as np

    from idiolect.dataset import TokenizedSample

#: Logits that are held at a time.
_LOGITS = 4_000_000


def likelihood_losses(gguf: Path, samples: Sequence[TokenizedSample], threads: int | None = None) -> list[float]:
    """Return the summed loss (nats) of each sample's learned tokens under a model file.

    Raises DataFault for a file that llama.cpp refuses, MissingPart without xllamacpp.
    """
    if not samples:
        return []
    key = secrets.token_urlsafe()
    server = _started(gguf, max(len(s.tokens) for s in samples) + 8, key, threads)
    predicting = [_predicting(_states(server.listening_address, key, s.tokens), s) for s in samples]
    return _summed(predicting, [_targets(s) for s in samples], _output_matrix(gguf))


def _started(gguf: Path, context: int, key: str, threads: int | None) -> Any:
    """Start llama.cpp so that it returns hidden states as they are, for whoever knows the key."""
    try:
        import xllamacpp
    except ModuleNotFoundError as error:
        raise MissingPart("Judging a model file needs xllamacpp.", "Install it: pip install 'idiolect[all]'") from error
    wanted = xllamacpp.CommonParams()
    wanted.model.path = str(gguf)
    wanted.n_ctx = wanted.n_batch = wanted.n_ubatch = context
    wanted.n_parallel = 1
    wanted.cpuparams.n_threads = threads or all_threads()
    wanted.verbosity = 0
    wanted.embedding, wanted.embd_normalize = True, -1
    wanted.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_NONE
    wanted.api_keys = [key]
    try:
        return xllamacpp.Server(wanted)
    except RuntimeError as error:
        raise DataFault(f"{gguf} cannot be loaded: {error}", "Make it again from its run.") from error


def _states(address: str, key: str, tokens: Sequence[int]) -> np.ndarray:
    """Return the last hidden states, (tokens, hidden), from this process' own server on the loopback."""
    import numpy as np

    asked = json.dumps({"input": list(tokens), "embd_normalize": -1}).encode()
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    request = urllib.request.Request(f"{address}/embeddings", asked, headers)  # noqa: S310 - our own address
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            states = np.array(json.load(answer)[0]["embedding"], dtype=np.float32)
    except urllib.error.HTTPError as error:
        raise RunFailed(
            f"llama.cpp cannot read a text of {len(tokens):,} tokens: {error.read().decode(errors='replace')}",
            "Lower max_seq_length to what the base model has room for.",
        ) from error
    if len(states) != len(tokens):
        raise RunFailed(f"llama.cpp saw {len(states)} tokens instead of {len(tokens)}.", "Please report it.")
    return states


def last_states(gguf: Path, texts: Sequence[Sequence[int]], threads: int | None = None) -> np.ndarray:
    """Return the last hidden state of each text's last token, (texts, hidden); each text is its tokens.

    Raises DataFault for a file that llama.cpp refuses, MissingPart without xllamacpp.
    """
    import numpy as np

    key = secrets.token_urlsafe()
    server = _started(gguf, max(map(len, texts)) + 8, key, threads)
    return np.array([_states(server.listening_address, key, tokens)[-1] for tokens in texts])


def _output_matrix(gguf: Path) -> Tensor:
    """Return the tensor that turns hidden states into logits; in a tied model it is that of the embeddings."""
    found = tensors(gguf, {"output.weight", "token_embd.weight"})
    return found.get("output.weight") or found["token_embd.weight"]


def _learned(sample: TokenizedSample) -> list[int]:
    return [i for i, learned in enumerate(sample.learned) if learned and i > 0]


def _predicting(states: np.ndarray, sample: TokenizedSample) -> np.ndarray:
    return states[[i - 1 for i in _learned(sample)]]


def _targets(sample: TokenizedSample) -> list[int]:
    return [sample.tokens[i] for i in _learned(sample)]


def _summed(predicting: Sequence[np.ndarray], targets: Sequence[Sequence[int]], output: Tensor) -> list[float]:
    """Return each sample's summed loss; the output matrix is gone through once, in slabs of rows."""
    import numpy as np
    from gguf.quants import dequantize

    states, wanted = np.concatenate(predicting), np.concatenate([np.array(t, dtype=int) for t in targets])
    total, chosen = np.full(len(wanted), -np.inf, dtype=np.float32), np.zeros(len(wanted), dtype=np.float32)
    rows = max(_LOGITS // max(len(wanted), 1), 256)
    for first in range(0, len(output.rows), rows):
        logits = states @ dequantize(output.rows[first : first + rows], output.type).T
        highest = np.maximum(logits.max(axis=1), total)
        total = highest + np.log(np.exp(total - highest) + np.exp(logits - highest[:, None]).sum(axis=1))
        here = (wanted >= first) & (wanted < first + logits.shape[1])
        chosen[here] = logits[here, wanted[here] - first]
    ends = np.cumsum([len(t) for t in targets])[:-1]
    return [float(own.sum()) for own in np.split((total - chosen).astype(float), ends)]
