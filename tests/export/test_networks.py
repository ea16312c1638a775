"""Networks beside VGG19UNet: one graph, the same logits everywhere, taken by TensorRT's parser."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from export.artefacts import DTYPES, export_graph, prepare_manifest
from export.frames import proof_frames
from export.graph import ExportedNetwork, to_bytes, trace
from export.half import half_layers
from export.proof import prove
from export.reference import reference_logits
from runtime import cli
from runtime.manifest import Manifest
from runtime.manifest_file import write_manifest
from runtime.model import load_model
from runtime.sinks.masks import encode_mask
from train import smp
from train.dataset import open_dataset
from train.models import build_model

NETWORKS = [("unet", 0.0625, (96, 112)), ("smp:Segformer/mit_b0", 1.0, (64, 96))]


def _graph(
    manifest: Manifest, name: str, width: float, size: tuple[int, int], precision: str
) -> tuple[onnx.ModelProto, np.ndarray, np.ndarray]:
    """The graph, a frame and what PyTorch makes of it."""
    if name.startswith(smp.PREFIX) and importlib.util.find_spec(smp.LIBRARY) is None:
        pytest.skip(f"segmentation_models.pytorch is not installed ({smp.INSTALL})")
    torch.manual_seed(0)
    network = build_model(name, width).eval()
    described = dataclasses.replace(manifest, model=name, width=width, input_size=size, batch=1)
    frame = np.random.default_rng(0).integers(0, 256, (1, *size, 3), dtype=np.uint8)
    exported = ExportedNetwork(network, described, DTYPES[precision])
    return trace(exported, described), frame, reference_logits(network, described, frame)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
@pytest.mark.parametrize(("name", "width", "size"), NETWORKS)
def test_every_engine_takes_the_graph_and_gives_the_same_logits(
    manifest: Manifest,
    tmp_path: Path,
    name: str,
    width: float,
    size: tuple[int, int],
    precision: str,
) -> None:
    graph, frame, expected = _graph(manifest, name, width, size, precision)
    allowed = (1e-4 if precision == "fp32" else 5e-3) * max(1.0, float(np.ptp(expected)))
    content = to_bytes(graph)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"input": frame})[0], expected, atol=allowed)
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    openvino = pytest.importorskip("openvino")
    compiled = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    np.testing.assert_allclose(compiled(frame)[0], expected, atol=allowed)
    half, nodes = half_layers(graph)
    assert half >= 0.9 * nodes if precision == "fp16" else half == 0
    tensorrt = pytest.importorskip("tensorrt_rtx")
    logger = tensorrt.Logger(tensorrt.Logger.ERROR)
    flags = 1 << int(tensorrt.NetworkDefinitionCreationFlag.STRONGLY_TYPED)
    network = tensorrt.Builder(logger).create_network(flags)
    parser = tensorrt.OnnxParser(network, logger)
    assert parser.parse(content), [parser.get_error(i).desc() for i in range(parser.num_errors)]


def test_nested_skips_on_a_vgg_are_exported_in_half(
    manifest: Manifest, photographs: Path, tmp_path: Path
) -> None:
    name = "smp:UnetPlusPlus/vgg11"  # the family of VGG19, in a third of its time
    if importlib.util.find_spec(smp.LIBRARY) is None:
        pytest.skip(f"segmentation_models.pytorch is not installed ({smp.INSTALL})")
    torch.manual_seed(0)
    network = build_model(name, 1.0).eval()
    with torch.no_grad():
        network.segmentation_head[0].bias += 1  # untrained logits are all about the threshold
    described = dataclasses.replace(manifest, model=name, width=1.0, input_size=(32, 64), batch=1)
    proof = prove(network, described, proof_frames(open_dataset(str(photographs)), described))
    exported = export_graph(network, described, "fp16", tmp_path, proof)
    assert exported.certificate.passed
    half, layers = exported.manifest.half_layers["graph"]
    assert half / layers > 0.9
    frame = np.zeros((1, 32, 64, 3), np.uint8)
    with load_model(exported.path, "onnxruntime") as model:
        assert model.infer(frame).dtype == np.float32


def test_a_layer_that_runs_twice_has_two_nodes_with_names_of_their_own(manifest: Manifest) -> None:
    graph, _, _ = _graph(manifest, "unet", 0.0625, (96, 96), "fp32")
    names = [node.name for node in graph.graph.node]
    assert len(set(names)) == len(names)
    assert {"pool", "pool_2", "pool_3", "pool_4", "down.0.0", "layer1"} <= set(names)


@pytest.mark.parametrize(
    ("network", "size", "told"),
    [
        (NETWORKS[0], (80, 96), "size 80 is too small for this network; nearest: 96 or 112"),
        (NETWORKS[1], (64, 48), "size 48 is no multiple of 32; nearest: 32 or 64"),
    ],
)
def test_a_graph_of_any_size_travels_with_the_sizes_that_its_network_takes(
    manifest: Manifest,
    tmp_path: Path,
    command: Callable[..., tuple[int, str, str]],
    network: tuple[str, float, tuple[int, int]],
    size: tuple[int, int],
    told: str,
) -> None:
    name, width, usual = network
    if name.startswith(smp.PREFIX):
        pytest.importorskip(smp.LIBRARY)
    trained = dataclasses.replace(manifest, model=name, width=width, input_size=usual)
    described = prepare_manifest(trained, usual, 1, dynamic_size=True)
    path = tmp_path / "model.onnx"
    graph = trace(ExportedNetwork(build_model(name, width), described), described)
    path.write_bytes(to_bytes(graph))
    write_manifest(described, path)
    text = "{}x{}".format(*size)
    code, _, err = command(cli.app, "build", path, "--size", text)
    assert (code, err) == (1, f"error: {told}\n")
    (tmp_path / "frame.png").write_bytes(encode_mask(np.ones((4, 6), bool)))
    options = ("--source", tmp_path / "frame.png", "--input-size", text)
    code, _, err = command(cli.app, "--model", path, *options)
    assert (code, err) == (1, f"error: {told}\n")
    other = (128, 160)
    with load_model(path, "onnxruntime", input_size=other) as model:
        assert model.infer(np.zeros((1, *other, 3), np.uint8)).shape == (1, 1, *other)
