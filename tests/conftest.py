"""What all tests share: the stacks of the project, each run once under mocks."""

import pytest
from hypothesis import settings

from tests.harness import STACKS, Graph, run_main

# How long one example takes tells of the machine; pytest's own time limit is enough.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# What is tested by the same process, by the beginning of its name, so that what is dear to start is started once: a
# sandbox, a browser, each stack under mocks. The groups that take longest are begun first.
GROUPS = {
    "tests/page": "page",
    "tests/sandbox/test_cli": "command line",
    "tests/sandbox": "sandbox",
    "tests/system": "system",
    "tests/bot": "bot",
    "tests/ops": "ops",
    "tests/model": "model",
    "tests": "program",
}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group the tests for those who run them in several processes; the order within a group stays random."""
    order = list(GROUPS)

    def place(item: pytest.Item) -> str:
        return next(beginning for beginning in GROUPS if item.nodeid.startswith(beginning))

    items.sort(key=lambda item: order.index(place(item)))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(GROUPS[place(item)]))


@pytest.fixture(scope="session")
def graphs() -> dict[str, Graph]:
    """Stack → what it registers, as its file has it."""
    return {stack: run_main(stack) for stack in STACKS}


@pytest.fixture(params=STACKS)
def graph(request: pytest.FixtureRequest, graphs: dict[str, Graph]) -> Graph:
    """What a stack registers; the test runs once for each stack."""
    return graphs[request.param]
