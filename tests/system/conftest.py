"""The whole stack, running: one sandbox for all tests of a process that leave it intact."""

from collections.abc import Iterator

import pytest

from sandbox.local import Sandbox


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
