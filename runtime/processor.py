"""Which processor this is, and what it multiplies 8-bit numbers with."""

from __future__ import annotations

import platform
import re
from pathlib import Path

INSTRUCTIONS = {
    "amx_int8": "AMX",
    "avx512_vnni": "AVX512-VNNI",
    "avx_vnni": "AVX-VNNI",
    "avx512f": "AVX512",
    "avx2": "AVX2",
    "i8mm": "I8MM",
    "asimddp": "dot products",
}
"""Flag of /proc/cpuinfo -> what it is called, the fastest for 8 bits first: processors that share
a name may differ in it, and by several times in what INT8 takes."""


INT8 = set(INSTRUCTIONS) - {"avx512f", "avx2"}
"""Flags of processors that multiply and add numbers of 8 bits in 32."""
BF16 = {"avx512_bf16", "amx_bf16", "bf16"}
"""Flags of processors that multiply BF16 themselves; others take a hundred times as long."""


def processor_name(root: Path = Path("/")) -> str:
    """Such as "AMD EPYC 7B13 with AVX2", or "aarch64 with dot products" where it has no name."""
    text = _cpuinfo(root)
    named = re.search(r"model name\s*:\s*(.+)", text)
    bare = re.sub(r"\((R|TM)\)|Processor|CPU|@.*", "", named[1]) if named else platform.machine()
    flags = _flags(text)
    fastest = next((f" with {word}" for flag, word in INSTRUCTIONS.items() if flag in flags), "")
    return " ".join(bare.split()) + fastest


def computes_bf16(root: Path = Path("/")) -> bool:
    """Whether the processor has instructions that multiply BF16."""
    return bool(_flags(_cpuinfo(root)) & BF16)


def computes_int8(root: Path = Path("/")) -> bool:
    """Whether the processor has instructions that multiply and add numbers of 8 bits."""
    return bool(_flags(_cpuinfo(root)) & INT8)


def _cpuinfo(root: Path) -> str:
    info = root / "proc/cpuinfo"
    return info.read_text(encoding="utf-8", errors="replace") if info.is_file() else ""


def _flags(cpuinfo: str) -> set[str]:
    lines = re.findall(r"(?m)^(?:flags|Features)\s*:(.+)", cpuinfo)
    return {flag for line in lines for flag in line.split()}
