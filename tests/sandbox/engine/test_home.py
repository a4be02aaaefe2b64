"""What a person with a Pulumi CLI copies from `python -m sandbox cloud`."""

import subprocess
from pathlib import Path

import pytest

from sandbox.engine import automation
from sandbox.engine.home import lines, lines_with_plugin
from sandbox.errors import SandboxError


def test_the_lines_lead_a_cli_to_the_state_of_the_sandbox_and_to_its_plugin(tmp_path: Path) -> None:
    path, *rest = lines_with_plugin(tmp_path)
    script = "\n".join([path, rest[0], 'echo "$PULUMI_BACKEND_URL"', "exec pulumi-resource-aws"])

    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True) as shell:
        assert shell.stdout is not None
        state, port = shell.stdout.readline().strip(), shell.stdout.readline().strip()
        shell.terminate()

    assert state == f"file://{tmp_path / 'state'}"
    assert 0 < int(port) < 1 << 16
    assert rest == lines(tmp_path)
    assert rest[-1] == "pulumi up --stack local"


def test_without_a_cli_a_sentence_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(automation, "CLI_FOLDER", tmp_path)

    with pytest.raises(SandboxError, match=r"There is no Pulumi CLI on the PATH: install it .* or run `make engine`"):
        automation.command()
