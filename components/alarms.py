"""Alarms that notify the team when the bot is in trouble: one topic, and one alarm per kind of trouble."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, sns

OLDEST_EVENT_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """What `Alarms` needs: the names of what it watches.

    Attributes:
        queue_name, dead_letter_queue_name: The queues.
        function_name: The function.
        api_name, stage_name: The REST API's stage.
        log_group_name: The function's log group. Its lines are JSON with `level` and `kind`.
        log_kinds: The kinds of log lines to watch at level `ERROR`, each with its alarm's description.
        email: The address that is notified; AWS asks it once to confirm. Empty: no e-mail.
    """

    queue_name: pulumi.Input[str]
    dead_letter_queue_name: pulumi.Input[str]
    function_name: pulumi.Input[str]
    api_name: pulumi.Input[str]
    stage_name: pulumi.Input[str]
    log_group_name: pulumi.Input[str]
    log_kinds: Mapping[str, str]
    email: str


class Alarms(pulumi.ComponentResource):
    """A topic, and alarms over five-minute periods that notify it when trouble starts and when it ends."""

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:Alarms", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # Without a KMS key: the account's own key for SNS does not let CloudWatch publish, and no alarm is a secret.
        topic = sns.Topic(f"{name}-topic", opts=child)
        if args.email:
            sns.TopicSubscription(f"{name}-email", topic=topic.arn, protocol="email", endpoint=args.email, opts=child)

        def alarm(
            title: str,
            description: str,
            metric: tuple[str, str],
            *,
            dimensions: Mapping[str, pulumi.Input[str]] | None = None,
            statistic: str = "Sum",
            threshold: int = 0,
        ) -> None:
            namespace, metric_name = metric
            cloudwatch.MetricAlarm(
                f"{name}-{title}",
                alarm_description=description,
                namespace=namespace,
                metric_name=metric_name,
                dimensions=dimensions,
                statistic=statistic,
                period=300,
                evaluation_periods=1,
                comparison_operator="GreaterThanThreshold",
                threshold=threshold,
                treat_missing_data="notBreaching",
                alarm_actions=[topic.arn],
                ok_actions=[topic.arn],
                opts=child,
            )

        alarm(
            "dead-letters",
            "An event could not be handled: look at it.",
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
            dimensions={"QueueName": args.dead_letter_queue_name},
            statistic="Maximum",
        )
        alarm(
            "oldest-event",
            "Events have been waiting for 15 minutes or more.",
            ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
            dimensions={"QueueName": args.queue_name},
            statistic="Maximum",
            threshold=OLDEST_EVENT_SECONDS,
        )
        alarm(
            "errors",
            "The function ended without an answer of its own.",
            ("AWS/Lambda", "Errors"),
            dimensions={"FunctionName": args.function_name},
        )
        alarm(
            "throttles",
            "The account has no execution left for the function.",
            ("AWS/Lambda", "Throttles"),
            dimensions={"FunctionName": args.function_name},
        )
        alarm(
            "gateway-5xx",
            "Facebook got a 5xx answer: it sends the request again, for an hour.",
            ("AWS/ApiGateway", "5XXError"),
            dimensions={"ApiName": args.api_name, "Stage": args.stage_name},
        )
        for kind, description in args.log_kinds.items():
            title = kind.replace("_", "-")
            cloudwatch.LogMetricFilter(
                f"{name}-{title}-filter",
                log_group_name=args.log_group_name,
                pattern=f'{{ $.level = "ERROR" && $.kind = "{kind}" }}',
                metric_transformation={"namespace": name, "name": kind, "value": "1", "unit": "Count"},
                opts=child,
            )
            alarm(title, description, (name, kind))
        self.register_outputs({})
