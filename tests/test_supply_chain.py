"""What is deployed and what it is made with: nothing of third parties in the zip, every package pinned exactly."""

import io
import re
import zipfile
from pathlib import Path

import pytest

from components.code import code_archive
from sandbox.provider.resources import archive
from tests.harness import ROOT
from tools import audit
from tools.bill import bill

REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "policies/requirements.txt")


def zipped(**files: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def test_the_zip_holds_nothing_of_third_parties() -> None:
    made = bill(archive(code_archive(ROOT / "bot", "bot")))

    assert made["components"] == []
    assert re.fullmatch("[0-9a-f]{64}", made["metadata"]["component"]["hashes"][0]["content"])


@pytest.mark.parametrize(
    ("name", "text", "component"),
    [
        ("requests/__init__.py", "", "requests"),
        ("bot-1.0.dist-info/METADATA", "", "bot-1.0.dist-info"),
        ("bot/handler.py", "import requests", "requests"),
        ("bot/handler.py", "def f():\n    from urllib3.util import Retry", "urllib3"),
    ],
)
def test_a_third_party_is_on_the_bill(name: str, text: str, component: str) -> None:
    assert [each["name"] for each in bill(zipped(**{name: text}))["components"]] == [component]


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_requirement_is_pinned(name: str) -> None:
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]

    for line in filter(None, lines):
        assert re.fullmatch(r"-r \S+|[A-Za-z0-9_.-]+(\[[a-z0-9,-]+\])?==[0-9][0-9A-Za-z.]*", line), line


def test_an_audit_that_cannot_reach_the_list_says_so_and_fails_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "pip-audit"
    broken.write_text("#!/bin/sh\necho 'ConnectionError: nobody there' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(audit, "installed", lambda _: broken)

    assert audit.main() == 0
    assert "Not checked: " in capsys.readouterr().err


def test_an_audit_that_finds_a_weakness_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    finding = tmp_path / "pip-audit"
    finding.write_text("#!/bin/sh\necho 'Found 1 known vulnerability in 1 package' >&2\nexit 1\n")
    finding.chmod(0o755)
    monkeypatch.setattr(audit, "installed", lambda _: finding)

    assert audit.main() == 1
