"""A manifest as a file beside its artefact, which it names by its hash."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from runtime.errors import ManifestError
from runtime.files import atomic_path, sha256
from runtime.manifest import SCHEMA, Manifest
from runtime.strict_json import decode


def manifest_path(artefact: Path) -> Path:
    """`model.onnx` -> `model.onnx.json`, in the same folder."""
    return artefact.with_name(artefact.name + ".json")


def write_manifest(manifest: Manifest, artefact: Path) -> Manifest:
    """Writes the manifest beside a finished artefact and returns it with the artefact's hash.

    Call it last: the hash is taken from the file as it stands. Raises SinkError.
    """
    with atomic_path(manifest_path(artefact)) as temporary:
        return seal(manifest, artefact, temporary)


def seal(manifest: Manifest, content: Path, file: Path) -> Manifest:
    """Writes the manifest of an artefact whose content and manifest are still temporary files, and
    returns it with the content's hash. Raises OSError."""
    sealed = dataclasses.replace(manifest, artefact_sha256=sha256(content))
    file.write_text(to_json(sealed), encoding="utf-8")
    return sealed


def to_json(manifest: Manifest) -> str:
    """A manifest as its file holds it."""
    return json.dumps(dataclasses.asdict(manifest), indent=2, allow_nan=False) + "\n"


def read_manifest(artefact: Path) -> Manifest:
    """Reads and validates the manifest of an artefact and verifies the artefact's hash.

    Raises ManifestError for a missing or damaged manifest, an unknown schema, unknown or missing
    keys, wrong types and values, and for an artefact that changed since it was written.
    """
    manifest = _parse(artefact)
    _verify(artefact, manifest, sha256(artefact))
    return manifest


@contextlib.contextmanager
def verified_meanwhile(artefact: Path) -> Iterator[Manifest]:
    """As read_manifest, with the hash taken while the block runs, which loads the artefact: that
    of a large graph is a tenth of the time to its first mask. Raises ManifestError at the end of
    the block, in place of whatever a changed file made the block raise.
    """
    manifest = _parse(artefact)
    with ThreadPoolExecutor(1, "hash") as pool:
        actual = pool.submit(sha256, artefact)
        try:
            yield manifest
        finally:
            _verify(artefact, manifest, actual.result())


def _parse(artefact: Path) -> Manifest:
    if not artefact.is_file():
        raise ManifestError(f"no such model: {artefact}; check the path or run 'python -m export'")
    path = manifest_path(artefact)
    try:
        parsed = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ManifestError(
            f"{artefact} has no manifest; wanted {path.name} beside it: copy both files, "
            "or export the model anew"
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise ManifestError(
            f"{path} is damaged ({str(error).splitlines()[0]}); copy it again or export anew"
        ) from error
    return _decode(parsed, path)


def _verify(artefact: Path, manifest: Manifest, actual: str) -> None:
    if actual != manifest.artefact_sha256:
        raise ManifestError(
            f"{artefact} is not the file its manifest describes (sha256 {actual[:12]}…, "
            f"wanted {manifest.artefact_sha256[:12]}…); copy both files again or export anew"
        )


def _decode(parsed: Any, path: Path) -> Manifest:
    schema = parsed.get("schema") if isinstance(parsed, dict) else None
    if isinstance(schema, int) and schema != SCHEMA:
        raise ManifestError(
            f"{path} has schema {schema}, this program reads schema {SCHEMA}; "
            f"{'update the program' if schema > SCHEMA else 'export the model anew'}"
        )
    try:
        return decode(Manifest, parsed)
    except (ValueError, ManifestError) as error:
        raise ManifestError(f"{path}: {error}; copy it again or export the model anew") from error
