"""Files that are either whole or not there: atomic writes and content hashes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from runtime.errors import SinkError


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, 64 lower-case hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextlib.contextmanager
def atomic_path(path: Path, *, durable: bool = True) -> Iterator[Path]:
    """A temporary path beside `path` that takes its place when the block ends without error.

    The temporary name keeps the suffix of `path`, because writers choose formats by it.
    durable: waits until the disk has the content, so that a power cut leaves the old file or the
    whole new one; too slow for a file per frame. Raises SinkError when it cannot be written.
    """
    with atomic_paths(path, durable=durable) as (temporary,):
        yield temporary


@contextlib.contextmanager
def atomic_paths(*paths: Path, durable: bool = True) -> Iterator[tuple[Path, ...]]:
    """As atomic_path, for files that belong together: all are whole before the first of them takes
    its place. A process that is killed just then, between two renames, leaves new beside old; who
    reads them must notice, as the hash in a manifest lets them."""
    with contextlib.ExitStack() as stack:
        temporaries = tuple(stack.enter_context(_temporary(path)) for path in paths)
        try:
            yield temporaries
            for temporary in temporaries:
                if durable:
                    _flush_to_disk(temporary)
                temporary.chmod(0o666 & ~_umask())
            for temporary, path in zip(temporaries, paths, strict=True):
                temporary.replace(path)
        except OSError as error:
            raise unwritable(paths[0], error) from error


def remove_orphans(paths: Iterable[Path]) -> None:
    """Removes the temporary files that killed processes left behind when they wrote these files.

    Only for who knows that nobody writes them now.
    """
    for path in paths:
        name = re.escape(f".{path.stem}.") + "[a-z0-9_]{8}" + re.escape(path.suffix)
        for found in path.parent.glob(f".*{path.suffix}"):
            if re.fullmatch(name, found.name):
                found.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text atomically. Raises SinkError."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Writes bytes atomically. Raises SinkError."""
    with atomic_path(path, durable=durable) as temporary:
        temporary.write_bytes(content)


def make_folder(path: Path) -> Path:
    """Creates a folder and its parents and returns it. Raises SinkError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def unwritable(path: Path, error: OSError) -> SinkError:
    """The one sentence for every path that cannot be written."""
    return SinkError(
        f"cannot write {path} ({error.strerror or error}); "
        "choose a folder that you may write to and that has free space"
    )


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    make_folder(path.parent)
    try:
        handle, name = tempfile.mkstemp(
            prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent
        )
    except OSError as error:
        raise unwritable(path, error) from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
