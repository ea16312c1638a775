"""Runs .onnx files with OpenVINO: the fastest on most x86 and ARM processors."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from runtime.backends.checks import Tensor, check_batch, check_tensors, failed, unloadable
from runtime.backends.cores import usable_cores
from runtime.backends.runners import Runners
from runtime.manifest import INPUT_NAME, Manifest

if TYPE_CHECKING:
    from typing_extensions import Self

CONVERTER = "openvino.tools.ovc"


@contextlib.contextmanager
def _without_converter() -> Iterator[None]:
    """OpenVINO imports its converter of models and that one's telemetry where it finds them: a
    sixth of the time from start to first mask, and nothing here asks for either."""
    hidden = CONVERTER not in sys.modules
    if hidden:
        sys.modules[CONVERTER] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules[CONVERTER]


with _without_converter():
    import openvino
    from openvino.frontend import FrontEndManager

DTYPES = {"u8": "uint8", "f32": "float32", "f16": "float16"}


class OpenVinoBackend:
    """One compiled model on the CPU, with a request for each call that runs at once."""

    def __init__(
        self, path: Path, manifest: Manifest, in_flight: int = 1, precision: str | None = None
    ) -> None:
        """in_flight: calls that run at once, each on its share of the cores. precision: OpenVINO's
        name for what layers outside INT8 compute in ("f32", "bf16"); default: what the artefact
        was proved for. Raises ModelError for a file that is no graph or does not fit its
        manifest."""
        self._manifest, self.in_flight = manifest, in_flight
        core = openvino.Core()
        precision = precision or _inference_precision(core, manifest)
        self.name = f"openvino (CPU, {precision})"
        try:
            # The frontend by name, because Core.read_model asks all of them and they print.
            frontend = FrontEndManager().load_by_framework("onnx")
            graph = frontend.convert(frontend.load(str(path)))
        except Exception as error:  # OpenVINO raises bare classes of its C++ module
            raise unloadable("OpenVINO", path, _reason(error)) from error
        check_tensors(path, manifest, _tensors(graph.inputs), _tensors(graph.outputs))
        hints = {
            "PERFORMANCE_HINT": "LATENCY" if in_flight == 1 else "THROUGHPUT",
            "NUM_STREAMS": in_flight,
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": usable_cores(),
        }
        try:
            compiled: Any = core.compile_model(graph, "CPU", hints)
            requests = [compiled.create_infer_request() for _ in range(in_flight)]
        except Exception as error:
            raise unloadable("OpenVINO", path, _reason(error)) from error
        self._requests = Runners(self.name, requests)

    def infer(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, h, w, 3) uint8 RGB -> (N, 1, h, w) float32. Raises BackendError."""
        with self._requests.one() as request:
            check_batch(self.name, self._manifest, inputs)
            try:
                results = request.infer({INPUT_NAME: inputs}, share_inputs=True)
            except Exception as error:  # OpenVINO raises bare classes of its C++ module
                raise failed(self.name, _reason(error)) from error
            logits: NDArray[np.float32] = results[0]  # a copy: outputs are not shared by default
            return logits

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._requests.close()


def _inference_precision(core: Any, manifest: Manifest) -> str:
    """FP32 and INT8 artefacts keep float32 where they have it, as they were proved; OpenVINO alone
    would round to what the processor is fastest at. FP16 artefacts use FP16 where the processor
    has it; never BF16, whose eight bits flip more pixels than an FP16 artefact was proved for."""
    half = "FP16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "f16" if half and manifest.precision == "fp16" else "f32"


def _reason(error: Exception) -> str:
    """The last line: above it stand places in OpenVINO's own source."""
    return (str(error).strip().splitlines() or [repr(error)])[-1]


def _tensors(ports: Sequence[Any]) -> list[Tensor]:
    return [
        Tensor(
            min(port.names, default=""),
            DTYPES.get(port.element_type.get_type_name(), str(port.element_type.get_type_name())),
            tuple(None if side.is_dynamic else side.get_length() for side in port.partial_shape),
        )
        for port in ports
    ]
