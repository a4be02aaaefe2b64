"""Deploys a stack on the emulated AWS by running the embedded engine."""

import contextlib
import json
import os
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
"""Takes each event of a run: see ``sandbox.engine.embedded``."""


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


State = dict[str, dict[str, Any]]
"""What a stack holds: the entries of ``sandbox.engine.embedded.State`` by key. Never shown: secrets are in plain."""


def _note(state: State, event: Mapping[str, Any]) -> None:
    if "gone" in event:
        state.pop(event["gone"], None)
    else:
        state.pop(event["entry"]["key"], None)
        state[event["entry"]["key"]] = event["entry"]


class Run:
    """One run of the engine. Start it before the cloud is ready: importing Pulumi takes as long."""

    def __init__(self) -> None:
        self._errors = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - read when it dies, closed by stop
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.engine.embedded"],
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
            match event["event"]:
                case "state":  # holds secrets: not for observers
                    _note(state, event)
                    continue
                case "resource":
                    deployed.resources.append({name: event[name] for name in ("urn", "type", "name", "id", "inputs")})
                    if event["what"]:
                        deployed.done[event["name"]] = event["what"]
                case "deleted":
                    deployed.done.setdefault(event["name"], "kept" if event["kept"] else "deleted")
            observe(event)
            if event["event"] == "failed":
                raise SandboxError(event["message"])
            if event["event"] == "done":
                deployed.outputs = {name: output["value"] for name, output in event["outputs"].items()}
                deployed.shown_outputs = {name: output["shown"] for name, output in event["outputs"].items()}
                return deployed
        raise SandboxError(f"The engine has ended. {self._last_words()}")

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = [line for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        return f"Its last line: {lines[-1].strip()}" if lines else "It said nothing."

    def stop(self) -> None:
        """End the engine. Harmless if repeated."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
