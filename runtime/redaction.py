"""What must never be shown, logged or written: user names, passwords and tokens of addresses."""

from __future__ import annotations

import re

SECRETS = "pass|pwd|pw|psw|secret|token|key|auth|user|login|sig|session|credential"
USER = re.compile(r"(?s)(:/+)(?!/|\*{3}@).*@(?!\s)")
"""Everything up to the last @, because passwords may hold any character."""
BARE_USER = re.compile(r"[^\s/:'\"]+:[^\s/]+@")
ADDRESS = re.compile(r"[A-Za-z][\w+.-]+:/")
SECRET_VALUE = re.compile(
    rf"(?is)([?&;#/_][^=&;#/?\s]*(?:{SECRETS})[^=&;#/?\s]*=)(?!\*{{3}}(?:\W|_|$))"
    r".*?(?=[&;#]|_(?:password|channel|stream)=|$)"
)
"""KEY=VALUE in a query, a fragment or a path: XiongMai's cameras want
user=NAME_password=PASSWORD_channel=1 there."""
SEAM = re.compile(r"('.*'|['\")]*[:;,]\s+|['\")]+\s+|\s->\s|\n)")
"""What is quoted, and where parts of a sentence end: an address is in one, with its secrets."""


def redact(address: str) -> str:
    """An address without user names, passwords and tokens; NAME:PASSWORD@ also without a scheme.

    A path without a scheme is left as it is: it may hold @ and = by itself.
    """
    address = BARE_USER.sub("***@", USER.sub(r"\1***@", address))
    return SECRET_VALUE.sub(r"\1***", address) if ADDRESS.search(address) else address


def redact_message(message: str) -> str:
    """A sentence without the secrets of the addresses that it quotes, else as it was."""
    return "".join(map(redact, SEAM.split(message)))
