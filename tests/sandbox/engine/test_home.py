"""What a person with a Pulumi CLI copies from `python -m sandbox cloud`."""

import subprocess
from pathlib import Path

from sandbox.engine.home import lines, lines_with_plugin


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
