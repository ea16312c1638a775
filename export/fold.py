"""Batch normalisation becomes part of the convolution before it, while weights are float32."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from runtime.manifest import Manifest


def fold_batch_norms(network: nn.Module, manifest: Manifest) -> nn.Module:
    """A copy, in eval mode, in which a batch normalisation that alone reads a convolution's result
    is part of that convolution. A network without any is returned as it is.

    torch's exporter folds too, but after a network became half: its weights would be rounded twice,
    and a variance below 1e-7 would be zero.
    """
    if not any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules()):
        return network
    folded = copy.deepcopy(network).eval()
    program = torch.export.export(folded, (torch.zeros(1, 3, *manifest.input_size),))
    for name, norm_name in _pairs(program):
        convolution, norm = folded.get_submodule(name), folded.get_submodule(norm_name)
        if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            folded.set_submodule(name, fuse_conv_bn_eval(convolution, norm))
            folded.set_submodule(norm_name, nn.Identity())
    return folded


def _pairs(program: torch.export.ExportedProgram) -> Iterator[tuple[str, str]]:
    """The names of convolutions and of the normalisations that belong to them, each run once."""
    names = program.graph_signature.inputs_to_parameters
    for node in program.graph.nodes:
        if node.target is not torch.ops.aten.batch_norm.default:
            continue
        source = node.args[0]
        if source.target is not torch.ops.aten.conv2d.default or len(source.users) > 1:
            continue
        weights = source.args[1], node.args[1]
        if all(str(weight) in names and len(weight.users) == 1 for weight in weights):
            convolution, norm = (names[str(weight)].rpartition(".")[0] for weight in weights)
            yield convolution, norm
