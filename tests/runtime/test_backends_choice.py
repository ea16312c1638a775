"""What "auto" takes, how it says why it did not take a faster one, and what a name is asked."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from runtime.backends import BACKENDS, load_backend
from runtime.backends.choice import choose, generated_input
from runtime.backends.fake import FakeBackend
from runtime.errors import BackendError, ManifestError, ModelError, ParityError
from runtime.golden import write_golden
from runtime.gpu import Gpu
from runtime.manifest_file import read_manifest
from runtime.model import load_model
from tests.runtime.engines import binding, cuda_stand_in, write_engine
from tests.runtime.models import SIZE, graph, manifest_of, write_model
from tests.runtime.test_golden import golden_of


class WrongBackend(FakeBackend):
    """Fast and silently wrong, as a bad kernel is."""

    name = "wrong"

    def infer(self, inputs: np.ndarray) -> np.ndarray:
        return -super().infer(inputs)


class NanBackend(FakeBackend):
    name = "nan"

    def infer(self, inputs: np.ndarray) -> np.ndarray:
        return super().infer(inputs) * np.float32(np.nan)


class DeadBackend(FakeBackend):
    name = "dead"

    def infer(self, inputs: np.ndarray) -> np.ndarray:
        raise BackendError("no kernel image is available for this device")


closed: list[str] = []
ORIN = Gpu(name="Orin", compute_capability="8.7", driver="12.6", integrated=True)


class NotingBackend(WrongBackend):
    def __exit__(self, *error: object) -> None:
        closed.append(self.name)


@pytest.fixture
def golden_model(tmp_path: Path) -> Path:
    path = write_model(tmp_path / "model.onnx", manifest=manifest_of(precision="int8"))
    write_golden(golden_of(), path)
    return path


@pytest.fixture
def faster() -> Iterator[Callable[..., None]]:
    """Puts backends of this file before ONNX Runtime, in this order, and nothing else."""
    kept = dict(BACKENDS)

    def put(*names: str) -> None:
        BACKENDS.clear()
        for name in names:
            BACKENDS[name] = dataclasses.replace(
                kept["onnxruntime"], module=WrongBackend.__module__, class_name=name
            )
        BACKENDS["onnxruntime"] = kept["onnxruntime"]

    yield put
    BACKENDS.clear()
    BACKENDS.update(kept)


@pytest.mark.parametrize("with_golden", [True, False])
@pytest.mark.parametrize(
    ("name", "reason", "reason_without"),
    [
        ("WrongBackend", "% of a golden frame's mask differ", "wrong and onnxruntime .* disagree"),
        ("NanBackend", "100.0% of a golden", "nan gives logits that are not finite"),
        ("DeadBackend", "no kernel image is available", "no kernel image is available"),
    ],
)
def test_a_faster_backend_that_is_wrong_is_passed_over_with_its_reason(
    golden_model: Path,
    tiny_model: Path,
    faster: Callable[..., None],
    with_golden: bool,
    name: str,
    reason: str,
    reason_without: str,
) -> None:
    faster(name)
    path = golden_model if with_golden else tiny_model
    with load_model(path) as model:
        assert model.backend.name == "onnxruntime (CPU)"
        (line,) = model.remarks
    assert line.startswith(f"passed over {name}: ")
    assert re.search(reason if with_golden else reason_without, line), line
    assert "\n" not in line


def test_every_backend_passed_over_has_its_line_in_order(
    golden_model: Path, faster: Callable[..., None]
) -> None:
    faster("DeadBackend", "NanBackend")
    choice = choose(golden_model, read_manifest(golden_model))
    names = [line.split()[2] for line in choice.passed_over]
    assert names == ["DeadBackend:", "NanBackend:"]


def test_a_backend_that_was_tried_in_vain_is_closed(
    golden_model: Path, faster: Callable[..., None]
) -> None:
    faster("NotingBackend")
    closed.clear()
    choose(golden_model, read_manifest(golden_model))
    assert closed == ["wrong"]


def test_the_fastest_right_one_is_taken_without_a_word(
    golden_model: Path, faster: Callable[..., None]
) -> None:
    faster("FakeBackend")
    choice = choose(golden_model, read_manifest(golden_model))
    assert (choice.backend.name, choice.passed_over) == ("fake", ())


@pytest.mark.parametrize("gpu", [None, ORIN])
@pytest.mark.parametrize("library", [True, False])
def test_where_tensorrt_lacks_only_an_engine_one_line_says_how_to_build_it(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, gpu: Gpu | None, library: bool
) -> None:
    spec = ModuleSpec("tensorrt", None, origin="tensorrt/__init__.py") if library else None
    monkeypatch.setattr("runtime.backends.choice.find_spec", lambda _: spec)
    monkeypatch.setattr("runtime.backends.choice.current_gpu", lambda: gpu)
    with load_model(tiny_model) as model:
        told = [line for line in model.remarks if line.startswith("tensorrt")]
    advice = f"tensorrt: no engine here; build one with: flood-runtime build {tiny_model}"
    assert told == ([advice] if gpu and library else [])


def test_auto_never_takes_the_fake(tiny_model: Path) -> None:
    with load_backend(tiny_model, manifest_of()) as backend:
        assert backend.name != "fake"


@pytest.mark.parametrize("name", ["WrongBackend", "NanBackend"])
def test_a_named_backend_that_answers_wrongly_is_refused(
    golden_model: Path, faster: Callable[..., None], name: str
) -> None:
    faster(name)
    with pytest.raises(ParityError, match=r"golden frame's mask differ .* do not trust its masks"):
        load_model(golden_model, name)


def test_a_named_backend_that_is_refused_is_closed(
    golden_model: Path, faster: Callable[..., None]
) -> None:
    faster("NotingBackend")
    closed.clear()
    with pytest.raises(ParityError):
        load_model(golden_model, "NotingBackend")
    assert closed == ["wrong"]


def test_a_named_engine_that_answers_wrongly_is_refused(tmp_path: Path) -> None:
    with cuda_stand_in():
        engine, _ = write_engine(
            tmp_path / "model.engine", manifest_of(precision="fp16", engine=binding())
        )
        golden = golden_of()
        write_golden(golden, engine)
        load_model(engine, "tensorrt", rebuild=False).__exit__(None, None, None)
        write_golden(dataclasses.replace(golden, masks=~golden.masks), engine)
        with pytest.raises(ParityError, match="golden frame's mask differ"):
            load_model(engine, "tensorrt", rebuild=False)


@pytest.mark.parametrize("backend", ["auto", "tensorrt"])
def test_an_engine_of_another_driver_runs_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    here = dataclasses.replace(ORIN, driver_version="540.4.0")
    monkeypatch.setattr("runtime.model.current_gpu", lambda: here)
    for version, lines in (("540.4.0", 0), ("540.3.0", 1)):
        manifest = manifest_of(engine=binding(driver_version=version))
        path, _ = write_engine(tmp_path / "a.engine", manifest)
        with cuda_stand_in(), load_model(path, backend, rebuild=False) as model:
            assert len(model.remarks) == lines
            assert all("driver 540.3.0, here it is 540.4.0; it runs" in x for x in model.remarks)


def test_without_golden_frames_a_named_backend_is_taken_as_it_is(
    tiny_model: Path, faster: Callable[..., None]
) -> None:
    faster("WrongBackend")
    with load_model(tiny_model, "WrongBackend") as model:
        assert (model.backend.name, model.remarks) == ("wrong", ())


def test_the_fake_backend_is_asked_nothing(golden_model: Path) -> None:
    golden = golden_of()
    write_golden(dataclasses.replace(golden, masks=~golden.masks), golden_model)
    with load_model(golden_model, "fake") as model:
        assert model.backend.name == "fake"


def test_when_all_are_wrong_the_model_is_refused(golden_model: Path) -> None:
    golden = golden_of()
    write_golden(dataclasses.replace(golden, masks=~golden.masks), golden_model)
    with pytest.raises(ParityError, match=r"do not trust its masks"):
        load_model(golden_model)


def test_damaged_golden_frames_are_refused_not_skipped(golden_model: Path) -> None:
    golden_model.with_name("model.onnx.golden.npz").write_bytes(b"damaged")
    with pytest.raises(ManifestError, match=r"golden\.npz is damaged"):
        load_model(golden_model)


def test_what_is_wrong_with_the_artefact_comes_before_what_is_missing(tmp_path: Path) -> None:
    path = write_model(tmp_path / "model.onnx", graph(input_name="image"))
    with pytest.raises(ModelError, match=r"does not fit its manifest"):
        load_model(path)


def test_without_any_library_every_backend_says_how_to_get_it(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for library in ("onnxruntime", "openvino"):
        monkeypatch.setitem(sys.modules, library, None)
    for entry in BACKENDS.values():
        monkeypatch.delitem(sys.modules, entry.module, raising=False)
    with pytest.raises(BackendError, match=r"no backend runs .*\[openvino\].*; .*\[cpu\]"):
        load_model(tiny_model)


def test_a_fixed_batch_is_proved_as_well(tmp_path: Path) -> None:
    manifest = manifest_of(batch=4, precision="int8")
    path = write_model(tmp_path / "model.onnx", graph(batch=4), manifest)
    write_golden(golden_of(), path)
    with load_model(path) as model:
        assert model.infer(generated_input(manifest)).shape == (1, 1, *SIZE)


def test_the_generated_input_is_the_same_everywhere_and_varied() -> None:
    first, second = generated_input(manifest_of()), generated_input(manifest_of())
    np.testing.assert_array_equal(first, second)
    assert (first.shape, first.dtype) == ((1, *SIZE, 3), np.uint8)
    assert len(np.unique(first.reshape(-1, 3), axis=0)) > 1000
