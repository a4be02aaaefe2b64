"""Deploys a stack on the emulated AWS by running an engine."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from sandbox.aws.cloud import OWNER
from sandbox.configuration import Configuration
from sandbox.errors import SandboxError

Observer = Callable[[Mapping[str, Any]], None]
"""Takes each event of a run: see ``sandbox.engine.process``."""
EngineName = Literal["embedded", "pulumi"]
ENGINES: dict[EngineName, str] = {"embedded": "sandbox.engine.embedded", "pulumi": "sandbox.engine.automation"}


@dataclass
class Deployed:
    """A stack after a run.

    Attributes:
        outputs: the stack's outputs by name.
        shown_outputs: the same with secrets masked.
        resources: each with ``urn``, ``type``, ``name``, ``id`` and ``inputs`` (secrets masked).
        done: what was done with each resource, by its logical name: ``made``, ``changed``, ``replaced``, ``same``,
            ``deleted`` or ``kept``.
    """

    outputs: dict[str, Any] = field(default_factory=dict)
    shown_outputs: dict[str, Any] = field(default_factory=dict)
    resources: list[dict[str, Any]] = field(default_factory=list)
    done: dict[str, str] = field(default_factory=dict)

    def note(self, event: Mapping[str, Any]) -> None:
        """Take an event of the run."""
        match event["event"]:
            case "resource":
                self.resources.append({name: event[name] for name in ("urn", "type", "name", "id", "inputs")})
                if event["what"]:
                    self.done[event["name"]] = event["what"]
            case "deleted":
                self.done.setdefault(event["name"], "kept" if event["kept"] else "deleted")
            case "done":
                self.outputs = {name: output["value"] for name, output in event["outputs"].items()}
                self.shown_outputs = {name: output["shown"] for name, output in event["outputs"].items()}


State = dict[str, dict[str, Any]]
"""What a stack holds: the entries of ``sandbox.engine.embedded.State`` by key. Never shown: secrets are in plain."""


def _note(state: State, event: Mapping[str, Any]) -> None:
    if "gone" in event:
        state.pop(event["gone"], None)
    else:
        state.pop(event["entry"]["key"], None)
        state[event["entry"]["key"]] = event["entry"]


class Run:
    """One run of an engine. Start it before the cloud is ready: importing Pulumi takes as long.

    Args:
        engine: which one.
        home: where the real engine keeps its state and its settings.
    """

    def __init__(self, engine: EngineName = "embedded", home: Path | None = None) -> None:
        self._home = home
        self._errors = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - read when it dies, closed by stop
        self._process = subprocess.Popen(
            [sys.executable, "-m", ENGINES[engine]],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            start_new_session=True,  # Ctrl-C goes to this process, which ends the engine
        )

    def deploy(
        self,
        configuration: Configuration,
        url: str,
        observe: Observer,
        key: tuple[str, ...] = OWNER,
        state: State | None = None,
    ) -> Deployed:
        """Run the program and bring its resources to what it says.

        Args:
            configuration: the stack.
            url: where the emulated AWS answers.
            observe: takes each event as it happens.
            key: the access key that deploys (id, secret, and a session's token).
            state: what the stack holds; kept up to date, even if the run fails.

        Raises:
            SandboxError: with the program's, AWS's or the sandbox's own sentence.
        """
        return self._run("deploy", configuration, url, observe, key=key, state={} if state is None else state)

    def destroy(
        self, configuration: Configuration, url: str, observe: Observer, key: tuple[str, ...], state: State
    ) -> Deployed:
        """Delete everything that a stack holds; arguments and errors are those of ``deploy``."""
        return self._run("destroy", configuration, url, observe, key=key, state=state)

    def _run(
        self,
        command: Literal["deploy", "destroy"],
        configuration: Configuration,
        url: str,
        observe: Observer,
        *,
        key: tuple[str, ...],
        state: State,
    ) -> Deployed:
        order = {
            "command": command,
            "folder": str(configuration.folder),
            "project": configuration.project,
            "stack": configuration.stack,
            "config": configuration.values,
            "secretKeys": configuration.secret_keys,
            "users": configuration.members(),
            "url": url,
            "region": configuration.region,
            "owner": OWNER,
            "key": key,
            "state": list(state.values()),
            "home": str(self._home),
        }
        if self._process.stdin is None or self._process.stdout is None:
            raise SandboxError("The engine has no pipes.")
        try:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise SandboxError(f"The engine has ended. {self._last_words()}") from None
        deployed = Deployed()
        for line in self._process.stdout:
            event = json.loads(line)
            if event["event"] == "state":  # holds secrets: not for observers
                _note(state, event)
                continue
            deployed.note(event)
            observe(event)
            if event["event"] == "failed":
                raise SandboxError(event["message"])
            if event["event"] == "done":
                return deployed
        raise SandboxError(f"The engine has ended. {self._last_words()}")

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = [line for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        return f"Its last line: {lines[-1].strip()}" if lines else "It said nothing."

    def stop(self) -> None:
        """End the engine. Harmless if repeated."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
