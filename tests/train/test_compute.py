from __future__ import annotations

import pytest
import torch

from runtime.errors import ModelError
from train.compute import find_compute


def test_the_precision_is_what_was_asked_for() -> None:
    assert find_compute("fp32").half is None
    compute = find_compute("bf16")
    with compute.autocast():
        product = torch.ones(2, 2, device=compute.device) @ torch.ones(2, 2, device=compute.device)
    assert product.dtype == torch.bfloat16
    assert not compute.scaler().is_enabled()


@pytest.mark.skipif(torch.cuda.is_available(), reason="GPUs take FP16")
def test_what_a_cpu_cannot_do_is_said() -> None:
    with pytest.raises(ModelError, match="fp16 came without a GPU"):
        find_compute("fp16")


def test_an_unknown_precision_lists_the_known() -> None:
    with pytest.raises(ModelError, match="unknown precision 'int8'; choose from: auto, fp32"):
        find_compute("int8")
