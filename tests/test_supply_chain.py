"""Every package is pinned exactly."""

import re

import pytest

from tests.harness import ROOT

REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "policies/requirements.txt", "ops/requirements.txt")


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_is_pinned(name: str) -> None:
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]

    for line in filter(None, lines):
        assert re.fullmatch(r"-r \S+|[A-Za-z0-9_.-]+(\[[a-z0-9,-]+\])?==[0-9][0-9A-Za-z.]*", line), line
