"""How films are made, and how they lose bytes, for the tests of damaged and of whole files."""

from __future__ import annotations

import random
import shutil

import pytest

from tests.runtime.test_sources_files import H264

MARKS = [
    pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs the program ffmpeg"),
    pytest.mark.usefixtures("with_and_without_pyav"),
]

FEW_KEYS = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-bf", "3", "-g", "20")
SLOWER = ("-vf", "select='lt(n,10)+not(mod(n,3))'", "-vsync", "vfr", *H264)
MJPEG = ("-c:v", "mjpeg", "-pix_fmt", "yuvj420p")
MPEG2 = ("-c:v", "mpeg2video", "-bf", "2", "-r", "25")
FLASH = ("-c:v", "flv1", "-g", "10")
WMV = ("-c:v", "wmv2")
HALF = (0.45, 0.6)


def zeros(content: bytes, first: int, last: int) -> bytes:
    return content[:first] + bytes(last - first) + content[last:]


def noise(content: bytes, first: int, last: int) -> bytes:
    return content[:first] + random.Random(3).randbytes(last - first) + content[last:]


def gap(content: bytes, first: int, last: int) -> bytes:
    return content[:first] + content[last:]
