"""What the arithmetic runs on, and how precise it is."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from runtime.errors import ModelError


@dataclass(frozen=True, kw_only=True)
class Compute:
    """device: a torch device. half: the reduced precision of matrix work, None for float32."""

    device: torch.device
    half: torch.dtype | None

    @contextlib.contextmanager
    def autocast(self) -> Iterator[None]:
        """Matrix work in reduced precision, sums in float32."""
        enabled = self.half is not None
        with torch.autocast(self.device.type, dtype=self.half, enabled=enabled):
            yield

    def scaler(self) -> torch.amp.GradScaler:
        """Keeps small gradients above zero; only FP16 needs it."""
        return torch.amp.GradScaler(self.device.type, enabled=self.half is torch.float16)

    def __str__(self) -> str:
        name = torch.cuda.get_device_name() if self.device.type == "cuda" else "CPU"
        return f"{name}, {str(self.half or torch.float32).removeprefix('torch.')}"


PRECISIONS = {
    "auto": None,
    "fp32": None,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


def find_compute(precision: str = "auto") -> Compute:
    """A GPU where there is one, else the CPU.

    auto: BF16 on GPUs that have it, FP16 on older ones, BF16 on CPUs with instructions for it
    (AVX512-BF16 or AMX), else FP32. Raises ModelError for an unknown precision and for FP16 on a
    CPU.
    """
    if precision not in PRECISIONS:
        raise ModelError(f"unknown precision '{precision}'; choose from: {', '.join(PRECISIONS)}")
    cuda = torch.cuda.is_available()
    if precision == "fp16" and not cuda:
        raise ModelError("precision fp16 came without a GPU; CPUs take auto, bf16 or fp32")
    half = _best_half(cuda) if precision == "auto" else PRECISIONS[precision]
    device = torch.device("cuda", torch.cuda.current_device()) if cuda else torch.device("cpu")
    return Compute(device=device, half=half)


def _best_half(cuda: bool) -> torch.dtype | None:
    if cuda:
        return torch.bfloat16 if torch.cuda.get_device_capability() >= (8, 0) else torch.float16
    able = getattr(torch.cpu, "get_capabilities", dict)()  # older than torch 2.9: float32
    fast = able.get("avx512_bf16", False) or able.get("amx_bf16", False)
    return torch.bfloat16 if fast else None


def compute_alike() -> None:
    """Lets the same run give the same weights on the same machine, on GPUs too, at some cost in
    speed; on CPUs it does anyway. Call it before any GPU work."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.benchmark = False
