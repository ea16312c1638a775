"""Everything that a run needs to go on exactly where it was, as one file without a pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from runtime.errors import DataError
from train.checkpoint import write_tensors

STATE = "state.safetensors"
FORMAT = 1
_TENSOR = "tensor:"

Tree = Any
"""Dicts and lists of tensors, numbers, strings, booleans and None; keys of dicts are strings."""


def write_state(path: Path, state: Tree) -> None:
    """Writes a tree atomically: its tensors as safetensors, the rest as JSON in the header.

    Raises SinkError; the file that was there before stays.
    """
    tensors: dict[str, Tensor] = {}
    rest = json.dumps(_take_tensors(state, "", tensors))
    write_tensors(path, tensors, {"format": str(FORMAT), "state": rest})


def read_state(path: Path) -> Tree:
    """What write_state was given; tensors lie on the CPU. Raises DataError."""
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            if header.get("format") != str(FORMAT):
                raise ValueError(f"its format is {header.get('format')}, this version's {FORMAT}")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return _put_tensors(json.loads(header["state"]), tensors)
    except FileNotFoundError:
        raise DataError(
            f"nothing to resume in {path.parent}: it has no {STATE}; it has ended, or never began"
        ) from None
    except (SafetensorError, OSError, ValueError, KeyError) as error:
        raise DataError(
            f"{path} is damaged ({str(error).splitlines()[0]}); train on from the run's "
            "best.safetensors with --encoder, or train anew"
        ) from error


def optimiser_state(optimiser: torch.optim.Optimizer) -> Tree:
    """A state_dict as a tree: numbers of parameters become strings."""
    state = optimiser.state_dict()
    return {**state, "state": {str(number): value for number, value in state["state"].items()}}


def restore_optimiser(optimiser: torch.optim.Optimizer, tree: Tree) -> None:
    """Puts back what optimiser_state gave."""
    state = {int(number): value for number, value in tree["state"].items()}
    optimiser.load_state_dict({**tree, "state": state})


def _take_tensors(value: Tree, name: str, tensors: dict[str, Tensor]) -> Tree:
    if isinstance(value, Tensor):
        tensors[name] = value.detach().cpu().contiguous().clone()
        return _TENSOR + name
    if isinstance(value, dict):
        return {key: _take_tensors(item, f"{name}/{key}", tensors) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_take_tensors(item, f"{name}/{n}", tensors) for n, item in enumerate(value)]
    return value


def _put_tensors(value: Tree, tensors: dict[str, Tensor]) -> Tree:
    if isinstance(value, str) and value.startswith(_TENSOR):
        return tensors[value.removeprefix(_TENSOR)]
    if isinstance(value, dict):
        return {key: _put_tensors(item, tensors) for key, item in value.items()}
    if isinstance(value, list):
        return [_put_tensors(item, tensors) for item in value]
    return value
