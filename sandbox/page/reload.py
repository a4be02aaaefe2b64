"""Live reload: updates a function when a file of its code is saved, unless the code would not start."""

import asyncio
import io
import json
import os
import stat
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from components.code import CACHES, code_archive
from components.errors import InvalidArgs
from sandbox.conversation import NotRun, check_folder, not_loaded, run_script
from sandbox.conversation_function import ConversationCode
from sandbox.provider.archives import zip_bytes

PACKAGE = "bot"
POLL_SECONDS = 0.2
BUILD_SECONDS = 0.6

Json = dict[str, Any]
State = dict[Path, tuple[int, int]]


class Source(NamedTuple):
    """Code that is deployed while it is being changed.

    Attributes:
        root: the project's folder; files are named from here.
        folder: where the code is.
        package: the folder's name inside the zip; empty if its files are at the zip's root.
        pattern: the names of the files whose change counts.
        check: says whether the code in an unpacked zip would start, given the names of the files that were changed: see
            `sandbox.page.check`.
        settle_seconds: how long nothing has to change before a change counts: a build writes one file after another.
    """

    root: Path
    folder: Path
    package: str
    pattern: str
    check: Callable[[Path, list[str]], Json]
    settle_seconds: float = 0.0

    def zip(self) -> bytes:
        """The code as it is deployed.

        Raises:
            InvalidArgs: there is no code.
            OSError: a file cannot be read.
        """
        return zip_bytes(code_archive(self.folder, self.package))

    def states(self) -> State:
        """Modification time and size of each file whose change counts."""
        found: State = {}
        for path in self.folder.rglob(self.pattern):
            if path.parent.name in CACHES or "node_modules" in path.parts:
                continue
            try:
                status = path.stat()
            except OSError:
                continue  # an editor is replacing it just now
            if not stat.S_ISDIR(status.st_mode):
                found[path] = (status.st_mtime_ns, status.st_size)
        return found

    def named(self, files: Iterable[Path]) -> list[str]:
        """The files' names, as a person reads them."""
        return sorted(os.path.relpath(path, self.root) for path in files)

    def checked(self, content: bytes, changed: list[str]) -> Json:
        """Whether a zip of the code would start."""
        with unpacked(content) as folder:
            return self.check(folder, changed)


def bot_source(project: Path) -> Source:
    """The bot's own code, with the Python package of the conversation in it."""
    return Source(project, project / PACKAGE, PACKAGE, "*.py", check_folder)


def conversation_source(project: Path, code: ConversationCode) -> Source:
    """The code of a conversation that is a function of its own."""
    settle_seconds = BUILD_SECONDS if code.is_built else 0.0
    return Source(project, code.folder, "", "*", lambda folder, _: code.check(folder), settle_seconds)


def raised_again(content: bytes, turn: Json) -> Json | None:
    """What the author's code raises in a turn: what `sandbox.page.rerun` prints. None if it raises nothing now.

    Args:
        content: the bot's zip.
        turn: as `sandbox.page.rerun` reads it.
    """
    with unpacked(content) as folder:
        try:
            raised: Json | None = run_script("rerun.py", folder, [], json.dumps(turn))
        except (subprocess.TimeoutExpired, NotRun):
            return None
        return raised


@contextmanager
def unpacked(content: bytes) -> Iterator[Path]:
    """A folder with what a zip holds."""
    with tempfile.TemporaryDirectory(prefix="sandbox-check-") as folder:
        zipfile.ZipFile(io.BytesIO(content)).extractall(folder)
        yield Path(folder)


class Reload:
    """Watches code from now on.

    Args:
        source: the code.
        upload: makes a zip the function's code.
        start: starts the function; the answer says why it did not start, or is empty.
        report: takes a state (``checking``, ``live`` or ``broken``) and its details.
        offer: takes what `check` printed of code that passed: profile, demonstrations and templates.

    Attributes:
        live: the zip that the function has; None until it is known.
    """

    def __init__(
        self,
        source: Source,
        upload: Callable[[bytes], None],
        start: Callable[[], str],
        report: Callable[[str, Json], None],
        offer: Callable[[Json], Awaitable[None]],
    ) -> None:
        self._source, self._upload, self._start = source, upload, start
        self._report, self._offer = report, offer
        self._seen = source.states()
        self._good: bytes | None = None
        self.live: bytes | None = None
        self._starting: asyncio.Task[None] | None = None
        self._uploading = asyncio.Lock()

    async def run(self) -> None:
        """Watch until cancelled."""
        content = await asyncio.to_thread(self._source.zip)
        # If a file was saved while the stack came up, the function may not have it.
        if await asyncio.to_thread(self._source.states) == self._seen:
            self._good = self.live = content
            first = await asyncio.to_thread(self._source.checked, content, [])
            if first["ok"]:
                await self._offer(first)
        while True:
            await asyncio.sleep(POLL_SECONDS)
            before, self._seen = self._seen, await asyncio.to_thread(self._source.states)
            changed = {path for path, _ in before.items() ^ self._seen.items()}
            if changed:
                changed |= await self._settle()
                await self._take(self._source.named(changed))

    async def _settle(self) -> set[Path]:
        """Wait until the code stays as it is; what has changed until then."""
        changed: set[Path] = set()
        while self._source.settle_seconds:
            await asyncio.sleep(self._source.settle_seconds)
            before, self._seen = self._seen, await asyncio.to_thread(self._source.states)
            if before == self._seen:
                break
            changed |= {path for path, _ in before.items() ^ self._seen.items()}
        return changed

    async def _take(self, changed: list[str]) -> None:
        began = time.monotonic()
        try:
            content = await asyncio.to_thread(self._source.zip)
        except (InvalidArgs, OSError) as error:
            self._report("broken", {"changed": changed, **not_loaded(str(error))})
            return
        self._report("checking", {"changed": changed})
        outcome = await asyncio.to_thread(self._source.checked, content, changed)
        if not outcome["ok"]:
            self._report("broken", {"changed": changed, **outcome})
            return
        async with self._uploading:
            if content != self.live:
                await asyncio.to_thread(self._upload, content)
            self.live = content
        self._report("live", {"changed": changed, "seconds": round(time.monotonic() - began, 2)})
        await self._offer(outcome)
        self._starting = asyncio.create_task(self._prove(content, changed))

    async def _prove(self, content: bytes, changed: list[str]) -> None:
        """Start the function with its new code; if it does not start, go back to the last code that did."""
        failure = await asyncio.to_thread(self._start)
        if not failure:
            self._good = content
            return
        async with self._uploading:
            if self.live is not content:
                return  # there is other code by now
            self._report("broken", {"changed": changed, **not_loaded(failure)})
            if self._good is not None:
                await asyncio.to_thread(self._upload, self._good)
            self.live = self._good
