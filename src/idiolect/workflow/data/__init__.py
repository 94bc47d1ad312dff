"""From memories to a data set: what comes in, the steps that make it, and what a person decides by hand."""
