"""CloudWatch Logs; the provider counts it as part of CloudWatch."""

from collections.abc import Mapping

from sandbox.provider.account import Account
from sandbox.provider.resource import Change, Existing, Inputs, ResourceType, chosen


class LogGroup(ResourceType):
    """A log group."""

    type_name = "aws:cloudwatch/logGroup:LogGroup"

    def _create(self, account: Account, inputs: Inputs) -> str:
        logs, name = account.client("logs"), inputs["name"]
        logs.create_log_group(logGroupName=name, tags=inputs.get("tags") or {}, **chosen(inputs, ["logGroupClass"]))
        if days := inputs.get("retentionInDays"):
            logs.put_retention_policy(logGroupName=name, retentionInDays=days)
        return str(name)

    def _read(self, account: Account, known: Existing) -> Existing | None:
        arn = account.arn("logs", f"log-group:{known.id}")
        groups = account.client("logs").describe_log_groups(logGroupNamePrefix=known.id)["logGroups"]
        group = next((each for each in groups if each["logGroupName"] == known.id), None)
        if group is None:
            return None
        tags = account.client("logs").list_tags_for_resource(resourceArn=arn)["tags"]
        inputs = {"name": known.id, "retentionInDays": group.get("retentionInDays"), "tags": tags}
        return Existing(known.id, inputs, {"arn": arn})

    def _update(self, account: Account, change: Change) -> None:
        if days := change.inputs.get("retentionInDays"):
            account.client("logs").put_retention_policy(logGroupName=change.old.id, retentionInDays=days)
        else:
            account.client("logs").delete_retention_policy(logGroupName=change.old.id)

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("logs").delete_log_group(logGroupName=old.id)

    def _tag(self, account: Account, old: Existing, tags: Mapping[str, str]) -> None:
        account.client("logs").tag_resource(resourceArn=old.outputs["arn"], tags=tags)

    def _untag(self, account: Account, old: Existing, keys: list[str]) -> None:
        account.client("logs").untag_resource(resourceArn=old.outputs["arn"], tagKeys=keys)


TRANSFORMATION = {
    "name": "metricName", "namespace": "metricNamespace", "value": "metricValue", "unit": "unit",
    "defaultValue": "defaultValue",
}  # fmt: skip
"""The provider's names of what a filter makes of a line, and AWS's."""


class LogMetricFilter(ResourceType):
    """A metric filter of a log group."""

    type_name = "aws:cloudwatch/logMetricFilter:LogMetricFilter"
    import_format = "logGroupName:name"

    def _create(self, account: Account, inputs: Inputs) -> str:
        transformation = {TRANSFORMATION[key]: value for key, value in inputs["metricTransformation"].items()}
        if "defaultValue" in transformation:
            transformation["defaultValue"] = float(transformation["defaultValue"])
        account.client("logs").put_metric_filter(
            logGroupName=inputs["logGroupName"],
            filterName=inputs["name"],
            filterPattern=inputs["pattern"].strip(),
            metricTransformations=[transformation],
        )
        return self._id(inputs)

    def _id(self, inputs: Inputs) -> str:
        return str(inputs["name"])

    def _read(self, account: Account, known: Existing) -> Existing | None:
        group = known.inputs["logGroupName"]
        found = account.client("logs").describe_metric_filters(logGroupName=group, filterNamePrefix=known.id)
        for each in found["metricFilters"]:
            if each["filterName"] == known.id:
                made_of = each["metricTransformations"][0]
                metric = {ours: made_of[aws] for ours, aws in TRANSFORMATION.items() if aws in made_of}
                if "defaultValue" in metric:
                    metric["defaultValue"] = f"{metric['defaultValue']:g}"
                inputs = {"logGroupName": group, "name": known.id, "pattern": each.get("filterPattern", "")}
                return Existing(known.id, {**inputs, "metricTransformation": metric})
        return None

    def _update(self, account: Account, change: Change) -> None:
        self._create(account, change.inputs)

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("logs").delete_metric_filter(logGroupName=old.inputs["logGroupName"], filterName=old.id)
