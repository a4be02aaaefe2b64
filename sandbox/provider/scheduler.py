"""EventBridge Scheduler."""

from typing import Any

from sandbox.provider import refusals
from sandbox.provider.account import Account
from sandbox.provider.resource import DEFAULTED, Change, Existing, Inputs, ResourceType, camel, pascal


class Schedule(ResourceType):
    """A schedule, which has no tags."""

    type_name = "aws:scheduler/schedule:Schedule"
    import_format = "groupName/name"

    def _create(self, account: Account, inputs: Inputs) -> str:
        refusals.scheduler_role(account, inputs["target"]["roleArn"])
        account.client("scheduler").create_schedule(**self._settings(inputs))
        return self._id(inputs)

    def _id(self, inputs: Inputs) -> str:
        return f"{inputs['groupName']}/{inputs['name']}"

    def _settings(self, inputs: Inputs) -> dict[str, Any]:
        settings: dict[str, Any] = pascal({key: value for key, value in inputs.items() if key != DEFAULTED})
        return settings

    def _read(self, account: Account, known: Existing) -> Existing | None:
        group, _, name = known.id.partition("/")
        found = account.client("scheduler").get_schedule(GroupName=group, Name=name)
        inputs = {key: value for key, value in camel(found).items() if key in self.facts.arguments}
        return Existing(known.id, inputs, {"arn": found["Arn"]})

    def _update(self, account: Account, change: Change) -> None:
        refusals.scheduler_role(account, change.inputs["target"]["roleArn"])
        account.client("scheduler").update_schedule(**self._settings(change.inputs))

    def _delete(self, account: Account, old: Existing) -> None:
        group, _, name = old.id.partition("/")
        account.client("scheduler").delete_schedule(GroupName=group, Name=name)

    def verify(self, account: Account, existing: Existing) -> None:
        """The role may call the target; Scheduler would fail silently."""
        refusals.scheduled_call(account, existing.inputs["target"])
