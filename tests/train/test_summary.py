from __future__ import annotations

import html
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch

from runtime.console import run
from runtime.manifest import Manifest
from tests.train.chromium import visit
from tests.train.runs import write_run
from train.cache import Pictures
from train.checkpoint import load_checkpoint
from train.compute import Compute
from train.metrics import LABELS
from train.run_folder import RunFolder
from train.summary.__main__ import app
from train.summary.page import write_report

CPU = Compute(device=torch.device("cpu"), half=None)
EVIL = "<script>alert('x')</script>"


def _val(count: int = 12) -> Pictures:
    noise = np.random.default_rng(0)
    images = noise.integers(0, 256, (count, 32, 48, 3), np.uint8)
    masks = np.zeros((count, 32, 48), bool)
    for index in range(count):
        masks[index, 2 * index :] = True
    return Pictures(images=images, masks=masks, names=tuple(f"flood-{n}" for n in range(count)))


@pytest.fixture
def folder(manifest: Manifest, tmp_path: Path) -> RunFolder:
    return write_run(tmp_path / "night & <day>", manifest, data=EVIL)


class _Page(HTMLParser):
    """What a page holds: tags with their attributes, and whether every tag was closed."""

    VOID = ("meta", "img", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_holds_everything_it_should(folder: RunFolder) -> None:
    path = write_report(folder, _val(), CPU)
    assert path == folder.path / "report.html"
    text = path.read_text(encoding="utf-8")
    page = _Page(text)
    assert page.open == []
    for label in LABELS.values():
        assert f"<th>{label}</th>" in text
    assert text.count("<article>") == 10 + 6
    assert sum(tag == "img" for tag, _ in page.tags) == 4 * 16
    plots = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(plots) == 5
    assert all(plot["aria-label"] and plot["viewbox"] for plot in plots)
    for fact in ("f" * 64, "by hand", "Best threshold", "expected calibration error", "0.0004"):
        assert fact in text


def test_a_small_network_and_a_single_picture_are_counted_as_what_they_are(
    folder: RunFolder,
) -> None:
    text = write_report(folder, _val(1), CPU).read_text(encoding="utf-8")
    network, _ = load_checkpoint(folder.best)
    assert f"{sum(weight.numel() for weight in network.parameters()):,} parameters" in text
    assert "1 picture, mean" in text
    assert "1 pictures" not in text


def test_what_a_user_named_is_escaped(folder: RunFolder) -> None:
    val = _val(3)
    named = Pictures(images=val.images, masks=val.masks, names=(EVIL, '"onload="', "&"))
    text = write_report(folder, named, CPU).read_text(encoding="utf-8")
    assert EVIL not in text
    assert html.escape("night & <day>") in text
    page = _Page(text)
    assert not any(tag == "script" for tag, _ in page.tags)
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


def test_nothing_lies_outside_the_file(folder: RunFolder) -> None:
    page = _Page(write_report(folder, _val(2), CPU).read_text(encoding="utf-8"))
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "iframe", "object")
        for name in ("src", "href", "xlink:href", "srcset"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/webp;base64,"))


def test_plots_take_the_colours_of_the_page(folder: RunFolder) -> None:
    """A colour of matplotlib's that was forgotten would vanish on a dark page."""
    text = write_report(folder, _val(2), CPU).read_text(encoding="utf-8")
    drawn = "".join(re.findall(r"<svg.*?</svg>", text, re.DOTALL))
    assert re.findall(r"#[0-9a-fA-F]{6}\b", drawn) == []
    used = set(re.findall(r"var\(--(\w+)\)", text))
    assert used <= set(re.findall(r"--(\w+):", text))
    ids = re.findall(r' id="([^"]+)"', text)
    assert len(ids) == len(set(ids))


def test_the_report_is_the_same_every_time(folder: RunFolder) -> None:
    first = write_report(folder, _val(4), CPU).read_bytes()
    assert write_report(folder, _val(4), CPU).read_bytes() == first


def test_one_picture_and_one_epoch_are_enough(manifest: Manifest, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "short", manifest, ious=(0.3,))
    text = write_report(folder, _val(1), CPU).read_text(encoding="utf-8")
    assert "Best epoch: 1 of 1." in text
    assert text.count("<article>") == 2


def test_a_browser_loads_nothing_from_elsewhere_and_has_no_complaint(
    folder: RunFolder, tmp_path: Path
) -> None:
    seen = visit(write_report(folder, _val(), CPU), tmp_path)
    assert "night &amp; &lt;day&gt;" in seen.dom
    assert seen.console == []
    assert seen.requests == set()


def test_the_browsers_test_would_see_a_request_and_a_complaint(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<img src="http://127.0.0.1:9/x.png"><script>console.error("wrong")</script>')
    seen = visit(page, tmp_path)
    assert seen.requests == {"http://127.0.0.1:9/x.png"}
    assert len(seen.console) == 1


def test_the_command_finds_the_runs_data_and_says_where_the_report_is(
    photographs: Path,
    manifest: Manifest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = write_run(tmp_path / "run", manifest, data=str(photographs))
    monkeypatch.setattr(sys, "argv", ["train.summary", str(folder.path)])
    with pytest.raises(SystemExit) as left:
        run(app)
    assert not left.value.code
    shown = capsys.readouterr()
    assert shown.out.strip() == str(folder.path / "report.html")
    assert "was trained on other data (tiny) than photographs holds now" in shown.err
    assert (folder.path / "report.html").is_file()


def test_a_folder_that_is_no_run_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["train.summary", str(tmp_path)])
    with pytest.raises(SystemExit) as left:
        run(app)
    assert left.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "is no run of 'python -m train'" in line
