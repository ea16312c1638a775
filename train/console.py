"""The one rich console of training: progress bars and lines on stderr."""

from __future__ import annotations

from rich.console import Console

console = Console(stderr=True, highlight=False)
