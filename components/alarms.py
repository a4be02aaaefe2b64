"""Alarms that notify the team when the bot is in trouble: one topic, and one alarm per kind of trouble."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import cloudwatch, sns

PERIOD_SECONDS = 300
PERIODS_PER_HOUR = 12
# A finding is reported every hour, give or take a minute: within this time at least once.
FINDING_PERIODS = PERIODS_PER_HOUR + 3
HOUR_SECONDS = 3600
HOURS_WITHOUT_CHECK = 3
# CloudWatch API Reference, "PutMetricAlarm", read 2026-11: periods of an hour look back over seven days at most.
SILENCE_HOURS = range(24 + 1)
MOST_OF_TIMEOUT = 0.8
MOST_PERCENT_OF_QUOTA = 80
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
        finding_kinds: The kinds of what the hourly check finds, each with its alarm's description.
        counted_kinds: The kinds of findings that are only counted.
        checked_kind: The kind of log line at the end of each check.
        accepted_kind: The kind of log line whose `events` says how many events came.
        no_answer_kinds: Those of all these kinds that each mean that nobody is answered.
        silence_hours: After how many hours without an event an alarm goes off; 0 for never.
        timeout_seconds: The longest that one invocation of the function may take.
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
    finding_kinds: Mapping[str, str]
    counted_kinds: Sequence[str]
    checked_kind: str
    accepted_kind: str
    no_answer_kinds: Sequence[str]
    silence_hours: int
    timeout_seconds: int
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
        self._log_group, self._child = args.log_group_name, pulumi.ResourceOptions(parent=self)
        # Without a KMS key: the account's own key for SNS does not let CloudWatch publish, and no alarm is a secret.
        topic = sns.Topic(f"{name}-topic", opts=self._child)
        if args.email:
            sns.TopicSubscription(
                f"{name}-email", topic=topic.arn, protocol="email", endpoint=args.email, opts=self._child
            )
        self._topics = [topic.arn]
        self._names: dict[str, pulumi.Output[str]] = {}
        self._watch_queues(args)
        self._watch_function(args)
        self._watch_api(args)
        self._watch_log(args)
        self._watch_silence(args)
        no_answers = ["oldest-event", title_of(args.waiting_kind), *map(title_of, args.no_answer_kinds)]
        cloudwatch.CompositeAlarm(
            f"{name}-no-answers",
            alarm_name=f"{name}-no-answers",
            alarm_description="People get no answers. The alarms that are on beside this one say why.",
            alarm_rule=pulumi.Output.all(*[self._names[each] for each in no_answers]).apply(any_of),
            alarm_actions=self._topics,
            ok_actions=self._topics,
            opts=self._child,
        )
        self.register_outputs({})

    def _alarm(
        self,
        title: str,
        description: str,
        metric: tuple[str, str],
        *,
        dimensions: Mapping[str, pulumi.Input[str]] | None = None,
        statistic: str = "Sum",
        threshold: float = 0,
        times: tuple[int, int] = (1, 1),
    ) -> None:
        """Watch for a metric that is above the threshold in so many of so many periods."""
        namespace, metric_name = metric
        percentile = statistic.startswith("p")
        self._metric_alarm(
            title,
            description,
            namespace=namespace,
            metric_name=metric_name,
            dimensions=dimensions,
            statistic=None if percentile else statistic,
            extended_statistic=statistic if percentile else None,
            period=PERIOD_SECONDS,
            evaluation_periods=times[1],
            datapoints_to_alarm=times[0],
            comparison_operator="GreaterThanThreshold",
            threshold=threshold,
            treat_missing_data="notBreaching",
        )

    def _metric_alarm(self, title: str, description: str, **settings: Any) -> None:
        self._names[title] = cloudwatch.MetricAlarm(
            f"{self._name}-{title}",
            alarm_description=description,
            alarm_actions=self._topics,
            ok_actions=self._topics,
            opts=self._child,
            **settings,
        ).name

    def _silence(self, title: str, description: str, kind: str, hours: int) -> None:
        """Watch for a kind of log line that has not come for so many hours: missing data is what this looks for."""
        self._metric_alarm(
            title,
            description,
            namespace=self._name,
            metric_name=kind,
            statistic="Sum",
            period=HOUR_SECONDS,
            evaluation_periods=hours,
            datapoints_to_alarm=hours,
            comparison_operator="LessThanThreshold",
            threshold=1,
            treat_missing_data="breaching",
        )

    def _log_filter(self, kind: str, pattern: str, *, value: str, unit: str) -> None:
        cloudwatch.LogMetricFilter(
            f"{self._name}-{title_of(kind)}-filter",
            log_group_name=self._log_group,
            pattern=pattern,
            metric_transformation={"namespace": self._name, "name": kind, "value": value, "unit": unit},
            opts=self._child,
        )

    def _count(self, kind: str, level: str) -> None:
        self._log_filter(kind, f'{{ $.level = "{level}" && $.kind = "{kind}" }}', value="1", unit="Count")

    def _watch_queues(self, args: AlarmsArgs) -> None:
        self._alarm(
            "dead-letters",
            "An event could not be handled: look at it with `python -m ops deadletters list`.",
            ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
            dimensions={"QueueName": args.dead_letter_queue_name},
            statistic="Maximum",
        )
        # SQS leaves out of this metric what was received several times ("Available CloudWatch metrics for Amazon SQS",
        # read 2026-11), so it shows only events that the function is not called for. Its log shows the others.
        self._alarm(
            "oldest-event",
            "Events have been waiting for 15 minutes or more, and the function is not called for them: is its trigger "
            "on, and does the account have executions left?",
            ("AWS/SQS", "ApproximateAgeOfOldestMessage"),
            dimensions={"QueueName": args.queue_name},
            statistic="Maximum",
            threshold=WAITING_SECONDS,
        )
        self._log_filter(args.waiting_kind, f'{{ $.kind = "{args.waiting_kind}" }}', value="$.age", unit="Seconds")
        self._alarm(
            title_of(args.waiting_kind),
            "Events have been waiting for 15 minutes or more, although the function tries again and again: its log "
            "says why.",
            (self._name, args.waiting_kind),
            statistic="Maximum",
            threshold=WAITING_SECONDS,
            # Between two tries, an event waits for 36 minutes at most: an hour has at least one report of each.
            times=(1, PERIODS_PER_HOUR),
        )
        for title, metric in (
            ("waiting-events", "ApproximateNumberOfMessagesVisible"),
            ("retried-events", "ApproximateNumberOfMessagesNotVisible"),
        ):
            self._alarm(
                title,
                f"More than {WAITING_MESSAGES:,} messages wait: from 120,000 on, everybody waits for those in front.",
                ("AWS/SQS", metric),
                dimensions={"QueueName": args.queue_name},
                statistic="Maximum",
                threshold=WAITING_MESSAGES,
            )

    def _watch_function(self, args: AlarmsArgs) -> None:
        self._alarm(
            "errors",
            "The function ended without an answer of its own: its log says where.",
            ("AWS/Lambda", "Errors"),
            dimensions={"FunctionName": args.function_name},
        )
        self._alarm(
            "throttles",
            "The account has no execution left for the function: ask AWS for a higher quota of concurrent executions.",
            ("AWS/Lambda", "Throttles"),
            dimensions={"FunctionName": args.function_name},
        )
        # A batch that waits for a slow Facebook may end late once; hours of it leave people waiting.
        self._alarm(
            "duration",
            "One in a hundred runs takes more than 80 % of the time-out: set `timeoutSeconds` higher, or find in the "
            "log what is slow.",
            ("AWS/Lambda", "Duration"),
            dimensions={"FunctionName": args.function_name},
            statistic="p99",
            threshold=args.timeout_seconds * 1000 * MOST_OF_TIMEOUT,
            times=(3, PERIODS_PER_HOUR),
        )
        # CloudWatch User Guide, "AWS usage metrics" and "Service quotas integration and usage metrics", read 2026-11.
        self._metric_alarm(
            "concurrency",
            f"The account uses more than {MOST_PERCENT_OF_QUOTA} % of its concurrent executions: ask "
            "AWS for a higher quota, or set `concurrency` lower.",
            metric_queries=[
                {
                    "id": "used",
                    "metric": {
                        "namespace": "AWS/Usage",
                        "metric_name": "ResourceCount",
                        "dimensions": {
                            "Service": "Lambda",
                            "Type": "Resource",
                            "Resource": "ConcurrentExecutions",
                            "Class": "None",
                        },
                        "period": PERIOD_SECONDS,
                        "stat": "Maximum",
                    },
                },
                {
                    "id": "percent",
                    "expression": "used / SERVICE_QUOTA(used) * 100",
                    "label": "Concurrent executions in use",
                    "return_data": True,
                },
            ],
            evaluation_periods=1,
            comparison_operator="GreaterThanThreshold",
            threshold=MOST_PERCENT_OF_QUOTA,
            treat_missing_data="notBreaching",
        )

    def _watch_api(self, args: AlarmsArgs) -> None:
        self._alarm(
            "gateway-5xx",
            "Facebook got a 5xx answer: it sends the request again, for an hour. The function's log says why.",
            ("AWS/ApiGateway", "5XXError"),
            dimensions={"ApiName": args.api_name, "Stage": args.stage_name},
        )
        # The average is the share of requests (API Gateway Developer Guide, "metrics and dimensions", read 2026-11). A
        # stranger's single request is no reason to wake anybody; Facebook tries again.
        self._alarm(
            "gateway-4xx",
            "Most requests get a 4xx answer. If Facebook's do, it gives up after an hour and unsubscribes the app: run "
            "`python -m ops check`.",
            ("AWS/ApiGateway", "4XXError"),
            dimensions={"ApiName": args.api_name, "Stage": args.stage_name},
            statistic="Average",
            threshold=MOST_REQUESTS,
            times=(2, PERIODS_PER_HOUR),
        )

    def _watch_log(self, args: AlarmsArgs) -> None:
        for kind, description in args.log_kinds.items():
            self._count(kind, "ERROR")
            self._alarm(title_of(kind), description, (self._name, kind))
        for kind, description in args.finding_kinds.items():
            self._count(kind, "ERROR")
            self._alarm(title_of(kind), description, (self._name, kind), times=(1, FINDING_PERIODS))
        for kind in args.counted_kinds:
            self._count(kind, "WARN")

    def _watch_silence(self, args: AlarmsArgs) -> None:
        self._count(args.checked_kind, "INFO")
        self._silence(
            "unchecked",
            "The hourly check has not ended for three hours: look at the schedule in EventBridge Scheduler, and at the "
            "function's log.",
            args.checked_kind,
            HOURS_WITHOUT_CHECK,
        )
        if args.silence_hours:
            self._log_filter(
                args.accepted_kind, f'{{ $.kind = "{args.accepted_kind}" }}', value="$.events", unit="Count"
            )
            self._silence(
                "silence",
                f"Nobody has written for {args.silence_hours} hours: run `python -m ops check`.",
                args.accepted_kind,
                args.silence_hours,
            )


def title_of(kind: str) -> str:
    """The name of the alarm for a kind of log line."""
    return kind.replace("_", "-")


def any_of(names: Sequence[str]) -> str:
    """The rule of a composite alarm that goes off while any of these alarms is on.

    Args:
        names: The alarms' names.
    """
    return " OR ".join(f'ALARM("{each}")' for each in names)
