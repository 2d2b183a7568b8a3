"""Measurements of several sides in turns, so that a busy machine hits all of them alike."""

import statistics
from collections.abc import Callable, Mapping, Sequence


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
