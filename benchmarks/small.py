"""The network that is timed where none is named: trained here for seconds, exported and proved."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from benchmarks.entry import Entry, open_entry
from export.artefacts import export_graph, export_int8, prepare_manifest
from export.frames import proof_frames
from export.parity import LIMITS
from export.proof import prove
from runtime.manifest import SCHEMA, Manifest
from runtime.manifest_parts import Provenance, TrainedOn
from train.checkpoint import save_checkpoint
from train.dataset import SYNTHETIC, open_dataset
from train.models import build_model
from train.normalise import normalise

WIDTH = float(os.environ.get("FLOOD_WIDTH", "0.25"))
SIZE, STEPS, RATE, FRAMES = (96, 96), 150, 3e-3, 8


def make_entry(home: Path) -> Entry:
    """FP32, FP16 and INT8 of a VGG19UNet that knows the very frames it is timed on: parity means
    nothing for a network that is unsure everywhere. Raises ParityError."""
    data = open_dataset(os.environ.get("FLOOD_DATA", SYNTHETIC))
    manifest = _manifest()
    frames = proof_frames(data, manifest, FRAMES)
    network = _trained(manifest, frames.inputs, frames.truth)
    checkpoint = home / "run" / "best.safetensors"
    trained = save_checkpoint(network, checkpoint, manifest)
    proof = prove(network, manifest, frames)
    prepared = prepare_manifest(trained, SIZE, 1)
    for precision in ("fp32", "fp16"):
        export_graph(network, prepared, precision, home / "exports", proof)
    export_int8(network, prepared, home / "exports", proof, proof, LIMITS["int8"]["iou_drop"])
    return open_entry(home / "exports", checkpoint, os.environ.get("FLOOD_DATA"))


def _trained(manifest: Manifest, inputs: np.ndarray, truth: np.ndarray) -> nn.Module:
    """Trained with batch normalisation, which learns within seconds and keeps activations in ranges
    that suit 8 bits; folded into the published network, which has none."""
    torch.manual_seed(0)
    network = build_model("vgg19unet-bn", WIDTH)
    pictures = normalise(torch.from_numpy(inputs), manifest.mean, manifest.std)
    wet = torch.from_numpy(truth).float()[:, None]
    optimiser = torch.optim.Adam(network.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for step in range(STEPS):
        few = torch.arange(4) + 4 * (step % 2)
        optimiser.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(network(pictures[few]), wet[few])
        loss.backward()
        optimiser.step()
        schedule.step()
    return _folded(network.eval())


def _folded(network: nn.Module) -> nn.Module:
    """The same function in the published network. Layers of both come in the same order, and a
    normalisation directly after its convolution."""
    plain = build_model("vgg19unet", WIDTH).eval()
    kinds = (nn.Conv2d, nn.ConvTranspose2d)
    targets = (layer for layer in plain.modules() if isinstance(layer, kinds))
    layers = [layer for layer in network.modules() if not any(layer.children())]
    for layer, following in zip(layers, [*layers[1:], None], strict=True):
        if isinstance(layer, kinds):
            norm = isinstance(following, nn.BatchNorm2d)
            source = fuse_conv_bn_eval(layer, following) if norm else layer
            next(targets).load_state_dict(source.state_dict())
    return plain


def _manifest() -> Manifest:
    return Manifest(
        schema=SCHEMA,
        model="vgg19unet",
        width=WIDTH,
        input_size=SIZE,
        batch=0,
        resize="linear",
        colour_order="RGB",
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
        threshold=0.5,
        class_names=("dry", "water"),
        precision="fp32",
        trained_on=TrainedOn(
            dataset="generated scenes for a minute", fingerprint="0" * 64, split="none", scores={}
        ),
        provenance=Provenance(checkpoint_sha256="0" * 64, tools={}),
        artefact_sha256="0" * 64,
    )
