"""Systems Manager's parameters."""

from collections.abc import Mapping

from sandbox.provider import refusals
from sandbox.provider.account import Account
from sandbox.provider.resource import (
    DEFAULTED,
    Change,
    Existing,
    Inputs,
    ResourceType,
    compact,
    pascal,
    tag_list,
    tag_map,
)


class Parameter(ResourceType):
    """A parameter."""

    type_name = "aws:ssm/parameter:Parameter"

    def _also_replaces(self, old: Inputs, inputs: Inputs) -> frozenset[str]:
        lowered = (old.get("tier"), inputs.get("tier")) == ("Advanced", "Standard")  # AWS lowers no tier in place
        return frozenset({"tier"}) if lowered else frozenset()

    def _create(self, account: Account, inputs: Inputs) -> str:
        refusals.parameter_value(inputs["value"])
        account.client("ssm").put_parameter(**self._settings(inputs), Tags=tag_list(inputs.get("tags")))
        return str(inputs["name"])

    def _settings(self, inputs: Inputs) -> dict[str, object]:
        rest = {key: value for key, value in inputs.items() if key not in {"tags", DEFAULTED}}
        return dict(pascal(compact(rest)))

    def _read(self, account: Account, known: Existing) -> Existing | None:
        ssm = account.client("ssm")
        parameter = ssm.get_parameter(Name=known.id, WithDecryption=True)["Parameter"]
        names = [{"Key": "Name", "Option": "Equals", "Values": [known.id]}]
        described: dict[str, str] = next(iter(ssm.describe_parameters(ParameterFilters=names)["Parameters"]), {})
        tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=known.id)["TagList"]
        inputs = {
            "name": parameter["Name"],
            "type": parameter["Type"],
            "value": parameter["Value"],
            "description": described.get("Description"),
            "allowedPattern": described.get("AllowedPattern"),
            "tags": tag_map(tags),
        }
        arn = account.arn("ssm", f"parameter/{known.id.lstrip('/')}")
        return Existing(known.id, inputs, {"arn": arn, "version": parameter["Version"]})

    def _update(self, account: Account, change: Change) -> None:
        refusals.parameter_value(change.inputs["value"])
        account.client("ssm").put_parameter(**self._settings(change.inputs), Overwrite=True)

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("ssm").delete_parameter(Name=old.id)

    def _tag(self, account: Account, old: Existing, tags: Mapping[str, str]) -> None:
        account.client("ssm").add_tags_to_resource(ResourceType="Parameter", ResourceId=old.id, Tags=tag_list(tags))

    def _untag(self, account: Account, old: Existing, keys: list[str]) -> None:
        account.client("ssm").remove_tags_from_resource(ResourceType="Parameter", ResourceId=old.id, TagKeys=keys)
