"""How `make engine` gets a Pulumi CLI."""

import shutil
from pathlib import Path

import pytest
from pulumi import automation

from tools import pulumi_cli
from tools.pulumi_cli import __main__ as getting

GO = """#!/bin/sh
echo "$PWD $*" > "$(dirname "$0")/called"
while [ "$1" != -o ]; do shift; done
mkdir -p "$(dirname "$2")" && touch "$2"
"""


def offline(**_: object) -> None:
    raise OSError("no way out")


def test_where_nothing_can_be_fetched_go_builds_the_version_that_the_module_pins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"
    go.write_text(GO, "utf-8")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{Path(str(shutil.which('dirname'))).parent}")
    monkeypatch.setattr(automation.PulumiCommand, "install", offline)
    monkeypatch.setattr(getting, "CLI_FOLDER", tmp_path / "cli")

    getting.get()

    called = (tmp_path / "called").read_text("utf-8")
    assert (tmp_path / "cli" / "bin" / "pulumi").is_file()
    assert called.startswith(str(Path(pulumi_cli.__file__).parent))
    assert f"version.Version={getting.pinned_version()} " in called


def test_without_go_too_a_sentence_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(automation.PulumiCommand, "install", offline)

    with pytest.raises(SystemExit, match="no Go to build one"):
        getting.get()
