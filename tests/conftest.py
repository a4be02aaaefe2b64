"""What all tests share: the stacks of the project, each run once under mocks."""

import pytest
from hypothesis import settings

from tests.harness import STACKS, Graph, run_main

# How long one example takes depends on the machine; pytest's own time limit is enough.
settings.register_profile("any machine", deadline=None)
settings.register_profile("fuzz", deadline=None, max_examples=100_000)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def graphs() -> dict[str, Graph]:
    """Stack → what it registers, as its file has it."""
    return {stack: run_main(stack) for stack in STACKS}


@pytest.fixture(params=STACKS)
def graph(request: pytest.FixtureRequest, graphs: dict[str, Graph]) -> Graph:
    """What a stack registers; the test runs once for each stack."""
    return graphs[request.param]
