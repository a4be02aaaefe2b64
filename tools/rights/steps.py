"""The steps that need rights: what a member does with each kind of resource, and what the bot does.

A step does one thing as the member (or has the bot do it) and fails if a right to it is missing.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

from botocore import xform_name
from botocore.exceptions import ClientError

from sandbox.aws.cloud import ACCOUNT
from sandbox.errors import Refused
from sandbox.facebook.webhooks import text_item
from sandbox.local import new_person
from sandbox.provider import changes, refusals, resources
from tools.rights.bench import MEMBER, OTHER_USER, PASSWORD, PREFIX, Bench, wait_for

TAGS = {"project": "innolab-fbm", "stack": "local"}
OTHER_TAGS = {"project": "innolab-fbm", "team": "parcels"}


class Missing(Exception):
    """A right was missing; the text is the refusal."""


class Step(NamedTuple):
    """One step.

    Attributes:
        name: what is done, in words.
        services: whose actions it can need.
        run: does it; raises `Missing` if a right is missing.
    """

    name: str
    services: frozenset[str]
    run: Callable[[Bench], object]


class Kind(NamedTuple):
    """A type of resource that our own policies are about: what one is made of, and what it is changed to."""

    word: str
    type: str
    inputs: Callable[[Bench], dict[str, Any]]
    changed: dict[str, Any]


def _no_inputs(_: Bench) -> dict[str, Any]:
    return {"tags": TAGS}


def _group(bench: Bench) -> dict[str, Any]:
    return {"logGroupName": bench.sandbox.outputs["logGroupName"]}


def _topic(bench: Bench) -> str:
    return next(str(each["id"]) for each in bench.sandbox.resources if each["type"] == "aws:sns/topic:Topic")


FILTER = {"name": "n", "namespace": "innolab-fbm-local", "value": "1"}
KINDS = (
    Kind(
        "a queue", "aws:sqs/queue:Queue", lambda _: {"fifoQueue": True, "tags": TAGS},
        {"messageRetentionSeconds": 600, "tags": OTHER_TAGS},
    ),
    Kind(
        "a table", "aws:dynamodb/table:Table",
        lambda _: {
            "billingMode": "PAY_PER_REQUEST", "hashKey": "id", "attributes": [{"name": "id", "type": "S"}],
            "ttl": {"attributeName": "expires", "enabled": True}, "pointInTimeRecovery": {"enabled": True},
            "deletionProtectionEnabled": False, "tags": TAGS,
        },
        {"tableClass": "STANDARD_INFREQUENT_ACCESS", "pointInTimeRecovery": {"enabled": False}, "tags": OTHER_TAGS},
    ),
    Kind(
        "a parameter", "aws:ssm/parameter:Parameter",
        lambda _: {
            "name": f"/{PREFIX}rights/{secrets.token_hex(4)}", "type": "SecureString", "value": "one", "tags": TAGS,
        },
        {"value": "two", "tags": OTHER_TAGS},
    ),
    Kind(
        "a log group", "aws:cloudwatch/logGroup:LogGroup", lambda _: {"retentionInDays": 7, "tags": TAGS},
        {"retentionInDays": 14, "tags": OTHER_TAGS},
    ),
    Kind(
        "a log's metric filter", "aws:cloudwatch/logMetricFilter:LogMetricFilter",
        lambda bench: {**_group(bench), "pattern": "a", "metricTransformation": FILTER}, {"pattern": "b"},
    ),
    Kind(
        "an alarm", "aws:cloudwatch/metricAlarm:MetricAlarm",
        lambda _: {
            "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1, "metricName": "n", "namespace": "n",
            "period": 300, "statistic": "Sum", "threshold": 0, "tags": TAGS,
        },
        {"threshold": 1, "tags": OTHER_TAGS},
    ),
    Kind("a topic", "aws:sns/topic:Topic", _no_inputs, {"displayName": "Parcels", "tags": OTHER_TAGS}),
    Kind(
        "a topic's subscription", "aws:sns/topicSubscription:TopicSubscription",
        lambda bench: {"topic": _topic(bench), "protocol": "email", "endpoint": "team@example.org"}, {},
    ),
)  # fmt: skip


def refused(run: Callable[[], object]) -> None:
    """Do something, and tell a missing right from every other failure.

    Raises:
        Missing: a right was missing.
    """
    try:
        run()
    except ClientError as error:
        if "not authorized to perform" in str(error):
            raise Missing(str(error)) from None
        if "Unknown IAM action" not in str(error):  # authorised first, and then not emulated
            raise


def _existing(bench: Bench, kind: Kind) -> changes.Existing:
    """A resource of this kind, made by the owner."""
    inputs, name = kind.inputs(bench), f"{PREFIX}rights"
    made = resources.make(bench.owner, kind.type, name, inputs)
    return changes.Existing(kind.type, name, made.id, inputs, made.outputs)


def life(kind: Kind) -> Iterator[Step]:
    """What is done with a resource of this kind, from its making to its end."""
    services = frozenset(
        {{"aws:cloudwatch/logGroup:LogGroup": "logs", "aws:cloudwatch/logMetricFilter:LogMetricFilter": "logs"}.get(
            kind.type, kind.type.split(":")[1].split("/")[0]
        )}
    )  # fmt: skip

    def make(bench: Bench) -> None:
        refused(lambda: resources.make(bench.account, kind.type, f"{PREFIX}rights", kind.inputs(bench)))

    def change(bench: Bench) -> None:
        old = _existing(bench, kind)
        refused(lambda: changes.change(bench.account, old, {**old.inputs, **kind.changed}))
        changes.delete(bench.owner, old)

    def read(bench: Bench) -> None:
        old = _existing(bench, kind)
        refused(lambda: changes.read(bench.account, old))
        changes.delete(bench.owner, old)

    def delete(bench: Bench) -> None:
        old = _existing(bench, kind)
        refused(lambda: changes.delete(bench.account, old))

    yield Step(f"make {kind.word}", services, make)
    yield Step(f"read {kind.word} back", services, read)
    if kind.changed:
        yield Step(
            f"change {kind.word} and its tags" if "tags" in kind.changed else f"change {kind.word}",
            services,
            change,
        )
    yield Step(f"delete {kind.word}", services, delete)


# What an operator does, call by call, since `ops` itself goes on where it can


def _look_at_dead_letters(bench: Bench) -> None:
    sqs, url = bench.account.client("sqs"), bench.sandbox.outputs["deadLetterQueueUrl"]
    letter = _dead_letter(bench)
    refused(lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10))
    entry = {"Id": "0", "ReceiptHandle": letter, "VisibilityTimeout": 0}
    refused(lambda: sqs.change_message_visibility_batch(QueueUrl=url, Entries=[entry]))


def _dead_letter(bench: Bench) -> str:
    """The receipt handle of a dead letter that lies there."""
    sqs, url = bench.owner.client("sqs"), bench.sandbox.outputs["deadLetterQueueUrl"]
    unique = secrets.token_hex(8)
    sqs.send_message(QueueUrl=url, MessageBody="{}", MessageGroupId=unique, MessageDeduplicationId=unique)
    found: list[str] = []

    def received() -> bool:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        found.extend(each["ReceiptHandle"] for each in messages)
        return bool(found)

    wait_for(received, "a dead letter can be received")
    return found[0]


def _send_dead_letter_back(bench: Bench) -> None:
    ddb, table = bench.account.client("dynamodb"), bench.sandbox.outputs["ledgerTable"]
    sqs, outputs = bench.account.client("sqs"), bench.sandbox.outputs
    key = {"id": {"S": f"event#{secrets.token_hex(8)}"}}
    refused(lambda: ddb.batch_get_item(RequestItems={table: {"Keys": [key]}}))
    refused(lambda: ddb.update_item(TableName=table, Key=key, UpdateExpression="REMOVE outcome"))
    unique = secrets.token_hex(8)
    refused(
        lambda: sqs.send_message(
            QueueUrl=outputs["queueUrl"], MessageBody="{}", MessageGroupId=unique, MessageDeduplicationId=unique
        )
    )
    letter = _dead_letter(bench)
    refused(lambda: sqs.delete_message(QueueUrl=outputs["deadLetterQueueUrl"], ReceiptHandle=letter))


def _forget_a_person(bench: Bench) -> None:
    ddb, table = bench.account.client("dynamodb"), bench.sandbox.outputs["ledgerTable"]
    refused(lambda: ddb.scan(TableName=table))
    refused(lambda: ddb.delete_item(TableName=table, Key={"id": {"S": "user#nobody"}}))


def _read_the_log(bench: Bench) -> None:
    logs, group = bench.account.client("logs"), bench.sandbox.outputs["logGroupName"]
    bench.sandbox.say("status")
    stream = bench.owner.client("logs").describe_log_streams(logGroupName=group)["logStreams"][0]["logStreamName"]
    refused(lambda: logs.describe_log_streams(logGroupName=group))
    refused(lambda: logs.filter_log_events(logGroupName=group))
    refused(lambda: logs.get_log_events(logGroupName=group, logStreamName=stream))


# What a member does who has no session with MFA yet


def _own(name: str, call: Callable[[Any, Bench], object]) -> Step:
    return Step(
        f"without MFA: {name}", frozenset({"iam", "cloudwatch"}),
        lambda bench: refused(lambda: call(bench.without_mfa("iam"), bench)),
    )  # fmt: skip


def _change_password(iam: Any, bench: Bench) -> None:
    bench.owner.client("iam").update_login_profile(UserName=MEMBER, Password=PASSWORD)
    iam.change_password(OldPassword=PASSWORD, NewPassword=f"Another one, {secrets.token_hex(4)}")


def _second_key(bench: Bench) -> str:
    return str(bench.owner.client("iam").create_access_key(UserName=MEMBER)["AccessKey"]["AccessKeyId"])


def _drop_keys(bench: Bench) -> None:
    """Delete all but the member's first key: a user has two at most."""
    iam, first = bench.owner.client("iam"), bench.sandbox.key_of(MEMBER)[0]
    for each in iam.list_access_keys(UserName=MEMBER)["AccessKeyMetadata"]:
        if each["AccessKeyId"] != first:
            iam.delete_access_key(UserName=MEMBER, AccessKeyId=each["AccessKeyId"])


def _make_key(iam: Any, bench: Bench) -> None:
    _drop_keys(bench)
    iam.create_access_key(UserName=MEMBER)


def _switch_key_off(iam: Any, bench: Bench) -> None:
    _drop_keys(bench)
    iam.update_access_key(UserName=MEMBER, AccessKeyId=_second_key(bench), Status="Inactive")


def _delete_key(iam: Any, bench: Bench) -> None:
    _drop_keys(bench)
    iam.delete_access_key(UserName=MEMBER, AccessKeyId=_second_key(bench))


def _enable_device(iam: Any, bench: Bench) -> None:
    owner = bench.owner.client("iam")
    name = f"second-{secrets.token_hex(4)}"
    serial = owner.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName=MEMBER, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    owner.deactivate_mfa_device(UserName=MEMBER, SerialNumber=serial)


def _resync_device(iam: Any, bench: Bench) -> None:
    serial = bench.owner.client("iam").list_mfa_devices(UserName=MEMBER)["MFADevices"][0]["SerialNumber"]
    iam.resync_mfa_device(
        UserName=MEMBER, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )


SERIAL = {"SerialNumber": "arn:aws:iam::000000000000:mfa/nora"}
CODES = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
OF_ANOTHER: dict[str, dict[str, str]] = {
    "iam:GetUser": {},
    "iam:ListAccessKeys": {},
    "iam:CreateAccessKey": {},
    "iam:UpdateAccessKey": {"AccessKeyId": "AKIA0000000000000000", "Status": "Active"},
    "iam:DeleteAccessKey": {"AccessKeyId": "AKIA0000000000000000"},
    "iam:ListMFADevices": {},
    "iam:EnableMFADevice": SERIAL | CODES,
    "iam:ResyncMFADevice": SERIAL | CODES,
}
"""What a member without MFA must not do to another user, whatever other policies allow: the call's other parameters."""


def allowed_on_another(bench: Bench, action: str) -> bool:
    """Whether a member without MFA, but with `IAMFullAccess`, may do something to another user."""
    owner = bench.owner.client("iam")
    wide = {"GroupName": "ours-alone", "PolicyArn": "arn:aws:iam::aws:policy/IAMFullAccess"}
    owner.attach_group_policy(**wide)
    try:
        call = getattr(bench.without_mfa("iam"), xform_name(action.partition(":")[2]))
        refused(lambda: call(UserName=OTHER_USER, **OF_ANOTHER[action]))
    except Missing:
        return False
    except ClientError:
        return True  # authorised first, and then there was no such key or device
    finally:
        owner.detach_group_policy(**wide)
    return True


# What the bot does, as its role


def _posted(bench: Bench, body: bytes) -> None:
    """A webhook is acknowledged.

    Raises:
        Missing: it is not, since the role was denied something.
    """
    before, status = len(bench.denials()), 0

    def answered() -> bool:
        nonlocal status
        # The first call after a function's process was killed is answered 502 by the emulator.
        status = bench.sandbox.facebook.post(body)[0] if bench.sandbox.facebook else 0
        return status == HTTPStatus.OK or len(bench.denials()) > before

    wait_for(answered, "a webhook is acknowledged, or a call is denied")
    if status != HTTPStatus.OK:
        raise Missing(" ".join(bench.denials()[before:]))


def _acknowledge(bench: Bench) -> None:
    bench.restart_function()
    person = new_person()
    bench.sandbox.graph.note_message(person)
    item = text_item(bench.sandbox.page_id, person, "status")
    entry = {"id": bench.sandbox.page_id, "messaging": [item]}
    _posted(bench, json.dumps({"object": "page", "entry": [entry]}).encode())


def _keep_unusable(bench: Bench) -> None:
    _posted(bench, b"signed, but no JSON: " + secrets.token_hex(8).encode())


def _conversation(what: str, service: str, texts: tuple[str, ...], faults: dict[str, Any] | None = None) -> Step:
    """A person writes these texts: all is dealt with, unless the role is denied something on the way."""

    def run(bench: Bench) -> None:
        before = len(bench.denials())
        person = new_person()
        bench.sandbox.faults(faults or {})
        for text in texts:
            bench.sandbox.deliver([text_item(bench.sandbox.page_id, person, text)])
            wait_for(
                lambda: not bench.sandbox.waiting() or len(bench.denials()) > before,
                f"{what}: {text!r} is dealt with, or a call is denied",
            )
        if denied := bench.denials()[before:]:
            raise Missing(" ".join(denied))

    return Step(what, frozenset({service}), run)


def _consume(bench: Bench) -> None:
    """What AWS checks when the mapping is made: the role's rights to poll."""
    outputs, owner = bench.sandbox.outputs, bench.owner.client
    function = owner("lambda").get_function_configuration(FunctionName=outputs["functionName"])
    queue = f"arn:aws:sqs:{bench.owner.region}:{ACCOUNT}:{outputs['queueUrl'].rpartition('/')[2]}"
    url = outputs["queueUrl"]
    owner("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "180"})
    try:
        refusals.mapping(owner("iam"), owner("sqs"), function, queue)
    except Refused as error:
        raise Missing(str(error).replace("call ", "sqs:")) from None
    finally:
        owner("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})


def _write_log(bench: Bench) -> None:
    owner = bench.owner.client
    function = owner("lambda").get_function_configuration(FunctionName=bench.sandbox.outputs["functionName"])
    try:
        refusals.function_logs(owner("iam"), function, ACCOUNT, bench.owner.region)
    except Refused as error:
        raise Missing(str(error)) from None


MEMBER_STEPS = (
    *(step for kind in KINDS for step in life(kind)),
    Step("look at the dead letters (`ops deadletters list`)", frozenset({"sqs"}), _look_at_dead_letters),
    Step("send a dead letter back (`ops deadletters redrive`)", frozenset({"sqs", "dynamodb"}), _send_dead_letter_back),
    Step("forget a person (`ops forget`)", frozenset({"dynamodb"}), _forget_a_person),
    Step("read the bot's log", frozenset({"logs"}), _read_the_log),
)

OWN_STEPS = (
    _own("look at oneself", lambda iam, _: iam.get_user(UserName=MEMBER)),
    _own("see the rules for passwords", lambda iam, _: iam.get_account_password_policy()),
    _own("change one's password", _change_password),
    _own("list one's access keys", lambda iam, _: iam.list_access_keys(UserName=MEMBER)),
    _own("make an access key", _make_key),
    _own("switch an access key off", _switch_key_off),
    _own("delete an access key", _delete_key),
    _own("list one's MFA devices", lambda iam, _: iam.list_mfa_devices(UserName=MEMBER)),
    _own(
        "make an MFA device",
        lambda iam, _: iam.create_virtual_mfa_device(VirtualMFADeviceName=f"own-{secrets.token_hex(4)}"),
    ),
    _own("enable an MFA device", _enable_device),
    _own("resynchronise an MFA device", _resync_device),
    _own("see whether an alarm is on", lambda _, bench: bench.without_mfa("cloudwatch").describe_alarms()),
)

TRY_LATER = {"error": {"status": 500, "code": 2, "message": "try later"}, "count": 4}
DEFECT = {"error": {"status": 400, "code": 100, "message": "no such parameter"}, "count": 3}
BOT_STEPS = (
    Step("the queue is given to the function", frozenset({"sqs"}), _consume),
    Step("the function has a log", frozenset({"logs"}), _write_log),
    Step("a webhook is acknowledged", frozenset({"ssm", "sqs"}), _acknowledge),
    Step("an unusable request is kept", frozenset({"sqs"}), _keep_unusable),
    _conversation("a text is answered", "dynamodb", ("status",)),
    _conversation("a person and what is kept of them is forgotten", "dynamodb", ("status", "forget me")),
    _conversation("an event waits while Facebook fails", "sqs", ("status",), TRY_LATER),
    _conversation("a person's dead letter is forgotten", "sqs", ("status", "forget me"), DEFECT),
)
