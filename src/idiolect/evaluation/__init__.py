"""Whether it sounds like them."""

from idiolect.evaluation.side_by_side import Comparison, side_by_side

__all__ = ["Comparison", "side_by_side"]
