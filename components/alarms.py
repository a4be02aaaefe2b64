"""Alarms that notify the team when the bot is in trouble: one topic, and one alarm per kind of trouble."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, sns

PERIOD_SECONDS = 300
PERIODS_PER_HOUR = 12
WAITING_SECONDS = 900
WAITING_MESSAGES = 50_000
"""Of visible and of invisible messages each. SQS delivers only from the first 120,000 of a FIFO queue, both together
(Amazon SQS Developer Guide, "Amazon SQS FIFO queue quotas" and "in flight", read 2026-11)."""
MOST_REQUESTS = 0.5


@dataclass(frozen=True, kw_only=True)
class AlarmsArgs:
    """What `Alarms` needs: the names of what it watches.

    Attributes:
        queue_name, dead_letter_queue_name: The queues.
        function_name: The function.
        api_name, stage_name: The REST API's stage.
        log_group_name: The function's log group. Its lines are JSON with `level` and `kind`.
        log_kinds: The kinds of log lines to watch at level `ERROR`, each with its alarm's description.
        waiting_kind: The kind of log line whose `age` says, at least once an hour, for how many seconds an event has
            waited.
        email: The address that is notified; AWS asks it once to confirm. Empty: no e-mail.
    """

    queue_name: pulumi.Input[str]
    dead_letter_queue_name: pulumi.Input[str]
    function_name: pulumi.Input[str]
    api_name: pulumi.Input[str]
    stage_name: pulumi.Input[str]
    log_group_name: pulumi.Input[str]
    log_kinds: Mapping[str, str]
    waiting_kind: str
    email: str


class Alarms(pulumi.ComponentResource):
    """A topic, and alarms over five-minute periods that notify it when trouble starts and when it ends.

    Attributes:
        namespace: Of what the alarms read in the log: a metric for each kind of line.
    """

    namespace: str

    def __init__(self, name: str, args: AlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:Alarms", name, None, opts)
        self.namespace = name
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
            threshold: float = 0,
            times_in_an_hour: int | None = None,
        ) -> None:
            namespace, metric_name = metric
            cloudwatch.MetricAlarm(
                f"{name}-{title}",
                alarm_description=description,
                namespace=namespace,
                metric_name=metric_name,
                dimensions=dimensions,
                statistic=statistic,
                period=PERIOD_SECONDS,
                evaluation_periods=PERIODS_PER_HOUR if times_in_an_hour else 1,
                datapoints_to_alarm=times_in_an_hour,
                comparison_operator="GreaterThanThreshold",
                threshold=threshold,
                treat_missing_data="notBreaching",
                alarm_actions=[topic.arn],
                ok_actions=[topic.arn],
                opts=child,
            )

        def log_filter(kind: str, pattern: str, *, value: str, unit: str) -> None:
            cloudwatch.LogMetricFilter(
                f"{name}-{kind.replace('_', '-')}-filter",
                log_group_name=args.log_group_name,
                pattern=pattern,
                metric_transformation={"namespace": self.namespace, "name": kind, "value": value, "unit": unit},
                opts=child,
            )

        alarm(
            "dead-letters",
            "An event could not be handled: look at it.",
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
            dimensions={"QueueName": args.dead_letter_queue_name},
            statistic="Maximum",
        )
        # SQS leaves out of this metric what was received several times ("Available CloudWatch metrics for Amazon SQS",
        # read 2026-11), so it shows only events that the function is not called for. Its log shows the others.
        alarm(
            "oldest-event",
            "Events have been waiting for 15 minutes or more, and the function is not called for them.",
            ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
            dimensions={"QueueName": args.queue_name},
            statistic="Maximum",
            threshold=WAITING_SECONDS,
        )
        log_filter(args.waiting_kind, f'{{ $.kind = "{args.waiting_kind}" }}', value="$.age", unit="Seconds")
        alarm(
            args.waiting_kind.replace("_", "-"),
            "Events have been waiting for 15 minutes or more, although the function tries again and again.",
            (self.namespace, args.waiting_kind),
            statistic="Maximum",
            threshold=WAITING_SECONDS,
            # Between two tries, an event waits for 36 minutes at most: an hour has at least one report of each.
            times_in_an_hour=1,
        )
        for title, metric in (
            ("waiting-events", "ApproximateNumberOfMessagesVisible"),
            ("retried-events", "ApproximateNumberOfMessagesNotVisible"),
        ):
            alarm(
                title,
                f"More than {WAITING_MESSAGES:,} messages wait: from 120,000 on, everybody waits for those in front.",
                ("AWS/SQS", metric),
                dimensions={"QueueName": args.queue_name},
                statistic="Maximum",
                threshold=WAITING_MESSAGES,
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
        # The average is the share of requests (API Gateway Developer Guide, "metrics and dimensions", read 2026-11). A
        # stranger's single request is no reason to wake anybody; Facebook tries again.
        alarm(
            "gateway-4xx",
            "Most requests get a 4xx answer. If Facebook's do, it gives up after an hour and unsubscribes the app.",
            ("AWS/ApiGateway", "4XXError"),
            dimensions={"ApiName": args.api_name, "Stage": args.stage_name},
            statistic="Average",
            threshold=MOST_REQUESTS,
            times_in_an_hour=2,
        )
        for kind, description in args.log_kinds.items():
            log_filter(kind, f'{{ $.level = "ERROR" && $.kind = "{kind}" }}', value="1", unit="Count")
            alarm(kind.replace("_", "-"), description, (self.namespace, kind))
        self.register_outputs({})
