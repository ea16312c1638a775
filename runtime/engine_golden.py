"""The golden frames of an engine: its graph's, or new ones where the engine has another size."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from runtime.backends import load_backend
from runtime.backends.batches import infer_any
from runtime.console import say
from runtime.errors import BackendError, ModelError
from runtime.golden import Golden, read_golden
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest
from runtime.processing import preprocess, to_mask

REFERENCE = "onnxruntime"
"""What says which masks are right at a size that the export did not prove."""


def golden_for(graph: Path, manifest: Manifest, engine: Path) -> Golden | None:
    """The golden frames of an engine's graph; where the engine has another size, with the masks
    that the graph itself gives at that size in ONNX Runtime.

    manifest: of the engine. Where neither is to be had, one line says so and None is returned.
    Raises ManifestError for a damaged file.
    """
    described = read_manifest(graph)
    golden = read_golden(graph, described)
    if golden is not None and golden.input_size != manifest.input_size:
        try:
            golden = _at_size(golden, graph, described.at_size(manifest.input_size))
        except (BackendError, ModelError) as error:
            say(f"no golden frames for {engine.name}, so no self-test: {error}")
            return None
    if golden is None:
        say(f"no golden frames beside {graph}, so no self-test for {engine.name}")
    return golden


def _at_size(golden: Golden, graph: Path, manifest: Manifest) -> Golden:
    size = golden.masks.shape[1], golden.masks.shape[2]
    masks = []
    with load_backend(graph, manifest, REFERENCE) as backend:
        for frame in golden.frames:
            inputs = preprocess(frame, manifest.input_size, manifest.resize)[np.newaxis]
            logits = infer_any(backend, manifest, inputs)[0, 0]
            masks.append(to_mask(logits, size, manifest.threshold))
    return dataclasses.replace(golden, masks=np.stack(masks), input_size=manifest.input_size)
