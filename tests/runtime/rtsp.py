"""The RTSP server of rtsp_server.py and the command line, as processes that tests start and end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from runtime.images import Frame

SERVER = Path(__file__).with_name("rtsp_server.py")
DEBIAN_PYTHON = Path("/usr/bin/python3")
NEEDS = "import gi; gi.require_version('GstRtspServer', '1.0')"


def rtsp_server_works() -> bool:
    if not DEBIAN_PYTHON.exists():
        return False
    done = subprocess.run([DEBIAN_PYTHON, "-c", NEEDS], capture_output=True, check=False)
    return done.returncode == 0


class Server:
    """The server of rtsp_server.py, each time as a new process at the same port."""

    def __init__(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            self.port = unused.getsockname()[1]
        self.run = 0
        self.process: subprocess.Popen[str] | None = None

    def start(self, *options: str) -> None:
        self.run += 1
        command = [DEBIAN_PYTHON, SERVER, "--port", str(self.port), "--run", str(self.run)]
        self.process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
        assert self.told() == "ready"

    def told(self) -> str:
        """The next line that the server says: "ready", then each client's transport."""
        assert self.process is not None and self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        if self.process is not None:
            with self.process:
                self.process.kill()
            self.process = None

    def uri(self, user: str = "") -> str:
        return f"rtsp://{user}{'@' if user else ''}127.0.0.1:{self.port}/live"


def read_blocks(frame: Frame) -> tuple[int, int]:
    """Which run of the server made a frame, and its number there."""
    height, width = frame.image.shape[0] // 4, frame.image.shape[1] // 8
    blocks = frame.image[height // 2 : 3 * height : height, width // 2 : 8 * width : width, 0]
    assert (np.abs(blocks.astype(int) - 128) > 60).all(), "this is no picture of the server's"
    code = int("".join("01"[int(bit)] for bit in (blocks > 128).ravel()), 2)
    return code >> 16, code & 0xFFFF


class Run:
    """`flood-runtime` on the server's stream, as a process."""

    def __init__(self, server: Server, model: Path, log: Path, *options: object) -> None:
        self.log = log
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "runtime", "--source", server.uri()),
                *("--model", model, "--log", log, "--json", *map(str, options)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )

    def wait_for(self, text: str, times: int = 1) -> None:
        """Until the log has it so many times."""
        while not (self.log.exists() and self.log.read_text().count(text) >= times):
            assert self.process.poll() is None
            time.sleep(0.05)

    def end(self, number: signal.Signals) -> tuple[dict[str, Any], str]:
        """The summary's frames, and what was told, of a run that ends well on a signal."""
        with self.process:
            self.process.send_signal(number)
            out, told = self.process.communicate(timeout=20)
        assert self.process.returncode == 0, told
        assert "stopped on request" in told
        return json.loads(out)["frames"], told
