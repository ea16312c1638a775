"""Every way to run the same weights, and how each is loaded. Libraries are imported by loaders
only, because each contestant runs in a process of its own (benchmarks.worker)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.errors import BackendError
from runtime.gpu import current_gpu
from runtime.manifest_file import read_manifest
from runtime.model import Model, load_model
from runtime.processor import computes_bf16

Infer = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
CHECKPOINT = "network.safetensors"


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """precision: what most of the arithmetic is done in, by which the limit of the machine and of
    parity are chosen. graph: the artefact's key (benchmarks.graphs), "" for the checkpoint."""

    name: str
    library: str
    precision: str
    graph: str = ""
    device: str = "cpu"
    compiled: bool = False


def _pytorch(name: str, precision: str, **more: Any) -> Contestant:
    return Contestant(name=f"PyTorch {name}", library="torch", precision=precision, **more)


def _graph(name: str, library: str, precision: str, **more: Any) -> Contestant:
    graph = more.pop("graph", precision)
    return Contestant(name=name, library=library, precision=precision, graph=graph, **more)


CONTESTANTS = (
    _pytorch("eager FP32", "fp32"),
    _pytorch("autocast BF16", "bf16"),
    _pytorch("compiled FP32", "fp32", compiled=True),
    _pytorch("compiled BF16", "bf16", compiled=True),
    _graph("ONNX Runtime FP32", "onnxruntime", "fp32"),
    _graph("ONNX Runtime FP16", "onnxruntime", "fp16"),
    _graph("ONNX Runtime INT8", "onnxruntime", "int8"),
    _graph("OpenVINO FP32", "openvino", "fp32"),
    _graph("OpenVINO BF16", "openvino", "bf16", graph="fp32"),
    _graph("OpenVINO INT8", "openvino", "int8"),
    _pytorch("CUDA eager FP32", "fp32", device="cuda"),
    _pytorch("CUDA FP16", "fp16", device="cuda"),
    _pytorch("CUDA compiled FP16", "fp16", device="cuda", compiled=True),
    _graph("ONNX Runtime CUDA FP32", "onnxruntime-cuda", "fp32", device="cuda"),
    _graph("ONNX Runtime CUDA FP16", "onnxruntime-cuda", "fp16", device="cuda"),
    _graph("TensorRT FP16", "tensorrt", "fp16", device="cuda"),
    _graph("TensorRT INT8", "tensorrt", "int8", graph="int8-tensorrt", device="cuda"),
)
"""The first is the reference: its outputs are what all others are held to."""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A contestant that can run. backend: as it names itself."""

    backend: str
    infer: Infer


def lacks(contestant: Contestant, folder: Path) -> str:
    """What keeps a contestant from running, seen without loading anything; "" for nothing."""
    if contestant.device == "cuda" and current_gpu() is None:
        return "no NVIDIA GPU or no driver for it"
    if contestant.precision == "bf16" and not computes_bf16():
        return "this processor does not compute BF16"
    if contestant.graph and not (folder / f"{contestant.graph}.onnx").is_file():
        return f"the export holds no {contestant.graph} graph that fits this size"
    return ""


def load(contestant: Contestant, folder: Path) -> Loaded:
    """Loads a contestant from a contest's folder. Raises BackendError for what this machine lacks,
    other FloodErrors for what is broken."""
    if contestant.library == "torch":
        return _load_torch(contestant, folder / CHECKPOINT)
    path = folder / f"{contestant.graph}.onnx"
    if contestant.library == "tensorrt":
        from runtime.engine import build_engine
        from runtime.engine_plan import plan_engine

        path = build_engine(plan_engine(path))
    if contestant.precision == "bf16":
        from runtime.backends.openvino import OpenVinoBackend

        manifest = read_manifest(path)
        model = Model(manifest, OpenVinoBackend(path, manifest, precision="bf16"), path)
    else:
        model = load_model(path, contestant.library)
    return Loaded(backend=model.backend.name, infer=model.infer)


def _load_torch(contestant: Contestant, checkpoint: Path) -> Loaded:
    """Eager FP32 on the CPU is what the article does; the others are PyTorch at its best."""
    import torch

    from benchmarks.rates import cudnn_at_its_best
    from train.checkpoint import load_checkpoint
    from train.normalise import normalise

    if contestant.device == "cuda" and not torch.cuda.is_available():
        raise BackendError("PyTorch finds no GPU here")
    network, manifest = load_checkpoint(checkpoint)
    network = network.to(contestant.device)
    if contestant.precision != "fp32" or contestant.compiled:
        network = network.to(memory_format=torch.channels_last)
    half = {"fp16": torch.float16, "bf16": torch.bfloat16}.get(contestant.precision)
    on_gpu = contestant.device == "cuda"
    if half and on_gpu:  # autocast would round all weights anew with every call
        network = network.to(half)
    mean, std = (
        torch.tensor(values, device=contestant.device) for values in (manifest.mean, manifest.std)
    )

    def forward(pictures: torch.Tensor) -> torch.Tensor:
        inputs = normalise(pictures, mean, std)
        return network(inputs.to(half) if half and on_gpu else inputs).float()

    if contestant.compiled:
        options = {"triton.cudagraphs": True} if on_gpu else {"freezing": True}
        forward = torch.compile(forward, options=options)

    def infer(inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        pictures = torch.from_numpy(inputs).to(contestant.device)
        lower = torch.autocast("cpu", half) if half and not on_gpu else nullcontext()
        with torch.inference_mode(), cudnn_at_its_best(torch), lower:
            logits: NDArray[np.float32] = forward(pictures).cpu().numpy()
        return logits

    return Loaded(backend=f"torch {torch.__version__} ({contestant.device})", infer=infer)
