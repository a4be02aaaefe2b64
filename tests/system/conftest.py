"""The whole stack, running: one sandbox for all tests of a process that leave it intact."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops import cli
from sandbox.local import Sandbox

Ops = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """The `local` stack, in a sandbox that the tests of this process share."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox; after the test it has no faults and an empty queue."""
    yield shared_sandbox
    shared_sandbox.faults({})
    shared_sandbox.aws_faults({})
    shared_sandbox.settle()


@pytest.fixture
def ops(sandbox: Sandbox, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ops:
    """Runs an operator's command for a stack, described by its outputs; returns its exit code, stdout and stderr."""
    described = tmp_path / "sandbox.json"

    def run(*arguments: str, **outputs: str) -> tuple[int, str, str]:
        known = sandbox.described()
        described.write_text(json.dumps({**known, "outputs": {**known["outputs"], **outputs}}))
        code = cli.run([*arguments, "--sandbox", str(described)])
        return code, *capsys.readouterr()

    return run
