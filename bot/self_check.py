"""The bot looks after itself: what EventBridge Scheduler lets the function check every hour.

Each finding is one line of the log, at once: whatever stops a check loses only what would have come after it.
"""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from bot.aws.client import Aws, AwsError
from bot.aws.secrets import SecretMissing, Secrets
from bot.environment import Environment
from bot.log import CHECKED_KIND, FINDING_KINDS, about, log
from bot.messenger.errors import Credentials, SlowDown, Transient
from bot.registration import (
    SCOPES,
    PulumiRemembers,
    Registration,
    RegistrationError,
    Verdict,
    version_verdict,
    wanted_scopes,
)

Json = dict[str, Any]

FAILED = "check_failed"
# As the alarm of the events that the function is not called for.
WAITING_SECONDS = 15 * 60
# A check must end within the function's shortest timeout, 20 s, on a large table too.
SCAN_SECONDS = 3.0
MESSAGES = 10


class Order(NamedTuple):
    """What the schedule sends, under `check`.

    Attributes:
        webhook_url: where Facebook sends events.
        app_id: the Facebook app's id; empty for the one that the page's token belongs to.
        self_heal: whether to make a registration again that is gone.
        human_minutes: how long a person may wait for a human; 0 to not look.
    """

    webhook_url: str
    app_id: str
    self_heal: bool
    human_minutes: int


class CheckedBot(NamedTuple):
    """The bot that is checked; see `bot.registration.Bot`."""

    page_id: str
    webhook_url: str
    graph_api_url: str
    graph_api_version: str


class Finding(NamedTuple):
    """Something that is not as it should be: the kind of its line in the log, and what was found."""

    kind: str
    found: str


class SelfCheck:
    """Checks whether all is well.

    Args:
        environment: names page, queues and table.
        aws: the client.
        secrets: the page's token and the app's secret.
        now: the clock, in seconds since the epoch.
    """

    def __init__(
        self, environment: Environment, aws: Aws, secrets: Secrets, now: Callable[[], float] = time.time
    ) -> None:
        self._environment, self._aws, self._secrets, self._now = environment, aws, secrets, now

    def run(self, order: Json) -> Json:
        """Check everything, and log each finding.

        Args:
            order: the fields of `Order`.

        Returns:
            The kinds of what was found.
        """
        about()
        found = []
        for finding in self._findings(Order(**order)):
            if finding.kind not in found:  # the same fault can show in two ways
                found.append(finding.kind)
                log("ERROR" if finding.kind in FINDING_KINDS else "WARN", finding.kind, found=finding.found)
        log("INFO", CHECKED_KIND, findings=len(found))
        return {"findings": found}

    def _findings(self, order: Order) -> Iterator[Finding]:
        checks: list[Callable[[], Iterator[Finding]]] = [self._dead_letters, self._waiting_events, self._version]
        if order.human_minutes:
            checks.append(partial(self._waiting_for_human, order.human_minutes * 60))
        try:
            registration = self._registration(order)
        except (AwsError, SecretMissing) as error:
            yield Finding(FAILED, str(error))
        except RegistrationError as error:
            yield Finding("token_fails", str(error))
        else:
            subscription = self._healed if order.self_heal else self._subscription
            checks += [
                partial(self._token, registration),
                partial(subscription, registration),
                partial(self._webhook, registration),
            ]
        for check in checks:
            try:
                yield from check()
            except AwsError as error:
                yield Finding(FAILED, str(error))

    def _registration(self, order: Order) -> Registration:
        named = self._environment
        bot = CheckedBot(named.page_id, order.webhook_url, named.graph_api_url, named.graph_api_version)
        return Registration(
            bot,
            self._secrets.renewed(),
            PulumiRemembers(),
            app_id=order.app_id,
            profile=None,
            objects=None,
            # What a function of its own sends is not known here.
            scopes=SCOPES if named.conversation_function else wanted_scopes(),
        )

    def _dead_letters(self) -> Iterator[Finding]:
        name = "ApproximateNumberOfMessages"
        request = {"QueueUrl": self._environment.dead_letter_queue_url, "AttributeNames": [name]}
        number = int(self._aws.call("sqs", "GetQueueAttributes", request)["Attributes"][name])
        if number:
            yield Finding("dead_letters", f"{number} dead letters: run `python -m ops deadletters list`")

    def _waiting_events(self) -> Iterator[Finding]:
        """Events that the function is not called for. It takes the others at once, and reports those it hands back.

        The messages stay visible for everybody else; SQS only counts that they were received once more.
        """
        request = {
            "QueueUrl": self._environment.queue_url,
            "MaxNumberOfMessages": MESSAGES,
            "VisibilityTimeout": 0,
            "MessageSystemAttributeNames": ["SentTimestamp"],
        }
        messages = self._aws.call("sqs", "ReceiveMessage", request).get("Messages") or []
        sent = [int(each["Attributes"]["SentTimestamp"]) / 1000 for each in messages]
        age = self._now() - min(sent, default=self._now())
        if age > WAITING_SECONDS:
            yield Finding("waiting_events", f"an event has waited for {age / 60:.0f} minutes")

    def _waiting_for_human(self, most_seconds: float) -> Iterator[Finding]:
        now = self._now()
        waits = [now - since for since in self._waiting_since() if now - since > most_seconds]
        if waits:
            longest = max(waits) / 60
            yield Finding("waiting_for_human", f"{len(waits)} people, one of them for {longest:.0f} minutes")

    def _waiting_since(self) -> Iterator[float]:
        """Since when each person has waited for a human: the part `human` of their state.

        On a table that is too large to be read in time, some are missed.
        """
        request: Json = {
            "TableName": self._environment.ledger_table,
            "FilterExpression": "begins_with(id, :user) AND contains(#state, :part) AND expires > :now",
            "ProjectionExpression": "#state",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":user": {"S": "user#"},
                ":part": {"S": '"human":'},
                ":now": {"N": str(round(self._now()))},
            },
        }
        deadline = time.monotonic() + SCAN_SECONDS
        while True:
            answer = self._aws.call("dynamodb", "Scan", request)
            for item in answer.get("Items", []):
                human = json.loads(item["state"]["S"]).get("human")
                if isinstance(human, dict) and human.get("waiting") and human.get("until", 0) > self._now():
                    yield float(human["waiting"])
            if "LastEvaluatedKey" not in answer:
                return
            if time.monotonic() > deadline:
                log("INFO", "table_not_read_to_its_end")
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _version(self) -> Iterator[Finding]:
        yield from _wrong("version_ends", [version_verdict(self._environment.graph_api_version)])

    def _token(self, registration: Registration) -> Iterator[Finding]:
        try:
            yield from _wrong("token_fails", list(registration.check_token()))
        except RegistrationError as error:
            yield _refused(error, "token_fails")

    def _webhook(self, registration: Registration) -> Iterator[Finding]:
        yield from _wrong("webhook_fails", list(registration.check_webhook()))

    def _subscription(self, registration: Registration) -> Iterator[Finding]:
        try:
            differences = [f"the {each.what} {each.found}" for each in registration.preview() if each.needed]
        except RegistrationError as error:
            yield _refused(error, "unsubscribed")
        else:
            if differences:
                yield Finding("unsubscribed", "; ".join(differences))

    def _healed(self, registration: Registration) -> Iterator[Finding]:
        """Make what is gone again, and report that. What still differs then, a person decides."""
        try:
            healed = [f"the {each.what} {each.found}" for each in registration.heal() if each.needed]
        except RegistrationError as error:
            yield _refused(error, "unsubscribed")
            return
        if healed:
            yield Finding("resubscribed", "; ".join(healed))
        yield from self._subscription(registration)


def _wrong(kind: str, verdicts: list[Verdict]) -> Iterator[Finding]:
    if wrong := [each.found for each in verdicts if not each.fine]:
        yield Finding(kind, "; ".join(wrong))


def _refused(error: RegistrationError, kind: str) -> Finding:
    """What a refusal means. An outage passes by itself; a refused token is one fault, wherever it shows."""
    if isinstance(error.error, Transient | SlowDown):
        return Finding(FAILED, str(error))
    return Finding("token_fails" if isinstance(error.error, Credentials) else kind, str(error))
