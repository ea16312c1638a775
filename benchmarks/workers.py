"""Processes that each run one contestant (benchmarks.worker), seen from the contest."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(kw_only=True)
class Worker:
    """A process that answers (benchmarks.worker). ready: its first answer."""

    process: subprocess.Popen[str]
    log: Path
    ready: dict[str, Any] = field(default_factory=dict)
    answers: list[dict[str, Any]] = field(default_factory=list)
    joules: float = 0.0

    def ask(self, command: str = "") -> dict[str, Any]:
        """Its next answer; {"broken": why} from a process that has died."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            if command:
                print(command, file=self.process.stdin, flush=True)
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        said = self.log.read_text(errors="replace").strip().splitlines() or ["nothing"]
        code = self.process.wait()
        return {"broken": f"its process ended with code {code} and said: {said[-1]}"}


@contextmanager
def open_worker(task: dict[str, Any], threads: int) -> Iterator[Worker]:
    """A process that has loaded its task, or has said why it cannot."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "stderr"
        with log.open("w") as errors:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "benchmarks.worker",
                    json.dumps({**task, "threads": threads}),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
            )
        with process:
            worker = Worker(process=process, log=log)
            worker.ready = worker.ask()
            try:
                yield worker
            finally:
                process.kill()
