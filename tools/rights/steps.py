"""The steps that need permissions: what a member does with each kind of resource, and what the bot does.

A step does one thing as the member (or makes the bot do it). It fails if a permission is missing.
"""

import json
import secrets
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

from botocore import xform_name
from botocore.exceptions import ClientError

from sandbox.errors import Refused
from sandbox.facebook.webhooks import text_item
from sandbox.local import new_person
from sandbox.provider import refusals
from sandbox.provider.account import Account
from sandbox.provider.catalog import resource_type
from sandbox.provider.resource import Existing, ResourceType
from tools.rights.trial import MEMBER, OTHER_USER, PASSWORD, PREFIX, STACK, Trial, wait_for

TAGS = {"project": "innolab-fbm", "stack": "local"}
OTHER_TAGS = {"project": "innolab-fbm", "team": "parcels"}


Client = Any
"""A boto3 client: boto3 makes their types at run time."""


class Missing(Exception):
    """A permission was missing; the text is the refusal."""


class Step(NamedTuple):
    """One step.

    Attributes:
        name: what is done, in words.
        services: whose actions it can need.
        run: does it; raises `Missing` if a permission is missing.
    """

    name: str
    services: frozenset[str]
    run: Callable[[Trial], object]


class Kind(NamedTuple):
    """A resource type that our own policies are about: inputs to create one, and to change it."""

    word: str
    type: str
    inputs: Callable[[Trial], dict[str, Any]]
    changed: dict[str, Any]


def _no_inputs(_: Trial) -> dict[str, Any]:
    return {"tags": TAGS}


def _group(trial: Trial) -> dict[str, Any]:
    return {"logGroupName": trial.sandbox.outputs["logGroupName"]}


def _entry(trial: Trial, type_name: str) -> Any:
    return next(each for each in trial.sandbox.resources if each["type"] == type_name)


def _topic(trial: Trial) -> str:
    return str(_entry(trial, "aws:sns/topic:Topic")["id"])


def _alarm(trial: Trial) -> str:
    return str(_entry(trial, "aws:cloudwatch/metricAlarm:MetricAlarm")["id"])


def _target(trial: Trial) -> dict[str, Any]:
    target: dict[str, Any] = _entry(trial, "aws:scheduler/schedule:Schedule")["inputs"]["target"]
    return target


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
        lambda trial: {**_group(trial), "pattern": "a", "metricTransformation": FILTER}, {"pattern": "b"},
    ),
    Kind(
        "an alarm", "aws:cloudwatch/metricAlarm:MetricAlarm",
        lambda _: {
            "comparisonOperator": "GreaterThanThreshold", "evaluationPeriods": 1, "metricName": "n", "namespace": "n",
            "period": 300, "statistic": "Sum", "threshold": 0, "tags": TAGS,
        },
        {"threshold": 1, "tags": OTHER_TAGS},
    ),
    Kind(
        "a dashboard", "aws:cloudwatch/dashboard:Dashboard",
        lambda _: {"dashboardName": f"{PREFIX}rights-{secrets.token_hex(4)}", "dashboardBody": '{"widgets": []}'},
        {"dashboardBody": '{"widgets": [], "start": "-PT1H"}'},
    ),
    Kind(
        "a composite alarm", "aws:cloudwatch/compositeAlarm:CompositeAlarm",
        lambda trial: {
            "alarmName": f"{PREFIX}rights-{secrets.token_hex(4)}", "alarmRule": f'ALARM("{_alarm(trial)}")',
            "tags": TAGS,
        },
        {"alarmDescription": "Other words", "tags": OTHER_TAGS},
    ),
    Kind(
        "a schedule", "aws:scheduler/schedule:Schedule",
        lambda trial: {
            "scheduleExpression": "rate(1 hour)", "flexibleTimeWindow": {"mode": "OFF"}, "target": _target(trial),
        },
        {"scheduleExpression": "rate(2 hours)"},
    ),
    Kind("a topic", "aws:sns/topic:Topic", _no_inputs, {"displayName": "Parcels", "tags": OTHER_TAGS}),
    Kind(
        "a topic's subscription", "aws:sns/topicSubscription:TopicSubscription",
        lambda trial: {"topic": _topic(trial), "protocol": "email", "endpoint": "team@example.org"}, {},
    ),
)  # fmt: skip


def permitted(run: Callable[[], object]) -> None:
    """Do something, and tell a missing permission from every other failure.

    Raises:
        Missing: a permission was missing.
    """
    try:
        run()
    except ClientError as error:
        if "not authorized to perform" in str(error):
            raise Missing(str(error)) from None
        if "Unknown IAM action" not in str(error):  # authorised first, and then not emulated
            raise


def _create(account: Account, trial: Trial, kind: Kind) -> Existing:
    provider = resource_type(kind.type)
    return provider.create(account, provider.check(f"{PREFIX}rights", kind.inputs(trial)))


def services(provider: ResourceType, verb: str) -> frozenset[str]:
    """The services that the provider calls for one verb of a resource type; IAM, where it passes a role."""
    calls = provider.facts.calls[verb]
    if verb == "update":
        calls = [call for row in calls for call in row["calls"]]
    called = {call.partition(":")[0] for call in calls}
    return frozenset(called | ({"iam"} if "scheduler" in called else set()))


def life(kind: Kind) -> Iterator[Step]:
    """What is done with a resource of this kind, from its creation to its deletion."""
    provider = resource_type(kind.type)

    def create(trial: Trial) -> None:
        permitted(lambda: _create(trial.account, trial, kind))

    def read(trial: Trial) -> None:
        existing = _create(trial.owner, trial, kind)
        permitted(lambda: provider.read(trial.account, existing))
        provider.delete(trial.owner, existing)

    def update(trial: Trial) -> None:
        old = _create(trial.owner, trial, kind)
        inputs = provider.check(f"{PREFIX}rights", {**old.inputs, **kind.changed}, old.inputs)
        permitted(lambda: provider.update(trial.account, old, inputs))
        provider.delete(trial.owner, old)

    def delete(trial: Trial) -> None:
        existing = _create(trial.owner, trial, kind)
        permitted(lambda: provider.delete(trial.account, existing))

    yield Step(f"create {kind.word}", services(provider, "create"), create)
    yield Step(f"read {kind.word}", services(provider, "read"), read)
    if kind.changed:
        what = f"change {kind.word} and its tags" if "tags" in kind.changed else f"change {kind.word}"
        yield Step(what, services(provider, "update"), update)
    yield Step(f"delete {kind.word}", services(provider, "delete"), delete)


# What an operator does, call by call: `ops` itself carries on after a refusal


def _look_at_dead_letters(trial: Trial) -> None:
    sqs, url = trial.account.client("sqs"), trial.sandbox.outputs["deadLetterQueueUrl"]
    letter = _dead_letter(trial)
    permitted(lambda: sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10))
    entry = {"Id": "0", "ReceiptHandle": letter, "VisibilityTimeout": 0}
    permitted(lambda: sqs.change_message_visibility_batch(QueueUrl=url, Entries=[entry]))


def _dead_letter(trial: Trial) -> str:
    """The receipt handle of a dead letter that is there."""
    sqs, url = trial.owner.client("sqs"), trial.sandbox.outputs["deadLetterQueueUrl"]
    unique = secrets.token_hex(8)
    sqs.send_message(QueueUrl=url, MessageBody="{}", MessageGroupId=unique, MessageDeduplicationId=unique)
    found: list[str] = []

    def received() -> bool:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        found.extend(each["ReceiptHandle"] for each in messages)
        return bool(found)

    wait_for(received, "a dead letter can be received")
    return found[0]


def _send_dead_letter_back(trial: Trial) -> None:
    ddb, table = trial.account.client("dynamodb"), trial.sandbox.outputs["ledgerTable"]
    sqs, outputs = trial.account.client("sqs"), trial.sandbox.outputs
    key = {"id": {"S": f"event#{secrets.token_hex(8)}"}}
    permitted(lambda: ddb.batch_get_item(RequestItems={table: {"Keys": [key]}}))
    permitted(lambda: ddb.update_item(TableName=table, Key=key, UpdateExpression="REMOVE outcome"))
    unique = secrets.token_hex(8)
    permitted(
        lambda: sqs.send_message(
            QueueUrl=outputs["queueUrl"], MessageBody="{}", MessageGroupId=unique, MessageDeduplicationId=unique
        )
    )
    letter = _dead_letter(trial)
    permitted(lambda: sqs.delete_message(QueueUrl=outputs["deadLetterQueueUrl"], ReceiptHandle=letter))


def _forget_a_person(trial: Trial) -> None:
    ddb, table = trial.account.client("dynamodb"), trial.sandbox.outputs["ledgerTable"]
    permitted(lambda: ddb.scan(TableName=table))
    permitted(lambda: ddb.delete_item(TableName=table, Key={"id": {"S": "user#nobody"}}))


def _read_the_log(trial: Trial) -> None:
    logs, group = trial.account.client("logs"), trial.sandbox.outputs["logGroupName"]
    trial.sandbox.say("status")
    stream = trial.owner.client("logs").describe_log_streams(logGroupName=group)["logStreams"][0]["logStreamName"]
    permitted(lambda: logs.describe_log_streams(logGroupName=group))
    permitted(lambda: logs.filter_log_events(logGroupName=group))
    permitted(lambda: logs.get_log_events(logGroupName=group, logStreamName=stream))


GROUP_TYPES = {
    "aws:iam/group:Group", "aws:iam/groupPolicyAttachment:GroupPolicyAttachment",
    "aws:iam/userGroupMembership:UserGroupMembership",
}  # fmt: skip


def _refresh_the_group(trial: Trial) -> None:
    for entry in trial.sandbox.resources:
        if entry["type"] in GROUP_TYPES:
            kind, existing = resource_type(entry["type"]), Existing(entry["id"], entry["inputs"])
            permitted(partial(kind.read, trial.account, existing))


# What Pulumi does with its own state, as a member


def _state(trial: Trial) -> tuple[str, str, str]:
    """A bucket with a state in it, the state's name, and a key, as docs/deploy.md has the owner make them."""
    account, owner = trial.account, trial.owner.client
    bucket, alias = f"innolab-fbm-state-{account.id}-{account.region}", "alias/innolab-fbm"
    name = f".pulumi/stacks/innolab-fbm/{STACK}.json"
    if not owner("kms").list_aliases()["Aliases"]:
        owner("kms").create_alias(AliasName=alias, TargetKeyId=owner("kms").create_key()["KeyMetadata"]["KeyId"])
        owner("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": account.region})
        owner("s3").put_object(Bucket=bucket, Key=".pulumi/meta.yaml", Body=b"version: 1")
        owner("s3").put_object(Bucket=bucket, Key=name, Body=b"{}")
    return bucket, name, alias


def _find_the_state(trial: Trial) -> None:
    s3, (bucket, *_) = trial.account.client("s3"), _state(trial)
    permitted(lambda: s3.get_object(Bucket=bucket, Key=".pulumi/meta.yaml"))
    permitted(lambda: s3.list_objects_v2(Bucket=bucket))


def _keep_the_state(trial: Trial) -> None:
    s3, (bucket, name, _) = trial.account.client("s3"), _state(trial)
    permitted(lambda: s3.get_object(Bucket=bucket, Key=name))
    permitted(lambda: s3.put_object(Bucket=bucket, Key=f"{name}.bak", Body=b"{}"))
    permitted(lambda: s3.delete_object(Bucket=bucket, Key=f"{name}.bak"))


def _keep_the_secrets(trial: Trial) -> None:
    kms, owner, (*_, key) = trial.account.client("kms"), trial.owner.client("kms"), _state(trial)
    context = {"stack": STACK}
    permitted(lambda: kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context))
    wrapped = owner.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
    permitted(lambda: kms.decrypt(CiphertextBlob=wrapped, EncryptionContext=context))


# What a member does who has no session with MFA yet


def _own(name: str, call: Callable[[Client, Trial], object]) -> Step:
    return Step(
        f"without MFA: {name}", frozenset({"iam", "cloudwatch"}),
        lambda trial: permitted(lambda: call(trial.without_mfa("iam"), trial)),
    )  # fmt: skip


def _change_password(iam: Client, trial: Trial) -> None:
    trial.owner.client("iam").update_login_profile(UserName=MEMBER, Password=PASSWORD)
    iam.change_password(OldPassword=PASSWORD, NewPassword=f"Another one, {secrets.token_hex(4)}")


def _second_key(trial: Trial) -> str:
    return str(trial.owner.client("iam").create_access_key(UserName=MEMBER)["AccessKey"]["AccessKeyId"])


def _drop_keys(trial: Trial) -> None:
    """Delete all but the member's first key: a user has two at most."""
    iam, first = trial.owner.client("iam"), trial.sandbox.key_of(MEMBER)[0]
    for each in iam.list_access_keys(UserName=MEMBER)["AccessKeyMetadata"]:
        if each["AccessKeyId"] != first:
            iam.delete_access_key(UserName=MEMBER, AccessKeyId=each["AccessKeyId"])


def _make_key(iam: Client, trial: Trial) -> None:
    _drop_keys(trial)
    iam.create_access_key(UserName=MEMBER)


def _switch_key_off(iam: Client, trial: Trial) -> None:
    _drop_keys(trial)
    iam.update_access_key(UserName=MEMBER, AccessKeyId=_second_key(trial), Status="Inactive")


def _delete_key(iam: Client, trial: Trial) -> None:
    _drop_keys(trial)
    iam.delete_access_key(UserName=MEMBER, AccessKeyId=_second_key(trial))


def _enable_device(iam: Client, trial: Trial) -> None:
    owner = trial.owner.client("iam")
    name = f"second-{secrets.token_hex(4)}"
    serial = owner.create_virtual_mfa_device(VirtualMFADeviceName=name)["VirtualMFADevice"]["SerialNumber"]
    iam.enable_mfa_device(
        UserName=MEMBER, SerialNumber=serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
    )
    owner.deactivate_mfa_device(UserName=MEMBER, SerialNumber=serial)


def _resync_device(iam: Client, trial: Trial) -> None:
    serial = trial.owner.client("iam").list_mfa_devices(UserName=MEMBER)["MFADevices"][0]["SerialNumber"]
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
"""What a member without MFA must not do to another user, whatever other policies allow, with the call's parameters."""


def allowed_on_another(trial: Trial, action: str) -> bool:
    """Whether a member without MFA, but with `IAMFullAccess`, may do something to another user."""
    owner = trial.owner.client("iam")
    wide = {"GroupName": "ours-alone", "PolicyArn": "arn:aws:iam::aws:policy/IAMFullAccess"}
    owner.attach_group_policy(**wide)
    try:
        call = getattr(trial.without_mfa("iam"), xform_name(action.partition(":")[2]))
        permitted(lambda: call(UserName=OTHER_USER, **OF_ANOTHER[action]))
    except Missing:
        return False
    except ClientError:
        return True  # authorised, and then there was no such key or device
    finally:
        owner.detach_group_policy(**wide)
    return True


# What the bot does, as its role


def _posted(trial: Trial, body: bytes) -> None:
    """Post a webhook until it is acknowledged.

    Raises:
        Missing: the role was denied something.
    """
    before, status = len(trial.denials()), 0

    def answered() -> bool:
        nonlocal status
        # The emulator answers 502 to the first call after a function's process was killed.
        status = trial.sandbox.facebook.post(body)[0] if trial.sandbox.facebook else 0
        return status == HTTPStatus.OK or len(trial.denials()) > before

    wait_for(answered, "a webhook is acknowledged, or a call is denied")
    if status != HTTPStatus.OK:
        raise Missing(" ".join(trial.denials()[before:]))


def _acknowledge(trial: Trial) -> None:
    trial.restart_function()
    person = new_person()
    trial.sandbox.graph.note_message(person)
    item = text_item(trial.sandbox.page_id, person, "status")
    entry = {"id": trial.sandbox.page_id, "messaging": [item]}
    _posted(trial, json.dumps({"object": "page", "entry": [entry]}).encode())


def _keep_unusable(trial: Trial) -> None:
    _posted(trial, b"signed, but no JSON: " + secrets.token_hex(8).encode())


def _conversation(what: str, service: str, texts: tuple[str, ...], faults: dict[str, Any] | None = None) -> Step:
    """A person writes these texts. All are answered, unless the role is denied something on the way."""

    def run(trial: Trial) -> None:
        before = len(trial.denials())
        person = new_person()
        trial.sandbox.faults(faults or {})
        for text in texts:
            trial.sandbox.deliver([text_item(trial.sandbox.page_id, person, text)])
            wait_for(
                lambda: not trial.sandbox.waiting() or len(trial.denials()) > before,
                f"{what}: {text!r} is answered, or a call is denied",
            )
        if denied := trial.denials()[before:]:
            raise Missing(" ".join(denied))

    return Step(what, frozenset({service}), run)


def _consume(trial: Trial) -> None:
    """What AWS checks when the mapping is created: the role's permissions to poll."""
    outputs, owner = trial.sandbox.outputs, trial.owner.client
    function = owner("lambda").get_function_configuration(FunctionName=outputs["functionName"])
    queue = trial.owner.arn("sqs", outputs["queueUrl"].rpartition("/")[2])
    url = outputs["queueUrl"]
    owner("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "180"})
    try:
        refusals.mapping(trial.owner, function, queue)
    except Refused as error:
        raise Missing(str(error).replace("call ", "sqs:")) from None
    finally:
        owner("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})


def _write_log(trial: Trial) -> None:
    _has_a_log(trial, trial.sandbox.outputs["functionName"])


def _write_the_conversations_log(trial: Trial) -> None:
    client, name = trial.owner.client("lambda"), trial.sandbox.outputs["functionName"]
    variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    _has_a_log(trial, variables["CONVERSATION_FUNCTION"].partition(":")[0])


def _has_a_log(trial: Trial, name: str) -> None:
    function = trial.owner.client("lambda").get_function_configuration(FunctionName=name)
    try:
        refusals.function_logs(trial.owner, function)
    except Refused as error:
        raise Missing(str(error)) from None


def _check(trial: Trial) -> None:
    before = len(trial.denials())
    trial.restart_function()
    target = _target(trial)
    trial.owner.client("lambda").invoke(FunctionName=target["arn"], Payload=target["input"].encode())
    if denied := trial.denials()[before:]:
        raise Missing(" ".join(denied))


def _scheduled(trial: Trial) -> None:
    try:
        refusals.scheduled_call(trial.owner, _target(trial))
    except Refused as error:
        raise Missing(str(error)) from None


MEMBER_STEPS = (
    *(step for kind in KINDS for step in life(kind)),
    Step("look at the dead letters (`ops deadletters list`)", frozenset({"sqs"}), _look_at_dead_letters),
    Step("send a dead letter back (`ops deadletters redrive`)", frozenset({"sqs", "dynamodb"}), _send_dead_letter_back),
    Step("forget a person (`ops forget`)", frozenset({"dynamodb"}), _forget_a_person),
    Step("read the bot's log", frozenset({"logs"}), _read_the_log),
    Step("read the group (`pulumi refresh`)", frozenset({"iam"}), _refresh_the_group),
)

STATE_STEPS = (
    Step("find the state (`pulumi stack select`)", frozenset({"s3"}), _find_the_state),
    Step("read and write the state (`pulumi up`)", frozenset({"s3"}), _keep_the_state),
    Step("encrypt and decrypt the secrets (`pulumi stack init`, `pulumi up`)", frozenset({"kms"}), _keep_the_secrets),
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
    _own("see whether an alarm is on", lambda _, trial: trial.without_mfa("cloudwatch").describe_alarms()),
)

TRY_LATER = {"error": {"status": 500, "code": 2, "message": "try later"}, "count": 4}
DEFECT = {"error": {"status": 400, "code": 100, "message": "no such parameter"}, "count": 3}
BOT_STEPS = (
    Step("the queue is connected to the function", frozenset({"sqs"}), _consume),
    Step("the function has a log", frozenset({"logs"}), _write_log),
    Step("a webhook is acknowledged", frozenset({"ssm", "sqs"}), _acknowledge),
    Step("an unusable request is kept", frozenset({"sqs"}), _keep_unusable),
    Step("the hourly check looks at everything", frozenset({"sqs", "dynamodb", "ssm"}), _check),
    _conversation("a text is answered", "dynamodb", ("status",)),
    _conversation("a text that the bot does not understand is counted", "dynamodb", ("a unicorn",)),
    _conversation("a person is forgotten", "dynamodb", ("status", "forget me")),
    _conversation("an event waits while Facebook fails", "sqs", ("status",), TRY_LATER),
    _conversation("a person's dead letter is forgotten", "sqs", ("status", "forget me"), DEFECT),
    _conversation("a conversation in a function of its own is asked", "lambda", ("status",)),
)
CHECK_STEPS = (Step("the schedule calls the function", frozenset({"lambda"}), _scheduled),)
DIALOGUE_STEPS = (Step("the conversation's function has a log", frozenset({"logs"}), _write_the_conversations_log),)
