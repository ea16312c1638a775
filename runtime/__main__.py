"""python -m runtime is flood-runtime."""

from runtime.stopping import stop_on_signals


def main() -> None:
    """Entry point of the console script. Signals are heard before anything slow is imported."""
    with stop_on_signals():
        from runtime import cli

        cli.main()


if __name__ == "__main__":
    main()
