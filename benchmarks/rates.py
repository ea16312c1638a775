"""What the machine can do: multiply-adds per second of large products and convolutions, through
oneDNN on processors and cuBLAS and cuDNN on GPUs, as PyTorch calls them."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from runtime.errors import BackendError
from runtime.processor import computes_bf16, computes_int8

SIDE = {"cpu": 2048, "cuda": 8192}
CHANNELS, PICTURE = 256, 56
PRECISIONS = {"cpu": ("fp32", "bf16", "int8"), "cuda": ("fp32", "fp16", "int8")}


def precisions(device: str) -> tuple[str, ...]:
    """Those that this machine computes in: a product in BF16 takes a processor without it half a
    minute."""
    return tuple(
        precision
        for precision in PRECISIONS[device]
        if (device, precision) != ("cpu", "bf16") or computes_bf16()
    )


def open_rate(precision: str, device: str) -> Callable[[], float]:
    """A function that measures once and returns multiply-adds per second: the better of a square
    product and a 3x3 convolution of 256 channels. Raises BackendError."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise BackendError("PyTorch finds no GPU here")
    integer = precision == "int8"
    works = _integer(torch, device) if integer else _floating(torch, precision, device)
    wait = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    with torch.inference_mode(), cudnn_at_its_best(torch):
        for work, _ in works:
            work()

    def measure() -> float:
        best = 0.0
        with torch.inference_mode(), cudnn_at_its_best(torch):
            for work, multiply_adds in works:
                wait()
                start = time.perf_counter()
                work()
                wait()
                best = max(best, multiply_adds / (time.perf_counter() - start))
        return best

    return measure


def cudnn_at_its_best(torch: Any) -> Any:
    """A block in which cuDNN times its algorithms for each shape, and does not round to TF32."""
    return torch.backends.cudnn.flags(enabled=True, benchmark=True, allow_tf32=False)


def _floating(torch: Any, precision: str, device: str) -> list[tuple[Callable[[], Any], int]]:
    kind = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[precision]
    side = SIDE[device]
    left = torch.randn(side, side, device=device).to(kind)
    picture = torch.randn(1, CHANNELS, PICTURE, PICTURE, device=device)
    weights = torch.randn(CHANNELS, CHANNELS, 3, 3, device=device)
    picture, weights = (
        each.to(kind).to(memory_format=torch.channels_last) for each in (picture, weights)
    )
    convolve = partial(torch.nn.functional.conv2d, picture, weights, padding=1)
    return [(lambda: left @ left, side**3), (convolve, CHANNELS**2 * 9 * PICTURE**2)]


def _integer(torch: Any, device: str) -> list[tuple[Callable[[], Any], int]]:
    side = SIDE[device]
    left = torch.randint(-100, 100, (side, side), dtype=torch.int8, device=device)
    works: list[tuple[Callable[[], Any], int]] = []
    if device != "cpu" or computes_int8():  # elsewhere a plain loop, ten seconds long
        works.append((lambda: torch._int_mm(left, left), side**3))  # it has no public name
    if device == "cpu":
        works.append((_integer_convolution(torch), CHANNELS**2 * 9 * PICTURE**2))
    return works


def _integer_convolution(torch: Any) -> Callable[[], Any]:
    picture = torch.randint(0, 255, (1, CHANNELS, PICTURE, PICTURE), dtype=torch.uint8)
    picture = picture.contiguous(memory_format=torch.channels_last)
    weights = torch.randint(-100, 100, (CHANNELS, CHANNELS, 3, 3), dtype=torch.int8)
    scales, zeros = torch.ones(CHANNELS), torch.zeros(CHANNELS, dtype=torch.int)
    where = ([1, 1], [1, 1], [1, 1], 1)  # stride, padding, dilation, groups
    packed = torch.ops.onednn.qconv_prepack(
        weights, scales, 1.0, 0, *where, [1, CHANNELS, PICTURE, PICTURE]
    )
    after = (1.0, 0, torch.uint8, "none", [], "")  # scale, zero point, type, nothing fused
    return partial(
        torch.ops.onednn.qconv2d_pointwise,
        *(picture, 1.0, 0, packed, scales, zeros, None, *where, *after),
    )
