"""Seeds of what is made of one picture, or in one step."""

from __future__ import annotations

import numpy as np


def mixed_seed(*parts: int) -> int:
    """One 32-bit seed from several numbers."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])
