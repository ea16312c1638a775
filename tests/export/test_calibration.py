from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx

from export.calibration import METHODS, calibrate
from export.int8 import KINDS
from export.proof import Proof

Traced = Callable[..., onnx.ModelProto]


def test_one_calibration_serves_every_kind(traced: Traced, proof: Proof) -> None:
    """What one kind's graph computes, the other's does, too, by the same name."""
    found = calibrate(KINDS["cpu"].rewrite(traced("fp32")), proof.frames.inputs)
    own = calibrate(KINDS["tensorrt"].rewrite(traced("fp32")), proof.frames.inputs)
    assert found.keys() == own.keys() == METHODS.keys()
    for method, ranges in own.items():
        assert len(ranges.data) > 50
        for name, range_of in ranges.data.items():
            for end, other in zip(
                range_of.range_value, found[method].data[name].range_value, strict=True
            ):
                np.testing.assert_allclose(end, other, rtol=1e-4, atol=1e-4)


def test_a_range_is_drawn_from_the_extremes_of_each_frame(traced: Traced, proof: Proof) -> None:
    graph, frames = traced("fp32"), proof.frames.inputs[:3]
    each = [calibrate(graph, frame[None])["minmax"].data for frame in frames]
    both = calibrate(graph, frames)
    for name in each[0]:
        lows, highs = zip(*(one[name].range_value for one in each), strict=True)
        assert both["minmax"].data[name].range_value == (min(lows), max(highs))
        mean = both["mean"].data[name].range_value
        np.testing.assert_allclose(mean, (np.mean(lows, 0), np.mean(highs, 0)), rtol=1e-6)
