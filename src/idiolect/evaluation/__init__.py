"""Whether it sounds like them."""

from idiolect.evaluation.quantization import gguf_loss, unquantized_loss
from idiolect.evaluation.side_by_side import Comparison, side_by_side

__all__ = ["Comparison", "gguf_loss", "side_by_side", "unquantized_loss"]
