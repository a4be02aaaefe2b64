"""Sends webhooks as Facebook does: signed, and again until they are acknowledged."""

import hashlib
import heapq
import hmac
import http.client
import itertools
import json
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sandbox.errors import SandboxError

Item = dict[str, Any]
"""One item of a webhook's ``messaging`` list; with a ``field``, one of its ``changes``."""

ANSWER_SECONDS = 20.0  # Messenger Platform, "Webhooks": the hard limit for an answer
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.05, 2.0  # Facebook's pauses are minutes; ours are short
THREAD_CONTROL = frozenset({"pass_thread_control", "take_thread_control", "request_thread_control"})
ECHOES_A_REQUEST = 100  # Facebook batches what is ready at the same time, up to 1,000 items


@dataclass(frozen=True)
class Delivery:
    """How a webhook was delivered.

    Attributes:
        attempts: how often it was sent.
        seconds: how long the acknowledged attempt took.
    """

    attempts: int
    seconds: float


class Posted(NamedTuple):
    """One attempt to deliver a webhook: its body and signature, when it began, the answer's status (0: no answer)."""

    body: bytes
    signature: str
    began: float
    status: int
    seconds: float


def text_item(page: str, person: str, text: str) -> Item:
    """The webhook item of a text message."""
    return {
        "sender": {"id": person},
        "recipient": {"id": page},
        "timestamp": int(time.time() * 1000),
        "message": {"mid": "m_" + secrets.token_urlsafe(60), "text": text},
    }


class Facebook:
    """Sends webhooks for one page; echoes are sent from a thread of their own.

    Args:
        url: the webhook's URL.
        app_secret: the key that webhooks are signed with.
        page_id: the page.

    Attributes:
        accepted: how many echoes it was ever given.
        observe: takes each attempt, on the thread that made it.
        elsewhere: whether another app has the conversation with a person, so that this one only listens.
    """

    def __init__(self, url: str, app_secret: str, page_id: str) -> None:
        self.url, self.page_id = url, page_id
        self._secret = app_secret.encode()
        self._local = threading.local()
        self._echoes: list[tuple[float, int, Item]] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._sending = 0
        self._ended = False
        self.accepted = 0
        self.observe: Callable[[Posted], None] | None = None
        self.elsewhere: Callable[[str], bool] = lambda _: False
        self._thread = threading.Thread(target=self._send_echoes, name="sandbox-echoes", daemon=True)
        self._thread.start()

    def body(self, items: Sequence[Item]) -> bytes:
        """The body of a webhook with these items. As Facebook does, it escapes everything outside ASCII."""
        entry: Item = {"id": self.page_id, "time": int(time.time() * 1000)}
        for each in items:
            part = "changes" if "field" in each else "standby" if self._in_standby(each) else "messaging"
            entry.setdefault(part, []).append(each)
        return json.dumps({"object": "page", "entry": [entry]}, separators=(",", ":")).encode("ascii")

    def _in_standby(self, item: Item) -> bool:
        people = {str(item.get(end, {}).get("id", "")) for end in ("sender", "recipient")}
        return not item.keys() & THREAD_CONTROL and any(self.elsewhere(each) for each in people)

    def sign(self, body: bytes) -> str:
        """The signature header's value for a body."""
        return "sha256=" + hmac.new(self._secret, body, hashlib.sha256).hexdigest()

    def post(self, body: bytes, headers: Mapping[str, str] | None = None) -> tuple[int, float]:
        """Send one webhook request, once.

        Args:
            body: its body.
            headers: replace the header with the correct signature.

        Returns:
            The answer's status (0 if none came), and how many seconds it took.
        """
        sent = {"X-Hub-Signature-256": self.sign(body)} if headers is None else dict(headers)
        began = time.time()
        status, seconds = self._post(body, sent)
        if self.observe:
            self.observe(Posted(body, sent.get("X-Hub-Signature-256", ""), began, status, seconds))
        return status, seconds

    def _post(self, body: bytes, headers: Mapping[str, str]) -> tuple[int, float]:
        target = urlsplit(self.url)
        started = time.monotonic()
        for _ in range(2):  # the server may have closed a kept connection
            kept: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
            connection = kept or http.client.HTTPConnection(target.netloc, timeout=ANSWER_SECONDS)
            self._local.connection = connection
            try:
                connection.request("POST", target.path, body, {"Content-Type": "application/json", **headers})
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                self._local.connection = None
                if kept is None:
                    break
            else:
                return answer.status, time.monotonic() - started
        return 0, time.monotonic() - started

    def deliver(self, items: Sequence[Item], seconds: float = 60.0) -> Delivery:
        """Send items in one webhook, and again after growing pauses until it is acknowledged.

        Raises:
            SandboxError: it was not acknowledged within ``seconds``.
        """
        body = self.body(items)
        pause = FIRST_PAUSE_SECONDS
        deadline = time.monotonic() + seconds
        for attempt in itertools.count(1):
            status, took = self.post(body)
            if status == http.client.OK:
                return Delivery(attempt, took)
            if time.monotonic() + pause > deadline or self._ended:
                raise SandboxError(
                    f"The webhook was not acknowledged in {attempt} attempts; the last answer's status: "
                    f"{status or 'none'}."
                )
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        raise AssertionError  # the count above has no end

    def echo(self, item: Item, delay: float = 0.0) -> None:
        """Send an echo after ``delay`` seconds, and again until it is acknowledged."""
        with self._changed:
            self.accepted += 1
            heapq.heappush(self._echoes, (time.monotonic() + delay, next(self._numbers), item))
            self._changed.notify()

    def idle(self) -> bool:
        """Whether all echoes have been sent."""
        with self._changed:
            return not self._echoes and not self._sending

    def _send_echoes(self) -> None:
        while not self._ended:
            with self._changed:
                self._sending = 0
                while not self._ended and (not self._echoes or self._echoes[0][0] > time.monotonic()):
                    self._changed.wait(self._echoes[0][0] - time.monotonic() if self._echoes else None)
                due: list[Item] = []
                while self._echoes and self._echoes[0][0] <= time.monotonic() and len(due) < ECHOES_A_REQUEST:
                    due.append(heapq.heappop(self._echoes)[2])
                self._sending = len(due)
            if due and not self._ended:
                try:
                    self.deliver(due, seconds=3600)  # Facebook stops after an hour
                except SandboxError:
                    continue

    def stop(self) -> None:
        """Stop sending. Can be called twice."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join(timeout=1)
