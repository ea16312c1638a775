# ruff: noqa: N802, N803, N815 -- the names are CUDA's
"""CUDA's and TensorRT's Python modules, as far as the TensorRT backend calls them, without a GPU.

The functions have the names and arguments of the real ones (a test compares them). Device memory
is host memory of its own, a stream runs its work only when it is waited for, and a graph replays
what was captured, so that a missing copy, wait or address shows in the results.
"""

from __future__ import annotations

import ctypes
import json
from collections import Counter
from collections.abc import Callable
from enum import Enum
from types import SimpleNamespace
from typing import Any

import numpy as np

from runtime.gpu import Gpu

ORIN = Gpu(name="Orin", compute_capability="8.7", driver="12.6", integrated=True)
MOST = 8


class Error(Enum):
    cudaSuccess = 0
    cudaErrorMemoryAllocation = 2
    cudaErrorStreamCaptureUnsupported = 900


class Copy(Enum):
    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2


class Stream:
    def __init__(self) -> None:
        self.pending: list[Callable[[], None]] = []
        self.captured: list[Callable[[], None]] | None = None

    def add(self, work: Callable[[], None]) -> None:
        (self.pending if self.captured is None else self.captured).append(work)

    def __int__(self) -> int:
        return id(self)


class FakeCuda:
    """cuda.bindings.runtime. calls: every call by name. alive: what was made and not yet freed."""

    cudaError_t = Error
    cudaMemcpyKind = Copy
    cudaStreamCaptureMode = SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)
    cudaStreamNonBlocking = 1

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.alive: dict[int, Any] = {}
        self.memory_left: int | None = None

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("cuda") and not name[4:].endswith(("_t", "Kind", "Mode", "Blocking")):
            object.__getattribute__(self, "calls")[name] += 1
        return object.__getattribute__(self, name)

    def cudaGetErrorString(self, error: Error) -> tuple[Error, bytes]:
        return Error.cudaSuccess, error.name.encode()

    def cudaMalloc(self, size: int) -> tuple[Error, int | None]:
        if self.memory_left is not None:
            self.memory_left -= size
            if self.memory_left < 0:
                return Error.cudaErrorMemoryAllocation, None
        memory = (ctypes.c_uint8 * size)()
        address = ctypes.addressof(memory)
        self.alive[address] = memory
        return Error.cudaSuccess, address

    cudaMallocHost = cudaMalloc

    def cudaFree(self, devPtr: int) -> tuple[Error]:
        del self.alive[devPtr]
        return (Error.cudaSuccess,)

    def cudaFreeHost(self, ptr: int) -> tuple[Error]:
        del self.alive[ptr]
        return (Error.cudaSuccess,)

    def cudaMemcpyAsync(
        self, dst: int, src: int, count: int, kind: Copy, stream: Stream
    ) -> tuple[Error]:
        for address in (dst, src):
            assert count <= len(self.alive[address])
        stream.add(lambda: ctypes.memmove(dst, src, count) and None)
        return (Error.cudaSuccess,)

    def cudaStreamCreateWithFlags(self, flags: int) -> tuple[Error, Stream]:
        assert flags == self.cudaStreamNonBlocking
        stream = Stream()
        self.alive[id(stream)] = stream
        return Error.cudaSuccess, stream

    def cudaStreamSynchronize(self, stream: Stream) -> tuple[Error]:
        assert stream.captured is None
        for work in stream.pending:
            work()
        stream.pending.clear()
        return (Error.cudaSuccess,)

    def cudaStreamDestroy(self, stream: Stream) -> tuple[Error]:
        del self.alive[id(stream)]
        return (Error.cudaSuccess,)

    def cudaStreamBeginCapture(self, stream: Stream, mode: int) -> tuple[Error]:
        stream.captured = []
        return (Error.cudaSuccess,)

    def cudaStreamEndCapture(self, stream: Stream) -> tuple[Error, list[Any] | None]:
        graph, stream.captured = stream.captured, None
        self.alive[id(graph)] = graph
        return Error.cudaSuccess, graph

    def cudaGraphInstantiate(self, graph: list[Any], flags: int) -> tuple[Error, list[Any]]:
        executable = list(graph)
        self.alive[id(executable)] = executable
        return Error.cudaSuccess, executable

    def cudaGraphDestroy(self, graph: list[Any]) -> tuple[Error]:
        del self.alive[id(graph)]
        return (Error.cudaSuccess,)

    def cudaGraphLaunch(self, graphExec: list[Any], stream: Stream) -> tuple[Error]:
        stream.pending.extend(graphExec)
        return (Error.cudaSuccess,)

    def cudaGraphExecDestroy(self, graphExec: list[Any]) -> tuple[Error]:
        del self.alive[id(graphExec)]
        return (Error.cudaSuccess,)


class Mode(Enum):
    NONE, INPUT, OUTPUT = 0, 1, 2


class DataType(Enum):
    FLOAT, HALF, UINT8 = 0, 1, 9


class Logger:
    Severity = Enum("Severity", "INTERNAL_ERROR ERROR WARNING INFO VERBOSE")

    def log(self, severity: Any, message: str) -> None: ...


class Context:
    """Computes logits = (blue - red) / 32 from device memory to device memory."""

    def __init__(self, cuda: FakeCuda, engine: Engine) -> None:
        self.cuda, self.engine = cuda, engine
        self.addresses: dict[str, int] = {}
        self.batch = engine.batch
        self.settled = False

    def set_tensor_address(self, name: str, memory: int) -> bool:
        self.addresses[name] = memory
        return True

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self.batch, self.settled = shape[0], False
        return shape[0] <= MOST

    def execute_async_v3(self, stream_handle: int) -> bool:
        stream: Stream = self.cuda.alive[stream_handle]
        if stream.captured is not None and (not self.settled or not self.engine.capturable):
            return self.engine.fail("the stream cannot be captured")
        if self.engine.broken:
            return self.engine.fail("an illegal memory access was encountered")
        self.settled = True
        batch, addresses = self.batch, dict(self.addresses)
        stream.add(lambda: self._compute(batch, addresses))
        return True

    def _compute(self, batch: int, addresses: dict[str, int]) -> None:
        height, width = self.engine.size
        inputs = np.frombuffer(self.cuda.alive[addresses["input"]], np.uint8)
        inputs = inputs.reshape(-1, height, width, 3)[:batch].astype(np.float32)
        outputs = np.frombuffer(self.cuda.alive[addresses["logits"]], np.float32)
        outputs.reshape(-1, height, width)[:batch] = (inputs[..., 2] - inputs[..., 0]) / 32


class Engine:
    def __init__(self, cuda: FakeCuda, logger: Logger, plan: dict[str, Any]) -> None:
        self.cuda, self.logger = cuda, logger
        self.size: tuple[int, int] = tuple(plan["size"])
        self.batch: int = plan.get("batch", -1)
        self.names: list[str] = plan.get("names", ["input", "logits"])
        self.capturable = plan.get("capturable", True)
        self.broken = plan.get("broken", False)
        self.num_io_tensors = len(self.names)

    def fail(self, message: str) -> bool:
        self.logger.log(Logger.Severity.ERROR, message)
        return False

    def get_tensor_name(self, index: int) -> str:
        return self.names[index]

    def get_tensor_mode(self, name: str) -> Mode:
        return Mode.INPUT if name == self.names[0] else Mode.OUTPUT

    def get_tensor_dtype(self, name: str) -> DataType:
        return DataType.UINT8 if name == self.names[0] else DataType.FLOAT

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        if name == self.names[0]:
            return (self.batch, *self.size, 3)
        return (self.batch, 1, *self.size)

    def get_tensor_profile_shape(self, name: str, profile_index: int) -> list[tuple[int, ...]]:
        return [(count, *self.size, 3) for count in (1, 4, MOST)]

    def create_execution_context(self) -> Context:
        return Context(self.cuda, self)


def fake_tensorrt(cuda: FakeCuda, name: str = "tensorrt", version: str = "10.3.0") -> Any:
    """The module. Its "serialised engines" are JSON: size, batch, names, capturable, broken."""

    class Runtime:
        def __init__(self, logger: Logger) -> None:
            self.logger = logger

        def deserialize_cuda_engine(self, serialized_engine: bytes) -> Engine | None:
            try:
                return Engine(cuda, self.logger, json.loads(serialized_engine))
            except ValueError:
                self.logger.log(Logger.Severity.ERROR, "Serialization assertion failed")
                return None

    return SimpleNamespace(
        __name__=name,
        __version__=version,
        Runtime=Runtime,
        ILogger=Logger,
        TensorIOMode=Mode,
    )
