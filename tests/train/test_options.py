"""What --help says, and which numbers are wrong usage, for every command that trains or scores."""

from __future__ import annotations

import importlib
import sys

import pytest
import typer.main
from typer.testing import CliRunner

from runtime.console import run
from train.__main__ import app as train_app
from train.distill import app as distill_app

COMMANDS = (
    "__main__",
    "distill",
    "evaluate",
    "blend",
    "recount",
    "audit",
    "compare",
    "summary.__main__",
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_says_the_default_of_every_option(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    app = importlib.import_module(f"train.{command}").app
    text = CliRunner().invoke(app, ["--help"]).stdout
    options = [each for each in typer.main.get_command(app).params if each.opts[0].startswith("-")]
    for option in options:
        lines = text[text.index(f" {option.opts[-1]} ") :].split("│")
        told = " ".join(lines[:3])
        switch = getattr(option, "is_flag", False)
        assert switch or "[default: " in told or "[required]" in told, option.opts


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--rate", value) for value in ("nan", "inf", "0", "-1", "fast")),
        *(("--seed", value) for value in ("-1", "4294967296", "1.5")),
        *(("--epochs", value) for value in ("0", "x")),
        ("--batch", "0"),
    ],
)
@pytest.mark.parametrize("app", [train_app, distill_app], ids=["train", "distill"])
def test_a_number_that_cannot_be_is_wrong_usage(
    app: typer.Typer,
    option: str,
    value: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    teacher = ["--teacher", "t"] if app is distill_app else []
    monkeypatch.setattr(sys, "argv", ["train", *teacher, option, value])
    with pytest.raises(SystemExit) as left:
        run(app)
    assert left.value.code == 2
    told = capsys.readouterr().err
    assert option in told
    assert "Traceback" not in told
