"""Makes the environment in which peers are measured: python -m benchmarks.peers DIR.

It sees the project's own packages, so that Ultralytics runs on the same PyTorch and OpenCV.
"""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Annotated

import typer

from runtime.console import run, say
from runtime.errors import BackendError
from runtime.files import write_text

WANTED = Path(__file__).with_name("requirements.txt")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def make(folder: Annotated[Path, typer.Argument(help="Where the environment is to lie.")]) -> None:
    """Create the environment, about 200 MB."""
    uv = [sys.executable, "-m", "uv"]
    python = folder / "bin" / "python"
    _call([*uv, "venv", "--quiet", "--python", sys.executable, str(folder)])
    _call(
        [*uv, "pip", "install", "--quiet", "--no-deps", "--python", str(python), "-r", str(WANTED)]
    )
    inside = next(folder.glob("lib/python*/site-packages"))
    write_text(inside / "project.pth", sysconfig.get_path("purelib") + "\n")
    say(f"FLOOD_PEERS={folder} pytest benchmarks/test_peers.py --benchmark-only")


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise BackendError(f"'{' '.join(command[2:])}' failed and said: {said}")


if __name__ == "__main__":
    run(app)
