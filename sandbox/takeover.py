"""Takes a page's events over for as long as a sandbox runs, and gives them back at its end.

`.sandbox/pages/` has a file for each page that a sandbox has taken over. It holds what was registered before, and no
secret. So the next start, or `python -m sandbox restore`, can restore what a sandbox that crashed could not.
"""

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Self, TextIO

from bot.registration import Registered, Subscriptions, confirms
from sandbox.errors import SandboxError
from sandbox.page.operator import explained
from sandbox.running import FOLDER

PAGES = FOLDER / "pages"
RESTORE = ".venv/bin/python -m sandbox restore"
NOTHING = Registered("", (), ())


class Taken(NamedTuple):
    """A page that was taken over: the address that was registered for it, and what was registered before."""

    url: str
    before: Registered


class Served(NamedTuple):
    """Who serves a page: the address of another webhook ("" for none), and the ids of other apps."""

    url: str
    apps: tuple[str, ...]


class Takeover:
    """Takes one page over, inside a `with` block: one sandbox at a time can.

    Args:
        subscriptions: the page's and its app's.
        path: of the file that remembers them.
        token: the verify token of the webhook before; "" to ask for it.
        ask: asks for it.

    Every method raises `SandboxError` with the sentence that says why it could not be done.
    """

    def __init__(self, subscriptions: Subscriptions, path: Path, token: str, ask: Callable[[str], str]) -> None:
        self._subscriptions, self._path, self._token, self._ask = subscriptions, path, token, ask
        self._before = NOTHING
        self._file: TextIO

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # ends with this process, however that ends
        except BlockingIOError:
            self._file.close()
            raise SandboxError("Another sandbox serves this page: end it first.") from None
        return self

    def __exit__(self, *_: object) -> None:
        if self._taken() is None:
            self._path.unlink(missing_ok=True)
        self._file.close()

    # Before

    def look(self, url: str) -> Served:
        """Who serves the page. What a sandbox that crashed has left is restored first.

        Args:
            url: the sandbox's webhook.
        """
        with explained():
            now, taken = self._subscriptions.found(), self._taken()
            if taken and taken.url == now.url:
                now = taken.before
                if self._knows_token(now.url):
                    self._put_back(now)
            else:
                self._note(None)
            self._before = NOTHING if now.url == url else now
            return Served(self._before.url, tuple(self._subscriptions.other_apps()))

    def ask_for_token(self) -> None:
        """Ask for the verify token of the webhook before, unless it is known."""
        self._knows_token(self._before.url)

    def _knows_token(self, url: str) -> bool:
        """Whether a webhook can be registered again."""
        if not url:
            return True
        if not self._token:
            self._token = self._ask(f"Verify token of {url}, to restore it (empty: it stays replaced): ")
        if self._token and not confirms(url, self._token):
            raise SandboxError(
                f"{url} does not confirm this verify token: look it up where that webhook runs, or give none. Then the "
                "registration is not restored by itself."
            )
        return bool(self._token)

    # During and after

    def begin(self, url: str) -> None:
        """Remember that the sandbox's webhook replaces what was registered before."""
        self._note(Taken(url, self._before))

    def end(self) -> str:
        """Restore what was registered before; what the person must know about it, if anything."""
        try:
            with explained():
                return self._end()
        except SandboxError as error:
            raise SandboxError(f"{error} The registration is not restored. To try again: {RESTORE}") from None

    def _end(self) -> str:
        taken, now = self._taken(), self._subscriptions.found()
        if taken is None:
            return ""
        if now.url != taken.url:
            self._note(None)
            return (
                ""
                if now == taken.before
                else f"Facebook sends to {now.url or 'no webhook'} by now, so nothing was restored."
            )
        if taken.before.url and not self._token:
            return (
                f"Facebook still sends this page's events to {taken.url}. To send them to {taken.before.url} again, "
                f"find out its verify token, and run: {RESTORE}"
            )
        self._put_back(taken.before)
        return ""

    def restore(self) -> str:
        """Restore what was registered before a sandbox that has ended; what was done."""
        with explained():
            taken, now = self._taken(), self._subscriptions.found()
            if taken is None or taken.url != now.url:
                return f"There is nothing to restore. Facebook sends this page's events to {now.url or 'no webhook'}."
            if not self._knows_token(taken.before.url):
                raise SandboxError("Facebook registers a webhook only with its verify token: run this again with it.")
            self._put_back(taken.before)
        return f"Restored: Facebook sends this page's events to {taken.before.url or 'no webhook, as before'}."

    def _put_back(self, before: Registered) -> None:
        self._subscriptions.put_back(before, self._token)
        self._note(None)

    # The file

    def _taken(self) -> Taken | None:
        self._file.seek(0)
        text = self._file.read()
        if not text:
            return None
        url, (before, fields, page_fields) = json.loads(text)
        return Taken(url, Registered(before, tuple(fields), tuple(page_fields)))

    def _note(self, taken: Taken | None) -> None:
        self._file.seek(0)
        self._file.truncate()
        if taken:
            self._file.write(json.dumps(taken))
        self._file.flush()
