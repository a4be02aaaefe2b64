"""What all tests share: the stacks of the project, each run once under mocks."""

import gc

import pytest
from hypothesis import settings

from tests.harness import STACKS, Graph, run_main

# How long one example takes tells of the machine; pytest's own time limit is enough.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# The files that take longest, first: who works on the others at the same time is then not waited for at the end.
LONGEST = (
    "tests/page/test_behind.py",
    "tests/page/test_chat.py",
    "tests/sandbox/test_cli.py",
    "tests/system/test_main_job.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; the order within a file, and of the others, stays random."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def pytest_collection_finish() -> None:
    """Have what is loaded by now, which stays, never again looked through for garbage, and the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session")
def graphs() -> dict[str, Graph]:
    """Stack → what it registers, as its file has it."""
    return {stack: run_main(stack) for stack in STACKS}


@pytest.fixture(params=STACKS)
def graph(request: pytest.FixtureRequest, graphs: dict[str, Graph]) -> Graph:
    """What a stack registers; the test runs once for each stack."""
    return graphs[request.param]
