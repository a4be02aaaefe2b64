"""Ctrl-C and SIGTERM end the sandbox once, wherever they come."""

import signal
import sys
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

AGAIN_SECONDS = 0.01


class Stopped(BaseException):
    """Raised by Ctrl-C and SIGTERM."""

    asked = False


def heed() -> None:
    """Heed the signals from now on."""
    sys.unraisablehook = _stop_again
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)


def ignore() -> None:
    """Let nothing interrupt the process from now on."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)


def stop_if_asked() -> None:
    """End if a signal came and the code that it interrupted swallowed the exception, as a bare `except` does.

    Raises:
        Stopped: if a signal came.
    """
    if Stopped.asked:
        raise Stopped


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    ignore()
    Stopped.asked = True
    raise Stopped


def _stop_again(dropped: "UnraisableHookArgs") -> None:
    """End a moment later if a signal came in a finalizer or in the callback of a weak reference.

    Python drops exceptions raised there (https://docs.python.org/3/reference/datamodel.html#object.__del__).
    """
    if dropped.exc_type is not Stopped:
        sys.__unraisablehook__(dropped)
        return
    signal.signal(signal.SIGALRM, _stop)
    signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
