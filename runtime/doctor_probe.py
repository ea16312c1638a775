"""One backend tried in a process of its own, because a wrong library may crash or hang.

python -m runtime.doctor_probe ARTEFACT BACKEND prints one JSON object on stdout.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

TIMEOUT_S = 120.0
REPEATS = 3


def probe(artefact: Path, backend: str, timeout_s: float = TIMEOUT_S) -> dict[str, Any]:
    """What came of one backend: {"name", "ms", "flipped"} when it runs, else {"error"}.

    ms: milliseconds of one inference, the fastest of a few after the first. flipped: largest share
    of wrong pixels in the golden frames, None where there are none.
    """
    command = [sys.executable, "-m", "runtime.doctor_probe", str(artefact), backend]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return {"error": f"no answer within {timeout_s:.0f} s"}
    try:
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        return {"error": _death(done)}
    return result


def measure(artefact: Path, backend: str) -> dict[str, Any]:
    """The same in this process. Raises FloodError."""
    from runtime.backends.choice import generated_input
    from runtime.golden import check_golden, read_golden
    from runtime.model import load_model

    with load_model(artefact, backend, rebuild=False) as model:
        golden = read_golden(artefact, model.manifest)
        flipped = check_golden(golden, model.manifest, model.infer) if golden else None
        inputs = generated_input(model.manifest)
        model.infer(inputs)
        times = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            model.infer(inputs)
            times.append((time.perf_counter() - start) * 1e3)
        return {"name": model.backend.name, "ms": min(times), "flipped": flipped}


def _death(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        return f"crashed with {signal.Signals(-done.returncode).name}; install it for this machine"
    lines = done.stderr.strip().splitlines() or ["it gave no reason"]
    return f"ended with exit code {done.returncode}: {lines[-1]}"


def main() -> None:
    """Entry point of the process."""
    from runtime.errors import FloodError

    artefact, backend = sys.argv[1:]
    try:
        result = measure(Path(artefact), backend)
    except FloodError as error:
        result = {"error": str(error)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
