"""Where frames come from. One grammar names them all:

0, /dev/video0, v4l2://0    a USB camera
csi://0                     a camera on a Jetson's CSI port
rtsp://..., http(s)://...   a network stream
clip.mp4, flood.jpg         a video file, a still picture
folder, 'folder/*.jpg'      many pictures, in natural order
"""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path

from runtime.errors import SourceError
from runtime.sources.address import GRAMMAR, Address, parse, redact
from runtime.sources.base import Source, SourceInfo
from runtime.sources.connection import Fault, connect_or_why, is_recording
from runtime.sources.live import LiveSource
from runtime.sources.options import LiveOptions, live_options
from runtime.sources.patience import in_background, wait_for
from runtime.sources.pictures import PictureSource, is_picture
from runtime.sources.video import VideoFile, open_video

__all__ = [
    "GRAMMAR",
    "LiveOptions",
    "Source",
    "SourceInfo",
    "all_files",
    "live_options",
    "open_source",
    "redact",
]


def all_files(uris: Iterable[str]) -> bool:
    """Whether every address names files, which wait to be read. Raises SourceError."""
    return all([parse(uri).kind == "path" for uri in uris])


def open_source(uri: str, options: LiveOptions | None = None) -> Source:
    """Opens whatever an address names. Raises SourceError when it gives no frames.

    options: wishes and limits for cameras and streams; files and pictures have none.
    """
    address = parse(uri)
    if address.kind != "path":
        return _open_live(uri, address, options or LiveOptions())
    path = Path(address.where).expanduser()
    try:
        if path.is_dir():
            return _open_folder(uri, path)
        if path.exists():
            return PictureSource(uri, [path]) if is_picture(path) else open_video(uri, path)
    except OSError as error:
        raise SourceError(f"cannot read {path} ({error.strerror}); check the path") from error
    if glob.has_magic(address.where):
        return _open_glob(uri, str(path))
    raise SourceError(f"no such file or folder: {redact(str(path))}; wanted {GRAMMAR}")


def _open_live(uri: str, address: Address, options: LiveOptions) -> Source:
    """A camera or stream; a recording behind http:// is a file, and read to its end.

    One that is not there yet is waited for while it is read, so that it holds nobody back.
    """
    first = in_background(lambda: connect_or_why(address, options))
    if not wait_for(first, options.start_s if address.kind == "stream" else None):
        return LiveSource(uri, address, options, first)
    got = first.result()
    if isinstance(got, Fault):
        if got.for_good or options.give_up_after_s == 0:
            raise SourceError(got.line)
    elif is_recording(address, got):
        return VideoFile(uri, got)
    return LiveSource(uri, address, options, first)


def _open_folder(uri: str, folder: Path) -> Source:
    pictures = [path for path in folder.iterdir() if is_picture(path)]
    if not pictures:
        raise SourceError(
            f"the folder {folder} holds no pictures; wanted .jpg, .png, .webp, .bmp or .tif files "
            "in it, or the path of a video file"
        )
    return PictureSource(uri, pictures)


def _open_glob(uri: str, pattern: str) -> Source:
    matches = [Path(match) for match in glob.glob(pattern, recursive=True)]  # noqa: PTH207 -- absolute patterns
    files = [match for match in matches if match.is_file()]
    pictures = [file for file in files if is_picture(file)]
    if pictures:
        return PictureSource(uri, pictures)
    if len(files) == 1:
        return open_video(uri, files[0])
    if not files:
        raise SourceError(f"no file matches '{redact(pattern)}'; check the pattern and quote it")
    raise SourceError(
        f"'{pattern}' matches {len(files)} files and no pictures; name one video at a time"
    )
