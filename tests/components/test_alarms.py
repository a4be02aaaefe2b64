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


def test_an_alarm_notifies_the_topic_when_it_starts_and_ends_and_only_silence_is_missing_data() -> None:
    for each in make(silence_hours=6).of("aws:cloudwatch/metricAlarm:MetricAlarm"):
        silence = each.name in {"bot-alarms-silence", "bot-alarms-unchecked"}
        assert each.inputs["alarmActions"] == each.inputs["okActions"] == [TOPIC]
        assert each.inputs["comparisonOperator"] == ("LessThanThreshold" if silence else "GreaterThanThreshold")
        assert each.inputs["treatMissingData"] == ("breaching" if silence else "notBreaching")
        assert each.inputs["alarmDescription"]


def test_a_page_with_little_traffic_has_no_alarm_for_silence() -> None:
    names = {each.name for each in make().of("aws:cloudwatch/metricAlarm:MetricAlarm")}

    assert "bot-alarms-unchecked" in names
    assert "bot-alarms-silence" not in names


def test_only_a_named_address_gets_an_e_mail() -> None:
    assert not make().of("aws:sns/topicSubscription:TopicSubscription")

    subscription = make("team@example.org").one("aws:sns/topicSubscription:TopicSubscription")
    assert (subscription.inputs["protocol"], subscription.inputs["endpoint"]) == ("email", "team@example.org")
