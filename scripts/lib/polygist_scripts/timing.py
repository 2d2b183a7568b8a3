"""Measurements of several sides in turns, so that a busy machine hits all of them alike, and of
what a command takes."""

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass
class Usage:
    """What a command has taken: seconds on the clock and of the processor, and the peak of its
    memory in bytes (on Linux)."""

    status: int
    seconds: float
    processor: float
    peak: int


def usage(command: Sequence[str | Path], **streams: Any) -> Usage:
    """Runs a command to its end."""
    began = time.monotonic()
    process = subprocess.Popen(command, **streams)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds, processor = time.monotonic() - began, used.ru_utime + used.ru_stime
    return Usage(process.returncode, seconds, processor, used.ru_maxrss * 1024)


def in_turns(sides: Mapping[str, Callable[[], float]], runs: int) -> dict[str, list[float]]:
    """What each side measures, `runs` times, every side once before any of them again."""
    found: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(runs):
        for side, measure in sides.items():
            found[side].append(measure())
    return found


def medians(found: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """The median of each side."""
    return {side: statistics.median(values) for side, values in found.items()}
