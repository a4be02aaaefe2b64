"""Figures of one kind."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Spread(NamedTuple):
    """Seconds, in the order in which they were measured; its texts are in milliseconds."""

    values: Sequence[float]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    def at(self, share: float) -> float:
        """The value that this share of all does not exceed."""
        ordered = sorted(self.values)
        return ordered[round(share * (len(ordered) - 1))]

    def around(self) -> str:
        """Median, least and most."""
        return f"{self.median * 1000:.1f} {self._range()}"

    def percentiles(self) -> str:
        """Median and 99th percentile, least and most."""
        return f"{self.median * 1000:.1f} / {self.at(0.99) * 1000:.1f} {self._range()}"

    def _range(self) -> str:
        return f"({min(self.values) * 1000:.1f} to {max(self.values) * 1000:.1f})"
