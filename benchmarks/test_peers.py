"""What a user would pick instead, in the same minutes: pytest benchmarks/test_peers.py.

FLOOD_PEERS names the environment that `python -m benchmarks.peers DIR` has made.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.conftest import Record
from benchmarks.contestants import CHECKPOINT
from benchmarks.graphs import resize
from benchmarks.workers import open_worker
from runtime.errors import FloodError
from runtime.images import Frame
from runtime.model import Model, load_model
from runtime.observe import observe
from train.scenes import generate_scene

SIZE = (224, 224)
FULL_HD = (1080, 1920)
ROUNDS = int(os.environ.get("FLOOD_ROUNDS", "5"))
BURST_S = 3
OPENVINOS_OWN = 1.05
LOOP = Path(__file__).parent / "peers" / "ultralytics_loop.py"


@pytest.fixture(scope="module")
def graphs(record: Record, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The entry's graphs at one size, for one frame."""
    folder = tmp_path_factory.mktemp("graphs")
    resize(record.entry.artefacts, 1, SIZE, folder)
    return folder


@pytest.fixture(scope="module")
def frames() -> np.ndarray:
    """(N, H, W, 3) uint8 BGR, as a camera gives them."""
    scenes = [generate_scene(seed, FULL_HD).image[..., ::-1] for seed in range(4)]
    return np.ascontiguousarray(np.stack(scenes))


def ours(graphs: Path) -> Model:
    """The fastest that the runtime has here."""
    for name in ("int8", "fp32"):
        if (path := graphs / f"{name}.onnx").is_file():
            return load_model(path)
    pytest.skip("the export holds neither an INT8 nor an FP32 graph of this size")


def keep(record: Record, name: str, what: str, theirs: list[float], ours: list[float]) -> float:
    """Records medians in milliseconds and returns the median ratio of ours to theirs."""
    record.peers[name] = {
        "what": what,
        "theirs_ms": round(statistics.median(theirs), 3),
        "ours_ms": round(statistics.median(ours), 3),
    }
    return statistics.median(o / t for o, t in zip(ours, theirs, strict=True))


def milliseconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return 1e3 * (time.perf_counter() - start)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_openvinos_own_tool_is_not_faster(
    benchmark: Any, record: Record, graphs: Path, precision: str
) -> None:
    pytest.importorskip("openvino", reason="OpenVINO is not installed")
    path = graphs / f"{precision}.onnx"
    if not path.is_file():
        pytest.skip(f"the export holds no {precision} graph of this size")
    generator = np.random.default_rng(0)
    np.save(graphs / "frames.npy", generator.integers(0, 256, (4, 1, *SIZE, 3), np.uint8))
    contestant = {"name": "", "library": "openvino", "precision": precision, "graph": precision}
    task = {"contestant": contestant, "folder": str(graphs)}
    theirs, mine = [], []

    def burst(worker: Any) -> float:
        end = time.perf_counter() + BURST_S
        taken = []
        while time.perf_counter() < end:
            taken.append(worker.ask(f"infer {len(taken) % 4}")["ms"])
        return statistics.median(taken)

    with open_worker(task, record.plan.threads) as worker:
        burst(worker)
        for number in range(ROUNDS):
            theirs.append(benchmark_app(path, record.plan.threads))
            work = benchmark.pedantic if number == 0 else lambda call, arguments: call(*arguments)
            mine.append(work(burst, (worker,)))
    what = f"OpenVINO on our {precision.upper()} graph, a frame"
    ratio = keep(record, f"OpenVINO's benchmark_app, {precision.upper()}", what, theirs, mine)
    benchmark.extra_info["ours to theirs"] = round(ratio, 3)
    assert ratio <= OPENVINOS_OWN, (mine, theirs)


def benchmark_app(graph: Path, threads: int) -> float:
    """Median milliseconds of a frame, as OpenVINO's own tool measures them."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(str(Path(sys.executable).with_name("benchmark_app")), "-m", str(graph)),
            *("-api", "sync", "-infer_precision", "f32", "-t", str(BURST_S)),
            # The tool takes a number of threads without a hint only; one stream is for latency.
            *("-hint", "none", "-nstreams", "1", "-nthreads", str(threads)),
            *("-json_stats", "-report_type", "no_counters", "-report_folder", folder),
        ]
        subprocess.run(command, check=True, capture_output=True)
        told = json.loads((Path(folder) / "benchmark_report.json").read_text())
    return float(told["execution_results"]["latency (ms)"])


def test_beside_the_article(
    benchmark: Any, record: Record, graphs: Path, frames: np.ndarray
) -> None:
    """A frame of 1080p to its mask: the article's loop in its precision, ours in its best."""
    from benchmarks.peers.article import ArticleLoop

    record.entry.write_checkpoint(graphs / CHECKPOINT)
    loop = ArticleLoop(graphs / CHECKPOINT, SIZE)
    theirs, mine = [], []
    with ours(graphs) as model:

        def look() -> Any:
            return observe(Frame(image=frames[0], index=0, timestamp_s=0.0, name="0"), model)

        look(), loop.look(frames[0])
        benchmark.pedantic(look, rounds=1)
        for number in range(4 * ROUNDS):
            frame = frames[number % len(frames)]
            theirs.append(milliseconds(lambda frame=frame: loop.look(frame)))  # type: ignore[misc]
            mine.append(milliseconds(look))
    what = "a frame of 1080p to its mask, theirs in FP32, ours in INT8 where it is exported"
    keep(record, "PyTorch as in the article", what, theirs, mine)


def test_beside_ultralytics(
    benchmark: Any, record: Record, graphs: Path, frames: np.ndarray, tmp_path: Path
) -> None:
    """Only what a frame of 1080p costs outside the network, since the networks differ."""
    folder = os.environ.get("FLOOD_PEERS")
    if not folder:
        pytest.skip("FLOOD_PEERS names no environment; make one with python -m benchmarks.peers")
    np.save(tmp_path / "frames.npy", frames)
    python, threads = Path(folder) / "bin" / "python", str(record.plan.threads)
    command = [str(python), str(LOOP), str(tmp_path / "frames.npy"), *map(str, SIZE), threads]
    theirs, mine = [], []
    with (
        ours(graphs) as model,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path
        ) as process,
    ):
        assert process.stdin is not None and process.stdout is not None
        first = process.stdout.readline()
        if not first:
            raise FloodError(f"{python} cannot run Ultralytics; make the environment anew")
        name = json.loads(first)["name"]

        def look(number: int) -> float:
            image = frames[number % len(frames)]
            frame = Frame(image=image, index=number, timestamp_s=0.0, name=str(number))
            seen = observe(frame, model)
            return sum(ms for stage, ms in seen.stage_ms.items() if stage not in ("read", "infer"))

        benchmark.pedantic(look, (0,), rounds=1)
        for number in range(4 * ROUNDS):
            print("next", file=process.stdin, flush=True)
            answer = json.loads(process.stdout.readline())
            theirs.append(answer["total_ms"] - answer["network_ms"])
            mine.append(look(number))
        process.stdin.close()
    keep(record, name, "a frame of 1080p, all but the network", theirs, mine)
