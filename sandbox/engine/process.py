"""An engine as a process of its own: it carries out one order, and reports what happens.

Standard input: one line of JSON, the order (see ``sandbox.engine.deployment``); it stays open, and the process ends
once it is closed. Standard output: one line of JSON an event. ``event`` is ``resource``, ``deleted``, ``state``,
``log``, ``done`` or ``failed``. An event ``state`` holds an entry that is new or changed, with its secrets in plain, or
the key of one that is ``gone``.
"""

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

from sandbox.aws.clients import Clients

Json = Any
"""What JSON can hold."""


class Report:
    """Writes the events of a run, a line each, from any thread."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()
        self.failed = False
        self.outputs: dict[str, dict[str, Any]] = {}

    def send(self, event: str, **content: Json) -> None:
        """Write one event."""
        with self._lock:
            self._stream.write(json.dumps({"event": event, **content}) + "\n")
            self._stream.flush()

    def fail(self, sentence: str) -> None:
        """Report why the run failed; only the first reason counts."""
        with self._lock:
            first, self.failed = not self.failed, True
        if first:
            self.send("failed", message=sentence)


def make_users(owner: Clients, names: Iterable[str]) -> None:
    """Make the users that a stack names as administrators, as far as there are none yet."""
    for name in names:
        with contextlib.suppress(owner("iam").exceptions.EntityAlreadyExistsException):
            owner("iam").create_user(UserName=name)


def _end_with_parent() -> None:
    """End at once, with every process of the engine, when standard input is closed: nobody waits for the outcome."""
    while sys.stdin.read(1):
        pass
    os.killpg(0, signal.SIGKILL)


def serve(carry_out: Callable[[Mapping[str, Any], Report], None]) -> None:
    """Carry out the order on standard input."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the program prints must not mix with the events
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    carry_out(order, Report(stream))
    stream.flush()
    os._exit(0)  # otherwise Python would wait for Pulumi's threads
