"""Whether this is a Jetson, where NVIDIA's libraries come with the system."""

from __future__ import annotations

import re
from pathlib import Path

ADVICE = (
    "on a Jetson it is the system's: sudo apt install python3-libnvinfer, and run in an "
    "environment made with --system-site-packages (docs/devices.md); pip's is not for its GPU"
)
"""What to do where TensorRT is missing there."""
CUDA_ADVICE = (
    "on a Jetson: pip install cuda-bindings==12.8.0 for JetPack 6, ==13.2.0 for JetPack 7 "
    "(docs/devices.md)"
)
"""The same for cuda-bindings, which would otherwise bring TensorRT along."""


def l4t_release(root: Path = Path("/")) -> str | None:
    """The release of L4T ("36.4.3") that this system is, None where it is not or does not say."""
    try:
        text = (root / "etc/nv_tegra_release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r"R(\d+) \(release\), REVISION: (\d+(?:\.\d+)*)", text)
    return f"{found[1]}.{found[2]}" if found else None


def is_jetson(root: Path = Path("/")) -> bool:
    """Whether L4T's release file lies here, or the device tree names a Jetson (in a container the
    former is often missing). root: of the file system."""
    if (root / "etc/nv_tegra_release").is_file():
        return True
    try:
        model = (root / "proc/device-tree/model").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "jetson" in model.lower()
