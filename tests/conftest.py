"""What all tests share: the stacks of the project, each run once under mocks."""

import gc

import pytest
from hypothesis import settings
from xdist.remote import Producer  # type: ignore[import-untyped]  # it ships no types
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]  # as above

from tests.harness import STACKS, Graph, run_main

# How long one example takes tells of the machine; pytest's own time limit is enough.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

# What one process does, as long as there are other processes, since it shares what takes long to start: a browser, a
# sandbox, the program's runs. By what their names begin with, those that take longest first; each other file by itself.
TOGETHER = (
    ("tests/page/",),
    ("tests/system/", "tests/ops/"),
    ("tests/sandbox/test_cli.py",),
    ("tests/components/", "tests/tools/", "tests/test_"),
    ("tests/sandbox/",),
    ("tests/model/",),
)


def together(test: str) -> int:
    """Which of them a test belongs to, by its id; one more than there are if to none."""
    return next((place for place, names in enumerate(TOGETHER) if test.startswith(names)), len(TOGETHER))


class Scheduling(LoadFileScheduling):  # type: ignore[misc]  # as above
    """Hands out to each process what is done together, or a file."""

    def _split_scope(self, nodeid: str) -> str:
        place = together(nodeid)
        return " ".join(TOGETHER[place]) if place < len(TOGETHER) else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """Have xdist hand out tests in this way, where it is to hand out files."""
    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest; the order within it, and of all else, stays random."""
    items.sort(key=lambda item: together(item.nodeid))


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
