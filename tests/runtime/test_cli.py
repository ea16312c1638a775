"""The command line as people use it: a real process, real files, one clear line when it fails."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from runtime.manifest_file import manifest_path
from runtime.shipped import shipped_model
from runtime.sources import open_source
from tests.runtime.conftest import ROOT, Command, scene, write_clip
from tests.runtime.models import graph, write_model


def assert_one_error_line(done: subprocess.CompletedProcess[str], message: str) -> None:
    """Exit code 1 and exactly one line on stderr, which matches."""
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert re.search(f"^error: .*{message}", lines[0]), lines[0]


def test_a_clip_becomes_a_video_masks_a_log_and_a_summary(
    flood_runtime: Command, clip: Path, tiny_model: Path, tmp_path: Path
) -> None:
    done = flood_runtime(
        *("--source", clip, "--model", tiny_model, "--save", "out/overlay.mp4"),
        *("--masks", "out/masks", "--log", "out/frames.jsonl", "--json"),
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["frames"]["seen"] == summary["frames"]["processed"] == 20
    assert list(summary["ms"])[-3:] == ["masks", "overlay", "log"]
    lines = [json.loads(line) for line in (tmp_path / "out/frames.jsonl").read_text().splitlines()]
    last = lines.pop()
    assert last == {"summary": summary["frames"]}
    assert [line["index"] for line in lines] == list(range(20))
    assert [line["timestamp_s"] for line in lines] == pytest.approx([i / 10 for i in range(20)])
    assert [line["water_fraction"] for line in lines] == pytest.approx(
        [0.1 + 0.7 * i / 19 for i in range(20)], abs=0.03
    )
    assert len(list((tmp_path / "out/masks").iterdir())) == 20
    with open_source(str(tmp_path / "out/overlay.mp4")) as video:
        assert len(list(video)) == 20
    assert "20 frames seen = 20 processed + 0 dropped + 0 failed" in done.stderr
    assert "written: out/overlay.mp4, out/masks, out/frames.jsonl" in done.stderr


def test_without_json_nothing_is_on_stdout_and_max_frames_ends_the_run(
    flood_runtime_here: Command, clip: Path, tiny_model: Path
) -> None:
    done = flood_runtime_here("--source", clip, "--model", tiny_model, "--max-frames", 5)
    assert (done.returncode, done.stdout) == (0, "")
    assert "5 frames seen = 5 processed" in done.stderr


def test_without_a_model_the_one_that_ships_runs(flood_runtime_here: Command, clip: Path) -> None:
    done = flood_runtime_here("--source", clip, "--max-frames", 5, "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["model"] == str(shipped_model())
    assert summary["frames"]["processed"] == 5
    assert "parity: int8 against PyTorch" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--camera", "-1"],
        ["--source", "a", "--max-frames", "0", "--log-max-mb", "0"],
    ],
)
def test_wrong_usage_is_exit_2(flood_runtime_here: Command, arguments: list[str]) -> None:
    done = flood_runtime_here(*arguments)
    assert done.returncode == 2
    assert "--" in done.stderr


@pytest.mark.parametrize("option", ["--model", "--save", "--masks", "--log", "--csv"])
def test_an_empty_path_is_wrong_usage(
    flood_runtime_here: Command, clip: Path, tmp_path: Path, option: str
) -> None:
    """A shell's variable that is not set would else mean the folder one is in."""
    done = flood_runtime_here("--source", clip, option, "")
    assert done.returncode == 2
    assert f"'{option}': it is empty; wanted a path" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value"), [("--size", "72x128"), ("--fps", "5"), ("--latency", "200")]
)
def test_what_only_a_camera_can_be_asked_for_is_not_passed_over_by_files(
    flood_runtime_here: Command, clip: Path, option: str, value: str
) -> None:
    done = flood_runtime_here("--source", clip, option, value)
    assert done.returncode == 2
    assert f"{option} {value}" in " ".join(done.stderr.split())
    assert f"leave {option} out" in " ".join(done.stderr.split())


@pytest.mark.parametrize("command", ["build", "doctor"])
def test_options_of_a_run_before_another_command_are_wrong_usage(
    flood_runtime_here: Command, command: str
) -> None:
    done = flood_runtime_here("--model", "other.onnx", command)
    assert done.returncode == 2
    assert "--model belongs to a run" in done.stderr
    assert f"{command} --help" in done.stderr


def test_one_damaged_picture_fails_alone_and_the_exit_code_tells(
    flood_runtime_here: Command, tiny_model: Path, tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("1.png", "2.png", "3.png"):
        Image.fromarray(scene((40, 60), 0.5)[..., ::-1]).save(tmp_path / "in" / name)
    (tmp_path / "in" / "2.png").write_bytes(b"damaged")
    done = flood_runtime_here("--source", "in", "--model", tiny_model, "--masks", "masks", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["frames"]["failed"] == 1
    assert sorted(path.name for path in (tmp_path / "masks").iterdir()) == ["1.png", "3.png"]
    assert "skipped: cannot read in/2.png" in done.stderr
    assert done.stderr.splitlines()[-1] == "error: 1 of 3 frames could not be read"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("no.mp4", r"no\.mp4 is no video that can be decoded; check that it plays"),
        ("empty", r"the folder empty holds no pictures"),
        ("*.jpg", r"no file matches '\*\.jpg'; check the pattern"),
        ("gone", r"no such file or folder: gone"),
        ("99", r"no camera at /dev/video99; plug one in"),
        ("ftp://admin:secret@host/a", r"'ftp://\*\*\*@host/a' is no source"),
    ],
)
def test_sources_without_frames_are_one_line(
    flood_runtime_here: Command, tiny_model: Path, tmp_path: Path, source: str, message: str
) -> None:
    (tmp_path / "no.mp4").write_bytes(b"no video" * 300)
    (tmp_path / "empty").mkdir()
    assert_one_error_line(flood_runtime_here("--source", source, "--model", tiny_model), message)


@pytest.mark.skipif(Path("/dev/video0").exists(), reason="this machine has a camera")
def test_no_camera_is_one_line(flood_runtime_here: Command, tiny_model: Path) -> None:
    done = flood_runtime_here("--camera", 0, "--model", tiny_model)
    assert_one_error_line(done, "no camera at /dev/video0; plug one in")


def test_models_that_cannot_be_run_are_one_line(
    flood_runtime_here: Command, clip: Path, tmp_path: Path
) -> None:
    model = tmp_path / "model.onnx"

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        return flood_runtime_here("--source", clip, "--model", model, *arguments)

    assert_one_error_line(call(), r"no such model: .*model\.onnx")
    write_model(model)
    assert_one_error_line(call("--backend", "tpu"), "unknown backend 'tpu'; choose from: auto")
    model.write_bytes(model.read_bytes() + b"\0")
    assert_one_error_line(call(), "is not the file its manifest describes")
    manifest_path(model).write_text("{")
    assert_one_error_line(call(), r"model\.onnx\.json is damaged")
    manifest_path(model).unlink()
    assert_one_error_line(call(), "has no manifest; wanted")
    write_model(model, graph(input_name="image"))
    assert_one_error_line(call(), "does not fit its manifest: it takes image uint8")


@pytest.mark.parametrize("option", ["--save", "--masks", "--log"])
def test_an_output_that_cannot_be_written_is_said_and_exit_1(
    flood_runtime_here: Command, clip: Path, tiny_model: Path, tmp_path: Path, option: str
) -> None:
    (tmp_path / "file").write_text("")
    done = flood_runtime_here("--source", clip, "--model", tiny_model, option, "file/below.mp4")
    assert done.returncode == 1
    assert re.search(r"^error: cannot write file.*; choose a folder", done.stderr, re.MULTILINE)
    assert "Traceback" not in done.stderr


def start(folder: Path, *arguments: object) -> subprocess.Popen[str]:
    """A run in the background, in `folder`."""
    return subprocess.Popen(
        [sys.executable, "-m", "runtime", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_cleanly_with_all_files_complete(
    tiny_model: Path, tmp_path: Path, number: signal.Signals
) -> None:
    write_clip(tmp_path / "long.mp4", frames=3000, size=(240, 320))
    outputs = ("--save", "overlay.mp4", "--log", "frames.jsonl", "--masks", "masks")
    process = start(tmp_path, "--source", "long.mp4", "--model", tiny_model, *outputs)
    log = tmp_path / "frames.jsonl"
    while not (log.exists() and log.read_text().count("\n") > 5):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 0, said
    assert "stopped on request; all files are complete" in said
    *lines, last = (json.loads(line) for line in log.read_text().splitlines())
    assert last["summary"]["processed"] == len(lines)
    assert 5 < len(lines) < 3000
    assert f"{len(lines)} frames seen = {len(lines)} processed" in said
    assert len(list((tmp_path / "masks").glob("*.png"))) == len(lines)
    with open_source(str(tmp_path / "overlay.mp4")) as video:
        assert len(list(video)) == len(lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_first_frame_ends_the_run_and_leaves_nothing(
    tmp_path: Path, number: signal.Signals
) -> None:
    write_clip(tmp_path / "clip.mp4")
    outputs = ("--save", "overlay.mp4", "--log", "log", "--csv", "csv", "--masks", "masks")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/live"
        for wait_s in (0.2, 0.5, 0.9, 1.5):  # imports, the model, the clip, the stream
            sources = ("--source", "clip.mp4", "--source", hanging)
            process = start(tmp_path, *sources, *outputs)
            hears_signals(process)
            time.sleep(wait_s)
            process.send_signal(number)
            _, said = process.communicate(timeout=20)
            assert process.returncode == 0, said
            assert said.splitlines()[-1] == "stopped on request; all files are complete"
            assert "Traceback" not in said
            assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["clip.mp4"]


def hears_signals(process: subprocess.Popen[str]) -> None:
    """Waits until Python is up and the runtime has its handlers, as Linux tells."""
    while True:
        status = Path(f"/proc/{process.pid}/status").read_text()
        caught = int(re.findall(r"SigCgt:\s+(\w+)", status)[0], 16)
        if caught >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.005)


def test_a_run_ends_within_two_seconds_of_the_signal(tiny_model: Path, tmp_path: Path) -> None:
    """Besides what this machine takes to start and end a process; a busy one gets three tries."""
    write_clip(tmp_path / "long.mp4", frames=3000, size=(240, 320))
    outputs = ("--save", "overlay.mp4", "--log", "log", "--masks", "masks")
    took_s = []
    for _ in range(3):
        process = start(tmp_path, "--source", "long.mp4", "--model", tiny_model, *outputs)
        while not list((tmp_path / "masks").glob("*5.png")):
            assert process.poll() is None
            time.sleep(0.01)
        begin_s = time.monotonic()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        idle_s = time.monotonic() - begin_s
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert process.returncode == 0
        took_s.append(time.monotonic() - begin_s - idle_s)
        if took_s[-1] < 2.0 + idle_s:
            return
        shutil.rmtree(tmp_path / "masks")
    pytest.fail(f"it took {took_s} s to end")


@pytest.mark.parametrize("signals", [1, 2])
def test_a_disk_that_hangs_keeps_no_run_from_ending(
    tiny_model: Path, tmp_path: Path, signals: int
) -> None:
    write_clip(tmp_path / "long.mp4", frames=3000)
    log = tmp_path / "frames.jsonl"
    os.mkfifo(log)
    nobody_reads = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    arguments = ("--source", "long.mp4", "--model", tiny_model, "--csv", "frames.csv")
    process = start(tmp_path, *arguments, "--log", log)
    table, before, rows = tmp_path / "frames.csv", 0, 0
    while rows == 0 or rows > before:  # until nothing moves any more
        time.sleep(0.3)
        assert process.poll() is None
        before, rows = rows, len(table.read_text().splitlines()) if table.exists() else 0
    process.send_signal(signal.SIGTERM)
    if signals == 2:
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    os.close(nobody_reads)
    assert process.returncode == (1 if signals == 1 else 128 + signal.SIGTERM), said
    if signals == 1:
        assert "error: camera-1: still busy" in said.splitlines()[-1]
    assert table.read_text().endswith("\n")
