"""Golden frames: what a model must answer, kept beside its artefact and asked again on the device.

A new version of an engine's library that silently computes something else is caught by them.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from runtime.errors import ManifestError, ParityError
from runtime.files import write_bytes
from runtime.manifest import Manifest
from runtime.processing import preprocess, to_mask

LARGEST_FILE = 300_000
"""Bytes; golden frames travel with every artefact and must not weigh."""
MOST_FLIPPED = {"fp32": 0.005, "fp16": 0.01, "int8": 0.03}
"""Precision -> share of mask pixels that may differ. The expected masks are the artefact's own at
export; a backend that computes something else is off by far more than rounding at the borders."""


@dataclass(frozen=True, kw_only=True)
class Golden:
    """Small generated frames and the masks that the network at hand gave for them.

    frames: (N, H, W, 3) uint8 BGR. masks: (N, H, W) bool, water is True, at frame size.
    checkpoint_sha256 and input_size (height, width): what the masks depend on.
    """

    frames: NDArray[np.uint8]
    masks: NDArray[np.bool_]
    checkpoint_sha256: str
    input_size: tuple[int, int]


def golden_path(artefact: Path) -> Path:
    """`model.onnx` -> `model.onnx.golden.npz`, in the same folder."""
    return artefact.with_name(artefact.name + ".golden.npz")


def write_golden(golden: Golden, artefact: Path) -> Path:
    """Writes golden frames beside an artefact and returns their path. Raises SinkError."""
    path = golden_path(artefact)
    write_bytes(path, pack_golden(golden))
    return path


def pack_golden(golden: Golden) -> bytes:
    """Golden frames as their file holds them. Raises ParityError for too many to travel."""
    content = io.BytesIO()
    np.savez_compressed(
        content,
        frames=golden.frames,
        masks=golden.masks,
        checkpoint_sha256=np.array(golden.checkpoint_sha256),
        input_size=np.array(golden.input_size),
    )
    if content.tell() > LARGEST_FILE:
        raise ParityError(
            f"golden frames of {content.tell()} bytes are too many to travel with a model, wanted "
            f"at most {LARGEST_FILE}: take fewer or smaller frames"
        )
    return content.getvalue()


def read_golden(artefact: Path, manifest: Manifest) -> Golden | None:
    """The golden frames beside an artefact, None where there are none.

    Raises ManifestError for a damaged file and for golden frames of another model or input size.
    """
    path = golden_path(artefact)
    if not path.is_file():
        return None
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as content:
            height, width = (int(side) for side in content["input_size"])
            golden = Golden(
                frames=content["frames"],
                masks=content["masks"],
                checkpoint_sha256=str(content["checkpoint_sha256"]),
                input_size=(height, width),
            )
    except Exception as error:  # the readers of zip archives and arrays raise almost anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ManifestError(
            f"{path} is damaged ({reason}); copy it again or export anew"
        ) from error
    _check(golden, manifest, path)
    return golden


def flipped_share(
    golden: Golden, number: int, manifest: Manifest, infer: Callable[[Any], NDArray[np.float32]]
) -> float:
    """Share of pixels, 0 to 1, in which the mask of one golden frame is not the expected one.

    infer: (1, h, w, 3) uint8 RGB -> (1, 1, h, w) float32 logits. NaN counts as wrong throughout.
    """
    frame, expected = golden.frames[number], golden.masks[number]
    inputs = preprocess(frame, manifest.input_size, manifest.resize)[np.newaxis]
    logits = infer(inputs)[0, 0]
    if not np.isfinite(logits).all():
        return 1.0
    height, width = expected.shape
    return float(np.mean(to_mask(logits, (height, width), manifest.threshold) != expected))


def check_golden(
    golden: Golden,
    manifest: Manifest,
    infer: Callable[[Any], NDArray[np.float32]],
    count: int | None = None,
) -> float:
    """The largest share of flipped pixels in the first `count` golden frames, or in all of them.

    Raises ParityError when that is more than the manifest's precision allows.
    """
    return max(itertools.islice(golden_shares(golden, manifest, infer), count))


def golden_shares(
    golden: Golden, manifest: Manifest, infer: Callable[[Any], NDArray[np.float32]]
) -> Iterator[float]:
    """The share of flipped pixels of one golden frame after the other, each asked when it is
    wanted. Raises ParityError at the first that is more than the manifest's precision allows."""
    allowed = MOST_FLIPPED[manifest.precision]
    for number in range(len(golden.frames)):
        flipped = flipped_share(golden, number, manifest, infer)
        if flipped > allowed:
            raise ParityError(
                f"{flipped:.1%} of a golden frame's mask differ from what was proved at export, "
                f"at most {allowed:.1%} may: do not trust its masks; update the library, or "
                "export anew"
            )
        yield flipped


def _check(golden: Golden, manifest: Manifest, path: Path) -> None:
    frames, masks = golden.frames, golden.masks
    well_formed = (
        frames.dtype == np.uint8
        and masks.dtype == np.bool_
        and frames.ndim == 4
        and frames.shape[3] == 3
        and frames.shape[:3] == masks.shape
        and masks.size > 0
    )
    if not well_formed:
        raise ManifestError(
            f"{path} is damaged (frames {frames.dtype} {frames.shape}, masks {masks.dtype} "
            f"{masks.shape}); copy it again or export anew"
        )
    wanted = (manifest.provenance.checkpoint_sha256, manifest.input_size)
    if (golden.checkpoint_sha256, golden.input_size) != wanted:
        raise ManifestError(
            f"{path} belongs to another model or input size; copy the one that was exported "
            "with this model, or export anew"
        )
