"""DynamoDB tables."""

from collections.abc import Mapping
from typing import Any

from sandbox.provider.account import Account, wait_until, wait_until_gone
from sandbox.provider.resource import Change, Existing, Inputs, Json, ResourceType, tag_list, tag_map


def _enabled(block: Mapping[str, Any] | None) -> bool:
    """Whether a block switches something on."""
    return bool((block or {}).get("enabled"))


SWITCHES = frozenset({"ttl", "pointInTimeRecovery", "serverSideEncryption"})
"""Blocks that switch something on: a disabled block and none are the same."""


class Table(ResourceType):
    """A table."""

    type_name = "aws:dynamodb/table:Table"

    def _value(self, key: str, value: Json) -> Json:
        return None if key in SWITCHES and not _enabled(value) else super()._value(key, value)

    def _create(self, account: Account, inputs: Inputs) -> str:
        name = inputs["name"]
        keys = {"HASH": inputs["hashKey"], "RANGE": inputs.get("rangeKey")}
        optional: dict[str, Any] = {}
        if inputs.get("deletionProtectionEnabled"):
            optional["DeletionProtectionEnabled"] = True
        if _enabled(inputs.get("serverSideEncryption")):
            optional["SSESpecification"] = {"Enabled": True}
        account.client("dynamodb").create_table(
            TableName=name,
            AttributeDefinitions=[
                {"AttributeName": each["name"], "AttributeType": each["type"]} for each in inputs["attributes"]
            ],
            KeySchema=[{"AttributeName": key, "KeyType": kind} for kind, key in keys.items() if key],
            BillingMode=inputs["billingMode"],
            TableClass=inputs["tableClass"],
            Tags=tag_list(inputs.get("tags")),
            **optional,
        )
        self._wait(account, name)
        if _enabled(inputs.get("ttl")):
            self._set_ttl(account, name, inputs["ttl"])
        if _enabled(inputs.get("pointInTimeRecovery")):
            self._set_recovery(account, name, enabled=True)
        return str(name)

    def _wait(self, account: Account, name: str) -> None:
        def active() -> bool:
            table = account.client("dynamodb").describe_table(TableName=name)["Table"]
            return bool(table["TableStatus"] == "ACTIVE")

        wait_until(active, f"The change of the table {name}")

    def _set_ttl(self, account: Account, name: str, ttl: Mapping[str, Any]) -> None:
        client, enabled = account.client("dynamodb"), _enabled(ttl)
        client.update_time_to_live(
            TableName=name,
            TimeToLiveSpecification={"Enabled": enabled, "AttributeName": ttl["attributeName"]},
        )
        wanted = "ENABLED" if enabled else "DISABLED"

        def done() -> bool:
            found = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
            return bool(found["TimeToLiveStatus"] == wanted)

        wait_until(done, f"The change of the TTL of {name}")

    def _set_recovery(self, account: Account, name: str, *, enabled: bool) -> None:
        client = account.client("dynamodb")
        client.update_continuous_backups(
            TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled}
        )
        wait_until(lambda: self._recovery(account, name) is enabled, f"The change of the backups of {name}")

    def _recovery(self, account: Account, name: str) -> bool:
        found = account.client("dynamodb").describe_continuous_backups(TableName=name)
        recovery = found["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
        return bool(recovery.get("PointInTimeRecoveryStatus") == "ENABLED")

    def _read(self, account: Account, known: Existing) -> Existing:
        client = account.client("dynamodb")
        table = client.describe_table(TableName=known.id)["Table"]
        keys = {each["KeyType"]: each["AttributeName"] for each in table["KeySchema"]}
        recovery = self._recovery(account, known.id)
        ttl = client.describe_time_to_live(TableName=known.id)["TimeToLiveDescription"]
        tags = client.list_tags_of_resource(ResourceArn=table["TableArn"]).get("Tags", [])
        inputs = {
            "name": table["TableName"],
            "hashKey": keys["HASH"],
            "rangeKey": keys.get("RANGE"),
            "attributes": [
                {"name": each["AttributeName"], "type": each["AttributeType"]} for each in table["AttributeDefinitions"]
            ],
            "billingMode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            "tableClass": table.get("TableClassSummary", {}).get("TableClass", "STANDARD"),
            "deletionProtectionEnabled": table.get("DeletionProtectionEnabled", False),
            "ttl": {"enabled": True, "attributeName": ttl["AttributeName"]}
            if ttl["TimeToLiveStatus"] == "ENABLED"
            else None,
            "pointInTimeRecovery": {"enabled": recovery},
            "serverSideEncryption": {"enabled": True} if table.get("SSEDescription") else None,
            "tags": tag_map(tags),
        }
        return Existing(known.id, inputs, {"arn": table["TableArn"]})

    def _update(self, account: Account, change: Change) -> None:
        updates: list[dict[str, Any]] = []  # a change.changed class is a call of its own, before the others
        if "tableClass" in change.changed:
            updates.append({"TableClass": change.inputs["tableClass"]})
        others: dict[str, Any] = {}
        if "billingMode" in change.changed:
            others["BillingMode"] = change.inputs["billingMode"]
        if "deletionProtectionEnabled" in change.changed:
            others["DeletionProtectionEnabled"] = change.inputs.get("deletionProtectionEnabled", False)
        if "serverSideEncryption" in change.changed:
            others["SSESpecification"] = {"Enabled": _enabled(change.inputs.get("serverSideEncryption"))}
        for update in [*updates, others]:
            if update:
                account.client("dynamodb").update_table(TableName=change.old.id, **update)
                self._wait(account, change.old.id)
        if "ttl" in change.changed and _enabled(change.old.inputs.get("ttl")) != _enabled(change.inputs.get("ttl")):
            attribute = (change.inputs.get("ttl") or change.old.inputs["ttl"])["attributeName"]
            enabled = _enabled(change.inputs.get("ttl"))
            self._set_ttl(account, change.old.id, {"enabled": enabled, "attributeName": attribute})
        if "pointInTimeRecovery" in change.changed:
            self._set_recovery(account, change.old.id, enabled=_enabled(change.inputs.get("pointInTimeRecovery")))

    def _delete(self, account: Account, old: Existing) -> None:
        client = account.client("dynamodb")
        client.delete_table(TableName=old.id)
        wait_until_gone(lambda: client.describe_table(TableName=old.id), f"the table {old.id}")

    def _tag(self, account: Account, old: Existing, tags: Mapping[str, str]) -> None:
        account.client("dynamodb").tag_resource(ResourceArn=old.outputs["arn"], Tags=tag_list(tags))

    def _untag(self, account: Account, old: Existing, keys: list[str]) -> None:
        account.client("dynamodb").untag_resource(ResourceArn=old.outputs["arn"], TagKeys=keys)
