from __future__ import annotations

from pathlib import Path

import pytest
import torch

from runtime.errors import DataError
from train.state import (
    optimiser_state,
    read_state,
    restore_optimiser,
    write_state,
)


def test_a_tree_comes_back_as_it_was(tmp_path: Path) -> None:
    weights = torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last)
    tree = {
        "weights": weights,
        "shared": weights,
        "deep": [{"a": torch.tensor(3), "b": None}, "text", 0.1 + 0.2, True],
        "half": torch.ones(2, dtype=torch.bfloat16),
        "nothing": [],
        "worst": float("-inf"),
    }
    path = tmp_path / "state.safetensors"
    write_state(path, tree)
    back = read_state(path)
    assert torch.equal(back["weights"], weights)
    assert torch.equal(back["shared"], weights)
    assert back["deep"][0]["a"].item() == 3
    assert back["deep"][0]["b"] is None
    assert back["deep"][1:] == ["text", 0.1 + 0.2, True]
    assert back["half"].dtype == torch.bfloat16
    assert back["nothing"] == []
    assert back["worst"] == float("-inf")


def test_an_optimiser_goes_on(tmp_path: Path) -> None:
    def steps(optimiser: torch.optim.Optimizer, weight: torch.Tensor) -> torch.Tensor:
        for step in range(3):
            optimiser.zero_grad()
            (weight * torch.arange(step, step + 4.0)).sum().backward()
            optimiser.step()
        return weight.detach().clone()

    weight = torch.ones(4, requires_grad=True)
    optimiser = torch.optim.AdamW([weight], lr=0.1)
    steps(optimiser, weight)
    path, kept = tmp_path / "state.safetensors", weight.detach().clone()
    write_state(path, {"optimiser": optimiser_state(optimiser)})
    wanted = steps(optimiser, weight)

    again = kept.requires_grad_()
    fresh = torch.optim.AdamW([again], lr=0.5)
    state = read_state(path)
    restore_optimiser(fresh, state["optimiser"])
    assert torch.equal(steps(fresh, again), wanted)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"{}", None])
def test_what_is_no_state_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "state.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="nothing to resume" if content is None else "is damaged"):
        read_state(path)
