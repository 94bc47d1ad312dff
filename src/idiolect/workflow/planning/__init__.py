"""All that is decided before the first step, and what it will take."""
