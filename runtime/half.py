"""FP16 that is FP16: the share of layers that compute in half precision."""

from __future__ import annotations

from runtime.errors import ModelError

LEAST_SHARE = 0.8
"""An artefact with fewer half layers is not called FP16; casts and normalisation stay float32."""


def check_share(counts: dict[str, tuple[int, int]], artefact: str) -> None:
    """Raises ModelError where too few layers are half: never a silent FP32.

    counts: where layers were counted -> how many are half, of how many.
    """
    for where, (half, layers) in counts.items():
        if half < LEAST_SHARE * layers:
            raise ModelError(
                f"{artefact} is not FP16: only {half} of {layers} layers in its {where} are half, "
                f"wanted {LEAST_SHARE:.0%}; this network needs FP32"
            )
