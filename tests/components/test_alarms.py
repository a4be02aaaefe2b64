"""Each kind of trouble has an alarm that watches the right metric and notifies the team."""

from components.alarms import Alarms, AlarmsArgs
from tests.harness import Graph, run_program

TOPIC = "arn:aws:sns:eu-central-1:111122223333:bot-alarms-topic-1a2b3c4"


def make(email: str = "", silence_hours: int = 0) -> Graph:
    return run_program(
        lambda: Alarms(
            "bot-alarms",
            AlarmsArgs(
                queue_name="queue.fifo",
                dead_letter_queue_name="dead.fifo",
                function_name="bot",
                api_name="api",
                stage_name="live",
                log_group_name="logs",
                email=email,
                log_kinds={"credentials": "The token is refused.", "slow_down": "Sending pauses."},
                waiting_kind="handed_back",
                finding_kinds={"unsubscribed": "Facebook sends nothing."},
                counted_kinds=["check_failed"],
                checked_kind="checked",
                accepted_kind="accepted",
                no_answer_kinds=["credentials", "unsubscribed"],
                silence_hours=silence_hours,
                timeout_seconds=60,
            ),
        )
    )


def test_every_kind_of_trouble_is_watched() -> None:
    watched = {
        (
            each.inputs["namespace"],
            each.inputs["metricName"],
            tuple(sorted(each.inputs.get("dimensions", {}).items())),
            each.inputs.get("statistic") or each.inputs["extendedStatistic"],
            each.inputs["threshold"],
            (each.inputs.get("datapointsToAlarm", 1), each.inputs["evaluationPeriods"]),
        )
        for each in make(silence_hours=6).of("aws:cloudwatch/metricAlarm:MetricAlarm")
        if "metricQueries" not in each.inputs
    }

    assert watched == {
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", (("QueueName", "dead.fifo"),), "Maximum", 0, (1, 1)),
        ("AWS/SQS", "ApproximateAgeOfOldestMessage", (("QueueName", "queue.fifo"),), "Maximum", 900, (1, 1)),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible", (("QueueName", "queue.fifo"),), "Maximum", 50_000, (1, 1)),
        ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", (("QueueName", "queue.fifo"),), "Maximum", 50_000, (1, 1)),
        ("AWS/Lambda", "Errors", (("FunctionName", "bot"),), "Sum", 0, (1, 1)),
        ("AWS/Lambda", "Throttles", (("FunctionName", "bot"),), "Sum", 0, (1, 1)),
        ("AWS/ApiGateway", "5XXError", (("ApiName", "api"), ("Stage", "live")), "Sum", 0, (1, 1)),
        ("AWS/ApiGateway", "4XXError", (("ApiName", "api"), ("Stage", "live")), "Average", 0.5, (2, 12)),
        ("bot-alarms", "credentials", (), "Sum", 0, (1, 1)),
        ("bot-alarms", "slow_down", (), "Sum", 0, (1, 1)),
        ("AWS/Lambda", "Duration", (("FunctionName", "bot"),), "p99", 48_000, (3, 12)),
        ("bot-alarms", "handed_back", (), "Maximum", 900, (1, 12)),
        ("bot-alarms", "unsubscribed", (), "Sum", 0, (1, 15)),
        ("bot-alarms", "checked", (), "Sum", 1, (3, 3)),
        ("bot-alarms", "accepted", (), "Sum", 1, (6, 6)),
    }


def test_the_accounts_concurrency_is_watched_as_a_share_of_its_quota() -> None:
    used, percent = make().one("aws:cloudwatch/metricAlarm:MetricAlarm", "-concurrency").inputs["metricQueries"]

    assert percent["expression"] == "used / SERVICE_QUOTA(used) * 100"
    assert used["metric"]["namespace"] == "AWS/Usage"


def test_an_alarm_notifies_the_topic_when_it_starts_and_ends_and_only_silence_is_missing_data() -> None:
    for each in make(silence_hours=6).of("aws:cloudwatch/metricAlarm:MetricAlarm"):
        silence = each.name in {"bot-alarms-silence", "bot-alarms-unchecked"}
        assert each.inputs["alarmActions"] == each.inputs["okActions"] == [TOPIC]
        assert each.inputs["comparisonOperator"] == ("LessThanThreshold" if silence else "GreaterThanThreshold")
        assert each.inputs["treatMissingData"] == ("breaching" if silence else "notBreaching")
        assert each.inputs["alarmDescription"]


def test_one_alarm_says_that_people_get_no_answers() -> None:
    alarm = make().one("aws:cloudwatch/compositeAlarm:CompositeAlarm")

    named = {f"bot-alarms-{each}-1a2b3c4" for each in ("oldest-event", "handed-back", "credentials", "unsubscribed")}
    assert {*alarm.inputs["alarmRule"].split(" OR ")} == {f'ALARM("{each}")' for each in named}
    assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == [TOPIC]


def test_a_page_with_little_traffic_has_no_alarm_for_silence() -> None:
    names = {each.name for each in make().of("aws:cloudwatch/metricAlarm:MetricAlarm")}

    assert "bot-alarms-unchecked" in names
    assert "bot-alarms-silence" not in names


def test_the_given_kinds_of_errors_are_counted_in_the_log_and_the_age_of_waiting_events_is_read_there() -> None:
    filters = make().of("aws:cloudwatch/logMetricFilter:LogMetricFilter")

    assert {each.inputs["pattern"]: each.inputs["metricTransformation"] for each in filters} == {
        pattern: {"namespace": "bot-alarms", "name": kind, "value": value, "unit": unit}
        for pattern, kind, value, unit in (
            ('{ $.level = "ERROR" && $.kind = "credentials" }', "credentials", "1", "Count"),
            ('{ $.level = "ERROR" && $.kind = "slow_down" }', "slow_down", "1", "Count"),
            ('{ $.kind = "handed_back" }', "handed_back", "$.age", "Seconds"),
            ('{ $.level = "ERROR" && $.kind = "unsubscribed" }', "unsubscribed", "1", "Count"),
            ('{ $.level = "WARN" && $.kind = "check_failed" }', "check_failed", "1", "Count"),
            ('{ $.level = "INFO" && $.kind = "checked" }', "checked", "1", "Count"),
        )
    }
    assert {each.inputs["logGroupName"] for each in filters} == {"logs"}


def test_only_a_named_address_gets_an_e_mail() -> None:
    assert not make().of("aws:sns/topicSubscription:TopicSubscription")

    subscription = make("team@example.org").one("aws:sns/topicSubscription:TopicSubscription")
    assert (subscription.inputs["protocol"], subscription.inputs["endpoint"]) == ("email", "team@example.org")
