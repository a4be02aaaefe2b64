"""What is fuzzed, and what must hold of it for any input."""

import base64
import contextlib
import hmac
import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from unittest import mock

import settings
from bot import handler
from bot.aws.queues import BATCH_BYTES, Message
from bot.aws.secrets import SecretValues
from bot.conversation import bot
from bot.conversation.parcels import DemonstrationParcels, World
from bot.dialogue import Context
from bot.messenger import events, signature
from bot.recently_answered import RecentlyAnswered
from bot.webhook import Webhook
from tests.fuzz.inputs import ATOMS, PAGE, TEXT_CANARY, Inputs
from tools.recorder import project_defaults

SECRET, PREVIOUS = "CANARYapp4be1", "CANARYold77aa"
TOKEN, VERIFY = "CANARYpage0c3d", "CANARYverify51f0"
CANARIES = re.compile(f"{SECRET}|{PREVIOUS}|{TOKEN}|{VERIFY}|{TEXT_CANARY}")
LONGEST_ID = 128  # SQS API reference, SendMessage


class Finding(AssertionError):
    """A rule was broken: which, and by which input."""


class Secrets:
    """Gives the canaries."""

    def __init__(self) -> None:
        names = {
            "page-access-token": TOKEN,
            "app-secret": SECRET,
            "app-secret-previous": PREVIOUS,
            "verify-token": VERIFY,
        }
        self._values = SecretValues(names)

    def get(self) -> SecretValues:
        return self._values

    def renewed(self) -> SecretValues:
        return self._values


class Queues:
    """Takes what SQS takes, and counts it."""

    def __init__(self) -> None:
        self.taken = 0

    def put(self, messages: Iterable[Message], _deadline: float) -> None:
        for message in messages:
            self.taken += 1
            json.loads(message.body)
            ids_fit = 0 < len(message.group) <= LONGEST_ID and 0 < len(message.deduplication) <= LONGEST_ID
            if not ids_fit or len(message.body) > BATCH_BYTES or not message.body.isascii():
                raise Finding(f"SQS would not take this message: {message}")

    bury = put


class Target(NamedTuple):
    """One thing that is fuzzed.

    Attributes:
        name: what.
        share: how many of a hundred inputs it gets.
        run: takes one input; raises `Finding` if something is wrong, and returns whether the input was accepted.
    """

    name: str
    share: int
    run: Callable[[Inputs], bool]


QUEUES = Queues()
AWS: dict[str, Any] = {"secrets": Secrets(), "queues": QUEUES}
WEBHOOK = Webhook(**AWS, recent=RecentlyAnswered(), page_id=PAGE, message_bytes=BATCH_BYTES)
CONTEXT = Context(1_800_000_000.0, World(DemonstrationParcels()))


class LambdaContext:
    """A run of Lambda with time left."""

    def get_remaining_time_in_millis(self) -> int:
        return 20_000


def call(request: dict[str, Any]) -> dict[str, Any]:
    """What the function answers, as API Gateway would take it."""
    answer = handler.handle(request, LambdaContext())
    if set(answer) != {"statusCode", "headers", "body"} or not isinstance(answer["body"], str):
        raise Finding(f"API Gateway would not take {answer}")
    return answer


def expected(header: object, body: bytes) -> bool:
    """Whether somebody who knows a secret signed this, computed independently of the bot."""
    right = {"sha256=" + hmac.new(each.encode(), body, "sha256").hexdigest() for each in (SECRET, PREVIOUS)}
    return isinstance(header, str) and header in right


def header_for(inputs: Inputs, body: bytes) -> Any:
    """A signature that is right, nearly right, of something else, or nothing of the kind."""
    chance = inputs.chance
    right = signature.sign(body, chance.choice((SECRET, PREVIOUS)))
    return chance.choice(
        (
            right,
            right,
            right.upper(),
            right[:-1],
            right + "0",
            " " + right,
            right.replace("sha256", "sha1"),
            signature.sign(body + b" ", SECRET),
            signature.sign(body, ""),
            signature.sign(body, SECRET + "\0"),
            "sha256=",
            "sha256=" + "0" * 64,
            right.replace("sha256=", "SHA256="),
            right + "," + right,
            right + "\n",
            inputs.text(),
            "sha256=" + inputs.text(),
            right[:-1] + chr(0x1D7CE + ord(right[-1]) % 10),
        )
    )


def fuzz_signature(inputs: Inputs) -> bool:
    """It is accepted exactly if it is right."""
    body = inputs.body()
    header = header_for(inputs, body)
    secrets = inputs.chance.choice(((SECRET, PREVIOUS), (SECRET, PREVIOUS, ""), (PREVIOUS, SECRET)))
    accepted = signature.verify(body, header, secrets)
    if accepted != expected(header, body):
        raise Finding(f"accepted: {accepted}, for {header!r} over {body!r}")
    return accepted


def fuzz_handshake(inputs: Inputs) -> bool:
    """The challenge comes back exactly to whoever knows the verify token."""
    chance = inputs.chance
    query: dict[str, Any] | None = {
        "hub.mode": chance.choice(("subscribe", "subscribe", "unsubscribe", inputs.text())),
        "hub.verify_token": chance.choice((VERIFY, VERIFY, VERIFY.lower(), VERIFY[:-1], VERIFY + "\0", inputs.text())),
        "hub.challenge": chance.choice(("1158201444", inputs.text())),
    }
    for key in list(query or {}):
        if query and chance.random() < 0.05:
            del query[key]
    if chance.random() < 0.02:
        query = None
    answer = call({"httpMethod": "GET", "queryStringParameters": query})
    given = query or {}
    right = (
        given.get("hub.mode") == "subscribe" and given.get("hub.verify_token") == VERIFY and "hub.challenge" in given
    )
    if (answer["statusCode"] == 200) != right or (right and answer["body"] != given["hub.challenge"]):
        raise Finding(f"answered {answer} to {query}")
    if not right and CANARIES.search(answer["body"]):
        raise Finding(f"a secret in {answer}")
    return right


def fuzz_parser(inputs: Inputs) -> bool:
    """Any item becomes an event with the fields that every event has, and the same one each time."""
    item = inputs.item()
    platform = inputs.chance.choice(("page", "instagram"))
    event = events.parse(item, PAGE, platform=platform)
    again = events.parse(item, PAGE, platform=platform)
    sound = all(isinstance(each, str) for each in (event.id, event.page, event.user, event.kind)) and event.id
    whole = event.timestamp is None or (isinstance(event.timestamp, int) and not isinstance(event.timestamp, bool))
    if not sound or not whole or event.id != again.id or type(event) is not type(again):
        raise Finding(f"{event!r} of {item!r}")
    return event.kind != "unknown"


def fuzz_conversation(inputs: Inputs) -> bool:
    """To any event the bot has an answer that Facebook would take, and a state that can be stored."""
    event = events.parse(inputs.item(), PAGE, platform="page")
    state = inputs.chance.choice(({}, {}, {"parcel": "12345678"}, {"parcel": inputs.chance.choice(ATOMS)}, {"x": 1}))
    answer = bot.answer(event, state, CONTEXT)
    requests = [each.to_request(event.user) for each in answer.messages]
    json.dumps([requests, answer.state], allow_nan=False)
    if answer.defect is not None:
        raise Finding(f"{answer.defect!r} at {event!r} with {state!r}")
    return bool(requests)


def fuzz_settings(inputs: Inputs) -> bool:
    """Settings are accepted, or refused with sentences that hold no secret."""
    chance = inputs.chance
    values: dict[str, Any] = {
        **DEFAULTS,
        "pageId": PAGE,
        "appSecret": SECRET,
        "pageAccessToken": TOKEN,
        "verifyToken": VERIFY,
        "appSecretPrevious": PREVIOUS,
    }
    for _ in range(chance.choice((0, 1, 2, 4))):
        key = chance.choice((*values, inputs.text()))
        values[key] = chance.choice(
            (inputs.text(), chance.choice(ATOMS), json.dumps(chance.choice(ATOMS)), values.get(key))
        )
        if chance.random() < 0.2:
            del values[key]
    stack = chance.choice(("dev", "prod", "local", inputs.text()))
    encrypted = chance.choice((ENCRYPTED, ENCRYPTED, frozenset(), frozenset({"appSecret"})))
    try:
        taken = settings.parse("innolab-fbm", stack, values, encrypted)
    except settings.SettingsError as refusal:
        if CANARIES.search(str(refusal)) or not refusal.mistakes:
            raise Finding(f"a secret, or no reason, in: {refusal}") from None
        return False
    if CANARIES.search(repr(taken)):
        raise Finding(f"a secret in {taken!r}")
    return True


def fuzz_webhook(inputs: Inputs) -> bool:
    """Nothing is enqueued that was not signed, what was signed is acknowledged, and an answer shows nothing."""
    body = inputs.body()
    header = header_for(inputs, body)
    name = inputs.chance.choice(
        ("X-Hub-Signature-256", "x-hub-signature-256", "X-HUB-SIGNATURE-256", "X-Hub-Signature")
    )
    request = inputs.envelope(body, {name: header, "X-Forwarded-For": inputs.text()})
    if inputs.chance.random() < 0.02:
        request |= inputs.chance.choice(
            (
                {"headers": None},
                {"headers": {}},
                {"body": None},
                {"body": ""},
                {"isBase64Encoded": True},
                {"body": "\ud800"},
                {"body": "====", "isBase64Encoded": True},
            )
        )
    before = QUEUES.taken
    answer = call(request)
    received = _bytes_of(request)
    headers = {key.lower(): value for key, value in (request["headers"] or {}).items()}
    given = headers.get("x-hub-signature-256")
    right = received is not None and expected(given, received)
    if (answer["statusCode"] == 200) != right or (not right and QUEUES.taken != before):
        raise Finding(f"answered {answer} and took {QUEUES.taken - before}, signed: {right}, for {request!r}")
    if answer["body"] not in ("{}", "EVENT_RECEIVED"):
        raise Finding(f"said {answer}")
    return right


def _bytes_of(request: Mapping[str, Any]) -> bytes | None:
    body = request["body"] or ""
    try:
        return base64.b64decode(body, validate=True) if request["isBase64Encoded"] else body.encode()
    except ValueError:
        return None


DEFAULTS = project_defaults()
ENCRYPTED = frozenset({"appSecret", "appSecretPrevious", "pageAccessToken", "verifyToken"})
TARGETS = (
    Target("signature", 15, fuzz_signature),
    Target("handshake", 20, fuzz_handshake),
    Target("parser", 20, fuzz_parser),
    Target("conversation", 10, fuzz_conversation),
    Target("settings", 10, fuzz_settings),
    Target("handler", 25, fuzz_webhook),
)


class Counted(NamedTuple):
    """How many inputs a target got, and how many of them were accepted."""

    inputs: int
    accepted: int


def run(target: Target, seed: int, number: int) -> Counted:
    """Feed a target.

    Args:
        target: which.
        seed: of its inputs.
        number: how many.

    Raises:
        Finding: something is wrong; the text holds the seed, the input's number and the exception, if it was one.
    """
    inputs, accepted = Inputs(seed), 0
    log = io.StringIO()
    # The handler's own webhook would call AWS.
    with mock.patch.object(handler, "_webhook", return_value=WEBHOOK), contextlib.redirect_stdout(log):
        for at in range(number):
            try:
                accepted += target.run(inputs)
                if log.tell() > 1_000_000 or at == number - 1:
                    _read(log)
            except (Exception, RecursionError) as error:
                raise Finding(
                    f"{target.name}, seed {seed}, input {at}: {type(error).__name__}: {error}"[:2000]
                ) from error
    return Counted(number, accepted)


def portion(work: tuple[int, int, int]) -> tuple[int, Counted, str]:
    """Feed one target with some inputs, in a process of many.

    Args:
        work: the target's number, the seed, how many.

    Returns:
        The target's number, its counts, and what was found.
    """
    index, seed, number = work
    try:
        return index, run(TARGETS[index], seed, number), ""
    except Finding as found:
        return index, Counted(0, 0), str(found)


def _read(log: io.StringIO) -> None:
    """Look through what was logged: whole lines of JSON, none of them forged, no canary; then forget it."""
    text = log.getvalue()
    if canary := CANARIES.search(text):
        raise Finding(f"{canary.group()} in the log")
    for line in text.splitlines():
        if json.loads(line)["kind"] == "forged":
            raise Finding(f"a forged line: {line}")
    log.seek(0)
    log.truncate()
