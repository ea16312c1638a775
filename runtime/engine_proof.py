"""What the build of an engine proves: that it masks the golden frames as its graph does.

Against PyTorch, and on real frames, `python -m export.verify` holds it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from runtime.backends import load_backend
from runtime.backends.batches import infer_any
from runtime.certificate import SCHEMA, Certificate, Frames
from runtime.engine_plan import Plan
from runtime.errors import BackendError, ModelError, ParityError
from runtime.files import sha256
from runtime.golden import MOST_FLIPPED, Golden, flipped_share
from runtime.measuring import describe_device, measuring_tools

BACKEND = "tensorrt"


def prove_engine(plan: Plan, file: Path, golden: Golden | None) -> Certificate:
    """The certificate of an engine that was just built, which claims what was measured here.

    file: where the engine's content is now. golden: of the engine's size. Where there are no golden
    frames or the engine cannot be run, the certificate says so and claims nothing. Raises
    ParityError for an engine that gives other masks than its graph, ModelError for one that its
    own machine cannot load.
    """
    if plan.gpu is None:
        return _certificate(plan, file, "it was built where no NVIDIA GPU is, and not run")
    if golden is None:
        return _certificate(plan, file, f"it was not run: {plan.graph.name} has no golden frames")
    try:
        name, shares = _run(plan, file, golden)
    except BackendError as error:
        return _certificate(plan, file, f"it was not run where it was built: {error}")
    except ModelError as error:
        reason = str(error).split("; rebuild it with")[0]
        raise ModelError(
            f"{plan.engine.name} does not run where it was built, so it is not kept: {reason}"
        ) from error
    return _measured(plan, file, golden, name, shares)


def _run(plan: Plan, file: Path, golden: Golden) -> tuple[str, list[float]]:
    """The backend's name, and of each golden frame the share of pixels that flip."""
    manifest = plan.manifest
    with load_backend(file, manifest, BACKEND) as backend:
        shares = [
            flipped_share(golden, number, manifest, lambda x: infer_any(backend, manifest, x))
            for number in range(len(golden.frames))
        ]
        return backend.name, shares


def _measured(
    plan: Plan, file: Path, golden: Golden, backend: str, shares: list[float]
) -> Certificate:
    precision = plan.manifest.precision
    flipped, most, allowed = sum(shares) / len(shares), max(shares), MOST_FLIPPED[precision]
    if most > allowed:
        raise ParityError(
            f"{plan.engine.name} gives other masks than {plan.graph.name}: {most:.1%} of a golden "
            f"frame's pixels differ, at most {allowed:.1%} may, so it is not kept; update "
            f"{plan.dialect.library}, or build an engine of another precision"
        )
    origin = f"{len(shares)} golden frames"
    content = golden.frames.tobytes() + golden.masks.tobytes()
    return _certificate(
        plan,
        file,
        f"{precision} engine against {plan.graph.name}: {flipped:.3%} of pixels flip, {most:.3%} "
        f"in one frame at most; on {origin}",
        passed=True,
        backend=backend,
        parity={"flipped": flipped, "most_flipped": most},
        limits={"most_flipped": allowed},
        frames=Frames(
            origin=origin,
            fingerprint=hashlib.sha256(content).hexdigest(),
            names=tuple(f"golden {number}" for number in range(1, len(shares) + 1)),
        ),
    )


def _certificate(
    plan: Plan,
    file: Path,
    summary: str,
    passed: bool | None = None,
    backend: str = "none",
    parity: dict[str, float] | None = None,
    limits: dict[str, float] | None = None,
    frames: Frames | None = None,
) -> Certificate:
    """What is known of every engine that was built, and what was measured of it, if anything."""
    content = sha256(file)
    return Certificate(
        schema=SCHEMA,
        summary=summary,
        passed=passed,
        precision=plan.manifest.precision,
        reference=plan.graph.name,
        artefact_sha256=content,
        checkpoint_sha256=plan.manifest.provenance.checkpoint_sha256,
        graph_sha256=plan.binding.source_sha256,
        engine_sha256=content,
        parity=parity or {},
        limits=limits or {},
        noise_floor={},
        other_sizes={},
        frames=frames or Frames(origin="none", fingerprint="", names=()),
        worst=(),
        preprocessing=None,
        backend=backend,
        device=describe_device(),
        tools={**plan.manifest.provenance.tools, **measuring_tools()},
    )
