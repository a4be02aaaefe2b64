"""SNS topics and their subscriptions."""

from collections.abc import Mapping

from botocore.exceptions import ClientError

from sandbox.provider.account import Account
from sandbox.provider.resource import (
    DEFAULTED,
    Change,
    Existing,
    Inputs,
    ResourceType,
    tag_list,
    tag_map,
    text,
)

SAMPLE_RATES = tuple(
    f"{protocol}SuccessFeedbackSampleRate" for protocol in ("application", "firehose", "http", "lambda", "sqs")
)
AWS_NAMES = {rate: rate[:1].upper() + rate[1:] for rate in SAMPLE_RATES} | {
    "httpSuccessFeedbackSampleRate": "HTTPSuccessFeedbackSampleRate",
    "sqsSuccessFeedbackSampleRate": "SQSSuccessFeedbackSampleRate",
}


def _attribute(key: str) -> str:
    return AWS_NAMES.get(key, key[:1].upper() + key[1:])


class Topic(ResourceType):
    """A topic."""

    type_name = "aws:sns/topic:Topic"

    def _create(self, account: Account, inputs: Inputs) -> str:
        sns = account.client("sns")
        fifo = {"Attributes": {"FifoTopic": "true"}} if inputs.get("fifoTopic") else {}
        arn = sns.create_topic(Name=inputs["name"], Tags=tag_list(inputs.get("tags")), **fifo)["TopicArn"]
        others = {key: value for key, value in inputs.items() if key not in {"name", "tags", "fifoTopic", DEFAULTED}}
        for key, value in others.items():
            sns.set_topic_attributes(TopicArn=arn, AttributeName=_attribute(key), AttributeValue=text(value))
        return str(arn)

    def _read(self, account: Account, known: Existing) -> Existing:
        attributes = account.client("sns").get_topic_attributes(TopicArn=known.id)["Attributes"]
        tags = account.client("sns").list_tags_for_resource(ResourceArn=known.id)["Tags"]
        inputs = {
            "name": known.id.rpartition(":")[2],
            "displayName": attributes.get("DisplayName"),
            "kmsMasterKeyId": attributes.get("KmsMasterKeyId"),
            **{rate: int(attributes.get(_attribute(rate), 0)) for rate in SAMPLE_RATES},
            "fifoTopic": attributes.get("FifoTopic") == "true",
            "tags": tag_map(tags),
        }
        return Existing(known.id, inputs, {"arn": known.id})

    def _update(self, account: Account, change: Change) -> None:
        for key in sorted(change.changed - {"tags"}):
            value = text(change.inputs.get(key, 0 if key in SAMPLE_RATES else ""))
            account.client("sns").set_topic_attributes(
                TopicArn=change.old.id, AttributeName=_attribute(key), AttributeValue=value
            )

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("sns").delete_topic(TopicArn=old.id)

    def _tag(self, account: Account, old: Existing, tags: Mapping[str, str]) -> None:
        account.client("sns").tag_resource(ResourceArn=old.id, Tags=tag_list(tags))

    def _untag(self, account: Account, old: Existing, keys: list[str]) -> None:
        account.client("sns").untag_resource(ResourceArn=old.id, TagKeys=keys)


class TopicSubscription(ResourceType):
    """A subscription of a topic."""

    type_name = "aws:sns/topicSubscription:TopicSubscription"

    def _create(self, account: Account, inputs: Inputs) -> str:
        basic = {"topic", "protocol", "endpoint", DEFAULTED}
        attributes = {_attribute(key): text(value) for key, value in inputs.items() if key not in basic and value}
        subscribed = account.client("sns").subscribe(
            TopicArn=inputs["topic"],
            Protocol=inputs["protocol"],
            Endpoint=inputs["endpoint"],
            Attributes=attributes,
            ReturnSubscriptionArn=True,
        )
        return str(subscribed["SubscriptionArn"])

    def _read(self, account: Account, known: Existing) -> Existing:
        attributes = account.client("sns").get_subscription_attributes(SubscriptionArn=known.id)["Attributes"]
        inputs = {
            "topic": attributes["TopicArn"],
            "protocol": attributes["Protocol"],
            "endpoint": attributes["Endpoint"],
            "rawMessageDelivery": attributes.get("RawMessageDelivery") == "true",
            "filterPolicy": attributes.get("FilterPolicy"),
            "redrivePolicy": attributes.get("RedrivePolicy"),
        }
        return Existing(known.id, inputs, {"arn": known.id})

    def _update(self, account: Account, change: Change) -> None:
        for key in sorted(change.changed):
            account.client("sns").set_subscription_attributes(
                SubscriptionArn=change.old.id,
                AttributeName=_attribute(key),
                AttributeValue=text(change.inputs.get(key, "")),
            )

    def _delete(self, account: Account, old: Existing) -> None:
        """Unsubscribe. AWS lets nobody delete a subscription that was never confirmed: it expires by itself."""
        sns = account.client("sns")
        try:
            sns.unsubscribe(SubscriptionArn=old.id)
        except ClientError as error:
            if "pending confirmation" not in str(error):
                raise
            return
        sns.get_subscription_attributes(SubscriptionArn=old.id)  # fails once it is gone
