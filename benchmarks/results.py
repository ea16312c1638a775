"""What a benchmark leaves: rows of timings with their parity, as JSON and back."""

from __future__ import annotations

import dataclasses
import json
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from runtime.errors import DataError
from runtime.files import write_text

SCHEMA = 1
FOLDER = Path(__file__).parent / "results"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One path at one size and batch. precision and device: what it computes in and on. backend: as
    it names itself. missing: why it was not timed; wrong: why its masks do not count; else "".
    ms: of every timed call, in order. load_s: from nothing to the first result. memory_mb: largest
    resident memory of a process with this path alone. joules: of the whole machine, per call.
    parity: export.parity's numbers of the very outputs that were timed. iou: theirs with the true
    masks, 0 to 1."""

    path: str
    precision: str
    device: str = "cpu"
    backend: str = ""
    missing: str = ""
    wrong: str = ""
    ms: tuple[float, ...] = ()
    load_s: float | None = None
    memory_mb: float | None = None
    joules: float | None = None
    parity: dict[str, float] = field(default_factory=dict)
    iou: float | None = None

    def quantile(self, share: float) -> float:
        """Milliseconds that this share of calls stayed within."""
        return float(np.quantile(self.ms, share))

    @property
    def spread(self) -> float:
        """Half of all calls lie within a range this wide, as a share of the median."""
        return (self.quantile(0.75) - self.quantile(0.25)) / self.quantile(0.5)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """All paths at one (height, width) and batch. multiply_adds: of one call. frames: where they
    are from. rates: "fp32 cpu" -> multiply-adds per second of the machine, measured in turn with
    the rows."""

    size: tuple[int, int]
    batch: int
    multiply_adds: int
    frames: str
    rates: dict[str, tuple[float, ...]]
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        return f"{self.size[0]}x{self.size[1]}, batch {self.batch}"

    @property
    def timed(self) -> list[Row]:
        return [row for row in self.rows if row.ms]

    def limit_ms(self, row: Row) -> float | None:
        """What a call would take at the machine's rate in the row's precision."""
        rates = self.rates.get(f"{row.precision} {row.device}")
        return 1e3 * self.multiply_adds / statistics.median(rates) if rates else None

    def times_faster(self, row: Row) -> float:
        """Than the first row, the reference; of medians in the same rounds."""
        return self.rows[0].quantile(0.5) / row.quantile(0.5)


@dataclass(frozen=True, kw_only=True)
class Results:
    """Everything of one device. versions: library -> version. network: which weights. busy: load
    average before the run, in processes that wanted a core. pipeline: of whole runs
    (benchmarks/test_pipeline.py). peers: name -> what was compared, ours and theirs in ms.
    training: recipe -> steps beside those of the article's loop."""

    date: str
    device: str
    threads: int
    busy: float
    versions: dict[str, str]
    network: str
    shapes: tuple[Shape, ...] = ()
    pipeline: dict[str, Any] = field(default_factory=dict)
    peers: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA

    @property
    def file_name(self) -> str:
        words = "".join(char if char.isalnum() else " " for char in self.device.lower()).split()
        return "-".join(words) + ".json"

    def beside(self, old: Results) -> Results:
        """These results, with what they lack taken from older ones of the same network, versions
        and threads."""
        if (old.network, old.versions, old.threads) != (self.network, self.versions, self.threads):
            return self
        shapes = {(shape.size, shape.batch): shape for shape in (*old.shapes, *self.shapes)}
        return dataclasses.replace(
            self,
            shapes=tuple(shapes[key] for key in sorted(shapes)),
            pipeline=_joined(old.pipeline, self.pipeline),
            peers=old.peers | self.peers,
            training=old.training | self.training,
        )


def _joined(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The new values and the old ones beside them, tables entry by entry."""
    tables = {
        key: old[key] | value
        for key, value in new.items()
        if isinstance(value, dict) and isinstance(old.get(key), dict)
    }
    return old | new | tables


def write_results(results: Results, folder: Path) -> Path:
    """Writes <device>.json atomically and returns its path. Raises SinkError."""
    path = folder / results.file_name
    folder.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(dataclasses.asdict(results), indent=1, allow_nan=False) + "\n")
    return path


def read_results(path: Path) -> Results:
    """Raises DataError for what is no result of this version of the benchmarks."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["schema"] != SCHEMA:
            raise KeyError(f"schema {values['schema']}, wanted {SCHEMA}")
        return Results(**{**values, "shapes": tuple(map(_shape, values["shapes"]))})
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} is no benchmark result ({error}); measure it anew") from error


def read_all(folder: Path = FOLDER) -> list[Results]:
    """The results of every device, the newest first. Raises DataError."""
    files = [path for path in sorted(folder.glob("*.json")) if path.name not in OTHERS]
    return sorted(map(read_results, files), key=lambda results: results.date, reverse=True)


OTHERS = ("ablation.json", "optimisations.json")
"""What lies in the same folder and is no device's."""


def _shape(values: dict[str, Any]) -> Shape:
    rows = tuple(Row(**{**row, "ms": tuple(row["ms"])}) for row in values["rows"])
    rates = {name: tuple(each) for name, each in values["rates"].items()}
    return Shape(**{**values, "size": tuple(values["size"]), "rates": rates, "rows": rows})
