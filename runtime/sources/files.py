"""Which files an address names: one, the pictures of a folder, or those that match a pattern."""

from __future__ import annotations

import glob
from dataclasses import dataclass
from pathlib import Path

from runtime.errors import SourceError
from runtime.redaction import redact
from runtime.sources.address import GRAMMAR
from runtime.sources.pictures import is_picture


@dataclass(frozen=True)
class Found:
    """files: one file of any kind, or pictures. left_out: how many others lie there."""

    files: list[Path]
    left_out: int = 0


def find_files(where: str) -> Found:
    """What a path or pattern names; hidden files are not looked at. Raises SourceError."""
    try:
        path = Path(where).expanduser()
    except RuntimeError:
        name = Path(where).parts[0]
        raise SourceError(f"no such user: {name}; write ./{name} for a file of that name") from None
    try:
        if path.is_dir():
            return _in_folder(path)
        if path.exists():
            return Found([path])
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SourceError(f"cannot read {redact(str(path))} ({reason}); check the path") from error
    if glob.has_magic(where):
        return _matching(str(path))
    raise SourceError(f"no such file or folder: {redact(str(path))}; wanted {GRAMMAR}")


def _in_folder(folder: Path) -> Found:
    found = _pictures(list(folder.iterdir()))
    if found.files:
        return found
    others = f" (other files: {found.left_out})" if found.left_out else ""
    raise SourceError(
        f"the folder {folder} holds no pictures{others}; wanted .jpg, .png, .webp, .bmp or .tif "
        "files in it, or the path of a video file"
    )


def _matching(pattern: str) -> Found:
    matches = [Path(match) for match in glob.glob(pattern, recursive=True)]  # noqa: PTH207 -- absolute patterns
    found = _pictures(matches)
    if found.files:
        return found
    files = [match for match in matches if match.is_file()]
    if len(files) == 1:
        return Found(files)
    if not files:
        raise SourceError(f"no file matches '{redact(pattern)}'; check the pattern and quote it")
    raise SourceError(
        f"'{pattern}' matches {len(files)} files and no pictures; name one video at a time"
    )


def _pictures(paths: list[Path]) -> Found:
    files = [path for path in paths if not path.name.startswith(".") and path.is_file()]
    pictures = [file for file in files if is_picture(file)]
    return Found(pictures, len(files) - len(pictures))
