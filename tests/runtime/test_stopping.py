"""The first signal asks, the second ends the process, and afterwards all is as it was."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runtime.stopping import Stopped, end_if_asked, interrupt_on_signals, stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_sets_the_request_and_handlers_are_put_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_on_signals() as stop:
        assert not stop()
        signal.raise_signal(number)
        assert stop()
    assert signal.getsignal(number) is before


def test_a_block_within_another_hears_the_same_signals_and_steps_end_between_each_other() -> None:
    end_if_asked()
    with stop_on_signals() as outer:
        with stop_on_signals() as inner:
            assert inner is outer
        end_if_asked()
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Stopped):
            end_if_asked()
    end_if_asked()


def test_other_commands_are_interrupted_as_usual() -> None:
    before = signal.getsignal(signal.SIGINT)
    with stop_on_signals() as stop:
        interrupt_on_signals()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert not stop()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is before


def test_sigterm_leaves_no_half_written_file_behind(tmp_path: Path) -> None:
    program = """
import sys, time
from pathlib import Path
import typer
from runtime.console import run
from runtime.files import atomic_path
app = typer.Typer()
@app.command()
def main(path: Path) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text("half")
        print("writing", flush=True)
        time.sleep(30)
run(app)
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path / "graph.onnx")],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    assert list(tmp_path.iterdir())
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert not list(tmp_path.iterdir())


def test_a_second_signal_ends_a_process_that_hangs() -> None:
    program = """
import os, signal, sys
from runtime.stopping import stop_on_signals
with stop_on_signals():
    os.kill(os.getpid(), signal.SIGTERM)
    print("still here", flush=True)
    os.kill(os.getpid(), signal.SIGINT)
    print("never said", flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 130
    assert done.stdout == "still here\n"


def test_outside_the_main_thread_signals_stay_as_they_were() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def work() -> None:
        with stop_on_signals() as stop:
            seen.append((signal.getsignal(signal.SIGINT), stop()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(before, False)]
