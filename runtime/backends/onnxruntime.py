"""Runs .onnx files with ONNX Runtime: on an NVIDIA GPU where its build has CUDA, else on CPU."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from runtime.backends.checks import Tensor, check_batch, check_tensors, closed
from runtime.errors import BackendError, ModelError
from runtime.manifest import INPUT_NAME, OUTPUT_NAME, Manifest

if TYPE_CHECKING:
    from typing_extensions import Self

PROVIDERS = {"CUDAExecutionProvider": "CUDA", "CPUExecutionProvider": "CPU"}
"""Execution providers in the order they are tried, and what people call them."""
DTYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32", "tensor(float16)": "float16"}
ONLY_FATAL = 4
"""ONNX Runtime's log level: what fails is also raised, and is shown once, as our own line."""


class OnnxRuntimeBackend:
    """One ONNX Runtime session. Not safe for concurrent calls."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        """Raises ModelError for a file that is no graph or does not fit its manifest."""
        self._manifest = manifest
        self._session: Any = _open_session(path)
        provider = self._session.get_providers()[0]
        self.name = f"onnxruntime ({PROVIDERS.get(provider, provider)})"
        check_tensors(
            path,
            manifest,
            [_tensor(node) for node in self._session.get_inputs()],
            [_tensor(node) for node in self._session.get_outputs()],
        )

    def infer(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, h, w, 3) uint8 RGB -> (N, 1, h, w) float32. Raises BackendError."""
        if self._session is None:
            raise closed(self.name)
        check_batch(self.name, self._manifest, inputs)
        try:
            logits: NDArray[np.float32] = self._session.run([OUTPUT_NAME], {INPUT_NAME: inputs})[0]
        except Exception as error:  # ONNX Runtime raises bare classes of its C++ module
            raise BackendError(f"{self.name} failed: {error}; try another --backend") from error
        return logits

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._session = None


def _open_session(path: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ONLY_FATAL
    options.intra_op_num_threads = usable_cores()
    available = onnxruntime.get_available_providers()
    providers = [provider for provider in PROVIDERS if provider in available]
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # ONNX Runtime raises bare classes of its C++ module
        raise ModelError(
            f"ONNX Runtime cannot load {path} ({error}); export the model anew"
        ) from error


def usable_cores() -> int:
    """Cores that this process may use: a container's or taskset's share, not the whole machine."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _tensor(node: Any) -> Tensor:
    shape = tuple(side if isinstance(side, int) else None for side in node.shape)
    return Tensor(node.name, DTYPES.get(node.type, node.type), shape)
