"""What the arithmetic runs on, and how precise it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch


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


def find_compute() -> Compute:
    """A GPU where there is one (BF16, or FP16 before Ampere); else the CPU, in BF16 where it has
    instructions for that (AVX512-BF16 or AMX)."""
    if torch.cuda.is_available():
        half = torch.bfloat16 if torch.cuda.get_device_capability() >= (8, 0) else torch.float16
        return Compute(device=torch.device("cuda"), half=half)
    able = getattr(torch.cpu, "get_capabilities", dict)()  # older than torch 2.9: float32
    fast = able.get("avx512_bf16", False) or able.get("amx_bf16", False)
    return Compute(device=torch.device("cpu"), half=torch.bfloat16 if fast else None)
