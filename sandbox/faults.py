"""Faults that are put between the parts on demand: how often each fires, and what it says when it is set wrongly."""

import random
import threading
from collections.abc import Mapping
from typing import Any

from sandbox.errors import SandboxError


class Fault:
    """One fault and when it fires.

    Args:
        effects: what it does: the keys that its place knows, with their values.
        count: it fires for the next ``count`` calls only; ``None``: for every one.
        probability: 0 to 1, for each call.
        seed: makes the draws the same every time.
    """

    def __init__(
        self,
        effects: Mapping[str, Any],
        count: int | None = None,
        probability: float = 1.0,
        seed: int | None = None,
    ) -> None:
        self.effects = dict(effects)
        self._left = count
        self._probability = probability
        self._random = random.Random(seed)  # noqa: S311 - draws of a test, which are to repeat

    def fires(self) -> bool:
        """Draw once; counts down if it does fire."""
        if self._left == 0 or self._random.random() >= self._probability:
            return False
        if self._left is not None:
            self._left -= 1
        return True

    def get(self, effect: str, default: Any = None) -> Any:  # noqa: ANN401 - JSON
        """What the fault does in this respect."""
        return self.effects.get(effect, default)


EFFECTS: Mapping[str, type | tuple[type, ...]] = {"count": int, "probability": (int, float), "seed": int}


def fault(described: object, known: Mapping[str, type | tuple[type, ...]]) -> Fault:
    """A fault as it is described in JSON.

    Args:
        described: the object.
        known: the effects that its place knows, and their types.

    Raises:
        SandboxError: it is no object, or holds an unknown key or a value of the wrong type.
    """
    if not isinstance(described, Mapping):
        raise SandboxError(f"A fault is a JSON object, not {described!r}.")
    allowed = {**known, **EFFECTS}
    for key, value in described.items():
        if key not in allowed:
            raise SandboxError(f"There is no fault {key!r}: choose of {', '.join(sorted(allowed))}.")
        kind = allowed[key]
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise SandboxError(f"The fault {key!r} cannot be {value!r}.")
    effects = {key: value for key, value in described.items() if key not in EFFECTS}
    return Fault(effects, described.get("count"), described.get("probability", 1.0), described.get("seed"))


class Faults:
    """The faults of one place, in order: a call meets the first that fires. Safe to set while calls are under way."""

    def __init__(self) -> None:
        self._faults: list[tuple[str, Fault]] = []
        self._lock = threading.Lock()

    def set(self, faults: list[tuple[str, Fault]]) -> None:
        """Replace all faults: each with the pattern of the calls that it meets."""
        with self._lock:
            self._faults = faults

    def __bool__(self) -> bool:
        return bool(self._faults)

    def meet(self, call: str) -> Fault | None:
        """The fault that a call meets, if any; patterns are a name, ``service:*`` or ``*``."""
        with self._lock:
            for pattern, candidate in self._faults:
                matches = pattern in ("*", call) or (pattern.endswith("*") and call.startswith(pattern[:-1]))
                if matches and candidate.fires():
                    return candidate
        return None
