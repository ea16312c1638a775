"""A page as a real browser meets it."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = "not an origin"


@dataclass(frozen=True, kw_only=True)
class Visit:
    """dom: the page as it was understood. console: lines that the page caused there. requests: all
    addresses that the page asked for beyond itself."""

    dom: str
    console: list[str]
    requests: set[str]


def visit(page: Path, folder: Path) -> Visit:
    """Opens a file in headless Chromium; skips the test where there is none. folder: for its
    profile and its log of the network."""
    browser = next(filter(None, map(shutil.which, NAMES)), None)
    if browser is None:
        pytest.skip(f"no {NAMES[0]} here: the page is not tried in a browser")
    log = folder / "net.json"
    command = [
        *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update"),
        *("--enable-logging=stderr", f"--user-data-dir={folder / 'profile'}"),
        *(f"--log-net-log={log}", "--dump-dom", page.as_uri()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    console = [line for line in done.stderr.splitlines() if ":CONSOLE" in line]
    return Visit(dom=done.stdout, console=console, requests=_requests(log, page))


def _requests(log: Path, page: Path) -> set[str]:
    """What the page asked for; the browser's own errands have no origin."""
    asked = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    by_page = {one["url"] for one in asked if one.get("initiator", BROWSER) != BROWSER}
    return {url for url in by_page if not url.startswith(("data:", page.as_uri()))}
