"""As many 8-bit layers as the accuracy allows: those that cost too much stay in float32."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import onnx
from rich.progress import track

from export.int8 import Kind, first_kept, quantise, weighted_layers
from export.parity import Parity, within
from export.proof import Proof
from runtime.console import say
from runtime.manifest import Manifest
from train.console import console, quiet

MOST_KEPT = 0.5
"""Share of layers beyond which a graph is no longer called INT8."""
ORDERING, FEWEST, MOST = 16 * 224 * 224, 4, 16
"""Pixels that say which layers are dear, in so many frames; each layer is asked alone."""
SMALLEST = 1e-6
"""A limit of 0 is taken for this where numbers are divided by limits."""


@dataclass(frozen=True, kw_only=True)
class Quantised:
    """A graph and how it came about. kept: the layers that stayed in float32, those that always do
    in front, then the dearest first."""

    graph: onnx.ModelProto
    method: str
    kept: tuple[str, ...]


def quantise_within(
    graph: onnx.ModelProto,
    kind: Kind,
    manifest: Manifest,
    ranges: Mapping[str, Any],
    calibration: Proof,
    proof: Proof,
    limits: Mapping[str, float],
) -> Quantised:
    """Quantises with the better calibration method, then keeps layers, dearest first, in float32
    until the limits hold on the frames of `proof`. graph: after the kind's `rewrite`. manifest: its
    quantisation names the kind. ranges: of each method, from `calibrate`.

    Method and order are chosen on the calibration's own frames, so that the proof stays a test.
    Where even half of the layers in float32 are not enough, the last try is returned, which the
    caller's check refuses.
    """
    first = first_kept(graph, kind)
    trials = {name: quantise(graph, values, kind, first) for name, values in ranges.items()}
    method = min(
        trials, key=lambda name: strain(calibration.measure_graph(trials[name], manifest), limits)
    )
    best = Quantised(graph=trials[method], method=method, kept=first)
    order: list[str] = []
    while not within(proof.measure_graph(best.graph, manifest), limits):
        if not order:
            dear = dearest_first(graph, ranges[method], kind, manifest, calibration, limits)
            order = [*first, *(layer for layer in dear if layer not in first)]
        if len(best.kept) >= MOST_KEPT * len(order):
            break
        kept = tuple(order[: len(best.kept) + 1])
        graph_kept = quantise(graph, ranges[method], kind, kept)
        best = Quantised(graph=graph_kept, method=method, kept=kept)
    return best


def dearest_first(
    graph: onnx.ModelProto,
    ranges: Any,
    kind: Kind,
    manifest: Manifest,
    calibration: Proof,
    limits: Mapping[str, float],
) -> list[str]:
    """All layers with weights, ordered by what each costs when it alone has 8 bits."""
    frames = min(MOST, max(FEWEST, round(ORDERING / math.prod(manifest.input_size))))
    layers, few = weighted_layers(graph), calibration.first(frames)
    say(
        f"8 bits in all {len(layers)} layers break a limit; measuring what each costs, so that the "
        "dearest stay in higher precision; this takes minutes ..."
    )
    costs: dict[str, float] = {}
    for layer in track(layers, "measuring layers", console=console, transient=True, disable=quiet):
        others = tuple(other for other in layers if other != layer)
        alone = quantise(graph, ranges, kind, others)
        costs[layer] = strain(few.measure_graph(alone, manifest), limits)
    return sorted(layers, key=lambda layer: costs[layer], reverse=True)


def strain(parity: Parity, limits: Mapping[str, float]) -> float:
    """How near a parity is to breaking its limits: the largest share of a limit that is used up."""
    shares = [getattr(parity, name) / max(limit, SMALLEST) for name, limit in limits.items()]
    return float(max(shares))
