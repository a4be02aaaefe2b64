"""How MiniStack runs functions, made more like Lambda: what they load, when an invocation is over, and less waiting.

It runs each in a process with a program of its own, which takes events on standard input. What is changed here of those
programs is looked for word for word, so that another version of MiniStack is told from this one.
"""

# ruff: noqa: SLF001, PLC0415 - it patches MiniStack's insides, once the environment is set

import contextlib
import queue
from typing import Any

END = "sandbox: the invocation is over"
"""The last line of an invocation on its standard error, where its log is."""

LINE_SECONDS = 0.25
"""How long the next line of an invocation's log is waited for: one that ended by force says no more."""

PENDING_SECONDS = 0.05
"""For how long a new or changed function is pending; MiniStack takes half a second."""

WHEN_LOADED = """
import sys

class _WhenLoaded:
    def find_spec(self, name, path=None, target=None):
        if name != "botocore.handlers":
            return None
        from importlib.util import find_spec
        sys.meta_path.remove(self)
        spec = find_spec(name)
        execute = spec.loader.exec_module
        def exec_module(module):
            execute(module)
            sys.modules["botocore"].handlers = module
            _ms_install_invoke_depth()
        spec.loader.exec_module = exec_module
        return spec
"""
"""Put before MiniStack's own program for a Python function, which defines what is called here."""


def patch() -> None:
    """Let functions start as on Lambda, and be over once they have answered.

    MiniStack loads botocore before each Python function, to count in its calls how deep functions call functions: here
    it is loaded only when the function asks for it. And it looks for 5 ms after an invocation's last line of log
    whether another comes, or for 50 ms whether a first one does: here the invocation says when it is over.
    """
    from ministack.core import lambda_runtime
    from ministack.services import lambda_svc

    python = changed(
        lambda_runtime._PYTHON_WORKER_SCRIPT,
        ("_ms_install_invoke_depth()\n    try:", "sys.meta_path.insert(0, _WhenLoaded())\n    try:"),
        (
            "        _real_stdout.flush()\n\nrun()",
            f"        print({END!r}, flush=True)\n        _real_stdout.flush()\n\nrun()",
        ),
    )
    lambda_runtime._PYTHON_WORKER_SCRIPT = WHEN_LOADED + python
    lambda_runtime._NODEJS_WORKER_SCRIPT = changed(
        lambda_runtime._NODEJS_WORKER_SCRIPT,
        ("        settled = true;\n", f'        settled = true;\n        _stderrWrite({END!r} + "\\n");\n'),
    )
    lambda_runtime.Worker._drain_stderr_bounded = log_of_invocation
    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = PENDING_SECONDS


def changed(program: str, *changes: tuple[str, str]) -> str:
    """A program with some of its text replaced, each of which must be there once.

    Raises:
        RuntimeError: it is not: this is another version of MiniStack.
    """
    for old, new in changes:
        if program.count(old) != 1:
            raise RuntimeError(f"MiniStack runs functions in another way than expected: {old!r} is not in its program.")
        program = program.replace(old, new)
    return program


def log_of_invocation(worker: Any) -> str:  # noqa: ANN401 - MiniStack's, which has no types
    """All lines that an invocation wrote, in place of `Worker._drain_stderr_bounded`."""
    lines: list[str] = []
    with contextlib.suppress(queue.Empty):
        while (line := worker._stderr_queue.get(timeout=LINE_SECONDS)) != END:
            lines.append(line)
    return "\n".join(lines)
