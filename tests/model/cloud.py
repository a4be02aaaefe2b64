"""AWS: it takes real requests, as `bot.aws.client` signs them, and the models answer them."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

from bot.http import NotSent, Response, Unanswered
from bot.messenger.human import Human
from tests.model.faults import Faults, How
from tests.model.queue import Fifo
from tests.model.table import CALLS, Table
from tests.model.world import Killed, World

Json = dict[str, Any]

EVENTS, DEAD_LETTERS = "https://sqs.test/events.fifo", "https://sqs.test/dead.fifo"
SECRETS = {"page-access-token": "EAAtoken", "app-secret": "app-secret", "verify-token": "verify"}
LATE_SECONDS = 3.0
SERVICES = {"AmazonSQS": "sqs", "AmazonSSM": "ssm", "DynamoDB_20120810": "dynamodb", "Lambda": "lambda"}


class Cloud:
    """SQS, SSM, DynamoDB and Lambda behind one `bot.http.Requester`.

    Args:
        world: the clock.
        faults: what strikes which call.
        latencies: how long calls take, in ms, over and over.
        events: the event queue.
        dead: the dead-letter queue.
        function: the conversation's function: what Lambda answers to a call with this turn.

    Attributes:
        on_echo_failed: called when an answer's echo could not be recorded, with the reason.
        waiting: by event, when waits for an echo of one of its answers were recorded.
        ended: by event, how often the conversation's function ended in the middle.
        settled: by event, when it was settled.
        humans: by user, each time that the state was written, and who had the conversation from then on.
    """

    def __init__(
        self,
        world: World,
        faults: Faults,
        latencies: tuple[int, ...],
        events: Fifo,
        dead: Fifo,
        function: Callable[[Json], Response],
    ) -> None:
        self.table = Table()
        self.on_echo_failed: Callable[[str, str], None] = lambda _metadata, _reason: None
        self.waiting: dict[str, list[float]] = {}
        self.ended: Counter[str] = Counter()
        self._function = function
        self.settled: dict[str, float] = {}
        self.humans: dict[str, list[tuple[float, Human]]] = {}
        self._world, self._faults = world, faults
        self._latencies, self._count = latencies or (5,), 0
        self._queues = {EVENTS: events, DEAD_LETTERS: dead}

    def latency(self) -> float:
        """How long the next call takes, in seconds."""
        self._count += 1
        return self._latencies[self._count % len(self._latencies)] / 1000

    def request(self, _method: str, _path: str, headers: dict[str, str], body: bytes, timeout: float) -> Response:
        """Answer one call, or let it fail as planned; see `bot.http.Connection.request`."""
        assert "authorization" in headers, "an unsigned request"
        target, _, operation = headers.get("x-amz-target", "Lambda.Invoke").partition(".")
        service, asked = SERVICES[target], json.loads(body)
        how = self._faults.of(service, operation)
        about = self._world.running.about if self._world.running else ""
        if how is not None:
            self._world.note(about, f"{operation} {how}: {_subject(asked)}")
            if asked.get("UpdateExpression", "").startswith("ADD echoed"):
                number = asked["ExpressionAttributeValues"][":number"]["NS"][0]
                self.on_echo_failed(f"{asked['Key']['id']['S'].removeprefix('event#')}:{number}", f"{operation} {how}")
        refusal = _refusal(*REFUSALS[how]) if how in REFUSALS else None
        return carry_through(
            self._world,
            how,
            lambda: self._carry_out(service, operation, asked, how),
            refusal,
            latency=self.latency(),
            timeout=timeout,
        )

    def _carry_out(self, service: str, operation: str, asked: Json, how: How | None) -> Response:
        if service == "lambda":
            if how is How.ENDED:
                self.ended[asked["event"]["id"]] += 1
                return function_error("Runtime.ExitError")
            return self._function(asked)
        if service == "dynamodb":
            assert operation in CALLS, f"the role does not allow {operation}"
            answer = self.table.call(operation, asked)
            fine = answer.status == 200 or b"ConditionalCheckFailed" in answer.body or b"size" in answer.body
            assert fine, (operation, asked, answer.body)
            if answer.status == 200 and asked.get("UpdateExpression", "").startswith("SET awaited"):
                self.waiting.setdefault(asked["Key"]["id"]["S"].removeprefix("event#"), []).append(self._world.now)
            if answer.status == 200:
                self._note_writes(asked)
            return answer
        return self._carry_out_elsewhere(service, operation, asked, how)

    def _note_writes(self, asked: Json) -> None:
        """Note when an event was settled, and when it changed whether a human has a conversation."""
        for each in asked.get("TransactItems", [{"Update": asked}]):
            ((kind, write),) = each.items()
            name = (write.get("Item") or write.get("Key", {})).get("id", {}).get("S", "")
            settles = write.get("ExpressionAttributeValues", {}).get(":settled") or write.get("Item", {}).get("outcome")
            if name.startswith("event#") and settles:
                self.settled.setdefault(name.removeprefix("event#"), self._world.now)
            if name.startswith("user#") and kind != "Update":
                state = json.loads(write["Item"]["state"]["S"]) if kind == "Put" else {}
                self.humans.setdefault(name.removeprefix("user#"), []).append((self._world.now, Human.of(state)))

    def _carry_out_elsewhere(self, service: str, operation: str, asked: Json, how: How | None) -> Response:
        if service == "ssm":
            assert asked == {"Path": "/secrets", "WithDecryption": True}
            return _ok(
                {"Parameters": [{"Name": f"/secrets/{name}", "Value": value} for name, value in SECRETS.items()]}
            )
        queue = self._queues[asked["QueueUrl"]]
        if operation == "SendMessageBatch":
            size = sum(len(entry["MessageBody"]) for entry in asked["Entries"])
            assert len(asked["Entries"]) <= 10, "SQS takes 10 messages a batch"
            assert size <= 1024 * 1024, "SQS takes 1 MiB a batch"
            struck = asked["Entries"][:1] if how is How.PARTIAL else []
            taken = [queue.send(entry) for entry in asked["Entries"] if entry not in struck]
            failed = [{"Id": entry["Id"], "Code": "InternalError", "SenderFault": False} for entry in struck]
            return _ok({"Successful": taken} | ({"Failed": failed} if failed else {}))
        assert operation == "ChangeMessageVisibilityBatch", f"the model knows no {operation}"
        done: Json = {"Successful": [], "Failed": []}
        for entry in asked["Entries"]:
            hidden = queue.hide(entry["ReceiptHandle"], entry["VisibilityTimeout"])
            done["Successful" if hidden else "Failed"].append({"Id": entry["Id"]})
        return _ok(done)


def carry_through(
    world: World,
    how: How | None,
    carry_out: Callable[[], Response],
    refusal: Response | None,
    *,
    latency: float,
    timeout: float,
) -> Response:
    """Carry a call through as planned: how long it takes, whether it is done, and what the caller sees.

    Args:
        world: the clock.
        how: how it fails; None if it does not.
        carry_out: does what was asked.
        refusal: the answer if it is refused.
        latency: seconds that it takes.
        timeout: seconds after which the caller gives up.

    Raises:
        NotSent, Unanswered: as `bot.http.Connection.request` does.
        Killed: the caller is.
    """
    if how is How.UNSENT:
        raise NotSent("ConnectionRefusedError")
    if how is How.KILLED:
        raise Killed
    if how in {How.LATE, How.VANISHED}:
        world.sleep(timeout)
        if how is How.LATE:
            world.after(LATE_SECONDS, carry_out)
        raise Unanswered("TimeoutError")
    world.sleep(latency / 2)
    if refusal is not None:
        return refusal
    answer = carry_out()
    if how is How.LOST:
        world.sleep(timeout)
        raise Unanswered("TimeoutError")
    if how is How.KILLED_AFTER:
        raise Killed
    world.sleep(latency / 2)
    return answer


REFUSALS = {
    How.REFUSED: (500, "com.amazonaws#InternalServerError"),
    How.THROTTLED: (400, "com.amazonaws#ThrottlingException"),
    How.DENIED: (400, "com.amazonaws#AccessDeniedException"),
}


def _refusal(status: int, code: str) -> Response:
    return Response(status, {}, json.dumps({"__type": code}).encode())


def function_error(kind: str) -> Response:
    """What Lambda answers for a function that failed."""
    error = {
        "errorType": kind,
        "errorMessage": "No.",
        "stackTrace": ['  File "/var/task/index.py", line 7, in handler'],
    }
    return Response(200, {"x-amz-function-error": "Unhandled"}, json.dumps(error).encode())


def _ok(answer: Json) -> Response:
    return Response(200, {}, json.dumps(answer).encode())


def _subject(asked: Json) -> str:
    """What a call is about, for the timeline."""
    if "Key" in asked:
        return f"{asked['Key']['id']['S'][:14]} {asked.get('UpdateExpression', '')[:40]}"
    return ""
