"""python -m runtime is flood-runtime."""

from runtime.cli import main

main()
