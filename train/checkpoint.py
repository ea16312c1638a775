"""Checkpoints: weights as safetensors with a manifest beside them, never a pickle."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from runtime.errors import ModelError
from runtime.files import atomic_path, atomic_paths, sha256
from runtime.manifest import Manifest
from runtime.manifest_file import manifest_path, read_manifest, to_json
from train.models import build_model


def save_checkpoint(
    model: nn.Module, path: Path, manifest: Manifest, *, half: bool = False
) -> Manifest:
    """Writes the weights as float32, and their manifest, and returns it with both hashes.

    half: kernels as float16, which halves the file; biases and statistics stay float32. A network
    that is loaded from it computes in float32 all the same.
    A network wrapped by torch.compile or DistributedDataParallel is saved under its own names. A
    process that is killed leaves both files as they were, or both new; in the instant between the
    two renames one of each, which the manifest's hash then refuses. Raises SinkError.
    """
    with atomic_paths(path, manifest_path(path)) as (weights, contract):
        tensors = plain_weights(model)
        _save(_kernels_in_half(tensors) if half else tensors, weights)
        digest = sha256(weights)
        provenance = dataclasses.replace(manifest.provenance, checkpoint_sha256=digest)
        sealed = dataclasses.replace(manifest, provenance=provenance, artefact_sha256=digest)
        contract.write_text(to_json(sealed), encoding="utf-8")
    return sealed


def _kernels_in_half(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Raises ModelError for a weight that half precision cannot hold."""
    halves = {name: tensor.half() for name, tensor in tensors.items() if tensor.dim() > 1}
    if broken := [name for name, tensor in halves.items() if not tensor.isfinite().all()]:
        raise ModelError(f"'{broken[0]}' is too large for half precision; keep float32")
    return tensors | halves


def write_tensors(
    path: Path, tensors: dict[str, Tensor], header: dict[str, str] | None = None
) -> None:
    """Writes a safetensors file atomically. Raises SinkError."""
    with atomic_path(path) as temporary:
        _save(tensors, temporary, header)


def _save(
    tensors: dict[str, Tensor], temporary: Path, header: dict[str, str] | None = None
) -> None:
    try:
        safetensors.torch.save_file(tensors, temporary, header)
    except SafetensorError as error:  # how it tells a full disk
        raise OSError(str(error)) from error


def load_checkpoint(path: Path) -> tuple[nn.Module, Manifest]:
    """The network in eval mode, float32 on the CPU, and its manifest.

    Raises ModelError for a file that is no checkpoint or does not fit its manifest, ManifestError
    for a manifest that is missing, damaged or of another file.
    """
    weights = read_weights(path)
    manifest = read_manifest(path)
    model = build_model(manifest.model, manifest.width)
    load_weights(model, weights, f"{path} (its manifest says {manifest.model} {manifest.width:g})")
    return model.eval(), manifest


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, on the CPU. Raises ModelError."""
    if not path.is_file():
        raise ModelError(f"no such checkpoint: {path}; check the path or run 'python -m train'")
    try:
        return safetensors.torch.load_file(path)
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"{path} is no checkpoint ({str(error).splitlines()[0]}); "
            "wanted a .safetensors file written by 'python -m train'"
        ) from error


def load_weights(model: nn.Module, weights: dict[str, Tensor], origin: str) -> None:
    """Copies weights into a network. Raises ModelError when names or shapes differ; `origin` says
    in that message where the weights come from."""
    wanted = model.state_dict()
    if missing := sorted(set(wanted) - set(weights)):
        raise ModelError(f"{origin} lacks {len(missing)} tensors, the first is '{missing[0]}'")
    if unknown := sorted(set(weights) - set(wanted)):
        raise ModelError(f"{origin} has {len(unknown)} unknown tensors, such as '{unknown[0]}'")
    for name, tensor in wanted.items():
        if tensor.shape != weights[name].shape:
            raise ModelError(
                f"{origin}: '{name}' has shape {tuple(weights[name].shape)}, "
                f"wanted {tuple(tensor.shape)}; was it trained with another width?"
            )
    model.load_state_dict(weights)


def plain_weights(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the weights: float32, contiguous, on the CPU, named as the bare network does."""
    wrappers = ("_orig_mod.", "module.")
    weights: dict[str, Tensor] = {}
    for name, tensor in model.state_dict().items():
        while name.startswith(wrappers):
            name = name.split(".", 1)[1]
        kept = tensor.detach().to("cpu", torch.float32 if tensor.is_floating_point() else None)
        weights[name] = kept.clone(memory_format=torch.contiguous_format)
    return weights
