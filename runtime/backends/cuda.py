"""CUDA through cuda-python: buffers, a stream and graph replay, without torch.

Every call of the library returns its error first; here it becomes a BackendError.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from cuda.bindings import runtime as cudart
from numpy.typing import NDArray

from runtime.errors import BackendError


def call(function: str, *arguments: Any) -> Any:
    """Calls a function of the CUDA runtime by name; returns its result. Raises BackendError."""
    error, *results = getattr(cudart, function)(*arguments)
    if error != cudart.cudaError_t.cudaSuccess:
        _, text = cudart.cudaGetErrorString(error)
        said = text.decode() if isinstance(text, bytes) else str(error)
        raise BackendError(
            f"CUDA failed in {function}: {said}; check the NVIDIA driver with: flood-runtime doctor"
        )
    return results[0] if results else None


class Stream:
    """A stream of its own, which does not wait for the default stream."""

    def __init__(self) -> None:
        self.handle = call("cudaStreamCreateWithFlags", cudart.cudaStreamNonBlocking)

    def wait(self) -> None:
        """Returns when all work given to the stream is done."""
        call("cudaStreamSynchronize", self.handle)

    def capture(self, work: Callable[[], None]) -> Graph | None:
        """The work as a graph, without running it; None where the work cannot be captured."""
        mode = cudart.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        call("cudaStreamBeginCapture", self.handle, mode)
        worked = True
        try:
            work()
        except BackendError:
            worked = False
        try:
            captured = call("cudaStreamEndCapture", self.handle)  # also after work that failed
        except BackendError:
            return None
        if worked:
            return Graph(captured)
        call("cudaGraphDestroy", captured)
        return None

    def close(self) -> None:
        call("cudaStreamDestroy", self.handle)


class Graph:
    """Captured work, replayed in one launch."""

    def __init__(self, captured: Any) -> None:
        try:
            self._executable = call("cudaGraphInstantiate", captured, 0)
        finally:
            call("cudaGraphDestroy", captured)

    def launch(self, stream: Stream) -> None:
        call("cudaGraphLaunch", self._executable, stream.handle)

    def close(self) -> None:
        call("cudaGraphExecDestroy", self._executable)


class Buffer:
    """The same array twice: pinned in host memory, which copies fast, and on the device.

    host: the pinned array, in C order, valid until close.
    """

    def __init__(self, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        self.device = int(call("cudaMalloc", size))
        try:
            self._pinned = int(call("cudaMallocHost", size))
        except BackendError:
            call("cudaFree", self.device)
            raise
        memory = (ctypes.c_uint8 * size).from_address(self._pinned)
        self.host: NDArray[Any] = np.ctypeslib.as_array(memory).view(dtype).reshape(shape)

    def upload(self, count: int, stream: Stream) -> None:
        """Starts to copy the first `count` rows to the device."""
        kind = cudart.cudaMemcpyKind.cudaMemcpyHostToDevice
        size = self.host[:count].nbytes
        call("cudaMemcpyAsync", self.device, self._pinned, size, kind, stream.handle)

    def download(self, count: int, stream: Stream) -> None:
        """Starts to copy the first `count` rows to the host."""
        kind = cudart.cudaMemcpyKind.cudaMemcpyDeviceToHost
        size = self.host[:count].nbytes
        call("cudaMemcpyAsync", self._pinned, self.device, size, kind, stream.handle)

    def close(self) -> None:
        self.host = np.empty(0, self.host.dtype)  # a view of freed memory would crash
        call("cudaFreeHost", self._pinned)
        call("cudaFree", self.device)
