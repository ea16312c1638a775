"""How every command line of the project speaks: one error line on stderr, results on stdout."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

from runtime.errors import FloodError

if TYPE_CHECKING:
    import typer


def say(message: str) -> None:
    """Prints one line of progress or advice on stderr; stdout is kept for results."""
    print(message, file=sys.stderr, flush=True)


def run(app: typer.Typer) -> NoReturn:
    """Runs a command line: exit 0 done, 1 a FloodError in one line, 2 wrong usage, 130 Ctrl-C."""
    try:
        app(standalone_mode=True)
    except FloodError as error:
        say(f"error: {' '.join(str(error).split())}")
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        say(f"error: {error.strerror or error}: {error.filename or 'no file named'}")
        sys.exit(1)
    sys.exit(0)
