from __future__ import annotations

from collections.abc import Callable

import onnx
import pytest

from export.calibration import METHODS, calibrate
from export.int8 import KINDS, first_kept, quantise
from export.max_drop import dearest_first, quantise_within, strain
from export.proof import Proof
from runtime.manifest import Manifest

Traced = Callable[..., onnx.ModelProto]
LOOSE = {"flipped": 1.0, "iou_drop": 1.0}


@pytest.mark.parametrize("kind", KINDS)
def test_the_better_calibration_method_is_taken(
    traced: Traced, fixed: Manifest, proof: Proof, kind: str
) -> None:
    costs, source = {}, KINDS[kind].rewrite(traced("fp32"))
    ranges = calibrate(source, proof.frames.inputs)
    for method in METHODS:
        graph = quantise(source, ranges[method], KINDS[kind], first_kept(source, KINDS[kind]))
        costs[method] = strain(proof.measure_graph(graph, fixed), LOOSE)
    done = quantise_within(source, KINDS[kind], fixed, ranges, proof, proof, LOOSE)
    assert done.kept == first_kept(source, KINDS[kind])
    assert costs[done.method] == min(costs.values())


def test_layers_stay_in_float32_until_the_limits_hold(
    traced: Traced, fixed: Manifest, proof: Proof
) -> None:
    source = KINDS["cpu"].rewrite(traced("fp32"))
    ranges = calibrate(source, proof.frames.inputs)
    everything = quantise_within(source, KINDS["cpu"], fixed, ranges, proof, proof, LOOSE)
    flips = proof.measure_graph(everything.graph, fixed).flipped
    limits = {"flipped": flips * 0.8, "iou_drop": 1.0}
    done = quantise_within(source, KINDS["cpu"], fixed, ranges, proof, proof, limits)
    assert len(done.kept) > 1
    assert proof.measure_graph(done.graph, fixed).flipped <= limits["flipped"]
    order = dearest_first(source, ranges[done.method], KINDS["cpu"], fixed, proof, limits)
    first, *dear = done.kept
    assert (first,) == everything.kept == first_kept(source, KINDS["cpu"])
    assert dear == [layer for layer in order if layer != first][: len(dear)]
