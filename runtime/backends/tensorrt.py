"""Runs .engine files with TensorRT 10 and 11 and with TensorRT for RTX, which share one API."""

from __future__ import annotations

import contextlib
import importlib
import threading
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from runtime.backends import missing_library, no_gpu
from runtime.backends.checks import Tensor, check_batch, check_tensors, closed, failed
from runtime.backends.cuda import Buffer, Graph, Stream
from runtime.engine_binding import binding_of, check_binding, rebuild_command
from runtime.engine_network import DTYPES
from runtime.engine_progress import BuildState, started
from runtime.errors import BackendError, ModelError
from runtime.gpu import current_gpu
from runtime.manifest import INPUT_NAME, OUTPUT_NAME, Manifest

if TYPE_CHECKING:
    import tensorrt
    from typing_extensions import Self


class TensorRtBackend:
    """One engine with buffers and a stream of its own, replayed as a CUDA graph.

    A batch size that comes twice in a row is captured at the second call: TensorRT settles what
    depends on the shape in the first, and that must not become part of the graph.
    """

    in_flight = 1

    def __init__(self, path: Path, manifest: Manifest) -> None:
        """Raises BackendError without the library or a GPU, ModelError for an engine that belongs
        to another machine, cannot be loaded or does not fit its manifest."""
        self._manifest = manifest
        self._lock = threading.Lock()
        trt = _library(path, manifest)
        gpu = current_gpu()
        if gpu is None:
            raise no_gpu("tensorrt")
        check_binding(path, manifest, trt.__name__, trt.__version__, gpu)
        self._library = str(trt.__name__)
        self.name = f"{trt.__name__.replace('_', '-')} {trt.__version__}"
        self._log = BuildState()
        self._runtime: tensorrt.Runtime = started(trt, "Runtime", self._log)
        self._engine: tensorrt.ICudaEngine | None = self._load(path)
        check_tensors(path, manifest, *_tensors(trt, self._engine))
        self._open = contextlib.ExitStack()
        with contextlib.ExitStack() as stack:  # what was made is freed when the rest fails
            self._make_buffers(stack)
            self._open = stack.pop_all()

    def _load(self, path: Path) -> tensorrt.ICudaEngine:
        engine: tensorrt.ICudaEngine | None
        engine = self._runtime.deserialize_cuda_engine(path.read_bytes())
        if engine is None:
            raise ModelError(
                f"{self.name} cannot load {path} ({self._reason()}); rebuild it with: "
                f"{rebuild_command(path, self._manifest, self._library)}"
            )
        return engine

    def _make_buffers(self, stack: contextlib.ExitStack) -> None:
        assert self._engine is not None
        self._stream = Stream()
        stack.callback(self._stream.close)
        context: tensorrt.IExecutionContext | None = self._engine.create_execution_context()
        if context is None:
            raise BackendError(f"{self.name} cannot start: {self._reason()}; free GPU memory")
        self._context: tensorrt.IExecutionContext | None = context
        self._most = self._manifest.batch or int(
            self._engine.get_tensor_profile_shape(INPUT_NAME, 0)[2][0]
        )
        height, width = self._manifest.input_size
        self._input = Buffer((self._most, height, width, 3), np.uint8)
        stack.callback(self._input.close)
        self._output = Buffer((self._most, 1, height, width), np.float32)
        stack.callback(self._output.close)
        context.set_tensor_address(INPUT_NAME, self._input.device)
        context.set_tensor_address(OUTPUT_NAME, self._output.device)
        self._batch = 0
        self._graph: Graph | None = None
        self._capturable = True

    def infer(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, h, w, 3) uint8 RGB -> (N, 1, h, w) float32. Raises BackendError."""
        with self._lock:
            if self._context is None:
                raise closed(self.name)
            check_batch(self.name, self._manifest, inputs)
            batch = len(inputs)
            if batch > self._most:
                raise BackendError(
                    f"{self.name} was given {batch} inputs, the engine takes {self._most} at most"
                )
            self._input.host[:batch] = inputs
            if batch == self._batch:
                self._replay(batch)
            else:
                self._change_batch(batch)
                self._enqueue(batch)
            self._stream.wait()
            logits: NDArray[np.float32] = self._output.host[:batch].copy()
            return logits

    def _change_batch(self, batch: int) -> None:
        self._drop_graph()
        self._batch = 0
        assert self._context is not None
        if not self._context.set_input_shape(INPUT_NAME, (batch, *self._manifest.input_size, 3)):
            raise failed(self.name, self._reason())
        self._batch = batch

    def _replay(self, batch: int) -> None:
        if self._graph is None and self._capturable:
            self._graph = self._stream.capture(lambda: self._enqueue(batch))
            self._capturable = self._graph is not None
        if self._graph is None:
            self._enqueue(batch)
        else:
            self._graph.launch(self._stream)

    def _enqueue(self, batch: int) -> None:
        assert self._context is not None
        self._input.upload(batch, self._stream)
        if not self._context.execute_async_v3(int(self._stream.handle)):
            raise failed(self.name, self._reason())
        self._output.download(batch, self._stream)

    def _drop_graph(self) -> None:
        if self._graph is not None:
            self._graph.close()
            self._graph = None

    def _reason(self) -> str:
        return self._log.errors[-1] if self._log.errors else "it gave no reason"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            if self._context is None:
                return
            self._drop_graph()
            self._context = None  # before the buffers it writes to
            self._engine = None
            self._open.close()


def _library(path: Path, manifest: Manifest) -> Any:
    """The module that built the engine, which alone can run it."""
    name = binding_of(path, manifest).library
    try:
        trt = importlib.import_module(name)
    except ModuleNotFoundError:
        trt = None
    if trt is None or not hasattr(trt, "Runtime"):  # type stubs alone import as an empty package
        raise missing_library("tensorrt", name, name.replace("_", "-"))
    return trt


def _tensors(trt: Any, engine: tensorrt.ICudaEngine) -> tuple[list[Tensor], list[Tensor]]:
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []
    for number in range(engine.num_io_tensors):
        name = engine.get_tensor_name(number)
        dtype = engine.get_tensor_dtype(name).name
        shape = tuple(None if side < 0 else int(side) for side in engine.get_tensor_shape(name))
        tensor = Tensor(name, DTYPES.get(dtype, dtype.lower()), shape)
        is_input = engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
        (inputs if is_input else outputs).append(tensor)
    return inputs, outputs
