"""How every command line of the project speaks: one error line on stderr, results on stdout."""

from __future__ import annotations

import sys
from typing import NoReturn, cast

import typer

from runtime.errors import FloodError
from runtime.redaction import redact, redact_message
from runtime.stopping import unwind_on_sigterm

WrongUsage = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[2])
"""Base of typer's own errors, from whichever Click; they quote what was typed, maybe a password."""


def say(message: str) -> None:
    """Prints one line of progress or advice on stderr, without the passwords of addresses in it;
    stdout is kept for results."""
    print(redact_message(message), file=sys.stderr, flush=True)


def run(app: typer.Typer) -> NoReturn:
    """Runs a command line: exit 0 done, 1 a FloodError in one line, 2 wrong usage, 130 Ctrl-C,
    143 SIGTERM."""
    unwind_on_sigterm()
    try:
        code = app(standalone_mode=False)
    except WrongUsage as error:
        error.message = redact(_one_line(error.message))
        error.show()
        sys.exit(error.exit_code)
    except typer.Abort:
        sys.exit(130)
    except FloodError as error:
        say(f"error: {_one_line(str(error))}")
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        say(f"error: {error.strerror or error}: {error.filename or 'no file named'}")
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def _one_line(message: str) -> str:
    return " ".join(message.split())
