"""What the tests run: the project's stacks with made-up secrets, and programs that are meant to fail."""

import subprocess
import sys
import textwrap
from collections.abc import Mapping
from typing import Any

from sandbox import configuration
from tools.recorder import (
    ACCOUNT,
    PROJECT,
    REGION,
    ROOT,
    Graph,
    RecordingError,
    Resource,
    project_defaults,
    run_main_file,
    run_program,
)

__all__ = [
    "ACCOUNT", "PROJECT", "REGION", "ROOT", "SECRETS", "STACKS", "Graph", "RecordingError", "Resource",
    "project_defaults", "run_main", "run_program", "run_source", "stack_config", "stack_file",
]  # fmt: skip

STACKS = ("dev", "prod", "local")
SECRETS = {
    "pageAccessToken": "canary-page-access-token",
    "appSecret": "canary-app-secret",
    "verifyToken": "canary-verify-token",
}
SECONDS = 60
"""How long a program in a process of its own may take; a failed one can hang."""


def stack_file(stack: str) -> dict[str, Any]:
    """Full key → value, of the stack's file."""
    return configuration.stack_values(ROOT, stack)


def stack_config(stack: str, changes: Mapping[str, object] | None = None) -> tuple[dict[str, str], list[str]]:
    """A stack's configuration as the Pulumi CLI would give it to the program, and which of it is secret.

    Args:
        stack: The stack's name; made-up secrets replace its own.
        changes: Settings that replace any of it.
    """
    settings = {key: configuration.as_text(value) for key, value in {**SECRETS, **(changes or {})}.items()}
    read = configuration.read(ROOT, stack).with_values(**settings)
    return read.values, list(read.secret_keys)


def run_main(stack: str, changes: Mapping[str, object] | None = None) -> Graph:
    """Run `__main__.py` as a stack, with some settings changed."""
    config, secret_keys = stack_config(stack, changes)
    return run_program(run_main_file, stack, config, secret_keys)


def run_source(source: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a process of its own, with a time limit: for programs that are meant to fail.

    Args:
        source: Its text; it can import `tests.harness` and the project.

    Raises:
        subprocess.TimeoutExpired: If it takes longer than `SECONDS`.
    """
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
