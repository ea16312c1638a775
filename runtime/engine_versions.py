"""What differs between TensorRT's versions when an engine is built: one table, nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass

from runtime.errors import BackendError


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """How one range of versions wants to be told which precision to compute in.

    first: the first version of the range, (major, minor). fp16_graph: the file an FP16 engine is
    built from. network_flags: names in NetworkDefinitionCreationFlag. precision_flags: precision
    -> names in BuilderFlag. timing_cache: whether one is of use. needs_gpu: an engine is built for
    the GPU of this machine; without it, for every GPU the library supports.
    """

    library: str
    first: tuple[int, int]
    fp16_graph: str
    network_flags: tuple[str, ...]
    precision_flags: dict[str, tuple[str, ...]]
    timing_cache: bool
    needs_gpu: bool


STRONG: dict[str, tuple[str, ...]] = {"fp32": (), "fp16": (), "int8": ()}
WEAK = {"fp32": (), "fp16": ("FP16",), "int8": ("INT8", "FP16")}

DIALECTS = (
    # Weakly typed: precision is a permission, given by flags (JetPack 6 has 10.3).
    Dialect(
        library="tensorrt",
        first=(10, 3),
        fp16_graph="fp32",
        network_flags=(),
        precision_flags=WEAK,
        timing_cache=True,
        needs_gpu=True,
    ),
    # Strongly typed: precision is what the graph says (JetPack 7 has 10.13 and 10.16).
    Dialect(
        library="tensorrt",
        first=(10, 12),
        fp16_graph="fp16",
        network_flags=("STRONGLY_TYPED",),
        precision_flags=STRONG,
        timing_cache=True,
        needs_gpu=True,
    ),
    # Always strongly typed; the flag is ignored, and the precision flags are gone.
    Dialect(
        library="tensorrt",
        first=(11, 0),
        fp16_graph="fp16",
        network_flags=(),
        precision_flags=STRONG,
        timing_cache=True,
        needs_gpu=True,
    ),
    # TensorRT for RTX has the same API and builds ahead of time, also without a GPU.
    Dialect(
        library="tensorrt_rtx",
        first=(1, 0),
        fp16_graph="fp16",
        network_flags=("STRONGLY_TYPED",),
        precision_flags=STRONG,
        timing_cache=False,
        needs_gpu=False,
    ),
)
"""In ascending order of versions for each library."""


def dialect_of(library: str, version: str) -> Dialect:
    """The row of the table for an installed version. Raises BackendError for what is too old."""
    numbers = re.match(r"(\d+)\.(\d+)", version)
    parsed = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
    rows = [row for row in DIALECTS if row.library == library]
    fitting = [row for row in rows if row.first <= parsed]
    if not fitting:
        oldest = ".".join(map(str, rows[0].first))
        raise BackendError(
            f"{library} {version} is too old to build engines; wanted {oldest} or newer"
        )
    return fitting[-1]
