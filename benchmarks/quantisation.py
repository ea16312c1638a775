"""Which library and calibration method make the best INT8: `python -m benchmarks.quantisation`.

Every candidate sees the same training pictures and is judged on the same validation pictures,
against PyTorch in float32 and the true masks; then all are timed in turn, frame by frame, in ONNX
Runtime and in OpenVINO. Libraries that are not installed are passed over.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
import io
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import onnx
import onnxruntime
import openvino
import typer
from onnxruntime.quantization import CalibrationMethod
from onnxruntime.quantization.calibrate import create_calibrator

from export.artefacts import prepare_manifest
from export.calibration import COUNT, METHODS, OneFrame, calibrate
from export.frames import CALIBRATING, find_data, proof_frames
from export.graph import ExportedNetwork, to_bytes, trace
from export.int8 import KINDS, Kind, first_kept, quantise
from export.proof import prove
from runtime.console import run, say
from runtime.manifest import INPUT_NAME
from runtime.manifest_parts import Quantisation
from train.checkpoint import load_checkpoint

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
HISTOGRAMS: dict[str, tuple[Any, dict[str, Any]]] = {
    "percentile": (CalibrationMethod.Percentile, {"percentile": 99.99}),
    "entropy": (CalibrationMethod.Entropy, {"num_bins": 2048, "num_quantized_bins": 128}),
}
"""ONNX Runtime's ways to draw a range from a histogram of the values; no export uses them."""
CORRECTIONS = ("none", "fast", "layer by layer")
"""NNCF's ways with biases: as they are; each for its own layer's rounding, which is its default; or
one layer after the other, through the graph that is quantised so far."""
Candidates = Iterator[tuple[str, str, Callable[[], onnx.ModelProto]]]


@app.command()
def compare(
    checkpoint: Annotated[Path, typer.Argument(help="A .safetensors file of a trained network.")],
    data: Annotated[str | None, typer.Option(metavar="DIR", help="Photographs.")] = None,
    pairs: Annotated[Path | None, typer.Option(metavar="CSV", help="Pairs and splits.")] = None,
    frames: Annotated[int, typer.Option(min=1, help="Validation pictures to judge on.")] = 41,
    only: Annotated[str, typer.Option(metavar="WORD", help="Only names with this in them.")] = "",
    rounds: Annotated[int, typer.Option(min=0, help="Frames that each is timed on.")] = 30,
) -> None:
    """Print a row for each candidate: accuracy, then milliseconds a frame on this machine."""
    network, trained = load_checkpoint(checkpoint)
    manifest = prepare_manifest(trained, trained.input_size, 1)
    # As of TensorRT's kind, whose weights are wide, so that no processor saturates.
    wide = Quantisation(kind="tensorrt", method="", calibrated_on="", kept=())
    exact = dataclasses.replace(manifest, quantisation=wide)
    data_set, reason = find_data(checkpoint, trained, data, pairs)
    say(reason)
    proof = prove(network, manifest, proof_frames(data_set, manifest, frames))
    inputs = proof_frames(data_set, manifest, COUNT, CALIBRATING).inputs
    graph = trace(ExportedNetwork(network, manifest), manifest)
    rows, runners = [], []
    for name, activations, make in candidates(graph, inputs):
        if only not in name:
            continue
        made = make()
        parity = proof.measure_graph(made, exact)
        rows.append(
            f"| {name} | {activations} | {100 * (parity.iou_drop or 0):.3f} points "
            f"| {100 * parity.flipped:.3f} % | {parity.mean_abs:.4f} |"
        )
        say(rows[-1])
        if rounds:
            runners += [_onnxruntime(to_bytes(made)), _openvino(to_bytes(made))]
    times = [f" {milliseconds} |" for milliseconds in _in_turn(runners, inputs, rounds)]
    typer.echo(
        "| library and method | activations | IoU lost | pixels flipped | mean logit error |"
        + (" ONNX Runtime, ms | OpenVINO, ms |" if rounds else "")
    )
    typer.echo("|---|---|---|---|---|" + ("---:|---:|" if rounds else ""))
    for place, row in enumerate(rows):
        typer.echo(row + "".join(times[2 * place : 2 * place + 2]))


Runner = Callable[[Any], Any]


def _onnxruntime(graph: bytes) -> Runner:
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(graph, options, ["CPUExecutionProvider"])
    return lambda frame: session.run(None, {INPUT_NAME: frame})


def _openvino(graph: bytes) -> Runner:
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(graph), "CPU", {"PERFORMANCE_HINT": "LATENCY"})
    return lambda frame: compiled([frame])


def _in_turn(runners: list[Runner], inputs: Any, rounds: int) -> list[str]:
    """The median milliseconds of each, with its quartiles; the first round counts for nothing."""
    spent: list[list[float]] = [[] for _ in runners]
    for number in range(max(rounds, 2) + 1 if runners else 0):
        frame = inputs[number % len(inputs)][None]
        for times, run_one in zip(spent, runners, strict=True):
            start = time.perf_counter()
            run_one(frame)
            times.append(1000 * (time.perf_counter() - start))
    quartiles = [statistics.quantiles(times[1:], n=4) for times in spent]
    return [f"{middle:.1f} ({low:.1f}-{high:.1f})" for low, middle, high in quartiles]


def candidates(graph: onnx.ModelProto, inputs: Any) -> Candidates:
    """Name, kind of activations and maker of every graph that can be made here."""
    for kind in KINDS.values():
        word = "signed, symmetric" if kind.symmetric else "unsigned"
        source = kind.rewrite(graph)
        for method in (*METHODS, *HISTOGRAMS):
            yield (
                f"ONNX Runtime, {method}",
                word,
                lambda kind=kind, source=source, method=method: quantise(  # type: ignore[misc]
                    source,
                    calibrate(source, inputs)[method]
                    if method in METHODS
                    else by_histogram(source, inputs, method, kind),
                    kind,
                    first_kept(source, kind),
                ),
            )
    if importlib.util.find_spec("nncf"):
        for preset, word in (("mixed", "unsigned"), ("performance", "signed, symmetric")):
            for corrected in CORRECTIONS:
                yield (
                    f"NNCF, {preset}, bias correction: {corrected}",
                    word,
                    lambda preset=preset, corrected=corrected: with_nncf(  # type: ignore[misc]
                        graph, inputs, preset, corrected
                    ),
                )
    if importlib.util.find_spec("modelopt"):
        for method in ("max", "entropy"):
            yield (
                f"ModelOpt, {method}",
                "signed, symmetric",
                lambda method=method: with_modelopt(graph, inputs, method),  # type: ignore[misc]
            )


def by_histogram(graph: onnx.ModelProto, inputs: Any, method: str, kind: Kind) -> Any:
    """ONNX Runtime's TensorsData. method: of HISTOGRAMS."""
    drawn, options = HISTOGRAMS[method]
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = Path(folder) / "model.onnx"
        path.write_bytes(to_bytes(graph))
        calibrator = create_calibrator(
            path,
            kind.operators,
            augmented_model_path=str(Path(folder) / "augmented.onnx"),
            calibrate_method=drawn,
            extra_options={"symmetric": kind.symmetric, **options},
        )
        # Before it makes histograms it keeps every layer's output of all frames it was given.
        for frame in inputs:
            calibrator.collect_data(OneFrame(frame))
        return calibrator.compute_data()


def with_nncf(graph: onnx.ModelProto, inputs: Any, preset: str, corrected: str) -> onnx.ModelProto:
    """NNCF's post-training quantisation. corrected: of CORRECTIONS."""
    import nncf

    pictures = nncf.Dataset(list(inputs), lambda frame: {INPUT_NAME: frame[None]})
    quantised: onnx.ModelProto = nncf.quantize(
        onnx.ModelProto.FromString(to_bytes(graph)),
        pictures,
        preset=nncf.QuantizationPreset(preset),
        subset_size=len(inputs),
        fast_bias_correction=corrected != "layer by layer",
        advanced_parameters=nncf.AdvancedQuantizationParameters(
            disable_bias_correction=corrected == "none"
        ),
    )
    return quantised


def with_modelopt(graph: onnx.ModelProto, inputs: Any, method: str) -> onnx.ModelProto:
    """NVIDIA ModelOpt's Q/DQ placement for TensorRT, calibrated on the processor."""
    # It takes the stubs, with which types are checked, for a TensorRT that it can ask.
    sys.modules.setdefault("tensorrt", None)  # type: ignore[arg-type]
    from modelopt.onnx.quantization import quantize

    with tempfile.TemporaryDirectory() as folder:
        source, result = Path(folder) / "model.onnx", Path(folder) / "int8.onnx"
        source.write_bytes(to_bytes(graph))
        quantize(
            str(source),
            quantize_mode="int8",
            calibration_data={INPUT_NAME: inputs},
            calibration_method=method,
            calibration_eps=["cpu"],
            high_precision_dtype="fp32",
            output_path=str(result),
        )
        return onnx.load(result)


if __name__ == "__main__":
    run(app)
