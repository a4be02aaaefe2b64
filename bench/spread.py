"""Figures of one kind, and how a page of figures tells them."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Spread(NamedTuple):
    """Some figures of one kind, in their order."""

    values: Sequence[float]

    def at(self, share: float) -> float:
        """The value that so large a share of all does not exceed."""
        ordered = sorted(self.values)
        return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.values)

    def milliseconds(self) -> str:
        """Median, and the 99th of a hundred, of seconds."""
        return f"{self.median * 1000:.1f} / {self.at(0.99) * 1000:.1f}"

    def around(self, digits: int) -> str:
        """Median, least and most, with so many digits behind the point."""
        return f"{self.median:.{digits}f} ({min(self.values):.{digits}f} to {max(self.values):.{digits}f})"
