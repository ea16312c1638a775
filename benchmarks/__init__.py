"""The backends side by side on the same frames: `pytest benchmarks --benchmark-only`."""
