"""--show: a window where there is a display, one clear line where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.counts import Counts
from runtime.errors import SinkError
from runtime.sinks.window import LARGEST_SIDE, Window, open_screen
from tests.runtime.conftest import ROOT, Command, write_clip
from tests.runtime.observations import observation


@pytest.fixture
def display() -> Iterator[str]:
    """A real X server without a monitor."""
    if shutil.which("Xvfb") is None:
        pytest.skip("needs Xvfb")
    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "640x480x24"]
    with subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL) as server:
        os.close(writing)
        with os.fdopen(reading) as stream:
            number = stream.readline().strip()
        yield f":{number}"
        server.terminate()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="DISPLAY is Linux's")
def test_without_a_display_one_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(SinkError, match=r"--show needs a display .*; use --save instead"):
        open_screen()


def test_large_frames_are_shown_smaller() -> None:
    window = Window("title", live=False)
    assert window.picture is None
    window.write(observation(0, 0.0, (1080, 1920)), Counts(processed=1))
    assert window.picture is not None
    assert window.picture.shape == (720, LARGEST_SIDE, 3)


def test_pictures_are_shown_and_q_or_closing_ends_it(
    display: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tkinter")
    monkeypatch.setenv("DISPLAY", display)
    program = """
import numpy as np
from runtime.sinks.window import TkScreen
screen = TkScreen()
picture = np.zeros((50, 80, 3), np.uint8)
assert screen.show("one", picture) and screen.show("two", picture) and screen.show("one", picture)
label = screen._labels["one"]
assert (label.picture.width(), label.picture.height()) == (80, 50)
window = label.winfo_toplevel()
assert window.title() == "one"
window.focus_force()
window.update()
window.event_generate("q")
assert not screen.show("two", picture)
screen.close()
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=60)


def test_a_run_shows_its_window_and_ends(
    display: str,
    flood_runtime: Command,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("tkinter")
    monkeypatch.setenv("DISPLAY", display)
    write_clip(tmp_path / "clip.mp4", frames=200)
    started = time.monotonic()
    done = flood_runtime("--source", "clip.mp4", "--model", tiny_model, "--show", "--json")
    assert done.returncode == 0, done.stderr
    assert '"show": {"written": 200' in done.stdout, time.monotonic() - started
