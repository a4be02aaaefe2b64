"""Measures how long a developer waits: for a chat that answers, for a saved file, and for all checks."""

import json
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.chat import ChatSandbox
from sandbox.local import PROJECT

STARTS, SAVES = 3, 5
QUESTION = "Which parcel?"

Parts = Mapping[str, float]


def start() -> Parts:
    """The parts of the time from `make up` until the chat answers, in seconds."""
    began, stages = time.monotonic(), dict[str, float]()
    subprocess.run([sys.executable, "-c", "import sandbox.cli"], cwd=PROJECT, check=True)
    imported = time.monotonic()

    def observe(event: Mapping[str, Any]) -> None:
        if event["event"] == "stage":
            stages[event["name"]] = event["seconds"] - sum(stages.values())

    with ChatSandbox(observe=observe) as sandbox:
        up = time.monotonic()
        sandbox.say("status")
        return {"Python's imports": imported - began} | stages | {"the first answer": time.monotonic() - up}


def save() -> Sequence[Parts]:
    """The parts of the time from a saved file of the bot to its answer, in seconds, several times."""
    found = []
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "project"
        shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns(".*", "__pycache__", "tests"))
        file, aside = folder / "bot" / "conversation" / "answers.py", folder / "saved"
        content = file.read_text()
        with ChatSandbox(folder=folder) as sandbox:
            functions, name = sandbox.client("lambda"), sandbox.outputs["functionName"]

            def code() -> str:
                return str(functions.get_function_configuration(FunctionName=name)["CodeSha256"])

            # The first save is not counted: the sandbox may still be reading the files for the first time.
            for number in range(SAVES + 1):
                asked, before, began = f"{QUESTION[:-1]} {number}?", code(), time.monotonic()
                aside.write_text(content.replace(QUESTION, asked))
                aside.replace(file)  # at once, so that the sandbox never reads half a file
                while code() == before:
                    time.sleep(0.02)
                live = time.monotonic()
                while asked not in json.dumps(sandbox.say("status")):
                    pass
                found.append({"the function has it": live - began, "it answers": time.monotonic() - live})
                time.sleep(1.0)  # as for a person, the sandbox has finished with the one before
    return found[1:]


def check() -> Parts:
    """The seconds of each command of `make test`.

    Raises:
        CalledProcessError: a check failed.
    """
    commands = subprocess.check_output(["make", "-n", "-o", ".venv/installed", "test"], cwd=PROJECT, text=True)
    parts = {}
    for command in commands.splitlines():
        began = time.monotonic()
        subprocess.run(shlex.split(command), cwd=PROJECT, check=True, stdout=sys.stderr)
        parts[f"`{command.removeprefix('.venv/bin/')}`"] = time.monotonic() - began
    return parts


def section() -> str:
    """The figures as a part of a page."""
    lines = []
    for title, found in {
        "`make up` to a chat that answers": [start() for _ in range(STARTS)],
        "a saved file of the bot to its answer": save(),
        "`make test`": [check()],
    }.items():
        whole = [sum(each.values()) for each in found]
        took, largest = max((statistics.median(each[name] for each in found), name) for name in found[0])
        spread = f"{statistics.median(whole):.1f} ({min(whole):.1f} to {max(whole):.1f})"
        lines.append(f"| {title} | {spread} | {largest}: {took:.1f} |")
    rows = "\n".join(lines)
    return f"""## A developer's loop

Seconds: the median, the least and the most; and the largest part, with its median.

| | s | its largest part |
| --- | ---: | --- |
{rows}
"""
