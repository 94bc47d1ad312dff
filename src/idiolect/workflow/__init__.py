"""The cycles: what is asked before the first step, the steps in their order, what is written down."""
