"""Passwords are hidden wherever they stand, and everything else stays readable."""

from __future__ import annotations

import pytest

from runtime.console import say
from runtime.redaction import redact, redact_message


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("rtsp://admin:secret@cam:554/1", "rtsp://***@cam:554/1"),
        ("rtsp://admin:se@cr/et?#@cam/1", "rtsp://***@cam/1"),
        ("rtsp://admin:s3 cr, et: @cam/1", "rtsp://***@cam/1"),
        ("rtsp://token@cam", "rtsp://***@cam"),
        ("rtsp:/admin:se/cret@cam/1", "rtsp:/***@cam/1"),
        ("admin:secret@cam", "***@cam"),
        ("http://cam/v?user=a&PassWord=secret&x=1", "http://cam/v?user=***&PassWord=***&x=1"),
        ("https://cam/v?access_token=secret#end", "https://cam/v?access_token=***#end"),
        ("http://cam/v?pw=secret&psw=secret", "http://cam/v?pw=***&psw=***"),
        ("http://cam/v#password=secret", "http://cam/v#password=***"),
        ("rtsp://cam/user=a&password=b&channel=1", "rtsp://cam/user=***&password=***&channel=1"),
        (
            "rtsp://cam/user=admin_password=s3_cret_channel=1_stream=0.sdp",
            "rtsp://cam/user=***_password=***_channel=1_stream=0.sdp",
        ),
        ("rtsp://cam/1", "rtsp://cam/1"),
        ("http://cam/v?channel=1&subtype=0", "http://cam/v?channel=1&subtype=0"),
        ("photos/me@home/a.jpg", "photos/me@home/a.jpg"),
        ("data/user=7/key=b/a.jpg", "data/user=7/key=b/a.jpg"),
        ("a?key=b.jpg", "a?key=b.jpg"),
    ],
)
def test_passwords_are_never_shown(address: str, shown: str) -> None:
    assert redact(address) == shown
    assert redact(shown) == shown, "what is hidden already stays as it is"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("error in rtsp://a:secret@cam: refused", "error in rtsp://***@cam: refused"),
        ("No such command 'rtsp://a:s3 cret@cam/x'.", "No such command 'rtsp://***@cam/x'."),
        ("written: rtsp:/a:secret@cam/x.mp4, me@work/m", "written: rtsp:/***@cam/x.mp4, me@work/m"),
        (
            "cannot open http://cam/v?pw=secret: it answers with status 500",
            "cannot open http://cam/v?pw=***: it answers with status 500",
        ),
    ],
)
def test_a_message_is_readable_around_what_is_hidden(
    message: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert redact_message(message) == shown
    say(message)
    assert capsys.readouterr().err == f"{shown}\n"


@pytest.mark.parametrize(
    "message",
    [
        "rtsp://***@cam/1 -> /home/me@work/model.onnx on onnxruntime (CPU)",
        "http://cam/v?password=*** was lost (the connection broke) and did not come back in 5 s",
        "its host is not known; write the characters / ? # @ in a password as %2F %3F %23 %40",
        "it wants a user name and a password (401): NAME:PASSWORD and @ before the host",
        "no such file or folder: runs/user=7/a@b.mp4; wanted 0, rtsp://..., http(s)://..., a file",
        "20 frames seen = 20 processed + 0 dropped + 0 failed; 12.0 FPS over 1.7 s",
        "written: out/me@home/overlay.mp4, out/masks\nand one more line",
    ],
)
def test_ordinary_messages_stay_as_they_are(message: str) -> None:
    assert redact_message(message) == message
