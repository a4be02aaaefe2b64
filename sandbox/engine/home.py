"""The folder in which a real Pulumi engine finds and keeps what belongs to one emulated AWS."""

import shlex
import sys
from pathlib import Path

PLUGIN = "pulumi-resource-aws"
PASSPHRASE = "sandbox"
"""Encrypts the secrets in the state; everything that they open is the sandbox itself."""


def install_plugin(home: Path) -> Path:
    """Write the sandbox's provider as a plugin (``sandbox.engine.plugin``); return its folder, for the PATH."""
    folder = home / "plugins"
    folder.mkdir(parents=True, exist_ok=True)
    root, python = shlex.quote(str(Path(__file__).parents[2])), shlex.quote(sys.executable)
    script = folder / PLUGIN
    script.write_text(f'#!/bin/sh\nPYTHONPATH={root} exec {python} -m sandbox.engine.plugin "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return folder


def variables(home: Path) -> dict[str, str]:
    """The environment variables of a CLI that keeps its state here."""
    state = home / "state"
    state.mkdir(parents=True, exist_ok=True)
    return {"PULUMI_BACKEND_URL": f"file://{state}", "PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}


def lines(home: Path) -> list[str]:
    """The commands that deploy ``local`` with a Pulumi CLI and its own AWS provider."""
    exported = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables(home).items())
    return [f"export {exported}", "pulumi stack init local", "pulumi up --stack local"]


def lines_with_plugin(home: Path) -> list[str]:
    """The same with the sandbox's own provider."""
    return [f'export PATH={shlex.quote(str(install_plugin(home)))}:"$PATH"', *lines(home)]
