"""The table of threats names tests that exist."""

import re

from tests.harness import ROOT

PAGE = ROOT / "docs" / "threats.md"


def rows() -> list[list[str]]:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    table = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return table[2:]


def test_each_threat_has_a_control_and_a_test_that_exists() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    defined = set(re.findall(r"^def (test_\w+)\(", source, re.MULTILINE))

    assert len(rows()) > 15
    for _, threat, control, test in rows():
        assert threat, test
        assert control, test
        assert test.strip("`") in defined, f"no test is named {test}"
