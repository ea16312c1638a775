"""Runs .onnx files with ONNX Runtime on an NVIDIA GPU."""

from __future__ import annotations

import contextlib
import io
import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from runtime.backends.checks import check_batch, closed, failed
from runtime.backends.onnxruntime import ONLY_FATAL, check_session, open_session
from runtime.errors import BackendError, ModelError
from runtime.manifest import INPUT_NAME, OUTPUT_NAME, Manifest

if TYPE_CHECKING:
    from typing_extensions import Self

CUDA = "CUDAExecutionProvider"
DEVICE = "cuda"
OPTIONS = {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC", "prefer_nhwc": "1"}
"""An FP32 graph must not be rounded to TF32's 10 bits. Without it cuDNN's own choice of kernels is
several times faster than what ONNX Runtime finds by search, and tensor cores want channels last
(docs/performance.md)."""
GRAPH = {"enable_cuda_graph": "1"}
"""Replays all kernels in one launch; needs fixed shapes and every node on the GPU."""


class OnnxRuntimeCudaBackend:
    """One ONNX Runtime session on the first GPU, with input and output buffers kept there."""

    name = "onnxruntime (CUDA)"
    in_flight = 1

    def __init__(self, path: Path, manifest: Manifest) -> None:
        """Raises BackendError where CUDA does not start, ModelError for a file that is no graph or
        does not fit its manifest."""
        self._manifest = manifest
        self._lock = threading.Lock()
        session = _open_cuda(path, manifest)
        check_session(path, manifest, session)
        self._bound: BoundSession | None = BoundSession(session, DEVICE)

    def infer(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, h, w, 3) uint8 RGB -> (N, 1, h, w) float32. Raises BackendError."""
        with self._lock:
            if self._bound is None:
                raise closed(self.name)
            check_batch(self.name, self._manifest, inputs)
            try:
                return self._bound.infer(inputs)
            except Exception as error:  # ONNX Runtime raises bare classes of its C++ module
                raise failed(self.name, str(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._bound = None


class BoundSession:
    """A session whose input and output stay at the same addresses of a device."""

    def __init__(self, session: Any, device: str) -> None:
        """device: as ONNX Runtime calls it, "cuda" or "cpu"."""
        self._session = session
        self._device = device
        self._binding: Any = None
        self._input: Any = None
        self._output: Any = None

    def infer(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, h, w, 3) uint8 -> (N, 1, h, w) float32 in new memory."""
        if self._binding is None or tuple(self._input.shape()) != inputs.shape:
            self._bind(inputs.shape)
        # Older versions (1.23) take memory for contiguous, whatever its strides say.
        self._input.update_inplace(np.ascontiguousarray(inputs))
        self._session.run_with_iobinding(self._binding)
        return np.array(self._output.numpy(), copy=True)

    def _bind(self, shape: tuple[int, ...]) -> None:
        batch, height, width, _ = shape
        new = onnxruntime.OrtValue.ortvalue_from_shape_and_type
        self._input = new(list(shape), np.uint8, self._device, 0)
        self._output = new([batch, 1, height, width], np.float32, self._device, 0)
        self._binding = self._session.io_binding()
        self._binding.bind_ortvalue_input(INPUT_NAME, self._input)
        self._binding.bind_ortvalue_output(OUTPUT_NAME, self._output)


def _open_cuda(path: Path, manifest: Manifest) -> Any:
    """A session that is proved to be on CUDA: ONNX Runtime falls back to the CPU silently."""
    if CUDA not in onnxruntime.get_available_providers():
        raise BackendError(
            f"this onnxruntime ({onnxruntime.__version__}) was built without CUDA; replace it: "
            "pip uninstall onnxruntime, then pip install 'flood-runtime[gpu]'"
        )
    said = _load_wheels_of_cuda()
    onnxruntime.set_default_logger_severity(ONLY_FATAL)  # of providers, which no session's is
    session = _open_with_graph(path, manifest)
    if session.get_providers()[0] != CUDA:
        raise BackendError(
            f"CUDA did not start under onnxruntime {onnxruntime.__version__}"
            f"{f' ({said})' if said else ''}; it needs an NVIDIA driver, and CUDA and cuDNN of the "
            "versions it was built for, which come with: pip install 'onnxruntime-gpu[cuda,cudnn]'"
        )
    return session


def _open_with_graph(path: Path, manifest: Manifest) -> Any:
    if manifest.batch != 0:
        with contextlib.suppress(ModelError):  # a node that has no CUDA kernel
            return open_session(path, [(CUDA, OPTIONS | GRAPH)])
    return open_session(path, [(CUDA, OPTIONS)])


def _load_wheels_of_cuda() -> str:
    """Finds CUDA where it was installed as Python packages (ONNX Runtime 1.21 and later), and says
    what it does not find, "" for nothing."""
    said = io.StringIO()
    if hasattr(onnxruntime, "preload_dlls"):
        with contextlib.redirect_stdout(said):
            onnxruntime.preload_dlls()
    return next(iter(said.getvalue().splitlines()), "")
