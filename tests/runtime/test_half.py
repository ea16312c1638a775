from __future__ import annotations

import pytest

from runtime.errors import ModelError
from runtime.half import check_share


def test_too_few_half_layers_are_never_called_fp16() -> None:
    check_share({"graph": (80, 100)}, "model.fp16.onnx")
    with pytest.raises(ModelError, match="only 79 of 100 layers in its graph are half, wanted 80%"):
        check_share({"graph": (79, 100)}, "model.fp16.onnx")
