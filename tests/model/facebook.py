"""Facebook: asks again until a webhook request is acknowledged, takes sends, and sends echoes of them."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.http import Response
from bot.messenger.signature import sign
from tests.model.cloud import SECRETS, carry_through
from tests.model.faults import Faults, How
from tests.model.world import World

Json = dict[str, Any]

PAGE = "4711"
TRACE = "Atrace"
ECHO_SECONDS = 0.5
# A later echo than this may come after its message was sent again.
LATE_ECHO_SECONDS = 15
# "Webhooks" of the Messenger Platform: failures are retried for up to an hour with growing pauses.
GIVES_UP_SECONDS = 3600.0


@dataclass
class Taken:
    """A message that Facebook accepted.

    Attributes:
        time: when.
        user: to whom.
        text: what it says.
        metadata: which answer of which event it is.
        echo_failed: why its echo came late or not at all, if it did: until when each failure held it up, and how.
    """

    time: float
    user: str
    text: str
    metadata: str
    echo_failed: list[tuple[float, str]] = field(default_factory=list)


class Facebook:
    """Facebook's side of webhook and Send API.

    Args:
        world: the clock.
        faults: what strikes the sends.
        echoes: how many seconds late each echo is, over and over; below zero: it is never sent.
        call: calls the webhook with a request, and passes its status to a function.
        latency: how long the next send takes, in seconds.

    Attributes:
        taken: the messages that it took, in order.
        replies: the public replies that it took, in order.
        refused: how often it refused an answer, by its metadata and how.
        acknowledged: the ids of the events in requests that were acknowledged.
        controls: the calls of thread control, each with its name.
    """

    def __init__(
        self,
        world: World,
        faults: Faults,
        echoes: tuple[int, ...],
        call: Callable[[Json, str, Callable[[int], None]], None],
        latency: Callable[[], float],
    ) -> None:
        self.taken: list[Taken] = []
        self.replies: list[str] = []
        self.refused: dict[tuple[str, str], int] = {}
        self.acknowledged: set[str] = set()
        self.controls: list[tuple[str, Json]] = []
        self._world, self._faults, self._call, self._latency = world, faults, call, latency
        self._echoes = echoes or (0,)

    def post(self, items: Sequence[Json], about: str, echo_of: Taken | None = None) -> None:
        """Send a webhook request, and again with growing pauses until it is acknowledged."""
        body = json.dumps({"object": "page", "entry": [{"id": PAGE, "time": 1, "messaging": list(items)}]})
        request = {
            "httpMethod": "POST",
            "headers": {"X-Hub-Signature-256": sign(body.encode(), SECRETS["app-secret"])},
            "body": body,
        }
        began = self._world.now

        def answered(status: int) -> None:
            if status == 200:
                self.acknowledged.update(item["message"]["mid"] for item in items)
                return
            assert status in {502, 503}, f"the webhook answers {status}"
            passed = self._world.now - began
            gives_up = passed >= GIVES_UP_SECONDS
            if echo_of:
                when = float("inf") if gives_up else self._world.now
                echo_of.echo_failed.append((when, f"the webhook answered {status}"))
            if gives_up:
                self._world.note(about, "Facebook gives up a request")
            else:
                pause = min(max(1.0, passed), GIVES_UP_SECONDS - passed)
                self._world.after(pause, lambda: self._call(request, about, answered))

        self._call(request, about, answered)

    def human_writes(self, user: str, name: str) -> None:
        """Let a human write to a user in the page's inbox, and the echo of it come."""
        message = {"mid": name, "is_echo": True, "app_id": 263902037430900, "text": "A human."}
        item = {"sender": {"id": PAGE}, "recipient": {"id": user}, "timestamp": 1, "message": message}
        self.post([item], user)

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes, timeout: float) -> Response:
        """Take one send, or let it fail as planned; see `bot.http.Connection.request`."""
        if "/comments?" in path:
            return self._under_a_comment(method, body, timeout)
        beginning, call = path.partition("?appsecret_proof=")[0].rsplit("/", 1)
        assert beginning == f"/v26.0/{PAGE}", path
        assert headers["Authorization"] == f"Bearer {SECRETS['page-access-token']}"
        asked = json.loads(body)
        (user,), message = asked["recipient"].values(), asked.get("message", {})
        name = _read(message) if message else asked.get("sender_action", "")
        how = self._faults.of("graph", "send" if message else "action")
        if "REJECT" in name:
            how = How.REJECTED
        if how is not None:
            self._world.note(user, f"send of {name} {how}")
        refusal = None
        if how in ERRORS:
            key = message.get("metadata", ""), how.value
            self.refused[key] = self.refused.get(key, 0) + 1
            refusal = _error(*ERRORS[how])
        return carry_through(
            self._world,
            how,
            lambda: self._carry_out(user, message, how) if call == "messages" else self._control(call, asked),
            refusal,
            latency=self._latency(),
            timeout=timeout,
        )

    def _carry_out(self, user: str, message: Json, how: How | None) -> Response:
        if message:
            self._take(user, message)
        if how is How.AMBIGUOUS:
            return _error(500, 1, 1357046)
        return Response(200, {}, json.dumps({"recipient_id": user, "message_id": f"m{len(self.taken)}"}).encode())

    def _under_a_comment(self, method: str, body: bytes, timeout: float) -> Response:
        """Take a public reply, or say which there are."""

        def carry_out() -> Response:
            if method == "POST":
                self.replies.append(json.loads(body)["message"])
            data = [{"id": str(number), "message": each} for number, each in enumerate(self.replies)]
            return Response(200, {}, json.dumps({"data": data, "id": str(len(data))}).encode())

        how = self._faults.of("graph", "reply" if method == "POST" else "replies")
        return carry_through(self._world, how, carry_out, None, latency=self._latency(), timeout=timeout)

    def _control(self, call: str, asked: Json) -> Response:
        self.controls.append((call, asked))
        return Response(200, {}, json.dumps({"success": True}).encode())

    def echo_failed(self, metadata: str, reason: str, until: float = 0.0) -> None:
        """Note that an answer's echo was held up, now or `until` later."""
        for taken in self.taken:
            if taken.metadata == metadata:
                taken.echo_failed.append((max(self._world.now, until), reason))

    def _take(self, user: str, message: Json) -> None:
        taken = Taken(self._world.now, user, _read(message), message["metadata"])
        late = self._echoes[len(self.taken) % len(self._echoes)]
        self.taken.append(taken)
        self._world.note(user, f"Facebook takes {taken.text}")
        if late < 0 or late >= LATE_ECHO_SECONDS:
            taken.echo_failed.append((float("inf"), "Facebook loses the echo" if late < 0 else f"{late} s late"))
        if late >= 0:
            self._world.after(ECHO_SECONDS + late, lambda: self._echo(taken))

    def _echo(self, taken: Taken) -> None:
        message = {
            "mid": f"echo-{self.taken.index(taken)}",
            "is_echo": True,
            "app_id": 1,
            "metadata": taken.metadata,
            "text": taken.text,
        }
        item = {"sender": {"id": PAGE}, "recipient": {"id": taken.user}, "timestamp": 1, "message": message}
        self.post([item], taken.user, taken)


def _read(message: Json) -> str:
    """What is read of a message: its text, or its template's placeholder `text`, or else its template's name."""
    if "text" in message:
        return str(message["text"])
    filled = (each for part in message["template"]["components"] for each in part["parameters"])
    texts = [each["text"] for each in filled if each.get("parameter_name") == "text"]
    return str(texts[0] if texts else message["template"]["name"])


def _error(status: int, code: int, subcode: int) -> Response:
    error = {"message": "(#0) No.", "code": code, "error_subcode": subcode, "fbtrace_id": TRACE}
    return Response(status, {}, json.dumps({"error": error}).encode())


ERRORS = {
    How.REFUSED: (500, 2, 0),
    How.THROTTLED: (400, 613, 0),
    How.DENIED: (400, 190, 0),
    How.SLOW_DOWN: (400, 368, 0),
    How.REJECTED: (400, 100, 2018109),
    How.UNCLEAR: (400, 9999, 0),
    How.NOT_ALLOWED: (400, 10, 2018336),
    How.ALREADY_DONE: (400, 10900, 0),
    How.PAGE_SETTING: (400, 10904, 0),
    How.UNREACHABLE: (400, 551, 0),
    How.WINDOW_CLOSED: (400, 10, 2018278),
}
