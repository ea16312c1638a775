"""What a run costs beside the network alone: pytest benchmarks/test_pipeline.py --benchmark-only

Ratios within one process, medians of several rounds. FLOOD_EXPORTS names a folder whose graphs are
timed instead of a fresh FP32 VGG19UNet of width 1.0 at 224 x 224 with the resize rule "pyramid";
the default recipe's "area" takes about four times as long and has to be timed with an export of it.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from export.artefacts import FILES, export_graph
from export.frames import proof_frames
from export.int8 import KINDS
from export.proof import prove
from runtime.counts import Counts
from runtime.model import load_model
from runtime.observe import Observation
from runtime.pipeline import Tally, run_pipeline
from runtime.sinks import Outputs, Sinks, open_sinks
from runtime.sources import open_source
from tests.runtime.models import manifest_of
from train.dataset import SYNTHETIC, open_dataset
from train.models import build_model
from train.scenes import generate_scene

ROUNDS = int(os.environ.get("FLOOD_ROUNDS", "5"))
FRAMES = 40
GRAPHS = {"fp32": FILES["fp32"], "int8": KINDS["cpu"].file}
ALONE_TO_FILE, ALONE_TO_OVERLAY = 1.05, 1.15
START_UP_S, MEMORY_MB = 1.2, 450
ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Speed does not depend on the weights, so untrained ones serve."""
    if folder := os.environ.get("FLOOD_EXPORTS"):
        return Path(folder)
    folder_path = tmp_path_factory.mktemp("exports")
    torch.manual_seed(0)
    network = build_model("vgg19unet", 1.0).eval()
    with torch.no_grad():
        network.get_submodule("layer1").bias.fill_(3.0)
    manifest = manifest_of((224, 224), model="vgg19unet", width=1.0, resize="pyramid")
    proof = prove(network, manifest, proof_frames(open_dataset(SYNTHETIC), manifest, count=1))
    export_graph(network, manifest, "fp32", folder_path, proof)
    return folder_path


@pytest.fixture(params=GRAPHS)
def artefact(exports: Path, request: pytest.FixtureRequest) -> Path:
    path = exports / GRAPHS[request.param]
    if not path.is_file():
        pytest.skip(f"{exports} holds no {path.name}; name a folder that does in FLOOD_EXPORTS")
    return path


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
    """A sink that notes when each frame arrives."""

    name = "stamps"

    def __init__(self) -> None:
        self.times_s: list[float] = []

    def write(self, observation: Observation, counts: Counts) -> None:
        self.times_s.append(time.perf_counter())

    def flush(self) -> None:
        return None

    def close(self) -> None:
        return None


def pipeline_s(film: Path, model: Any, outputs: Outputs) -> float:
    """Seconds per frame of a whole run, once it is under way."""
    stamps = Stamps()
    with open_source(str(film)) as source, open_sinks(outputs, source.info) as sinks:
        sinks.lanes += Sinks([stamps], live=False).lanes
        run_pipeline(source, model, sinks, Tally(), max_frames=FRAMES)
    return (stamps.times_s[-1] - stamps.times_s[0]) / (FRAMES - 1)


def alone_s(model: Any, inputs: np.ndarray) -> float:
    """Seconds per frame of the network alone."""
    start = time.perf_counter()
    for _ in range(FRAMES // 2):
        model.infer(inputs)
    return (time.perf_counter() - start) / (FRAMES // 2)


@pytest.mark.parametrize(
    ("overlay", "allowed"),
    [(False, ALONE_TO_FILE), (True, ALONE_TO_OVERLAY)],
    ids=["file", "overlay"],
)
def test_a_film_costs_little_more_than_the_network_alone(
    benchmark: Any, artefact: Path, film: Path, tmp_path: Path, overlay: bool, allowed: float
) -> None:
    outputs = Outputs(video=tmp_path / "overlay.mp4") if overlay else Outputs()
    ratios = []
    with load_model(artefact, "onnxruntime") as model:
        height, width = model.manifest.input_size
        inputs = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), np.uint8)
        alone_s(model, inputs)
        for number in range(ROUNDS):
            before = alone_s(model, inputs)
            if number == 0:
                run = benchmark.pedantic(pipeline_s, (film, model, outputs), rounds=1)
            else:
                run = pipeline_s(film, model, outputs)
            ratios.append(run / statistics.mean((before, alone_s(model, inputs))))
    ratio = statistics.median(ratios)
    benchmark.extra_info["ratio to the network alone"] = round(ratio, 3)
    assert ratio <= allowed, [round(each, 3) for each in ratios]


def flood_runtime(*arguments: object) -> float:
    """Runs a process and returns its largest resident megabytes, as the kernel counts them."""
    largest_kb = 0
    with subprocess.Popen(
        [sys.executable, "-m", "runtime", *map(str, arguments)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None:
            status = Path(f"/proc/{process.pid}/status").read_text()
            if peak := re.search(r"VmHWM:\s+(\d+) kB", status):
                largest_kb = int(peak[1])
            time.sleep(0.02)
    assert process.returncode == 0
    return largest_kb * 1024 / 1e6


def test_the_first_mask_comes_soon_after_the_start(
    benchmark: Any, exports: Path, film: Path, tmp_path: Path
) -> None:
    """Counts the end of the process, too."""
    arguments = ("--source", film, "--model", exports / GRAPHS["fp32"], "--max-frames", 1)
    outputs = ("--backend", "onnxruntime", "--masks", tmp_path / "masks")
    benchmark.pedantic(flood_runtime, (*arguments, *outputs), rounds=ROUNDS, warmup_rounds=1)
    assert benchmark.stats.stats.median <= START_UP_S


def test_memory_stays_small(benchmark: Any, exports: Path, film: Path, tmp_path: Path) -> None:
    arguments = ("--source", film, "--model", exports / GRAPHS["fp32"], "--max-frames", 60)
    outputs = ("--backend", "onnxruntime", "--masks", tmp_path / "masks")
    memory_mb = benchmark.pedantic(
        flood_runtime, (*arguments, *outputs, "--log", tmp_path / "frames.jsonl"), rounds=1
    )
    benchmark.extra_info["resident MB"] = round(memory_mb)
    assert memory_mb <= MEMORY_MB
