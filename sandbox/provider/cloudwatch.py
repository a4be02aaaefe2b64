"""CloudWatch's alarms and dashboards."""

from collections.abc import Mapping
from typing import Any

from sandbox.provider.account import Account
from sandbox.provider.resource import (
    DEFAULTED,
    Change,
    Existing,
    Inputs,
    ResourceType,
    camel,
    pascal,
    tag_list,
    tag_map,
)

RENAMED = {"name": "AlarmName", "okActions": "OKActions", "metricQueries": "Metrics"}


def _query(query: Inputs) -> dict[str, Any]:
    """A part of metric math, as AWS takes it."""
    asked = {"Id": query["id"], "ReturnData": query.get("returnData", False)}
    if metric := query.get("metric"):
        named = {"Namespace": metric["namespace"], "MetricName": metric["metricName"]}
        named["Dimensions"] = [{"Name": name, "Value": each} for name, each in metric.get("dimensions", {}).items()]
        return asked | {"MetricStat": {"Metric": named, "Period": metric["period"], "Stat": metric["stat"]}}
    return asked | {"Expression": query["expression"], "Label": query.get("label", "")}


class Alarm(ResourceType):
    """What alarms of both kinds have in common."""

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("cloudwatch").delete_alarms(AlarmNames=[old.id])

    def _tag(self, account: Account, old: Existing, tags: Mapping[str, str]) -> None:
        account.client("cloudwatch").tag_resource(ResourceARN=old.outputs["arn"], Tags=tag_list(tags))

    def _untag(self, account: Account, old: Existing, keys: list[str]) -> None:
        account.client("cloudwatch").untag_resource(ResourceARN=old.outputs["arn"], TagKeys=keys)


class MetricAlarm(Alarm):
    """An alarm on a metric."""

    type_name = "aws:cloudwatch/metricAlarm:MetricAlarm"
    unreadable = frozenset({"metricQueries"})  # the emulator does not keep them

    def _create(self, account: Account, inputs: Inputs) -> str:
        account.client("cloudwatch").put_metric_alarm(**self._settings(inputs), Tags=tag_list(inputs.get("tags")))
        return str(inputs["name"])

    def _settings(self, inputs: Inputs) -> dict[str, Any]:
        settings: dict[str, Any] = {} if "metricQueries" in inputs else {"Threshold": 0}
        for key, value in inputs.items():
            if key == "dimensions":
                settings["Dimensions"] = [{"Name": name, "Value": each} for name, each in value.items()]
            elif key == "metricQueries":
                settings["Metrics"] = [_query(each) for each in value]
            elif key not in {"tags", DEFAULTED}:
                settings[RENAMED.get(key, key[:1].upper() + key[1:])] = pascal(value)
        return settings

    def _read(self, account: Account, known: Existing) -> Existing | None:
        cloudwatch = account.client("cloudwatch")
        alarms = cloudwatch.describe_alarms(AlarmNames=[known.id], AlarmTypes=["MetricAlarm"])["MetricAlarms"]
        if not alarms:
            return None
        arn = account.arn("cloudwatch", f"alarm:{known.id}")
        tags = cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
        alarm = alarms[0]
        inputs: dict[str, Any] = {}
        for key in self.facts.arguments:
            aws = RENAMED.get(key, key[:1].upper() + key[1:])
            if aws in alarm:
                inputs[key] = camel(alarm[aws])
        # The emulator adds them to an alarm that has a percentile, or metric math, instead.
        if known.inputs.keys() & {"extendedStatistic", "metricQueries"}:
            inputs.pop("statistic", None)
        if "metricQueries" in known.inputs:
            inputs.pop("period", None)
        inputs["dimensions"] = {each["Name"]: each["Value"] for each in alarm.get("Dimensions", [])}
        return Existing(known.id, {**inputs, "tags": tag_map(tags)}, {"arn": arn})

    def _update(self, account: Account, change: Change) -> None:
        account.client("cloudwatch").put_metric_alarm(**self._settings(change.inputs))


class Dashboard(ResourceType):
    """A dashboard."""

    type_name = "aws:cloudwatch/dashboard:Dashboard"

    def _create(self, account: Account, inputs: Inputs) -> str:
        name = str(inputs["dashboardName"])
        account.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=inputs["dashboardBody"])
        return name

    def _read(self, account: Account, known: Existing) -> Existing | None:
        found = account.client("cloudwatch").get_dashboard(DashboardName=known.id)
        inputs = {"dashboardName": known.id, "dashboardBody": found["DashboardBody"]}
        return Existing(known.id, inputs, {"dashboardArn": found["DashboardArn"]})

    def _update(self, account: Account, change: Change) -> None:
        self._create(account, change.inputs)

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("cloudwatch").delete_dashboards(DashboardNames=[old.id])


class CompositeAlarm(Alarm):
    """An alarm on other alarms."""

    type_name = "aws:cloudwatch/compositeAlarm:CompositeAlarm"
    import_format = "alarmName"

    def _create(self, account: Account, inputs: Inputs) -> str:
        account.client("cloudwatch").put_composite_alarm(**self._settings(inputs), Tags=tag_list(inputs.get("tags")))
        return self._id(inputs)

    def _id(self, inputs: Inputs) -> str:
        return str(inputs["alarmName"])

    def _settings(self, inputs: Inputs) -> dict[str, Any]:
        given = {key: value for key, value in inputs.items() if key not in {"tags", DEFAULTED}}
        return {RENAMED.get(key, key[:1].upper() + key[1:]): value for key, value in given.items()}

    def _read(self, account: Account, known: Existing) -> Existing | None:
        cloudwatch = account.client("cloudwatch")
        alarms = cloudwatch.describe_alarms(AlarmNames=[known.id], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
        if not alarms:
            return None
        arn = account.arn("cloudwatch", f"alarm:{known.id}")
        tags = tag_map(cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"])
        names = {key: RENAMED.get(key, key[:1].upper() + key[1:]) for key in self.facts.arguments}
        inputs = {key: alarms[0][aws] for key, aws in names.items() if aws in alarms[0]}
        return Existing(known.id, {**inputs, "tags": tags}, {"arn": arn})

    def _update(self, account: Account, change: Change) -> None:
        account.client("cloudwatch").put_composite_alarm(**self._settings(change.inputs))
