"""The TensorRT backend's own side: graph replay, what it frees, which engines it refuses."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from runtime.backends import load_backend
from runtime.errors import BackendError, ModelError
from tests.runtime.engines import binding, cuda_stand_in, write_engine
from tests.runtime.fake_cuda import FakeCuda
from tests.runtime.models import SIZE, manifest_of


@pytest.fixture
def cuda() -> Iterator[FakeCuda]:
    with cuda_stand_in() as cuda:
        yield cuda


def inputs_of(batch: int = 1, blue: int = 64) -> np.ndarray:
    inputs = np.zeros((batch, *SIZE, 3), np.uint8)
    inputs[..., 2] = blue
    return inputs


def test_a_size_that_stays_is_captured_at_the_second_call_and_replayed(
    cuda: FakeCuda, tmp_path: Path
) -> None:
    with load_backend(*write_engine(tmp_path / "a.engine"), "tensorrt") as backend:
        for call, blue in enumerate(range(0, 160, 32)):
            assert (backend.infer(inputs_of(blue=blue)) == blue / 32).all()
            assert cuda.calls["cudaGraphLaunch"] == call
    assert cuda.calls["cudaGraphInstantiate"] == 1


def test_sizes_that_alternate_are_never_captured(cuda: FakeCuda, tmp_path: Path) -> None:
    with load_backend(*write_engine(tmp_path / "a.engine"), "tensorrt") as backend:
        for batch in (1, 2, 1, 2, 1):
            assert (backend.infer(inputs_of(batch)) == 2).all()
    assert cuda.calls["cudaStreamBeginCapture"] == 0


def test_an_engine_that_cannot_be_captured_runs_without_a_graph(
    cuda: FakeCuda, tmp_path: Path
) -> None:
    engine = write_engine(tmp_path / "a.engine", capturable=False)
    with load_backend(*engine, "tensorrt") as backend:
        for blue in (32, 64, 96, 128):
            assert (backend.infer(inputs_of(blue=blue)) == blue / 32).all()
    assert cuda.calls["cudaStreamBeginCapture"] == 1
    assert cuda.calls["cudaGraphLaunch"] == 0
    assert cuda.alive == {}


def test_everything_on_the_device_is_freed_at_close(cuda: FakeCuda, tmp_path: Path) -> None:
    with load_backend(*write_engine(tmp_path / "a.engine"), "tensorrt") as backend:
        for batch in (1, 1, 1, 2, 2):
            backend.infer(inputs_of(batch))
        assert cuda.alive
    assert cuda.alive == {}
    assert cuda.calls["cudaGraphExecDestroy"] == cuda.calls["cudaGraphInstantiate"] == 2


@pytest.mark.parametrize("buffers", [0, 1, 2, 3])
def test_a_full_device_is_one_line_and_leaves_nothing_behind(
    cuda: FakeCuda, tmp_path: Path, buffers: int
) -> None:
    pixels = SIZE[0] * SIZE[1] * 8
    cuda.memory_left = [0, 3, 6, 10][buffers] * pixels
    with pytest.raises(BackendError, match=r"CUDA failed in cudaMalloc.*: cudaErrorMemoryAlloc"):
        load_backend(*write_engine(tmp_path / "a.engine"), "tensorrt")
    assert cuda.alive == {}


def test_more_inputs_than_the_engine_takes_are_refused(cuda: FakeCuda, tmp_path: Path) -> None:
    with load_backend(*write_engine(tmp_path / "a.engine"), "tensorrt") as backend:
        with pytest.raises(BackendError, match=r"was given 9 inputs, the engine takes 8 at most"):
            backend.infer(inputs_of(9))
        assert (backend.infer(inputs_of(8)) == 2).all()


def test_an_engine_that_fails_while_it_runs_says_what_the_library_said(
    cuda: FakeCuda, tmp_path: Path
) -> None:
    engine = write_engine(tmp_path / "a.engine", broken=True)
    with load_backend(*engine, "tensorrt") as backend:
        for _ in range(3):
            with pytest.raises(BackendError, match=r"failed: an illegal memory access was enc"):
                backend.infer(inputs_of())


def test_an_engine_with_a_fixed_batch_runs(cuda: FakeCuda, tmp_path: Path) -> None:
    manifest = manifest_of(batch=2, engine=binding())
    engine = write_engine(tmp_path / "a.engine", manifest, batch=2)
    with load_backend(*engine, "tensorrt") as backend:
        for _ in range(3):
            assert (backend.infer(inputs_of(2)) == 2).all()


def test_tensorrt_for_rtx_takes_the_same_path(tmp_path: Path) -> None:
    manifest = manifest_of(engine=binding("tensorrt_rtx", version="1.7.1", gpu="any", driver="any"))
    engine = write_engine(tmp_path / "a.engine", manifest)
    with (
        cuda_stand_in("tensorrt_rtx", "1.7.1"),
        load_backend(*engine, "tensorrt") as backend,
    ):
        assert backend.name == "tensorrt-rtx 1.7.1"
        assert (backend.infer(inputs_of()) == 2).all()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": "10.16.2"}, "was built for tensorrt 10.16.2, here it is 10.3.0"),
        ({"gpu": "Thor"}, "was built for GPU Thor, here it is Orin"),
        ({"compute_capability": "11.0"}, "compute capability 11.0, here it is 8.7"),
    ],
)
def test_a_foreign_engine_is_refused_with_what_differs_and_the_way_to_rebuild_it(
    cuda: FakeCuda, tmp_path: Path, changes: dict[str, str], said: str
) -> None:
    manifest = manifest_of(engine=binding(**changes))
    engine = write_engine(tmp_path / "a.engine", manifest)
    with pytest.raises(ModelError, match=rf"{said}; rebuild it with: flood-runtime build"):
        load_backend(*engine, "tensorrt")


def test_an_engine_that_cannot_be_read_or_does_not_fit_is_refused(
    cuda: FakeCuda, tmp_path: Path
) -> None:
    path, manifest = write_engine(tmp_path / "a.engine", names=["image", "logits"])
    with pytest.raises(ModelError, match=r"does not fit its manifest: it takes image uint8"):
        load_backend(path, manifest, "tensorrt")
    path.write_bytes(b"\0 no engine")
    with pytest.raises(ModelError, match=r"cannot load .*Serialization assertion failed.*rebuild"):
        load_backend(path, manifest, "tensorrt")
    unbound = write_engine(path, manifest_of())
    with pytest.raises(ModelError, match=r"has no binding in its manifest"):
        load_backend(*unbound, "tensorrt")


def test_without_the_library_or_with_its_type_stubs_only_the_way_to_get_it_is_said(
    cuda: FakeCuda, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = write_engine(tmp_path / "a.engine")
    for module in (None, type(sys)("tensorrt")):
        monkeypatch.setitem(sys.modules, "tensorrt", module)
        with pytest.raises(BackendError, match=r"pip install 'flood-runtime\[tensorrt\]'"):
            load_backend(*engine, "tensorrt")


def test_without_cuda_python_the_way_to_get_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("runtime.backends.cuda", "runtime.backends.tensorrt"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    for name in ("cuda", "cuda.bindings"):  # torch may have imported the second
        monkeypatch.setitem(sys.modules, name, None)
    engine = write_engine(tmp_path / "a.engine")
    with pytest.raises(BackendError, match=r"needs the library cuda, .*flood-runtime\[tensorrt\]"):
        load_backend(*engine, "tensorrt")


def test_the_stand_in_has_the_names_and_arguments_of_the_real_cuda_python() -> None:
    real = pytest.importorskip("cuda.bindings.runtime")
    functions = [name for name in vars(FakeCuda) if name.startswith("cuda")]
    assert len(functions) > 15
    for name in functions:
        ours = getattr(FakeCuda, name)
        assert hasattr(real, name), name
        if inspect.isfunction(ours) and name != "cudaMallocHost":
            parameters = list(inspect.signature(ours).parameters)[1:]
            assert parameters == list(inspect.signature(getattr(real, name)).parameters), name
    for enum in ("cudaError_t", "cudaMemcpyKind"):
        for member in getattr(FakeCuda, enum):
            assert getattr(getattr(real, enum), member.name).value == member.value


def test_the_stand_in_has_the_names_of_the_real_tensorrt() -> None:
    real = pytest.importorskip("tensorrt_rtx")
    from tests.runtime import fake_cuda

    for ours, theirs in (
        (fake_cuda.Engine, real.ICudaEngine),
        (fake_cuda.Context, real.IExecutionContext),
    ):
        public = [name for name in vars(ours) if not name.startswith("_") and name != "fail"]
        assert len(public) >= 3
        assert [name for name in public if not hasattr(theirs, name)] == []
    for name in ("FLOAT", "HALF", "UINT8"):
        assert getattr(real.DataType, name).name == name


def test_real_cuda_python_says_in_one_line_that_there_is_no_gpu() -> None:
    pytest.importorskip("cuda.bindings.runtime")
    from runtime.backends.cuda import Buffer, call
    from runtime.gpu import current_gpu

    if current_gpu() is not None:
        assert call("cudaGetDeviceCount") > 0
        return
    with pytest.raises(BackendError, match=r"CUDA failed in cudaMalloc: .*doctor"):
        Buffer((1, 2), np.uint8)
