"""The evaluator follows AWS's rules: its own tables of missing data, patterns and statistics."""

import pytest

from tests.evaluator import CloudWatch, matches, statistic_of

PERIOD = 60
# CloudWatch User Guide, "Configuring how CloudWatch alarms treat missing data", read 2026-11. X is a breaching period,
# 0 is one that is not, - is one without data; the newest is the last. With 3 of 3, and with 2 of 3 periods.
TABLE = (
    ("0 - X - X", 3, False, False),
    ("- - - - 0", 3, False, False),
    ("- - - - -", 3, True, False),
    ("0 X X - X", 3, True, True),
    ("- - X - -", 3, True, False),
    ("0 - X - X", 2, True, True),
    ("0 0 X 0 X", 2, True, True),
    ("0 - X - -", 2, True, False),
    ("- - - - 0", 2, True, False),
    ("- - - X -", 2, True, False),
)


@pytest.mark.parametrize(("periods", "least", "if_breaching", "if_not_breaching"), TABLE)
def test_missing_data_is_treated_as_in_awss_own_tables(
    periods: str, least: int, if_breaching: bool, if_not_breaching: bool
) -> None:
    for treatment, expected in (("breaching", if_breaching), ("notBreaching", if_not_breaching)):
        alarm = {
            "namespace": "n", "metricName": "m", "period": PERIOD, "statistic": "Sum", "evaluationPeriods": 3,
            "datapointsToAlarm": least, "comparisonOperator": "GreaterThanThreshold", "threshold": 5,
            "treatMissingData": treatment,
        }  # fmt: skip
        cloudwatch = CloudWatch([{"type": "aws:cloudwatch/metricAlarm:MetricAlarm", "id": "a", "inputs": alarm}])
        for number, period in enumerate(periods.split()):
            if period != "-":
                cloudwatch.measure("n", "m", {}, number * PERIOD, 10 if period == "X" else 0)

        assert cloudwatch.on(5 * PERIOD) == ({"a"} if expected else set()), treatment


def test_a_pattern_takes_lines_in_which_all_its_terms_are_equal() -> None:
    pattern = '{ $.level = "ERROR" && $.kind = "refused" }'

    assert matches(pattern, {"level": "ERROR", "kind": "refused", "code": 1})
    assert not matches(pattern, {"level": "WARN", "kind": "refused"})
    assert not matches(pattern, {"kind": "refused"})


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(each) for each in range(1, 201)]

    assert statistic_of("p99", values) == 198
    assert statistic_of("p99", [7.0]) == 7
    assert [statistic_of(each, [1.0, 3.0]) for each in ("Sum", "Maximum", "Average")] == [4, 3, 2]
