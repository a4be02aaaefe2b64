"""Which sandboxes of this project run: `.sandbox/` has a file for each, so that commands find them without a flag."""

import http.client
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.aws.cloud import in_use
from sandbox.errors import SandboxError
from sandbox.platforms import PROJECT

FOLDER = PROJECT / ".sandbox"
ANSWER_SECONDS = 120.0

Described = Mapping[str, Any]


@contextmanager
def remembered(described: Described, folder: Path = FOLDER) -> Iterator[None]:
    """Remember a sandbox inside the `with` block.

    Args:
        described: where everything is, as `up --json` prints it.
        folder: where it is remembered.
    """
    path = folder / f"{os.getpid()}.json"
    folder.mkdir(exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(described), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running(folder: Path = FOLDER) -> list[Described]:
    """The sandboxes that run. What a killed one left is removed."""
    found: dict[str, Described] = {}
    for path in sorted(folder.glob("*.json")):
        try:
            described = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # it is being written, or removed
        if in_use(urlsplit(described["graphUrl"]).port or 0):
            found[described["graphUrl"]] = described
        else:
            path.unlink(missing_ok=True)
    return list(found.values())


def running_stack(folder: Path = FOLDER) -> str:
    """The graphUrl of the one sandbox that runs with a stack; "" if none does.

    Raises:
        SandboxError: several do.
    """
    found = [str(each["graphUrl"]) for each in running(folder) if "stack" in each]
    if len(found) > 1:
        raise SandboxError(f"Several sandboxes run: choose one with --on, from {', '.join(found)}.")
    return found[0] if found else ""


def ask(url: str, path: str, order: Mapping[str, object]) -> dict[str, Any]:
    """Have a running sandbox do something.

    Args:
        url: its graphUrl.
        path: of its control API.
        order: what it takes.

    Raises:
        SandboxError: no sandbox answers, or it could not do it.
    """
    target = urlsplit(url if "//" in url else f"//{url}")
    try:
        connection = http.client.HTTPConnection(target.hostname or "", target.port, timeout=ANSWER_SECONDS)
        connection.request("POST", path, json.dumps(order))
        response = connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
    except (OSError, ValueError, http.client.HTTPException):
        raise SandboxError(
            f"No sandbox answers at {url}: give the graphUrl that `python -m sandbox up` printed."
        ) from None
    if response.status != http.client.OK:
        raise SandboxError(str(answer.get("error", "The sandbox could not do it.")))
    return answer
