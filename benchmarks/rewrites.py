"""Other graphs of the same function, to be timed beside the exported one (benchmarks.optimise)."""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from export.processors import constant_of, finished, replace

Weights = NDArray[np.float32]


def subpixel(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Each ConvTranspose together with the 3x3 convolution that reads it through a Concat, as one
    sub-pixel convolution: 16 products per output channel, input channel and low pixel in place of
    8 + 36 / 2. For graphs of fixed size, because the ConvTranspose's bias does not reach beyond the
    border, which takes a map of the picture's size.

    Row 2y + p of the upsampled picture meets rows y - 1 + p and y + p of the low one; so one 2x2
    convolution of the padded low picture holds all four phases, each one step from where
    DepthToSpace puts it: phases are stored in reverse, and one pixel is cut off all around.
    """
    changed = onnx.ModelProto.FromString(graph.SerializeToString())
    for node in [node for node in changed.graph.node if node.op_type == "ConvTranspose"]:
        _subpixel(changed, node)
    return finished(changed)


def _subpixel(graph: onnx.ModelProto, node: onnx.NodeProto) -> None:
    concat = _reader(graph, node.output[0])
    follower = _reader(graph, concat.output[0])
    assert concat.op_type == "Concat" and concat.input[0] == node.output[0]
    up, up_bias = _weights(graph, node)
    both, bias = _weights(graph, follower)  # (out, up + skip, 3, 3)
    from_up, from_skip = both[:, : up.shape[1]], both[:, up.shape[1] :]
    low = _sub_kernel(up, from_up)
    border = np.einsum("oukl,u->okl", from_up, up_bias)  # what the bias adds through each tap
    height, width = _sides(graph, concat.output[0])
    maps = np.einsum("yk,okl,xl->oyx", _inside(height), border, _inside(width))[np.newaxis]
    name = follower.name
    middle = [f"{name}_{part}" for part in ("low", "shuffled", "cut", "skip", "sum")]
    cut = [constant_of(graph, f"{name}_{key}", np.array(values, np.int64)) for key, values in CUT]
    zero = np.zeros(len(low), np.float32)
    replace(
        graph,
        [node],
        [
            helper.make_node(
                "Conv", _inputs(graph, node, low, zero), [middle[0]], middle[0], pads=[1, 1, 1, 1]
            ),
            helper.make_node("DepthToSpace", middle[:1], [middle[1]], middle[1], blocksize=2),
            helper.make_node("Slice", [middle[1], *cut], [middle[2]], middle[2]),
        ],
    )
    skip = _inputs(graph, follower, from_skip, bias, source=concat.input[1])
    replace(
        graph,
        [follower],
        [
            helper.make_node("Conv", skip, [middle[3]], middle[3], pads=[1, 1, 1, 1]),
            helper.make_node("Add", [middle[3], middle[2]], [middle[4]], middle[4]),
            helper.make_node(
                "Add",
                [middle[4], constant_of(graph, f"{name}_map", maps.astype(np.float32))],
                [follower.output[0]],
                name,
            ),
        ],
    )
    graph.graph.node.remove(concat)


CUT = (("starts", [1, 1]), ("ends", [-1, -1]), ("axes", [2, 3]))


def _sub_kernel(up: Weights, conv: Weights) -> Weights:
    """(4 * out, in, 2, 2) from (in, up, 2, 2) and (out, up, 3, 3)."""
    low = np.zeros((2, 2, conv.shape[0], up.shape[0], 2, 2), np.float64)
    for phase_y, phase_x, tap_y, tap_x in np.ndindex(2, 2, 3, 3):
        row, column = phase_y + tap_y - 1, phase_x + tap_x - 1  # of the upsampled picture
        window = row // 2 + 1 - phase_y, column // 2 + 1 - phase_x
        part = np.einsum("ou,iu->oi", conv[:, :, tap_y, tap_x], up[:, :, row % 2, column % 2])
        low[1 - phase_y, 1 - phase_x, :, :, window[0], window[1]] += part
    return low.reshape(-1, *low.shape[3:]).astype(np.float32)


def _inside(side: int) -> NDArray[np.float64]:
    """(side, 3): whether each of a 3-tap kernel's taps lies inside the picture."""
    places = np.arange(side)[:, np.newaxis] + np.arange(-1, 2)
    return ((places >= 0) & (places < side)).astype(np.float64)


def _weights(graph: onnx.ModelProto, node: onnx.NodeProto) -> tuple[Weights, Weights]:
    found = {weight.name: weight for weight in graph.graph.initializer}
    weights, bias = (numpy_helper.to_array(found[name]) for name in node.input[1:3])
    return weights, bias


def _inputs(
    graph: onnx.ModelProto, node: onnx.NodeProto, weights: Weights, bias: Weights, source: str = ""
) -> list[str]:
    return [
        source or node.input[0],
        constant_of(graph, f"{node.input[1]}_new", weights),
        constant_of(graph, f"{node.input[2]}_new", bias),
    ]


def _reader(graph: onnx.ModelProto, name: str) -> onnx.NodeProto:
    (reader,) = [node for node in graph.graph.node if name in node.input]
    return reader


def _sides(graph: onnx.ModelProto, name: str) -> tuple[int, int]:
    (value,) = [value for value in graph.graph.value_info if value.name == name]
    _, _, height, width = (side.dim_value for side in value.type.tensor_type.shape.dim)
    return height, width
