"""What is measured, and written down in docs/performance.md."""
