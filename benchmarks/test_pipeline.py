"""What a run costs beside the network alone: pytest benchmarks/test_pipeline.py --benchmark-only

Ratios within one process, medians of several rounds. FLOOD_EXPORTS names an export that is timed at
224 x 224 instead of a fresh FP32 VGG19UNet of width 1.0 with the resize rule "pyramid"; only then
are the numbers kept. "area" takes about four times as long as "pyramid".
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from benchmarks.conftest import Record
from benchmarks.device import installed_mb
from benchmarks.environment import named_exports
from benchmarks.graphs import find_artefacts, resize
from benchmarks.worker import peak_memory_mb
from export.artefacts import export_graph
from export.frames import proof_frames
from export.proof import prove
from runtime.counts import Counts
from runtime.gpu import current_gpu
from runtime.in_order import in_order
from runtime.model import load_model
from runtime.observe import Observation
from runtime.pipeline import run_pipeline
from runtime.sinks import Outputs, Sinks, open_sinks
from runtime.sources import open_source
from runtime.tally import Tally
from tests.runtime.models import manifest_of
from train.dataset import SYNTHETIC, open_dataset
from train.models import build_model
from train.scenes import generate_scene

ROUNDS = int(os.environ.get("FLOOD_ROUNDS", "3"))
FRAMES = 30
SIZE = (224, 224)
CUDA = "onnxruntime-cuda"
RUNS = [("onnxruntime", "fp32"), ("onnxruntime", "int8"), ("openvino", "int8"), (CUDA, "fp16")]
NAMES = {"onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", CUDA: "ONNX Runtime CUDA"}
NAMED = named_exports()
ALONE_TO_MASKS, ALONE_TO_OVERLAY = 1.05, 1.15
START_UP_S = 1.2
MEMORY_MB = {"masks and JSONL": 450, "overlay video": 470}
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Speed does not depend on the weights, so untrained ones serve."""
    folder = tmp_path_factory.mktemp("exports")
    if NAMED:
        resize(find_artefacts(NAMED[0]), 1, SIZE, folder)
        return folder
    torch.manual_seed(0)
    network = build_model("vgg19unet", 1.0).eval()
    with torch.no_grad():
        network.get_submodule("layer1").bias.fill_(3.0)
    manifest = manifest_of(SIZE, model="vgg19unet", width=1.0, resize="pyramid")
    proof = prove(network, manifest, proof_frames(open_dataset(SYNTHETIC), manifest, count=1))
    resize({"fp32": export_graph(network, manifest, "fp32", folder, proof).path}, 1, SIZE, folder)
    return folder


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1080p30 in H.264 as cameras record it, 5 s."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    scene = generate_scene(0, (1080, 1920)).image
    with av.open(path, "w") as container:
        stream: Any = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for index in range(150):
            picture = np.ascontiguousarray(np.roll(scene, 4 * index, axis=1))
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


class Stamps:
    """A sink that notes when each frame arrives, and what its stages took."""

    name = "stamps"

    def __init__(self) -> None:
        self.times_s: list[float] = []
        self.stage_ms: Counter[str] = Counter()

    def write(self, observation: Observation, counts: Counts) -> None:
        self.times_s.append(time.perf_counter())
        self.stage_ms.update(observation.stage_ms)

    def flush(self) -> None:
        return None

    def end(self, counts: Counts) -> None:
        return None

    def close(self) -> None:
        return None


def pipeline_s(film: Path, model: Any, outputs: Outputs, stamps: Stamps) -> float:
    """Seconds per frame of a whole run, once it is under way."""
    with open_source(str(film)) as source, open_sinks(outputs, source.info) as sinks:
        sinks.lanes += Sinks([stamps], live=False).lanes
        run_pipeline(source, model, sinks, Tally(), max_frames=FRAMES)
    return (stamps.times_s[-1] - stamps.times_s[-FRAMES]) / (FRAMES - 1)


def alone_s(model: Any, inputs: np.ndarray) -> float:
    """Seconds per frame of the network alone, with as many calls at once as a run makes, from the
    first answer to the last, as a run is timed."""
    given = in_order(model.infer, [inputs] * FRAMES, model.in_flight)
    times_s = [time.perf_counter() for _ in given]
    return (times_s[-1] - times_s[0]) / (FRAMES - 1)


@pytest.mark.parametrize("kind", ["masks and JSONL", "overlay video"])
@pytest.mark.parametrize(("backend", "precision"), RUNS)
def test_a_film_costs_little_more_than_the_network_alone(
    benchmark: Any,
    record: Record,
    exports: Path,
    film: Path,
    tmp_path: Path,
    backend: str,
    precision: str,
    kind: str,
) -> None:
    artefact = exports / f"{precision}.onnx"
    if not artefact.is_file():
        pytest.skip(f"no {precision} graph here; name an export that has one in FLOOD_EXPORTS")
    if backend == CUDA and current_gpu() is None:
        pytest.skip("no NVIDIA GPU or no driver for it")
    outputs = Outputs(masks=tmp_path / "masks", log=tmp_path / "frames.jsonl")
    if kind == "overlay video":
        outputs = Outputs(video=tmp_path / "overlay.mp4")
    ratios, paces, stamps = [], [], Stamps()
    with load_model(artefact, backend, throughput=True) as model:
        inputs = np.random.default_rng(0).integers(0, 256, (1, *SIZE, 3), np.uint8)
        alone_s(model, inputs)
        for number in range(ROUNDS):
            before = alone_s(model, inputs)
            if number == 0:
                run = benchmark.pedantic(pipeline_s, (film, model, outputs, stamps), rounds=1)
            else:
                run = pipeline_s(film, model, outputs, stamps)
            paces.append(run)
            ratios.append(run / statistics.mean((before, alone_s(model, inputs))))
    ratio = statistics.median(ratios)
    benchmark.extra_info["ratio to the network alone"] = round(ratio, 3)
    if NAMED:
        frames = len(stamps.times_s)
        record.pipeline.setdefault("films", {})[f"{NAMES[backend]} {precision.upper()}, {kind}"] = {
            "fps": round(1 / statistics.median(paces), 2),
            "ratio": round(ratio, 3),
            "ratios": sorted(round(each, 3) for each in ratios),
            "stage_ms": {name: round(ms / frames, 2) for name, ms in stamps.stage_ms.items()},
        }
    allowed = ALONE_TO_OVERLAY if kind == "overlay video" else ALONE_TO_MASKS
    if backend == CUDA:
        return  # decoding takes several times what a GPU takes for the network: nothing promised
    assert ratio <= allowed, [round(each, 3) for each in ratios]


def flood_runtime(*arguments: object) -> float:
    """Runs a process and returns its largest resident megabytes, as the kernel counts them."""
    largest_mb = 0.0
    with subprocess.Popen(
        [sys.executable, "-m", "runtime", *map(str, arguments)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None:
            largest_mb = peak_memory_mb(process.pid) or largest_mb
            time.sleep(0.02)
    assert process.returncode == 0
    return largest_mb


def first_mask_s(film: Path, model: tuple[object, ...], folder: Path) -> float:
    """Seconds from the start of a process to its first mask, with the bytecode of earlier ones
    beside `folder`, as pip leaves it in an installation."""
    shutil.rmtree(folder, ignore_errors=True)
    compiled = {"PYTHONPYCACHEPREFIX": str(folder.with_name("bytecode"))}
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    arguments = ("--source", film, *model, "--max-frames", 1, "--masks", folder)
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "runtime", *map(str, arguments)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        env=environment | compiled,
    ) as process:
        while not any(folder.glob("*.png")):
            assert process.poll() in (None, 0)
            time.sleep(0.002)
        return time.perf_counter() - start


@pytest.mark.parametrize("model", ["FP32, ONNX Runtime", "the model that ships"])
def test_the_first_mask_comes_soon_after_the_start(
    benchmark: Any, record: Record, exports: Path, film: Path, tmp_path: Path, model: str
) -> None:
    options: tuple[object, ...] = ()
    if model.startswith("FP32"):
        options = ("--model", exports / "fp32.onnx", "--backend", "onnxruntime")
    arguments = (film, options, tmp_path / "masks")
    benchmark.pedantic(first_mask_s, arguments, rounds=1)
    seconds = statistics.median(first_mask_s(*arguments) for _ in range(2 * ROUNDS))
    benchmark.extra_info["seconds to the first mask"] = round(seconds, 2)
    if NAMED:
        record.pipeline.setdefault("first_mask_s", {})[model] = round(seconds, 2)
    assert seconds <= START_UP_S


@pytest.mark.parametrize("kind", MEMORY_MB)
def test_memory_stays_small(
    benchmark: Any, record: Record, exports: Path, film: Path, tmp_path: Path, kind: str
) -> None:
    arguments = ("--source", film, "--model", exports / "fp32.onnx", "--max-frames", 60)
    outputs: tuple[object, ...] = ("--save", tmp_path / "overlay.mp4")
    if kind == "masks and JSONL":
        outputs = ("--masks", tmp_path / "masks", "--log", tmp_path / "frames.jsonl")
    memory_mb = benchmark.pedantic(
        flood_runtime, (*arguments, "--backend", "onnxruntime", *outputs), rounds=1
    )
    benchmark.extra_info["resident MB"] = round(memory_mb)
    if NAMED and kind == "masks and JSONL":
        record.pipeline["memory_mb"] = round(memory_mb)
        record.pipeline["installed_mb"] = round(installed_mb())
    assert memory_mb <= MEMORY_MB[kind]
