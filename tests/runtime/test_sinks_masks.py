"""Masks are exact pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from runtime.sinks import Outputs
from tests.runtime.observations import observation, write_all


def test_masks_are_png_of_0_and_255_at_frame_size_under_the_frames_name(tmp_path: Path) -> None:
    write_all(Outputs(masks=tmp_path / "masks"), [observation(3, 0.3, (33, 47))])
    assert [path.name for path in (tmp_path / "masks").iterdir()] == ["000003.png"]
    with Image.open(tmp_path / "masks" / "000003.png") as mask:
        assert (mask.format, mask.mode, mask.size) == ("PNG", "L", (47, 33))
        values = np.asarray(mask)
    assert set(np.unique(values)) == {0, 255}
    assert ((values == 255) == observation(3, 0.3, (33, 47)).mask).all()
