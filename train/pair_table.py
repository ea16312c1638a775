"""A table of pairs: a CSV with the columns Image and Mask, and if known group and split."""

from __future__ import annotations

import csv
from pathlib import Path

from runtime.errors import DataError


def read_table(table: Path) -> list[dict[str, str]]:
    """The rows of a CSV that has the columns Image and Mask, both filled in. Spaces around names
    and values do not count. Raises DataError."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            columns = [column.strip() for column in reader.fieldnames or []]
            reader.fieldnames = columns
            rows = [
                {key: (value or "").strip() for key, value in row.items() if key} for row in reader
            ]
    except FileNotFoundError:
        raise DataError(f"no such table of pairs: {table}; check --pairs") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {table} as CSV ({error}); save it as UTF-8 text") from error
    if missing := [column for column in ("Image", "Mask") if column not in columns]:
        raise DataError(
            f"{table} has no column '{missing[0]}' (it has: {', '.join(columns) or 'nothing'}); "
            "wanted Image and Mask, and if known group and split, with commas between them"
        )
    for line, row in enumerate(rows, start=2):
        if not row["Image"] or not row["Mask"]:
            raise DataError(f"{table} line {line} names no image or no mask; fill in both names")
    return rows


def check_rows(rows: list[dict[str, str]], table: Path) -> None:
    """Raises DataError where one photograph stands in several rows of a table."""
    first: dict[str, int] = {}
    for line, row in enumerate(rows, start=2):
        if first.setdefault(row["Image"], line) != line:
            raise DataError(
                f"{table}: {row['Image']} stands in line {first[row['Image']]} and in line {line}; "
                "a photograph has one mask: keep one row"
            )
