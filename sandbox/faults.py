"""Faults on demand: when each fires, and how its JSON description is read."""

import random
import threading
from collections.abc import Mapping
from typing import Any

from sandbox.errors import SandboxError


class Fault:
    """One fault and when it fires.

    Args:
        effects: what it does: the keys of the place where it fires, with their values.
        count: for how many calls it fires; ``None``: for all.
        probability: that it fires for a call, 0 to 1.
        every: with 2, it can fire only for the second call, the fourth, and so on; with 1, for each.
        seed: makes the draws repeatable.
    """

    def __init__(
        self,
        effects: Mapping[str, Any],
        count: int | None = None,
        probability: float = 1.0,
        every: int = 1,
        seed: int | None = None,
    ) -> None:
        self.effects = dict(effects)
        self._left = count
        self._probability = probability
        self._every = every
        self._calls = 0
        self._random = random.Random(seed)

    def fires(self) -> bool:
        """Whether it fires for this call; if so, it counts down."""
        self._calls += 1
        if self._left == 0 or self._calls % self._every or self._random.random() >= self._probability:
            return False
        if self._left is not None:
            self._left -= 1
        return True

    def get(self, effect: str, default: Any = None) -> Any:
        """The value of one effect."""
        return self.effects.get(effect, default)


EFFECTS: Mapping[str, type | tuple[type, ...]] = {"count": int, "probability": (int, float), "every": int, "seed": int}


def fault(described: object, known: Mapping[str, type | tuple[type, ...]]) -> Fault:
    """Read a fault's JSON description.

    Args:
        described: the JSON object.
        known: the effects of the place where it fires, and their types.

    Raises:
        SandboxError: it is not an object, or has an unknown key or a value of the wrong type.
    """
    if not isinstance(described, Mapping):
        raise SandboxError(f"A fault is a JSON object, not {described!r}.")
    allowed = {**known, **EFFECTS}
    for key, value in described.items():
        if key not in allowed:
            raise SandboxError(f"There is no fault {key!r}: choose from {', '.join(sorted(allowed))}.")
        kind = allowed[key]
        wrong = not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
        if wrong or (key == "every" and value < 1):
            raise SandboxError(f"The fault {key!r} cannot be {value!r}.")
    effects = {key: value for key, value in described.items() if key not in EFFECTS}
    return Fault(effects, **{key: value for key, value in described.items() if key in EFFECTS})


class Faults:
    """The faults of one place, in order: the first that fires applies. They may be set while calls are under way."""

    def __init__(self) -> None:
        self._faults: list[tuple[str, Fault]] = []
        self._lock = threading.Lock()

    def set(self, faults: list[tuple[str, Fault]]) -> None:
        """Replace all faults, each given with the pattern of its calls."""
        with self._lock:
            self._faults = faults

    def meet(self, call: str) -> Fault | None:
        """The fault that fires for a call, if any. A pattern is a name, ``service:*`` or ``*``."""
        with self._lock:
            for pattern, candidate in self._faults:
                matches = pattern in ("*", call) or (pattern.endswith("*") and call.startswith(pattern[:-1]))
                if matches and candidate.fires():
                    return candidate
        return None
