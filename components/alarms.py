"""Who is told when the bot is in trouble: a topic, and an alarm for each way of being so."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, sns

# One alarm each: the metric's namespace, its name, the statistic, the value above which it is trouble, and what to do.
DEAD_LETTERS = (
    "AWS/SQS",
    "ApproximateNumberOfMessagesVisible",
    "Maximum",
    0,
    "An event could not be handled: look at it.",
)
OLDEST_EVENT = ("AWS/SQS", "ApproximateAgeOfOldestMessage", "Maximum", 900, "Events wait for 15 minutes and more.")
ERRORS = ("AWS/Lambda", "Errors", "Sum", 0, "The function ended without an answer of its own.")
THROTTLES = ("AWS/Lambda", "Throttles", "Sum", 0, "The account has no execution left for the function.")
GATEWAY_5XX = ("AWS/ApiGateway", "5XXError", "Sum", 0, "Facebook was answered 5xx: it asks again, for an hour.")

# What the bot itself counts: lines of its log with "level": "ERROR" and this "kind".
COUNTED_KINDS = {
    "credentials": "Facebook refuses the page access token: events wait until it is replaced.",
    "slow_down": "Facebook asks the bot to send less: sending pauses.",
}


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """What `Alarms` needs: the names of what is watched.

    Attributes:
        queue_name, dead_letter_queue_name: The queues.
        function_name: The function.
        api_name, stage_name: The REST API's stage.
        log_group_name: The function's log.
        email: Who is told; must confirm once, by the link that AWS sends. Empty: nobody by e-mail.
        tags: Tags of topic and alarms.
    """

    queue_name: pulumi.Input[str]
    dead_letter_queue_name: pulumi.Input[str]
    function_name: pulumi.Input[str]
    api_name: pulumi.Input[str]
    stage_name: pulumi.Input[str]
    log_group_name: pulumi.Input[str]
    email: str
    tags: Mapping[str, str]


class Alarms(pulumi.ComponentResource):
    """A topic, and alarms over five-minute periods that notify it when they start and when they end.

    Attributes:
        topic_arn: The topic, for further subscribers.
    """

    topic_arn: pulumi.Output[str]

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:Alarms", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # Under no key of KMS: the account's own one for SNS does not let CloudWatch publish, and no alarm is a secret.
        topic = sns.Topic(f"{name}-topic", tags=args.tags, opts=child)
        if args.email:
            sns.TopicSubscription(f"{name}-email", topic=topic.arn, protocol="email", endpoint=args.email, opts=child)

        def alarm(
            title: str, watched: tuple[str, str, str, int, str], dimensions: Mapping[str, pulumi.Input[str]]
        ) -> None:
            namespace, metric, statistic, threshold, description = watched
            cloudwatch.MetricAlarm(
                f"{name}-{title}",
                alarm_description=description,
                namespace=namespace,
                metric_name=metric,
                dimensions=dimensions or None,
                statistic=statistic,
                period=300,
                evaluation_periods=1,
                comparison_operator="GreaterThanThreshold",
                threshold=threshold,
                treat_missing_data="notBreaching",
                alarm_actions=[topic.arn],
                ok_actions=[topic.arn],
                tags=args.tags,
                opts=child,
            )

        alarm("dead-letters", DEAD_LETTERS, {"QueueName": args.dead_letter_queue_name})
        alarm("oldest-event", OLDEST_EVENT, {"QueueName": args.queue_name})
        alarm("errors", ERRORS, {"FunctionName": args.function_name})
        alarm("throttles", THROTTLES, {"FunctionName": args.function_name})
        alarm("gateway-5xx", GATEWAY_5XX, {"ApiName": args.api_name, "Stage": args.stage_name})
        for kind, description in COUNTED_KINDS.items():
            title = kind.replace("_", "-")
            cloudwatch.LogMetricFilter(
                f"{name}-{title}-filter",
                log_group_name=args.log_group_name,
                pattern=f'{{ $.level = "ERROR" && $.kind = "{kind}" }}',
                metric_transformation={"namespace": name, "name": kind, "value": "1", "unit": "Count"},
                opts=child,
            )
            alarm(title, (name, kind, "Sum", 0, description), {})
        self.topic_arn = topic.arn
        self.register_outputs({"topicArn": self.topic_arn})
