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


def processor_name(root: Path = Path("/")) -> str:
    """Such as "AMD EPYC 7B13 with AVX2", or "aarch64 with dot products" where it has no name."""
    info = root / "proc/cpuinfo"
    text = info.read_text(encoding="utf-8", errors="replace") if info.is_file() else ""
    named = re.search(r"model name\s*:\s*(.+)", text)
    bare = re.sub(r"\((R|TM)\)|Processor|CPU|@.*", "", named[1]) if named else platform.machine()
    flags = set(re.findall(r"\w+", " ".join(re.findall(r"(?m)^(?:flags|Features)\s*:(.+)", text))))
    fastest = next((f" with {word}" for flag, word in INSTRUCTIONS.items() if flag in flags), "")
    return " ".join(bare.split()) + fastest
