"""SQS queues."""

import json
from collections.abc import Mapping

from sandbox.provider.account import Account, wait_until
from sandbox.provider.resource import Change, Existing, Inputs, ResourceType, text

ATTRIBUTES = {
    "visibilityTimeoutSeconds": "VisibilityTimeout",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "maxMessageSize": "MaximumMessageSize",
    "delaySeconds": "DelaySeconds",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "fifoQueue": "FifoQueue",
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "fifoThroughputLimit": "FifoThroughputLimit",
    "redrivePolicy": "RedrivePolicy",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "policy": "Policy",
}
SENT_IF_FALSE = {"sqsManagedSseEnabled"}


class Queue(ResourceType):
    """A queue."""

    type_name = "aws:sqs/queue:Queue"

    def _create(self, account: Account, inputs: Inputs) -> str:
        attributes = {
            ATTRIBUTES[key]: text(value)
            for key, value in inputs.items()
            if key in ATTRIBUTES and (value not in ("", False) or key in SENT_IF_FALSE)
        }
        created = account.client("sqs").create_queue(
            QueueName=inputs["name"], Attributes=attributes, tags=inputs.get("tags") or {}
        )
        return str(created["QueueUrl"])

    def _read(self, account: Account, known: Existing) -> Existing:
        sqs = account.client("sqs")
        attributes = sqs.get_queue_attributes(QueueUrl=known.id, AttributeNames=["All"])["Attributes"]
        inputs = {key: _value(key, attributes[each]) for key, each in ATTRIBUTES.items() if each in attributes}
        inputs |= {"name": known.id.rpartition("/")[2], "tags": sqs.list_queue_tags(QueueUrl=known.id).get("Tags")}
        return Existing(known.id, inputs, {"url": known.id, "arn": attributes["QueueArn"]})

    def _update(self, account: Account, change: Change) -> None:
        account.client("sqs").set_queue_attributes(
            QueueUrl=change.old.id,
            Attributes={ATTRIBUTES[key]: text(change.inputs.get(key, "")) for key in sorted(change.changed - {"tags"})},
        )

    def _delete(self, account: Account, old: Existing) -> None:
        sqs = account.client("sqs")
        sqs.delete_queue(QueueUrl=old.id)
        sqs.get_queue_attributes(QueueUrl=old.id, AttributeNames=["QueueArn"])  # fails once it is gone

    def _tag(self, account: Account, old: Existing, tags: Mapping[str, str]) -> None:
        account.client("sqs").tag_queue(QueueUrl=old.id, Tags=tags)

    def _untag(self, account: Account, old: Existing, keys: list[str]) -> None:
        account.client("sqs").untag_queue(QueueUrl=old.id, TagKeys=keys)


def _value(key: str, value: str) -> object:
    """An attribute as the provider has it: SQS gives numbers and booleans as text. Policies stay text."""
    is_text = key.lower().endswith("policy") or not (value.isdigit() or value in {"true", "false"})
    return value if is_text else json.loads(value)


class RedriveAllowPolicy(ResourceType):
    """Which queues may use a queue as their dead-letter queue."""

    type_name = "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy"

    def _create(self, account: Account, inputs: Inputs) -> str:
        self._set(account, inputs["queueUrl"], inputs["redriveAllowPolicy"])
        return str(inputs["queueUrl"])

    def _set(self, account: Account, url: str, policy: str) -> None:
        account.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"RedriveAllowPolicy": policy})

    def _policy(self, account: Account, url: str) -> str:
        found = account.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["RedriveAllowPolicy"])
        return str(found.get("Attributes", {}).get("RedriveAllowPolicy", ""))

    def _read(self, account: Account, known: Existing) -> Existing | None:
        policy = self._policy(account, known.id)
        return Existing(known.id, {"queueUrl": known.id, "redriveAllowPolicy": policy}) if policy else None

    def _update(self, account: Account, change: Change) -> None:
        self._set(account, change.old.id, change.inputs["redriveAllowPolicy"])

    def _delete(self, account: Account, old: Existing) -> None:
        self._set(account, old.id, "")
        wait_until(lambda: not self._policy(account, old.id), f"The end of the redrive allowance of {old.id}")
