"""The conversation as a function of its own, on this machine: where its code is, and whether it would start."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from sandbox.aws import runtimes
from sandbox.configuration import Configuration
from sandbox.errors import SandboxError

SECONDS = 10.0
NODE = """
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
const [folder, name, handler] = process.argv.slice(1);
const file = ["mjs", "js", "cjs"].map((ending) => `${folder}/${name}.${ending}`).find(existsSync);
if (!file) throw new Error(`there is no ${name}.js and no ${name}.mjs`);
const loaded = await import(pathToFileURL(file).href);
if (typeof (loaded[handler] ?? loaded.default?.[handler]) !== "function") {
  throw new Error(`${name} exports no function ${handler}`);
}
"""
PYTHON = """
import importlib, sys
folder, name, handler = sys.argv[1:]
sys.dont_write_bytecode = True
sys.path.insert(0, folder)
getattr(importlib.import_module(name.replace("/", ".")), handler)
"""
# Where an error was, as Node.js and Python print it; and what it was.
PLACE = r'(?:file://|File "|^){folder}/([^":\s]+)(?::|", line )(\d+)'
REASON = re.compile(r"^\w*(?:Error|Exception)\b.*$", re.MULTILINE)

Json = dict[str, Any]


class ConversationCode(NamedTuple):
    """A conversation that is a function of its own.

    Attributes:
        folder: what is deployed.
        runtime: as Lambda names it.
        handler: what the runtime calls.
    """

    folder: Path
    runtime: str
    handler: str

    @property
    def is_built(self) -> bool:
        """Whether the folder has what a compiler wrote."""
        return self.runtime.startswith(("java", "dotnet"))

    def check(self, folder: Path) -> Json:
        """Whether the code in a folder would start.

        Args:
            folder: this one, or a copy.

        Returns:
            As `sandbox.page.check` prints it.
        """
        name, _, handler = self.handler.rpartition(".")
        if self.runtime.startswith("nodejs"):
            return _loaded(["node", "--input-type=module", "-e", NODE], folder, name, handler)
        if self.runtime.startswith("python"):
            return _loaded([sys.executable, "-I", "-c", PYTHON], folder, name, handler)
        built = self.handler.partition("::")[0].replace(".", "/")
        file = f"{built}.class" if self.runtime.startswith("java") else f"{self.handler}.dll"
        if not (folder / file).is_file():
            return _not_fine(f"There is no {file}: build it.")
        try:
            runtimes.prepare(self.runtime)
        except runtimes.NotRunnable as error:
            return _not_fine(str(error))
        return _fine()


def conversation_code(configuration: Configuration) -> ConversationCode | None:
    """The conversation that a stack's settings name; None if it is the Python package in the bot's own zip.

    Raises:
        SandboxError: there is no such folder, or its language cannot be seen.
    """
    if not (code := configuration.get("conversationCode")):
        return None
    from components.conversation_function import ConversationFunctionArgs  # loads Pulumi, which takes its time
    from components.errors import InvalidArgs

    try:
        args = ConversationFunctionArgs(
            code=configuration.folder / code,
            runtime=configuration.get("conversationRuntime"),
            handler=configuration.get("conversationHandler"),
            memory_mb=128,
            log_retention_days=1,
        )
    except InvalidArgs as error:
        raise SandboxError(str(error)) from None
    return ConversationCode(args.code, *args.language)


def _loaded(command: list[str], folder: Path, name: str, handler: str) -> Json:
    try:
        run = subprocess.run(
            [*command, str(folder), name, handler],
            check=False,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        return _not_fine(f"There is no `{command[0]}` on the PATH: install it.")
    except subprocess.TimeoutExpired:
        return _not_fine(f"The code was not loaded within {SECONDS:.0f} s: something in it does not finish.")
    if run.returncode == 0:
        return _fine()
    reasons = REASON.findall(run.stderr) or [run.stderr.strip()[-300:]]
    reason = reasons[-1] if command[0] == sys.executable else reasons[0]
    places = re.findall(PLACE.format(folder=re.escape(str(folder))), run.stderr, re.MULTILINE)
    file, line = (places[-1] if command[0] == sys.executable else places[0]) if places else ("", 0)
    text = ""
    if file:
        lines = (folder / file).read_text(encoding="utf-8", errors="replace").splitlines()
        text = lines[int(line) - 1].strip() if 0 < int(line) <= len(lines) else ""
    return _not_fine(reason.replace(f"{folder}/", ""), file, int(line) or None, text)


def _fine() -> Json:
    return {"ok": True, "profile": None, "demonstrations": {}, "templates": None}


def _not_fine(message: str, file: str = "", line: int | None = None, text: str = "") -> Json:
    return {"ok": False, "file": file, "line": line, "text": text, "message": message}
