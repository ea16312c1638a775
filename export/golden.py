"""Eight small generated frames, and the masks that an artefact gives for them at export."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from export.proof import run_artefact
from runtime.golden import Golden
from runtime.manifest import Manifest
from runtime.processing import preprocess, to_mask
from train.scenes import generate_scene

SEEDS = (9001, 9002, 9005, 9006, 9007, 9008, 9010, 9011)
"""Of scenes with a tenth to two thirds of water."""
FRAME_SIZE = (72, 96)
"""Height and width: eight of them stay under 300 kB."""


def golden_frames(file: Path, manifest: Manifest) -> Golden:
    """What the artefact's device has to reproduce: its own answers at export, which the
    certificate holds to PyTorch. file: where the artefact's content is now.

    Raises ModelError and BackendError.
    """
    frames = [generate_scene(seed, FRAME_SIZE).image[..., ::-1] for seed in SEEDS]
    inputs = np.stack([preprocess(frame, manifest.input_size, manifest.resize) for frame in frames])
    logits, _ = run_artefact(file, manifest, inputs)
    return Golden(
        frames=np.stack(frames),
        masks=np.stack([to_mask(each[0], FRAME_SIZE, manifest.threshold) for each in logits]),
        checkpoint_sha256=manifest.provenance.checkpoint_sha256,
        input_size=manifest.input_size,
    )
