"""Route 53."""

from typing import Any

from sandbox.provider.account import Account, wait_until
from sandbox.provider.resource import Change, Existing, Inputs, ResourceType


class Record(ResourceType):
    """A record of a hosted zone."""

    type_name = "aws:route53/record:Record"

    def imported(self, import_id: str) -> Existing:
        """A record to be read by zone, name and type, with ``_`` between them."""
        zone, name, kind = _parts(import_id)
        return Existing(import_id, {"zoneId": zone, "name": name, "type": kind})

    def _id(self, inputs: Inputs) -> str:
        return f"{inputs['zoneId']}_{_name(inputs['name'])}_{inputs['type']}"

    def _create(self, account: Account, inputs: Inputs) -> str:
        account.client("route53").get_hosted_zone(Id=inputs["zoneId"])
        self._change(account, inputs, [("CREATE", inputs)])
        return self._id(inputs)

    def _change(self, account: Account, inputs: Inputs, changes: list[tuple[str, Inputs]]) -> None:
        client = account.client("route53")
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": _record_set(each)} for action, each in changes]}
        made = client.change_resource_record_sets(HostedZoneId=inputs["zoneId"], ChangeBatch=batch)["ChangeInfo"]["Id"]
        wait_until(lambda: client.get_change(Id=made)["ChangeInfo"]["Status"] == "INSYNC", "A change of DNS records")

    def _read(self, account: Account, known: Existing) -> Existing | None:
        zone, name, kind = _parts(known.id)
        client = account.client("route53")
        client.get_hosted_zone(Id=zone)
        listed = client.list_resource_record_sets(
            HostedZoneId=zone, StartRecordName=f"{name}.", StartRecordType=kind, MaxItems="1"
        )["ResourceRecordSets"]
        found = next((each for each in listed if (_name(each["Name"]), each["Type"]) == (name, kind)), None)
        if found is None:
            return None
        return Existing(known.id, {"zoneId": zone, "name": name, "type": kind, **_values(found)}, {"fqdn": name})

    def _update(self, account: Account, change: Change) -> str:
        account.client("route53").get_hosted_zone(Id=change.inputs["zoneId"])
        replaced = "type" in change.changed
        changes = (
            [("DELETE", change.old.inputs), ("CREATE", change.inputs)] if replaced else [("UPSERT", change.inputs)]
        )
        self._change(account, change.inputs, changes)
        return self._id(change.inputs)

    def _delete(self, account: Account, old: Existing) -> None:
        if self._read(account, old) is not None:
            self._change(account, old.inputs, [("DELETE", old.inputs)])


def _parts(record_id: str) -> tuple[str, str, str]:
    """Zone, name and type. A name may hold underscores itself."""
    zone, _, rest = record_id.partition("_")
    name, _, kind = rest.rpartition("_")
    return zone, name, kind


def _name(name: str) -> str:
    """A record's name as the provider keeps it."""
    return name.rstrip(".").lower()


def _record_set(inputs: Inputs) -> dict[str, Any]:
    made: dict[str, Any] = {"Name": f"{_name(inputs['name'])}.", "Type": inputs["type"]}
    for alias in inputs.get("aliases") or ():
        return made | {
            "AliasTarget": {
                "DNSName": alias["name"],
                "HostedZoneId": alias["zoneId"],
                "EvaluateTargetHealth": alias["evaluateTargetHealth"],
            }
        }
    return made | {"TTL": inputs["ttl"], "ResourceRecords": [{"Value": each} for each in inputs["records"]]}


def _values(found: Inputs) -> dict[str, Any]:
    if target := found.get("AliasTarget"):
        alias = {"name": _name(target["DNSName"]), "zoneId": target["HostedZoneId"]}
        return {"aliases": [{**alias, "evaluateTargetHealth": target["EvaluateTargetHealth"]}]}
    return {"ttl": found["TTL"], "records": [each["Value"] for each in found["ResourceRecords"]]}
