"""Why a network stream does not open: OpenCV does not tell, so the server is asked directly."""

from __future__ import annotations

import base64
import email.message
import email.parser
import http.client
import socket
import ssl
import urllib.error
import urllib.request
from http import HTTPStatus
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

PORTS = {"rtsp": 554, "rtsps": 322}
REFUSED = (401, 403)
FOR_GOOD = (*REFUSED, 404)
ESCAPES = "write the characters / ? # @ in a password as %2F %3F %23 %40"


def why_closed(url: str, timeout_s: float) -> tuple[str, bool]:
    """What is wrong with a stream that did not open, in words that name neither host nor user, and
    whether it stays wrong until somebody changes the address."""
    try:
        parts = urlsplit(url)
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        ask = _rtsp_status if parts.scheme.lower() in PORTS else _http_status
        status = ask(parts, bare, timeout_s)
    except (ValueError, http.client.InvalidURL):
        return f"its address is malformed; wanted rtsp://HOST:PORT/PATH; {ESCAPES}", True
    except (OSError, http.client.HTTPException) as error:
        return _no_answer(error, "@" in url, timeout_s), False
    return _in_words(status, bool(parts.username)), status in FOR_GOOD


def _no_answer(error: Exception, named: bool, timeout_s: float) -> str:
    if isinstance(error, socket.gaierror):
        return "its host is not known" + (f"; {ESCAPES}" if named else "")
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there (connection refused)"
    if isinstance(error, TimeoutError):
        return f"it does not answer within {timeout_s:.0f} s"
    if isinstance(error, OSError):
        return f"no connection ({error.strerror or type(error).__name__})"
    return "what answers there does not speak HTTP; check the port"


def _in_words(status: int, named: bool) -> str:
    if status in REFUSED and named:
        return f"it refuses the user name or the password ({status})"
    if status in REFUSED:
        return (
            f"it wants a user name and a password ({status}): NAME:PASSWORD and @ before the host"
        )
    if status == HTTPStatus.NOT_FOUND:
        return "it knows no stream under this path (404)"
    if status != HTTPStatus.OK:
        return f"it answers with status {status}"
    return "it answers, but sends no video that can be decoded in time"


def _passwords(parts: SplitResult, bare: str) -> urllib.request.HTTPPasswordMgrWithDefaultRealm:
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    passwords.add_password(None, bare, unquote(parts.username or ""), unquote(parts.password or ""))
    return passwords


def _http_status(parts: SplitResult, bare: str, timeout_s: float) -> int:
    passwords = _passwords(parts, bare)
    opener = urllib.request.build_opener(
        urllib.request.HTTPBasicAuthHandler(passwords),
        urllib.request.HTTPDigestAuthHandler(passwords),
        urllib.request.HTTPSHandler(context=ssl._create_unverified_context()),
    )
    try:
        with opener.open(bare, timeout=timeout_s) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except urllib.error.URLError as error:
        if isinstance(error.reason, OSError):
            raise error.reason from None
        raise OSError(str(error.reason)) from None


def _rtsp_status(parts: SplitResult, bare: str, timeout_s: float) -> int:
    """The status of DESCRIBE (RFC 2326), with Basic or Digest authentication when asked for it."""
    scheme = parts.scheme.lower()
    host, port = parts.hostname or "", parts.port or PORTS[scheme]
    with socket.create_connection((host, port), timeout_s) as plain:
        if scheme == "rtsps":
            return HTTPStatus.OK
        status, headers = _describe(plain, bare, 1)
        if status != HTTPStatus.UNAUTHORIZED or not parts.username:
            return status
        for challenge in headers.get_all("WWW-Authenticate", []):
            if answer := _authorization(parts, bare, challenge):
                status, _ = _describe(plain, bare, 2, f"Authorization: {answer}\r\n")
                return status
    return status


def _describe(
    connection: socket.socket, url: str, number: int, header: str = ""
) -> tuple[int, email.message.Message]:
    request = (
        f"DESCRIBE {url} RTSP/1.0\r\nCSeq: {number}\r\nAccept: application/sdp\r\n{header}\r\n"
    )
    connection.sendall(request.encode())
    with connection.makefile("rb") as stream:
        words = stream.readline(1000).split()
        lines = iter(lambda: stream.readline(10_000).strip(), b"")
        headers = email.parser.BytesParser().parsebytes(b"\r\n".join(lines))
    if len(words) < 2 or not words[1].isdigit():
        raise OSError("it speaks no RTSP")
    return int(words[1]), headers


def _authorization(parts: SplitResult, url: str, challenge: str) -> str | None:
    scheme, _, fields = challenge.partition(" ")
    if scheme.lower() == "basic":
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
    if scheme.lower() != "digest":
        return None
    request = urllib.request.Request(url, method="DESCRIBE")
    request.selector = url
    digest = urllib.request.HTTPDigestAuthHandler(_passwords(parts, url))
    values = urllib.request.parse_keqv_list(urllib.request.parse_http_list(fields))
    return f"Digest {digest.get_authorization(request, values)}"
