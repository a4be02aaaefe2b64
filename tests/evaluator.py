"""What CloudWatch makes of a stack's metric filters and alarms, which the emulated AWS does not evaluate.

The rules are AWS's: CloudWatch Logs User Guide, "Filter pattern syntax for metric filters"; CloudWatch User Guide,
"Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data", read 2026-11.
"""

import math
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Json = dict[str, Any]
Metric = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name and dimensions."""

TERM = re.compile(r'\$\.(\w+) = "([^"]*)"')
SHARE_OF_QUOTA = re.compile(r"(\w+) / SERVICE_QUOTA\(\1\) \* 100")
RULE = re.compile(r'ALARM\("([^"]+)"\)')
# For missing data, CloudWatch looks further back than the alarm's periods: two more, in AWS's own table.
MORE_PERIODS = 2
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
}


def matches(pattern: str, line: Mapping[str, Any]) -> bool:
    """Whether a line of JSON matches a filter's pattern: `{ $.a = "x" && $.b = "y" }`."""
    inside = re.fullmatch(r"\{ (.*) \}", pattern)
    assert inside, pattern
    terms = [TERM.fullmatch(each) for each in inside[1].split(" && ")]
    assert all(terms), pattern
    return all(line.get(term[1]) == term[2] for term in terms if term)


def statistic_of(name: str, values: list[float]) -> float:
    """A statistic, or a percentile such as `p99`, of what was measured in one period."""
    if name.startswith("p"):
        return sorted(values)[math.ceil(float(name[1:]) / 100 * len(values)) - 1]
    return {"Sum": sum(values), "Maximum": max(values), "Average": sum(values) / len(values)}[name]


class CloudWatch:
    """A stack's filters and alarms, and what was measured.

    Args:
        resources: the stack's, each with `type` and `inputs`.
        quota: of concurrent executions in the account.
    """

    def __init__(self, resources: Iterable[Mapping[str, Any]], quota: float = 1000) -> None:
        self._filters: list[Json] = []
        self._alarms: dict[str, Json] = {}
        self._rules: dict[str, str] = {}
        self._quota = quota
        self._measured: dict[Metric, list[tuple[float, float]]] = defaultdict(list)
        for each in resources:
            match each["type"].rpartition(":")[2]:
                case "LogMetricFilter":
                    self._filters.append(each["inputs"])
                case "MetricAlarm":
                    self._alarms[each["id"]] = each["inputs"]
                case "CompositeAlarm":
                    self._rules[each["id"]] = each["inputs"]["alarmRule"]

    @property
    def names(self) -> set[str]:
        """The names of all alarms."""
        return {*self._alarms, *self._rules}

    def measure(self, namespace: str, name: str, dimensions: Mapping[str, str], when: float, value: float) -> None:
        """Note a value of a metric at a time, in seconds."""
        self._measured[namespace, name, frozenset(dimensions.items())].append((when, value))

    def log(self, line: Mapping[str, Any], when: float) -> None:
        """Pass a line of the log through the metric filters."""
        for each in self._filters:
            if matches(each["pattern"], line):
                made = each["metricTransformation"]
                value = line.get(made["value"][2:]) if made["value"].startswith("$.") else float(made["value"])
                if isinstance(value, int | float):
                    self.measure(made["namespace"], made["name"], {}, when, value)

    def on(self, now: float) -> set[str]:
        """The names of the alarms that are in the state ALARM."""
        alone = {name for name, alarm in self._alarms.items() if self._is_on(alarm, now)}
        return alone | {name for name, rule in self._rules.items() if self._holds(rule, alone)}

    def _holds(self, rule: str, on: set[str]) -> bool:
        named = [RULE.fullmatch(each) for each in rule.split(" OR ")]
        assert all(named), rule
        names = {each[1] for each in named if each}
        assert names <= self._alarms.keys(), "a rule names an alarm that does not exist"
        return bool(names & on)

    def _is_on(self, alarm: Mapping[str, Any], now: float) -> bool:
        count = int(alarm["evaluationPeriods"])
        points = self._points(alarm, now, count + MORE_PERIODS)
        found = [each for each in points if each is not None][:count]
        # What is missing is filled in only where there is not enough real data in the whole range.
        breaching = COMPARISONS[alarm["comparisonOperator"]]
        beyond = sum(breaching(each, alarm["threshold"]) for each in found)
        if alarm["treatMissingData"] == "breaching":
            beyond += count - len(found)
        else:
            assert alarm["treatMissingData"] == "notBreaching"
        return beyond >= int(alarm.get("datapointsToAlarm") or count)

    def _points(self, alarm: Mapping[str, Any], now: float, periods: int) -> list[float | None]:
        """The latest periods' values, the newest first; None where there is no data."""
        if "metricQueries" in alarm:
            queries = {each["id"]: each for each in alarm["metricQueries"]}
            (expression,) = [each["expression"] for each in queries.values() if each.get("returnData")]
            share = SHARE_OF_QUOTA.fullmatch(expression)
            assert share, expression
            metric = queries[share[1]]["metric"]
            used = self._values(metric, metric["stat"], now, periods)
            return [None if each is None else each / self._quota * 100 for each in used]
        statistic = alarm.get("statistic") or alarm["extendedStatistic"]
        return self._values(alarm, statistic, now, periods)

    def _values(self, metric: Mapping[str, Any], statistic: str, now: float, periods: int) -> list[float | None]:
        period = metric["period"]
        key = (metric["namespace"], metric["metricName"], frozenset((metric.get("dimensions") or {}).items()))
        by_period: dict[int, list[float]] = defaultdict(list)
        for when, value in self._measured[key]:
            by_period[int(when // period)].append(value)
        newest = int(now // period) - 1
        measured = [by_period.get(each) for each in range(newest, newest - periods, -1)]
        return [statistic_of(statistic, each) if each else None for each in measured]
