"""Where frames come from, as people write it: one grammar for cameras, streams and files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from runtime.errors import SourceError
from runtime.redaction import redact

__all__ = ["GRAMMAR", "Address", "parse", "redact"]

GRAMMAR = (
    "0, /dev/video0, v4l2://0, csi://0, rtsp://..., http(s)://..., a file, a folder or a 'glob*'"
)
STREAM_SCHEMES = ("rtsp", "rtsps", "http", "https")

NUMBER = "[0-9]{1,9}"


@dataclass(frozen=True)
class Address:
    """A parsed address. where: a device for cameras ("/dev/video0"), a sensor number for CSI
    cameras, the whole address for streams, a path or pattern for files."""

    kind: Literal["camera", "csi", "stream", "path"]
    where: str

    @property
    def is_playlist(self) -> bool:
        """Whether it is a stream in segments (HLS), which come in bursts and lie there for long."""
        return self.kind == "stream" and urlsplit(self.where).path.lower().endswith(".m3u8")


def parse(uri: str) -> Address:
    """Reads an address. Raises SourceError for one that is outside the grammar."""
    if re.fullmatch(NUMBER, uri):
        return Address("camera", f"/dev/video{int(uri)}")
    if re.fullmatch(r"/dev/video\d+|/dev/v4l/by-(id|path)/[^/]+", uri):
        return Address("camera", uri)
    scheme, separator, rest = uri.partition("://")
    if not separator:
        if not uri.strip():
            raise SourceError(f"the source is empty; wanted {GRAMMAR}")
        return Address("path", uri)
    scheme = scheme.lower()
    if scheme in STREAM_SCHEMES and rest.strip("/"):
        if re.search(r"[\x00-\x20\x7f]", uri):
            raise SourceError(
                f"the address {redact(uri)!r} has a space or control character; write it as %20 "
                "or its own %XX"
            )
        return Address("stream", uri)
    if scheme == "file" and rest:
        return Address("path", rest)
    if scheme == "v4l2" and (match := re.fullmatch(rf"(?:/dev/video)?({NUMBER})?", rest)):
        return Address("camera", f"/dev/video{int(match[1] or 0)}")
    if scheme == "csi" and re.fullmatch(rf"({NUMBER})?", rest):
        return Address("csi", str(int(rest or 0)))
    raise SourceError(f"'{redact(uri)}' is no source; wanted {GRAMMAR}")
