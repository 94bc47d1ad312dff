"""What a run writes down while it goes on, and the locks that it holds meanwhile."""
