"""What `make` checks before it installs anything, and what continuous integration makes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness import ROOT


@pytest.mark.parametrize("target", ["up", "test", "docs"])
def test_an_old_python_is_refused_before_anything_is_installed(target: str, tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.txt", "requirements-dev.txt"):
        shutil.copy(ROOT / name, tmp_path)
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n", "utf-8")  # as Python before 3.11 ends the version check
    old.chmod(0o755)

    result = subprocess.run(
        ["make", target, f"PYTHON={old}"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert result.returncode != 0
    assert "This needs Python 3.11 or newer: name one, as in `make up PYTHON=python3.12`." in result.stderr
    assert not (tmp_path / ".venv").exists()


def test_continuous_integration_runs_the_test_command_of_the_readme() -> None:
    steps = [line for line in (ROOT / ".ci" / "run").read_text("utf-8").splitlines() if line.startswith("make ")]

    assert steps == ["make test"]
