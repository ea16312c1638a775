"""Damaged manifests, certificates, graphs and checkpoints: one clear error or the truth, never a
traceback, a crash or a hang."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from runtime.backends import load_backend
from runtime.certificate import certificate_path, read_certificate
from runtime.engine_library import find_builder, load_library
from runtime.engine_network import fix_size, parse_graph
from runtime.engine_progress import BuildState, error_collector
from runtime.errors import FloodError
from runtime.golden import golden_path, read_golden
from runtime.manifest_file import manifest_path, read_manifest, write_manifest
from runtime.model import load_model
from tests.runtime.models import write_model
from train.checkpoint import load_checkpoint, save_checkpoint
from train.models import build_model

RANDOM = "FLOOD_FUZZ" in os.environ
"""Set it to try other cases than the suite's, which are the same in every run."""
MANY = settings(
    max_examples=1000,
    derandomize=not RANDOM,
    deadline=20_000,  # milliseconds for one case: what takes longer hangs
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SOME = settings(MANY, max_examples=300)
FEW = settings(MANY, max_examples=100)

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@st.composite
def damages(draw: st.DrawFn) -> Callable[[bytes], bytes]:
    """What happens to files: they are cut, padded, and bytes of them change, move or repeat."""
    place = draw(st.floats(0, 1, exclude_max=True))
    length = draw(st.integers(0, 64))
    other = draw(st.binary(min_size=1, max_size=8))
    kind = draw(st.sampled_from(["cut", "pad", "change", "insert", "remove", "repeat", "zero"]))

    def damage(content: bytes) -> bytes:
        at = int(place * len(content))
        before, after = content[:at], content[at:]
        return {
            "cut": before,
            "pad": content + other * length,
            "change": before + other + after[len(other) :],
            "insert": before + other + after,
            "remove": before + after[length:],
            "repeat": before + content[at : at + length] + after,
            "zero": before + bytes(length) + after[length:],
        }[kind]

    return damage


def one_line(error: FloodError) -> None:
    assert str(error) and "Traceback" not in str(error)
    assert len(" ".join(str(error).split())) < 2000


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("fuzz") / "model.onnx")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.export.conftest import make_manifest

    path = tmp_path_factory.mktemp("fuzz") / "best.safetensors"
    save_checkpoint(build_model("vgg19unet", make_manifest().width), path, make_manifest())
    return path


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where every value of a parsed JSON document is."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [path, *(each for key, item in inner for each in paths_of(item, (*path, key)))]


@MANY
@given(data=st.data(), value=values)
def test_any_value_anywhere_in_a_manifest(artefact: Path, data: st.DataObject, value: Any) -> None:
    path = manifest_path(artefact)
    whole = path.read_text()
    parsed = json.loads(whole)
    *parents, key = data.draw(st.sampled_from(paths_of(parsed)[1:]))
    target = parsed
    for parent in parents:
        target = target[parent]
    target[key] = value
    try:
        path.write_text(json.dumps(parsed))
        with contextlib.suppress(FloodError):
            manifest = read_manifest(artefact)
            assert manifest.input_size[0] > 0
    finally:
        path.write_text(whole)


@MANY
@given(damage=damages())
def test_a_damaged_manifest(artefact: Path, damage: Callable[[bytes], bytes]) -> None:
    path = manifest_path(artefact)
    whole = path.read_bytes()
    try:
        path.write_bytes(damage(whole))
        read_manifest(artefact)
    except FloodError as error:
        one_line(error)
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("name", ["onnxruntime", "openvino"])
@MANY
@given(damage=damages())
def test_a_damaged_graph_whose_manifest_was_made_to_fit(
    name: str, artefact: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(damage(artefact.read_bytes()))
    manifest = write_manifest(read_manifest(artefact), path)
    try:
        with load_backend(path, manifest, name) as backend:
            backend.infer(np.zeros((1, *manifest.input_size, 3), np.uint8))
    except FloodError as error:
        one_line(error)


@pytest.mark.skipif(
    load_library("tensorrt_rtx") is None, reason="TensorRT for RTX is not installed"
)
@FEW
@given(damage=damages())
def test_a_damaged_graph_in_tensorrts_parser(
    artefact: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(damage(artefact.read_bytes()))
    manifest = write_manifest(read_manifest(artefact), path)
    trt, dialect, _ = find_builder("tensorrt-rtx")
    state = BuildState()
    builder = trt.Builder(error_collector(trt, state))
    try:
        fix_size(parse_graph(trt, builder, dialect, path, state), path, manifest)
    except FloodError as error:
        one_line(error)


@SOME
@given(damage=damages())
def test_a_damaged_graph_is_refused_by_its_hash(
    artefact: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(damage(artefact.read_bytes()))
    shutil.copy(manifest_path(artefact), manifest_path(path))
    if path.read_bytes() == artefact.read_bytes():
        return
    with pytest.raises(FloodError, match="is not the file its manifest describes"):
        load_model(path, "onnxruntime")


@SOME
@given(damage=damages())
def test_a_damaged_checkpoint_whose_manifest_was_made_to_fit(
    checkpoint: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "best.safetensors"
    path.write_bytes(damage(checkpoint.read_bytes()))
    write_manifest(read_manifest(checkpoint), path)
    try:
        network, _ = load_checkpoint(path)
        assert isinstance(network, nn.Module)
    except FloodError as error:
        one_line(error)


@SOME
@given(header=values, tail=st.binary(max_size=64), length=st.integers(0, 2**64 - 1) | st.none())
def test_a_checkpoint_with_any_header(
    checkpoint: Path, tmp_path: Path, header: Any, tail: bytes, length: int | None
) -> None:
    text = json.dumps(header).encode()
    size = len(text) if length is None else length
    path = tmp_path / "best.safetensors"
    path.write_bytes(size.to_bytes(8, "little") + text + tail)
    write_manifest(read_manifest(checkpoint), path)
    with pytest.raises(FloodError) as caught:
        load_checkpoint(path)
    one_line(caught.value)


@SOME
@given(damage=damages())
def test_damaged_golden_frames_and_certificates(
    exported: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    source = exported / "exports" / "tiny" / "model.onnx"
    artefact, manifest = tmp_path / "model.onnx", read_manifest(source)
    for path_of, read in ((golden_path, read_golden), (certificate_path, read_certificate)):
        path_of(artefact).write_bytes(damage(path_of(source).read_bytes()))
        try:
            read(artefact, manifest)  # type: ignore[operator]
        except FloodError as error:
            one_line(error)
