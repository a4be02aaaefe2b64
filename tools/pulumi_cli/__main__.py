"""``python -m tools.pulumi_cli``: have a Pulumi CLI, for ``make engine``.

The one on the PATH does. Otherwise Pulumi's own installer fetches one; where it cannot, Go builds one from the module
beside this file. Either is put where ``sandbox.engine.automation`` finds it.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from pulumi import automation

from sandbox.engine.automation import CLI_FOLDER, command
from sandbox.errors import SandboxError

MODULE = Path(__file__).parent
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"


def pinned_version() -> str:
    """The version of the CLI that the module pins."""
    found = re.search(r"github\.com/pulumi/pulumi/pkg/v3 v([0-9.]+)", (MODULE / "go.mod").read_text("utf-8"))
    if not found:
        raise SystemExit("tools/pulumi_cli/go.mod pins no version of the Pulumi CLI.")
    return found[1]


def get() -> None:
    """Fetch or build a CLI.

    Raises:
        SystemExit: neither works.
    """
    try:
        automation.PulumiCommand.install(root=str(CLI_FOLDER))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"Pulumi's installer does not work here ({error}): building the CLI with Go.", file=sys.stderr)
        if not shutil.which("go"):
            raise SystemExit("There is no Pulumi CLI, no way to fetch one, and no Go to build one.") from None
        build(CLI_FOLDER / "bin" / "pulumi")


def build(target: Path) -> None:
    """Build the CLI with Go, from its source."""
    # Without its version, the Automation API refuses the CLI.
    flags = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={pinned_version()}"
    subprocess.run(
        ["go", "build", "-ldflags", flags, "-o", str(target), PACKAGE],
        cwd=MODULE,
        env={**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false"},
        check=True,
    )


if __name__ == "__main__":
    argparse.ArgumentParser(
        "python -m tools.pulumi_cli", description=__doc__, epilog="Example: make engine"
    ).parse_args()
    try:
        cli = command()
    except SandboxError:
        get()
        cli = command()
    print(f"Pulumi {cli.version}: {cli.command}", file=sys.stderr)
