"""Any address and any command line: a result or one line, never a traceback, hang or password."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from PIL import Image

from runtime.cli import main
from runtime.errors import SourceError
from runtime.redaction import redact, redact_message
from runtime.sources.address import parse
from tests.runtime.conftest import scene

RANDOM = "FLOOD_FUZZ" in os.environ
"""Set it to try other cases than the suite's, which are the same in every run."""
MANY = settings(
    max_examples=1500,
    derandomize=not RANDOM,
    deadline=20_000,  # milliseconds for one case: what takes longer hangs
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SECRET = "Zq7x"
"""In every password, and nowhere else."""

typed = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=30)
"""What a shell can pass on."""
passwords = st.builds("{}{}{}".format, typed, st.just(SECRET), typed)
schemes = st.sampled_from(["rtsp", "RTSP", "rtsps", "http", "https", "ftp", "v4l2", "csi"])
in_users = st.builds("{}://admin:{}@127.0.0.1:9/live".format, schemes, passwords)
keys = st.sampled_from(["password", "pw", "psw", "PassWord", "token", "api_key", "user"])
in_values = st.builds(
    "{}://127.0.0.1:9/v{}{}={}".format,
    schemes,
    st.sampled_from("?#/;"),
    keys,
    st.builds("{}{}".format, st.just(SECRET), typed),
)
addresses = in_users | in_values
"""With a password, and nobody who listens."""

sources = st.one_of(
    addresses,
    typed,
    st.sampled_from(["in", "in/*", "in/1.png", "gone", "97", "csi://97", "~x/y", "9" * 5000]),
)
outputs = st.sampled_from(["o/x.mp4", "o/x", "o/x.1", "in", "in/1.png", "o", "", ".", "in/1.png/x"])
numbers = st.one_of(
    st.floats().map(str), st.integers().map(str), typed, addresses, st.just("9" * 5000)
)
OPTIONS = {
    **dict.fromkeys(["--source"], sources),
    **dict.fromkeys(["--save", "--masks", "--log", "--csv"], outputs | addresses),
    **dict.fromkeys(["--model", "--backend", "--transport"], typed | addresses),
    **dict.fromkeys(["--size", "--input-size"], typed | addresses | st.just("720x1280")),
    **dict.fromkeys(["--fps", "--latency", "--give-up-after", "--max-staleness"], numbers),
    **dict.fromkeys(["--frozen-after", "--log-max-mb", "--log-keep", "--max-frames"], numbers),
    "--camera": numbers.filter(lambda text: not text.strip().isdecimal() or len(text) > 1),
}
NO_VALUE = ["--json", "--show", "--no-rebuild", "--rebuild", "--version", "--help"]


@st.composite
def command_lines(draw: st.DrawFn) -> list[str]:
    """Mostly a source, then any options with any values, and sometimes what is no option."""
    line = ["--source", draw(sources)] if draw(st.integers(0, 9)) else []
    for option in draw(st.lists(st.sampled_from([*OPTIONS, *NO_VALUE]), max_size=3)):
        line.append(option)
        if option in OPTIONS:
            line.append(draw(OPTIONS[option]))
    if not draw(st.integers(0, 9)):
        line.append(draw(typed | addresses))
    return line


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Works in a folder with one picture, without a display."""
    monkeypatch.chdir(tmp_path)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path


def call(line: list[str]) -> tuple[int, str]:
    """Exit code, and everything that was printed."""
    said, sys.argv = io.StringIO(), ["flood-runtime", *line]
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as ended:
            return int(ended.code or 0), said.getvalue()
    raise AssertionError("it has to end by an exit code")


def is_there(source: str) -> bool:
    """Whether a source is a camera of this machine, which would run for ever."""
    with contextlib.suppress(SourceError):
        address = parse(source)
        return address.kind == "camera" and Path(address.where).exists()
    return False


@MANY
@given(text=typed | addresses)
def test_any_text_is_an_address_or_an_error_that_says_what_is_wanted(text: str) -> None:
    try:
        parse(text)
    except SourceError as error:
        assert "wanted" in str(error) or "write it as" in str(error)
        assert SECRET not in str(error)


@MANY
@given(address=addresses, before=typed, after=typed)
def test_no_password_is_left_in_an_address(address: str, before: str, after: str) -> None:
    assert SECRET not in redact(address)
    assert SECRET not in redact_message(f"{before} '{address}' {after}".replace("\n", " "))


@MANY
@given(line=command_lines())
def test_any_command_line_ends_in_one_line(
    here: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, line: list[str]
) -> None:
    assume(not any(map(is_there, line)))
    for folder in ("in", "o"):
        shutil.rmtree(here / folder, ignore_errors=True)
    (here / "in").mkdir()
    Image.fromarray(scene((8, 12), 0.5)).save(here / "in" / "1.png")
    content = (here / "in" / "1.png").read_bytes()
    monkeypatch.setattr(sys, "argv", [])
    once = ["--give-up-after", "0"]  # last, because what is not there is waited for
    code, said = call(["--model", str(tiny_model), "--backend", "fake", *line, *once])
    assert code in (0, 1, 2), said
    assert "Traceback" not in said
    assert SECRET not in said
    errors = [each for each in said.split("\n") if each.lower().startswith("error: ")]
    assert len(errors) == (code > 0), said
    assert (here / "in" / "1.png").read_bytes() == content


@settings(MANY, max_examples=200)
@given(text=typed | addresses, command=st.sampled_from(["build", "doctor"]))
def test_any_argument_of_the_other_commands(
    here: Path, monkeypatch: pytest.MonkeyPatch, text: str, command: str
) -> None:
    assume(not text.startswith("-"))
    monkeypatch.setattr(sys, "argv", [])
    code, said = call([command, text])
    assert code in (1, 2), said
    assert "Traceback" not in said
    assert SECRET not in said
