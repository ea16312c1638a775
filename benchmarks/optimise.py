"""What other graphs of the same function are worth: python -m benchmarks.optimise EXPORTS.

Each graph runs in turn with the exported one in the same library, with parity against PyTorch. The
table is the one of docs/performance.md, where the predictions were written down first.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import onnx
import typer
from numpy.typing import NDArray

from benchmarks.contest import Plan, run_contest
from benchmarks.contestants import CHECKPOINT, CONTESTANTS, Contestant
from benchmarks.entry import FRAMES, Entry, open_entry
from benchmarks.graphs import reshaped
from benchmarks.results import Row
from benchmarks.rewrites import subpixel
from export.calibration import calibrate
from export.frames import CALIBRATING, proof_frames
from export.graph import to_bytes
from export.int8 import KINDS, LAYERS, first_kept, quantise
from export.processors import for_processors
from runtime.console import run, say
from runtime.errors import ModelError
from runtime.manifest_file import read_manifest, write_manifest
from runtime.sizes import parse_size

CALIBRATION_FRAMES = 16
LIBRARIES = ("onnxruntime", "openvino")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
Rewrite = Callable[[onnx.ModelProto], onnx.ModelProto]


@dataclass(frozen=True, kw_only=True)
class Variant:
    """rewrite: of the FP32 graph. operators: those with 8-bit inputs; () stays in FP32. The first
    variant of a precision is the exported graph."""

    name: str
    rewrite: Rewrite
    operators: tuple[str, ...] = ()

    @property
    def precision(self) -> str:
        return "int8" if self.operators else "fp32"

    @property
    def key(self) -> str:
        return f"{self.precision}-{self.name.replace(' ', '-')}"


EXPORTED = KINDS["cpu"].operators
VARIANTS = (
    Variant(name="as exported", rewrite=lambda graph: graph),
    Variant(name="for processors", rewrite=for_processors),
    Variant(name="sub-pixel convolution", rewrite=subpixel),
    Variant(name="as exported", rewrite=for_processors, operators=EXPORTED),
    Variant(name="not rewritten", rewrite=lambda graph: graph, operators=EXPORTED),
    Variant(
        name="sub-pixel convolution",
        rewrite=lambda graph: for_processors(subpixel(graph)),
        operators=EXPORTED,
    ),
    Variant(name="concatenation in FP32", rewrite=for_processors, operators=LAYERS),
)


@app.command()
def optimise(
    exports: Annotated[Path, typer.Argument(help="An export folder with an FP32 graph.")],
    size: Annotated[str, typer.Option(metavar="HxW")] = "224x224",
    seconds: Annotated[float, typer.Option(min=0, help="How long the rounds last.")] = 120.0,
    checkpoint: Annotated[Path | None, typer.Option(metavar="FILE")] = None,
    data: Annotated[str | None, typer.Option(metavar="DIR", help="Photographs.")] = None,
) -> None:
    """Print a Markdown table: each variant in each library against the exported graph."""
    entry = open_entry(exports, checkpoint, data)
    if "fp32" not in entry.artefacts:
        raise ModelError(f"{exports} holds no FP32 graph; make one with 'python -m export'")
    rows = dict(zip(_contestants(), _timed(entry, parse_size(size), seconds), strict=True))
    typer.echo("| library | precision | graph | p50 ms | against as exported | pixels flipped |")
    typer.echo("|---|---|---|---:|---:|---:|")
    for contestant, row in list(rows.items())[1:]:
        library, _, name = row.path.partition(": ")
        if not row.ms:
            say(f"{row.path}: {row.missing or row.wrong}")
            continue
        base = next(
            other
            for entrant, other in rows.items()
            if (entrant.library, entrant.precision) == (contestant.library, contestant.precision)
        )
        ratio = row.quantile(0.5) / base.quantile(0.5)
        typer.echo(
            f"| {library.split()[0]} | {row.precision.upper()} | {name} | {row.quantile(0.5):.1f} "
            f"| {ratio:.3f} | {row.parity['flipped']:.3%} |"
        )


def _contestants() -> list[Contestant]:
    variants = [
        Contestant(
            name=f"{library} {variant.precision}: {variant.name}",
            library=library,
            precision=variant.precision,
            graph=variant.key,
        )
        for library in LIBRARIES
        for variant in VARIANTS
    ]
    return [CONTESTANTS[0], *variants]


def _timed(entry: Entry, size: tuple[int, int], seconds: float) -> tuple[Row, ...]:
    source = entry.artefacts["fp32"]
    manifest = dataclasses.replace(read_manifest(source), input_size=size, batch=1)
    graph = reshaped(onnx.load(source), 1, size)
    calibrating = proof_frames(entry.data, manifest, CALIBRATION_FRAMES, CALIBRATING).inputs
    frames = proof_frames(entry.data, manifest, FRAMES)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        entry.write_checkpoint(folder / CHECKPOINT)
        for variant in VARIANTS:
            say(f"making {variant.key} ...")
            path = folder / f"{variant.key}.onnx"
            path.write_bytes(to_bytes(_made(variant, graph, calibrating)))
            write_manifest(dataclasses.replace(manifest, precision=variant.precision), path)
        inputs = frames.inputs[:, None]
        plan = Plan(seconds=seconds, least=5)
        return run_contest(folder, inputs, frames.truth, manifest.threshold, plan, _contestants())[
            0
        ]


def _made(variant: Variant, graph: onnx.ModelProto, inputs: NDArray) -> onnx.ModelProto:
    changed = variant.rewrite(graph)
    if not variant.operators:
        return changed
    kind = dataclasses.replace(KINDS["cpu"], operators=variant.operators)
    ranges = calibrate(changed, inputs)["mean"]
    return quantise(changed, ranges, kind, first_kept(changed, kind))


if __name__ == "__main__":
    run(app)
