"""The epochs' numbers as TensorBoard events: tensorboard --logdir runs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

from runtime.files import make_folder, unwritable

VERSION = "brain.Event:2"
"""What the first event of every file says, so that its reader knows the format."""
NUMBERED = ("epoch", "stage")


class Events:
    """Writes what stands in a row of metrics.csv; the step is the epoch.

    folder: of the run, so that TensorBoard shows it under the run's name. next_epoch: the first one
    that will be written; after a resume, TensorBoard drops what the folder already holds of it and
    of later ones, so that no epoch is drawn twice. torch's SummaryWriter would hand a full disk to
    a thread, which prints a traceback; TensorBoard's own record writer says it here. Nothing stays
    open between epochs, so a run that is killed loses none. Raises SinkError.
    """

    def __init__(self, folder: Path, next_epoch: int = 1) -> None:
        make_folder(folder)
        # TensorBoard reads a folder's files in the order of their names.
        self._path = folder / f"events.out.tfevents.{time.time_ns():019d}"
        start = SessionLog(status=SessionLog.START)
        self._append(
            Event(file_version=VERSION),
            Event(session_log=start, step=next_epoch),
        )

    def write(self, row: Mapping[str, object]) -> None:
        """Writes one epoch. Raises SinkError."""
        values = [
            Summary.Value(tag=_tag(column), simple_value=float(str(value)))
            for column, value in row.items()
            if column not in NUMBERED
        ]
        self._append(Event(summary=Summary(value=values), step=int(str(row["epoch"]))))

    def _append(self, *events: Event) -> None:
        try:
            with self._path.open("ab") as stream:
                for event in events:
                    event.wall_time = time.time()
                    RecordWriter(stream).write(event.SerializeToString())
        except OSError as error:
            raise unwritable(self._path, error) from error


def _tag(column: str) -> str:
    """train_loss -> loss/train, val_loss -> loss/val, val_iou -> val/iou; others stay."""
    if column in ("train_loss", "val_loss"):
        split, _, name = column.partition("_")
        return f"{name}/{split}"
    return column.replace("val_", "val/", 1) if column.startswith("val_") else column
