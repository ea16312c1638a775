"""Runs .onnx files with ONNX Runtime on the processor."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from runtime.backends.checks import Tensor, check_batch, check_tensors, failed, unloadable
from runtime.backends.cores import usable_cores
from runtime.backends.heap import lean_heap
from runtime.backends.runners import Runners
from runtime.manifest import INPUT_NAME, OUTPUT_NAME, Manifest

if TYPE_CHECKING:
    from typing_extensions import Self

DTYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32", "tensor(float16)": "float16"}
ONLY_FATAL = 4
"""ONNX Runtime's log level: what fails is also raised, and is shown once, as our own line."""


class OnnxRuntimeBackend:
    """One ONNX Runtime session on the CPU."""

    name = "onnxruntime (CPU)"

    def __init__(self, path: Path, manifest: Manifest, in_flight: int = 1) -> None:
        """in_flight: calls that run at once, each on its share of the cores.

        Raises ModelError for a file that is no graph or does not fit its manifest.
        """
        self._manifest, self.in_flight = manifest, in_flight
        threads = max(1, usable_cores() // in_flight)
        session = open_session(
            path, ["CPUExecutionProvider"], threads, wide_weights=_has_wide_weights(manifest)
        )
        check_session(path, manifest, session)
        self._sessions = Runners(self.name, [session] * in_flight)  # one takes concurrent calls

    def infer(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, h, w, 3) uint8 RGB -> (N, 1, h, w) float32. Raises BackendError."""
        with self._sessions.one() as session:
            check_batch(self.name, self._manifest, inputs)
            try:
                logits: NDArray[np.float32]
                logits = session.run([OUTPUT_NAME], {INPUT_NAME: inputs})[0]
            except Exception as error:  # ONNX Runtime raises bare classes of its C++ module
                raise failed(self.name, str(error)) from error
            return logits

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sessions.close()


def open_session(
    path: Path,
    providers: Sequence[Any],
    threads: int | None = None,
    *,
    wide_weights: bool = False,
) -> Any:
    """A session on these execution providers. threads: of each call on the processor; default: as
    many as there are cores. wide_weights: 8-bit weights are more than 7 bits wide. Raises
    ModelError for a file that is no graph."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ONLY_FATAL
    options.intra_op_num_threads = threads or usable_cores()
    options.enable_mem_pattern = False  # its one block would come on top of the arena's
    # Threads that wait by spinning take the cores from decoding and from the sinks: a run on film
    # with the network that ships gave 45 frames/s without, 36 with it, on two cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if wide_weights:  # a slower product that does not saturate, on x86 without VNNI only
        options.add_session_config_entry("session.x64quantprecision", "1")
    try:
        with lean_heap():
            return onnxruntime.InferenceSession(
                str(path), options, providers=list(providers), enable_fallback=False
            )
    except Exception as error:  # ONNX Runtime raises bare classes of its C++ module
        raise unloadable("ONNX Runtime", path, str(error)) from error


def _has_wide_weights(manifest: Manifest) -> bool:
    """Whether a graph's weights take all 8 bits, as those that are meant for TensorRT do."""
    return manifest.quantisation is not None and manifest.quantisation.kind != "cpu"


def check_session(path: Path, manifest: Manifest, session: Any) -> None:
    """Raises ModelError unless the graph takes and gives what its manifest says."""
    try:
        inputs = [_tensor(node) for node in session.get_inputs()]
        outputs = [_tensor(node) for node in session.get_outputs()]
    except UnicodeDecodeError as error:  # a damaged file may carry any bytes as a name
        raise unloadable("ONNX Runtime", path, str(error)) from error
    check_tensors(path, manifest, inputs, outputs)


def _tensor(node: Any) -> Tensor:
    shape = tuple(side if isinstance(side, int) else None for side in node.shape)
    return Tensor(node.name, DTYPES.get(node.type, node.type), shape)
