"""The whole stack, running: one sandbox for all tests of a worker that do not break it."""

from collections.abc import Iterator

import pytest

from sandbox.local import Sandbox


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """The `local` stack in a sandbox that all tests of this worker share."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """The shared sandbox, without faults before and after the test, and with nothing left to deal with after it."""
    yield shared_sandbox
    shared_sandbox.faults({})
    shared_sandbox.aws_faults({})
    shared_sandbox.settle()
