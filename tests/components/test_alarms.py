"""Each kind of trouble has an alarm that watches the right metric and notifies the team."""

from components.alarms import Alarms, AlarmsArgs
from tests.harness import Graph, run_program


def make(email: str = "") -> Graph:
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
            ),
        )
    )


def test_every_kind_of_trouble_is_watched() -> None:
    watched = {
        (
            each.inputs["namespace"],
            each.inputs["metricName"],
            tuple(sorted(each.inputs.get("dimensions", {}).items())),
            each.inputs["statistic"],
            each.inputs["threshold"],
            (each.inputs.get("datapointsToAlarm", 1), each.inputs["evaluationPeriods"]),
        )
        for each in make().of("aws:cloudwatch/metricAlarm:MetricAlarm")
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
        ("bot-alarms", "handed_back", (), "Maximum", 900, (1, 12)),
    }


def test_an_alarm_notifies_the_topic_when_it_starts_and_ends_and_missing_data_is_no_alarm() -> None:
    topic = "arn:aws:sns:eu-central-1:111122223333:bot-alarms-topic-1a2b3c4"

    for each in make().of("aws:cloudwatch/metricAlarm:MetricAlarm"):
        assert each.inputs["alarmActions"] == each.inputs["okActions"] == [topic]
        assert each.inputs["comparisonOperator"] == "GreaterThanThreshold"
        assert each.inputs["treatMissingData"] == "notBreaching"
        assert each.inputs["alarmDescription"]


def test_the_given_kinds_of_errors_are_counted_in_the_log_and_the_age_of_waiting_events_is_read_there() -> None:
    filters = make().of("aws:cloudwatch/logMetricFilter:LogMetricFilter")

    assert {each.inputs["pattern"]: each.inputs["metricTransformation"] for each in filters} == {
        pattern: {"namespace": "bot-alarms", "name": kind, "value": value, "unit": unit}
        for pattern, kind, value, unit in (
            ('{ $.level = "ERROR" && $.kind = "credentials" }', "credentials", "1", "Count"),
            ('{ $.level = "ERROR" && $.kind = "slow_down" }', "slow_down", "1", "Count"),
            ('{ $.kind = "handed_back" }', "handed_back", "$.age", "Seconds"),
        )
    }
    assert {each.inputs["logGroupName"] for each in filters} == {"logs"}


def test_only_a_named_address_gets_an_e_mail() -> None:
    assert not make().of("aws:sns/topicSubscription:TopicSubscription")

    subscription = make("team@example.org").one("aws:sns/topicSubscription:TopicSubscription")
    assert (subscription.inputs["protocol"], subscription.inputs["endpoint"]) == ("email", "team@example.org")
