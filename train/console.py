"""The one rich console of training: progress bars and lines on stderr."""

from __future__ import annotations

from rich.console import Console

console = Console(stderr=True, highlight=False, soft_wrap=True)
quiet = not console.is_terminal
"""Whether stderr is a log file or a pipe: then lines only, no progress bars."""
