"""What runs have left: their summaries, how they stand, which is published, what can go."""
