"""What is timed: an export and its checkpoint, at any size and batch, on real frames."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from benchmarks.contest import Plan, run_contest
from benchmarks.contestants import CHECKPOINT, CONTESTANTS, Contestant
from benchmarks.graphs import find_artefacts, multiply_adds, reshaped, resize
from benchmarks.results import Shape
from export.frames import find_data, proof_frames
from export.verify import find_checkpoint
from runtime.errors import ModelError
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest
from train.checkpoint import load_checkpoint, save_checkpoint
from train.models import build_model
from train.samples import DataSet

FRAMES = 8
"""Frames that a contest rotates; batches are made of them."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """artefacts: by key (benchmarks.graphs). checkpoint: of the same weights, None where only the
    exports are here. data: where frames are from. others: the same weights exported at other
    sizes, which are timed there in place of artefacts: INT8 is calibrated for its size."""

    artefacts: dict[str, Path]
    checkpoint: Path | None
    data: DataSet
    others: tuple[dict[str, Path], ...] = ()

    @property
    def manifest(self) -> Manifest:
        return read_manifest(next(iter(self.artefacts.values())))

    @property
    def network(self) -> str:
        """Which weights these are, in words."""
        manifest = self.manifest
        return (
            f"{manifest.model} x{manifest.width:g}, trained on {manifest.trained_on.dataset}, "
            f"checkpoint {manifest.provenance.checkpoint_sha256[:12]}"
        )

    def artefacts_at(self, size: tuple[int, int]) -> dict[str, Path]:
        """Those that were exported at (height, width), else those to be reshaped."""
        found = dict(self.artefacts)
        for other in self.others:
            found |= {
                key: path for key, path in other.items() if read_manifest(path).input_size == size
            }
        return found

    def run(
        self,
        size: tuple[int, int],
        batch: int,
        plan: Plan,
        contestants: tuple[Contestant, ...] = CONTESTANTS,
    ) -> Shape:
        """All contestants at one (height, width) and batch. Raises FloodError."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            resize(self.artefacts_at(size), batch, size, folder)
            self.write_checkpoint(folder / CHECKPOINT)
            resized = read_manifest(next(folder.glob("*.onnx")))
            frames = proof_frames(self.data, resized, max(FRAMES, 2 * batch))
            usable = len(frames.inputs) // batch * batch
            if usable == 0:
                raise ModelError(
                    f"a batch of {batch} needs as many pictures; name more with --data"
                )
            rows, rates = run_contest(
                folder,
                frames.inputs[:usable].reshape(-1, batch, *size, 3),
                frames.truth,
                resized.threshold,
                plan,
                contestants,
            )
            return Shape(
                size=size,
                batch=batch,
                multiply_adds=self._multiply_adds(size, batch),
                frames=frames.origin,
                rates=rates,
                rows=rows,
            )

    def _multiply_adds(self, size: tuple[int, int], batch: int) -> int:
        graph = onnx.load(next(iter(self.artefacts.values())))
        return multiply_adds(reshaped(graph, batch, size))

    def write_checkpoint(self, path: Path) -> None:
        """The checkpoint, or one with the weights of the FP32 graph, which are the same."""
        if self.checkpoint is not None:
            network, manifest = load_checkpoint(self.checkpoint)
        else:
            if "fp32" not in self.artefacts:
                raise ModelError(
                    "there is neither the checkpoint of this export nor an FP32 graph to compare "
                    "with; name the checkpoint in FLOOD_CHECKPOINT"
                )
            manifest = read_manifest(self.artefacts["fp32"])
            network = build_model(manifest.model, manifest.width)
            network.load_state_dict(weights_of(onnx.load(self.artefacts["fp32"])))
        save_checkpoint(network, path, manifest)


def weights_of(graph: onnx.ModelProto) -> dict[str, torch.Tensor]:
    """The state dict that an exported FP32 graph was made from; a graph names weights after it."""
    prefix = "network."
    return {
        weight.name.removeprefix(prefix): torch.from_numpy(numpy_helper.to_array(weight).copy())
        for weight in graph.graph.initializer
        if weight.name.startswith(prefix)
    }


def open_entry(
    exports: Path,
    checkpoint: Path | None = None,
    data: str | None = None,
    pairs: Path | None = None,
    others: Sequence[Path] = (),
) -> Entry:
    """An export folder, or one artefact with its manifest. Raises FloodError.

    checkpoint: default: found in runs/ by its hash. data: photographs; default: what the checkpoint
    was trained on, where that is here, else generated scenes. others: exports of the same
    checkpoint at other sizes.
    """
    artefacts = find_artefacts(exports)
    manifest = read_manifest(next(iter(artefacts.values())))
    if checkpoint is None:
        try:
            checkpoint = find_checkpoint(manifest.provenance.checkpoint_sha256)
        except ModelError:
            checkpoint = None
    data_set, _ = find_data(checkpoint or exports, manifest, data, pairs)
    return Entry(
        artefacts=artefacts,
        checkpoint=checkpoint,
        data=data_set,
        others=tuple(_find_alike(other, manifest) for other in others),
    )


def _find_alike(exports: Path, manifest: Manifest) -> dict[str, Path]:
    found = find_artefacts(exports)
    for path in found.values():
        if (
            read_manifest(path).provenance.checkpoint_sha256
            != manifest.provenance.checkpoint_sha256
        ):
            raise ModelError(
                f"{path} was exported from another checkpoint than the first export; export all "
                "from one with 'python -m export CHECKPOINT --size HxW --out DIR'"
            )
    return found
