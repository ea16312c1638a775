"""A window with the overlay, on machines that have a display."""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from runtime.counts import Counts
from runtime.errors import SinkError
from runtime.observe import Observation
from runtime.overlay import caption_of, draw_overlay

LARGEST_SIDE = 1280
"""Larger frames are shown smaller."""
QUIT_KEYS = (ord("q"), 27)


class Window:
    """A sink that draws the newest overlay; a screen shows it from the main thread."""

    name = "show"

    def __init__(self, title: str, live: bool) -> None:
        self.title = title
        self.picture: NDArray[np.uint8] | None = None
        """(H, W, 3) uint8 BGR, None before the first frame."""
        self._live = live

    def write(self, observation: Observation, counts: Counts) -> None:
        image, mask = observation.frame.image, observation.mask.view(np.uint8)
        scale = LARGEST_SIDE / max(image.shape[:2])
        if scale < 1:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            mask = cv2.resize(mask, image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
        caption = caption_of(observation.water_fraction, observation.frame.timestamp_s, self._live)
        self.picture = draw_overlay(np.asarray(image, np.uint8), mask.view(np.bool_), caption)

    def flush(self) -> None:
        return None

    def end(self, counts: Counts) -> None:
        return None

    def close(self) -> None:
        return None


class Screen(Protocol):
    """Shows pictures in windows; belongs to the main thread."""

    def show(self, title: str, picture: NDArray[np.uint8]) -> bool:
        """False when the user has closed the window or pressed q or Escape."""
        ...

    def close(self) -> None: ...


def open_screen() -> Screen:
    """OpenCV's windows where this OpenCV has any, else Tk's. Raises SinkError."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        raise SinkError("--show needs a display and there is none here; use --save instead")
    headless = re.search(r"GUI:\s+NONE", cv2.getBuildInformation())
    return TkScreen() if headless else OpenCvScreen()


def _no_window(error: Exception) -> SinkError:
    return SinkError(
        f"--show cannot open a window ({error}) and this OpenCV is headless; "
        "install python3-tk or opencv-python, or use --save instead"
    )


class OpenCvScreen:
    def show(self, title: str, picture: NDArray[np.uint8]) -> bool:
        cv2.imshow(title, picture)
        pressed = cv2.waitKey(1) & 0xFF
        return pressed not in QUIT_KEYS and cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) > 0

    def close(self) -> None:
        cv2.destroyAllWindows()


class TkScreen:
    def __init__(self) -> None:
        """Raises SinkError where Tk is missing or cannot reach the display."""
        try:
            import tkinter

            from PIL import ImageTk
        except ImportError as error:
            raise _no_window(error) from error
        try:
            self._root = tkinter.Tk()
        except tkinter.TclError as error:
            raise _no_window(error) from error
        self._tkinter: Any = tkinter
        self._image_tk: Any = ImageTk
        self._root.withdraw()
        self._labels: dict[str, Any] = {}
        self._open = True

    def show(self, title: str, picture: NDArray[np.uint8]) -> bool:
        if title not in self._labels:
            self._labels[title] = self._new_window(title)
        label = self._labels[title]
        image = self._image_tk.PhotoImage(Image.fromarray(picture[..., ::-1]), master=self._root)
        label.configure(image=image)
        label.picture = image  # Tk itself keeps no reference
        self._root.update()
        return self._open

    def _new_window(self, title: str) -> Any:
        window = self._tkinter.Toplevel(self._root)
        window.title(title)
        window.protocol("WM_DELETE_WINDOW", self._quit)
        for key in ("<Escape>", "q"):
            window.bind(key, self._quit)
        label = self._tkinter.Label(window)
        label.pack()
        return label

    def _quit(self, *_: object) -> None:
        self._open = False

    def close(self) -> None:
        self._root.destroy()
