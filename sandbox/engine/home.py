"""The folder in which a real Pulumi engine finds and keeps what belongs to one emulated AWS."""

import shlex
import sys
from pathlib import Path

PLUGIN = "pulumi-resource-aws"
DYNAMIC_PLUGIN = "pulumi-resource-pulumi-python"
PASSPHRASE = "sandbox"
"""Encrypts the secrets in the state; everything that they open is the sandbox itself."""


def install_plugin(home: Path) -> Path:
    """Write the sandbox's provider as a plugin (``sandbox.engine.plugin``); return its folder, for the PATH."""
    return _install(home, PLUGIN, "sandbox.engine.plugin", Path(__file__).parents[2])


def install_dynamic_plugin(home: Path, project: Path) -> Path:
    """Write Pulumi's own plugin for the dynamic resources of a program in Python; return its folder.

    A CLI built with Go lacks it (pulumi/pulumi, sdk/python/dist/pulumi-resource-pulumi-python, v3.274.1).

    Args:
        home: where the engine keeps what is its own.
        project: the program's folder.
    """
    return _install(home, DYNAMIC_PLUGIN, "pulumi.dynamic", project)


def _install(home: Path, name: str, module: str, path: Path) -> Path:
    folder = home / "plugins"
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / name
    path_argument, python = shlex.quote(str(path)), shlex.quote(sys.executable)
    script.write_text(f'#!/bin/sh\nPYTHONPATH={path_argument} exec {python} -m {module} "$@"\n', encoding="utf-8")
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
