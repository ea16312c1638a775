"""Where frames come from. One grammar names them all:

0, /dev/video0, v4l2://0    a USB camera
csi://0                     a camera on a Jetson's CSI port
rtsp://..., http(s)://...   a network stream
clip.mp4, flood.jpg         a video file, a still picture
folder, 'folder/*.jpg'      many pictures, in natural order
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from runtime.console import say
from runtime.errors import SourceError
from runtime.sources.address import GRAMMAR, Address, parse, redact
from runtime.sources.base import Source, SourceInfo
from runtime.sources.connection import Fault, connect_or_why, is_recording
from runtime.sources.files import find_files
from runtime.sources.live import LiveSource
from runtime.sources.options import LiveOptions, live_options
from runtime.sources.patience import in_background, wait_for
from runtime.sources.pictures import PictureSource, is_picture
from runtime.sources.video import VideoFile, open_video
from runtime.stopping import end_if_asked

__all__ = [
    "GRAMMAR",
    "LiveOptions",
    "Source",
    "SourceInfo",
    "all_files",
    "files_of",
    "live_options",
    "open_source",
    "redact",
]


def all_files(uris: Iterable[str]) -> bool:
    """Whether every address names files, which wait to be read. Raises SourceError."""
    return all([parse(uri).kind == "path" for uri in uris])


def files_of(uris: Iterable[str]) -> list[Path]:
    """The files that all addresses name; cameras and streams have none. Raises SourceError."""
    addresses = map(parse, uris)
    paths = [address.where for address in addresses if address.kind == "path"]
    return [file for where in paths for file in find_files(where).files]


def open_source(uri: str, options: LiveOptions | None = None) -> Source:
    """Opens whatever an address names. Raises SourceError when it gives no frames.

    options: wishes and limits for cameras and streams; files and pictures have none.
    """
    end_if_asked()
    address = parse(uri)
    if address.kind != "path":
        return _open_live(uri, address, options or LiveOptions())
    found = find_files(address.where)
    if found.left_out:
        say(
            f"{redact(uri)}: files left out because they are no pictures: {found.left_out}; "
            "name a video by its own path"
        )
    first = found.files[0]
    if len(found.files) == 1 and not is_picture(first):
        return open_video(uri, first)
    return PictureSource(uri, found.files)


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
