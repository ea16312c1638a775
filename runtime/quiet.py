"""Keeps OpenCV and its FFmpeg from writing to stderr: errors are told by our own one line."""

from __future__ import annotations

import os

# Read once, when FFmpeg is first used; forced, because FFmpeg would print addresses with passwords.
os.environ["OPENCV_FFMPEG_LOGLEVEL"] = "-8"
os.environ.pop("OPENCV_FFMPEG_DEBUG", None)

import cv2


def quiet_opencv() -> None:
    """Silences OpenCV's log, which OpenCV 4 and 5 switch under different names."""
    if hasattr(cv2, "setLogLevel"):
        cv2.setLogLevel(0)
    else:
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
