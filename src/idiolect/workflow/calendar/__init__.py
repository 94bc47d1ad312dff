"""Runs that nobody waits for: a queue, its workers, and a calendar that fills it."""
