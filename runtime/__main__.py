"""python -m runtime is flood-runtime."""

import os

from runtime.stopping import stop_on_signals


def main() -> None:
    """Entry point of the console script. Signals are heard before anything slow is imported."""
    # NumPy's linear algebra is not used here; its threads would start, spin and take memory.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    with stop_on_signals():
        from runtime import cli

        cli.main()


if __name__ == "__main__":
    main()
