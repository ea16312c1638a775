"""Energy of the whole machine, where the device tells it: RAPL's counters on x86, the INA3221
sensors of a Jetson. Both are read from files, so nothing has to be installed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self

INTERVAL_S = 0.01
RAPL = "sys/class/powercap"
SENSORS = "sys/bus/i2c/drivers/ina3221"
INPUTS = ("VDD_IN", "POM_5V_IN")
"""Names of the rail that feeds a whole Jetson module, Orin's and the older ones'."""


class Meter:
    """Joules since it was opened, from a sensor of power that is read a hundred times a second."""

    def __init__(self, read_watts: Callable[[], float]) -> None:
        self._read_watts = read_watts
        self._joules = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="energy", daemon=True)
        self._thread.start()

    def joules(self) -> float:
        return self._joules

    def _sample(self) -> None:
        before = time.perf_counter()
        while not self._closing.wait(INTERVAL_S):
            now = time.perf_counter()
            self._joules += self._read_watts() * (now - before)
            before = now

    def close(self) -> None:
        self._closing.set()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Counter:
    """Joules of all processor packages, from counters that wrap around."""

    def __init__(self, zones: list[Path]) -> None:
        self._zones = zones
        self._last = [self._read(zone) for zone in zones]
        self._joules = 0.0

    @staticmethod
    def _read(zone: Path) -> int:
        return int((zone / "energy_uj").read_text())

    def joules(self) -> float:
        for index, zone in enumerate(self._zones):
            now = self._read(zone)
            span = int((zone / "max_energy_range_uj").read_text()) + 1
            self._joules += (now - self._last[index]) % span / 1e6
            self._last[index] = now
        return self._joules

    def close(self) -> None:
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None


def open_meter(root: Path = Path("/")) -> Meter | Counter | None:
    """What counts this machine's energy; None where no sensor can be read. root: of the file
    system, so that tests can plant another machine's."""
    packages = [
        zone
        for zone in sorted((root / RAPL).glob("intel-rapl:*"))
        if zone.name.count(":") == 1 and _readable(zone / "energy_uj")
    ]
    if packages:
        return Counter(packages)
    for label in sorted((root / SENSORS).glob("*/hwmon/hwmon*/in*_label")):
        if _readable(label) and label.read_text().strip() in INPUTS:
            number = label.name.removeprefix("in").removesuffix("_label")
            return Meter(partial(_watts, label.parent, number))
    return None


def _watts(folder: Path, number: str) -> float:
    """Of one channel of an INA3221, whose files say millivolts and milliamperes."""
    volts = int((folder / f"in{number}_input").read_text()) / 1e3
    return volts * int((folder / f"curr{number}_input").read_text()) / 1e3


def _readable(path: Path) -> bool:
    try:
        return bool(path.read_text().strip())
    except OSError:
        return False
