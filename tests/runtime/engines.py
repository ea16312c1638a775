"""Engines for the stand-in of TensorRT in fake_cuda.py."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import runtime.engine_binding
import runtime.engine_progress
import runtime.gpu  # noqa: F401 -- imported before sys.modules is patched, so that they stay
from runtime.manifest import Manifest
from runtime.manifest_file import read_manifest, write_manifest
from runtime.manifest_parts import EngineBinding
from tests.runtime.fake_cuda import ORIN, FakeCuda, fake_tensorrt
from tests.runtime.models import SIZE, manifest_of

OURS = ("runtime.backends.cuda", "runtime.backends.tensorrt")


@contextmanager
def cuda_stand_in(library: str = "tensorrt", version: str = "10.3.0") -> Iterator[FakeCuda]:
    """An Orin with this library, for as long as the block lasts."""
    cuda, bindings = FakeCuda(), ModuleType("cuda.bindings")
    bindings.runtime = cuda  # type: ignore[attr-defined]
    modules = {
        "cuda": ModuleType("cuda"),
        "cuda.bindings": bindings,
        library: fake_tensorrt(cuda, library, version),
    }
    with patch.dict(sys.modules, modules):
        for name in OURS:
            sys.modules.pop(name, None)
        tensorrt = importlib.import_module("runtime.backends.tensorrt")
        here = patch("runtime.backends.current_gpu", lambda: ORIN)
        with here, patch.object(tensorrt, "current_gpu", lambda: ORIN):
            yield cuda


def binding(library: str = "tensorrt", **changes: str | None) -> EngineBinding:
    """What an engine is bound to that was built on the Orin of cuda_stand_in."""
    facts: dict[str, Any] = {
        "library": library,
        "version": "10.3.0",
        "gpu": ORIN.name,
        "compute_capability": ORIN.compute_capability,
        "driver": ORIN.driver,
        "source_sha256": "0" * 64,
    }
    return EngineBinding(**{**facts, **changes})


def write_engine(
    path: Path, manifest: Manifest | None = None, **plan: object
) -> tuple[Path, Manifest]:
    """Writes an engine with its manifest; plan: what fake_cuda.Engine is to do."""
    manifest = manifest or manifest_of(engine=binding())
    path.write_text(json.dumps({"size": SIZE, **plan}))
    write_manifest(manifest, path)
    return path, read_manifest(path)
