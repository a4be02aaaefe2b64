"""Installs AWS's runtime clients and the peer into a folder of their own, for the benchmark alone."""

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.lambda_runtime.errors import BenchError

BENCH = Path(__file__).parent.parent
REQUIREMENTS, PACKAGES = BENCH / "requirements.txt", BENCH / "package.json"
FOLDER = BENCH.parent / ".bench"
# The Node client compiles libcurl and its own part; each program with the Debian package that brings it.
TOOLS = {
    "node": "nodejs",
    "npm": "npm",
    "openssl": "openssl",
    "g++": "g++",
    "make": "make",
    "cmake": "cmake",
    "autoconf": "autoconf",
    "automake": "automake",
    "libtoolize": "libtool",
}
INSTALL_SECONDS = 900


class Installed(NamedTuple):
    """Where things are.

    Attributes:
        python: a folder for `PYTHONPATH` with the runtime client for Python.
        node: a folder with `node_modules`: the runtime client for Node, and claudia-bot-builder.
    """

    python: Path
    node: Path


def installed(say: Callable[[str], None]) -> Installed:
    """Install what is not there yet.

    Args:
        say: takes a sentence of progress.

    Raises:
        BenchError: a tool is missing, or installing failed.
    """
    found, wanted = Installed(FOLDER / "python", FOLDER / "node"), _fingerprint()
    mark = FOLDER / "installed"
    if mark.is_file() and mark.read_text() == wanted:
        return found
    _require_tools()
    say("Installing AWS's runtime clients and claudia-bot-builder into .bench/ (once, about two minutes) …")
    began = time.monotonic()
    shutil.rmtree(FOLDER, ignore_errors=True)
    found.node.mkdir(parents=True)
    shutil.copy(PACKAGES, found.node)
    _run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(found.python), "-r", str(REQUIREMENTS)])
    _run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"], found.node)
    mark.write_text(wanted)
    say(f"Installed in {time.monotonic() - began:.0f} s.")
    return found


def is_installed() -> bool:
    """Whether everything is there."""
    mark = FOLDER / "installed"
    return mark.is_file() and mark.read_text() == _fingerprint()


def versions() -> Mapping[str, str]:
    """The pinned version of each package that the page names."""
    pinned = dict(line.split("==") for line in REQUIREMENTS.read_text().split() if "==" in line)
    packages: dict[str, str] = json.loads(PACKAGES.read_text())["dependencies"]
    return pinned | packages


def _fingerprint() -> str:
    """Changes with the pinned versions, and with the interpreter that the client is built for."""
    parts = [REQUIREMENTS.read_bytes(), PACKAGES.read_bytes(), sys.version.encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def _require_tools() -> None:
    missing = [package for tool, package in TOOLS.items() if shutil.which(tool) is None]
    if missing:
        raise BenchError(f"To install AWS's runtime client for Node, run: apt-get install {' '.join(missing)}")


def _run(command: Sequence[str], folder: Path = BENCH) -> None:
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise BenchError(f"{command[0]} did not finish within {INSTALL_SECONDS} s.") from None
    if done.returncode:
        raise BenchError(f"Installing failed: {' '.join(command)}\n{done.stderr[-2000:]}")
