"""Lambda functions, their aliases, event source mappings and permissions."""

import json
from collections.abc import Mapping
from typing import Any

from sandbox.provider import archives, refusals
from sandbox.provider.account import Account, wait_until, wait_until_gone
from sandbox.provider.resource import DEFAULTED, Change, Existing, Inputs, Json, ResourceType, camel, chosen, pascal

UNRESERVED = -1
CODE = frozenset({"code", "architectures"})
NOT_VERSIONED = frozenset({"tags", "reservedConcurrentExecutions"})
FREE = ("variables", "additionalVersionWeights")
"""Keys below which names are the user's own."""


class Function(ResourceType):
    """A function."""

    type_name = "aws:lambda/function:Function"
    unreadable = frozenset({"code", "publish", "reservedConcurrentExecutions"})

    def _value(self, key: str, value: Json) -> Json:
        is_empty = key == "environment" and not (value or {}).get("variables")
        return None if is_empty else super()._value(key, value)

    def _create(self, account: Account, inputs: Inputs) -> str:
        client, name = account.client("lambda"), inputs["name"]
        client.create_function(
            FunctionName=name,
            Code={"ZipFile": archives.zip_bytes(inputs["code"])},
            PackageType=inputs["packageType"],
            Publish=inputs["publish"],
            Tags=inputs.get("tags") or {},
            **({"Architectures": inputs["architectures"]} if inputs.get("architectures") else {}),
            **self._configuration(inputs),
        )
        self._wait(account, name)
        if inputs.get("reservedConcurrentExecutions", UNRESERVED) != UNRESERVED:
            self._reserve(account, name, inputs["reservedConcurrentExecutions"])
        return str(name)

    def _configuration(self, inputs: Inputs) -> dict[str, Any]:
        others = CODE | NOT_VERSIONED | {"name", "packageType", "publish", DEFAULTED}
        return dict(pascal({key: value for key, value in inputs.items() if key not in others}, FREE))

    def _wait(self, account: Account, name: str) -> None:
        def done() -> bool:
            configuration = account.client("lambda").get_function(FunctionName=name)["Configuration"]
            states = {configuration["State"], configuration.get("LastUpdateStatus")}
            return not states & {"Pending", "InProgress"}

        wait_until(done, f"The change of the function {name}")

    def _reserve(self, account: Account, name: str, executions: int) -> None:
        if executions == UNRESERVED:
            account.client("lambda").delete_function_concurrency(FunctionName=name)
        else:
            account.client("lambda").put_function_concurrency(
                FunctionName=name, ReservedConcurrentExecutions=executions
            )

    def _read(self, account: Account, known: Existing) -> Existing:
        client = account.client("lambda")
        found = client.get_function(FunctionName=known.id)
        latest = _latest_version(account, known.id)
        client.get_function_code_signing_config(FunctionName=known.id)
        configuration, arn = found["Configuration"], found["Configuration"]["FunctionArn"]
        given = camel(configuration, FREE)
        inputs = {key: given[key] for key in self.facts.arguments if key in given}
        inputs |= {"name": configuration["FunctionName"], "tags": found.get("Tags")}
        outputs = {
            "arn": arn,
            "qualifiedArn": f"{arn}:{latest}",
            "version": latest,
            "invokeArn": invoke_arn(account, arn),
        }
        return Existing(known.id, inputs, outputs)

    def _update(self, account: Account, change: Change) -> None:
        old, inputs, changed = change.old, change.inputs, change.changed
        client = account.client("lambda")
        if changed - CODE - NOT_VERSIONED - {"publish"}:
            emptied = {"environment": {"variables": {}}, "description": ""}
            removed = {key: emptied[key] for key in changed - inputs.keys() if key in emptied}
            client.update_function_configuration(FunctionName=old.id, **self._configuration({**inputs, **removed}))
            self._wait(account, old.id)
        if changed & CODE:
            architectures = {"Architectures": inputs["architectures"]} if inputs.get("architectures") else {}
            client.update_function_code(
                FunctionName=old.id, ZipFile=archives.zip_bytes(inputs["code"]), **architectures
            )
            self._wait(account, old.id)
        if "reservedConcurrentExecutions" in changed:
            self._reserve(account, old.id, inputs.get("reservedConcurrentExecutions", UNRESERVED))
        if inputs["publish"] and changed - NOT_VERSIONED:
            version = client.publish_version(FunctionName=old.id)["Version"]
            client.get_function_configuration(FunctionName=old.id, Qualifier=version)

    def unknown_outputs(self, changed: frozenset[str], inputs: Inputs) -> frozenset[str]:
        """The version that will be published."""
        return frozenset({"version", "qualifiedArn"} if inputs.get("publish") and changed - NOT_VERSIONED else ())

    def _delete(self, account: Account, old: Existing) -> None:
        client = account.client("lambda")
        client.delete_function(FunctionName=old.id)
        wait_until_gone(lambda: client.get_function(FunctionName=old.id), f"the function {old.id}")

    def verify(self, account: Account, existing: Existing) -> None:
        """Its role has to be allowed to write its log and to use its Lex bot."""
        function = account.owner("lambda").get_function_configuration(FunctionName=existing.id)
        refusals.function_logs(account, function)
        refusals.function_lex(account, function)

    def _tag(self, account: Account, old: Existing, tags: Mapping[str, str]) -> None:
        account.client("lambda").tag_resource(Resource=old.outputs["arn"], Tags=tags)

    def _untag(self, account: Account, old: Existing, keys: list[str]) -> None:
        account.client("lambda").untag_resource(Resource=old.outputs["arn"], TagKeys=keys)


def _latest_version(account: Account, function: str) -> str:
    """The version that was published last; `$LATEST` if none was."""
    pages = account.client("lambda").get_paginator("list_versions_by_function").paginate(FunctionName=function)
    return str([each["Version"] for page in pages for each in page["Versions"]][-1])


def invoke_arn(account: Account, arn: str) -> str:
    """The URI by which API Gateway calls a function, or a version or alias of it."""
    return f"arn:{account.partition}:apigateway:{account.region}:lambda:path/2015-03-31/functions/{arn}/invocations"


class Alias(ResourceType):
    """A name for one version of a function, or for two with a share each."""

    type_name = "aws:lambda/alias:Alias"
    import_format = "functionName/name"

    def _id(self, inputs: Inputs) -> str:
        return f"{inputs['functionName']}/{inputs['name']}"

    def _create(self, account: Account, inputs: Inputs) -> str:
        return str(account.client("lambda").create_alias(**self._settings(inputs))["AliasArn"])

    def _settings(self, inputs: Inputs) -> dict[str, Any]:
        whole = {"description": "", "routingConfig": {}, **inputs}
        return dict(pascal({key: value for key, value in whole.items() if key != DEFAULTED}, FREE))

    def _read(self, account: Account, known: Existing) -> Existing:
        function = known.inputs["functionName"]
        alias = account.client("lambda").get_alias(FunctionName=function, Name=known.inputs["name"])
        given = camel(alias, FREE)
        inputs = {key: given[key] for key in self.facts.arguments if key in given} | {"functionName": function}
        arn = alias["AliasArn"]
        return Existing(arn, inputs, {"arn": arn, "invokeArn": invoke_arn(account, arn)})

    def _update(self, account: Account, change: Change) -> None:
        account.client("lambda").update_alias(**self._settings(change.inputs))

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("lambda").delete_alias(FunctionName=old.inputs["functionName"], Name=old.inputs["name"])


class EventSourceMapping(ResourceType):
    """What a function is called with."""

    type_name = "aws:lambda/eventSourceMapping:EventSourceMapping"

    def _create(self, account: Account, inputs: Inputs) -> str:
        function = account.owner("lambda").get_function_configuration(FunctionName=inputs["functionName"])
        refusals.mapping(account, function, inputs["eventSourceArn"])
        created = account.client("lambda").create_event_source_mapping(
            Tags=inputs.get("tags") or {}, **self._settings(inputs), EventSourceArn=inputs["eventSourceArn"]
        )
        self._wait(account, created["UUID"])
        return str(created["UUID"])

    def _settings(self, inputs: Inputs) -> dict[str, Any]:
        others = {"tags", "eventSourceArn", DEFAULTED}
        return dict(pascal({key: value for key, value in inputs.items() if key not in others}))

    def _wait(self, account: Account, uuid: str) -> None:
        def done() -> bool:
            mapping = account.client("lambda").get_event_source_mapping(UUID=uuid)
            return mapping["State"] in {"Enabled", "Disabled"}

        wait_until(done, f"The change of the event source mapping {uuid}")

    def _read(self, account: Account, known: Existing) -> Existing:
        mapping = account.client("lambda").get_event_source_mapping(UUID=known.id)
        tags = account.client("lambda").list_tags(Resource=self._arn(account, known.id))["Tags"]
        given = camel(mapping)
        inputs = {key: given[key] for key in self.facts.arguments if key in given}
        arn = mapping["FunctionArn"]
        named = known.inputs.get("functionName", arn)  # the provider takes a function's name and its ARN as the same
        if not arn.endswith(f":{named}"):
            named = arn
        inputs |= {"functionName": named, "enabled": mapping["State"] == "Enabled", "tags": tags}
        return Existing(known.id, inputs, {"uuid": known.id, "functionArn": arn})

    def _arn(self, account: Account, uuid: str) -> str:
        return account.arn("lambda", f"event-source-mapping:{uuid}")

    def _updates_for_tags(self) -> bool:
        return True

    def _update(self, account: Account, change: Change) -> None:
        old, inputs, changed = change.old, change.inputs, change.changed
        emptied: dict[str, Any] = {"functionResponseTypes": [], "scalingConfig": {}, "filterCriteria": {}}
        removed = {key: emptied[key] for key in changed - inputs.keys() if key in emptied}
        account.client("lambda").update_event_source_mapping(UUID=old.id, **self._settings({**inputs, **removed}))
        self._wait(account, old.id)

    def _delete(self, account: Account, old: Existing) -> None:
        client = account.client("lambda")
        client.delete_event_source_mapping(UUID=old.id)
        wait_until_gone(lambda: client.get_event_source_mapping(UUID=old.id), f"the event source mapping {old.id}")

    def _tag(self, account: Account, old: Existing, tags: Mapping[str, str]) -> None:
        account.client("lambda").tag_resource(Resource=self._arn(account, old.id), Tags=tags)

    def _untag(self, account: Account, old: Existing, keys: list[str]) -> None:
        account.client("lambda").untag_resource(Resource=self._arn(account, old.id), TagKeys=keys)


class Permission(ResourceType):
    """A statement of a function's own policy."""

    type_name = "aws:lambda/permission:Permission"
    import_format = "function/statementId"

    def _id(self, inputs: Inputs) -> str:
        return str(inputs["statementId"])

    def _create(self, account: Account, inputs: Inputs) -> str:
        rest = {key: value for key, value in inputs.items() if key not in {"function", DEFAULTED}}
        account.client("lambda").add_permission(FunctionName=inputs["function"], **pascal(rest))
        return self._id(inputs)

    def _read(self, account: Account, known: Existing) -> Existing | None:
        function = known.inputs["function"]
        for each in self._statements(account, known):
            if each.get("Sid") == known.id:
                principal = each["Principal"]
                condition = each.get("Condition", {})
                inputs = {
                    "function": function,
                    "qualifier": known.inputs.get("qualifier"),
                    "statementId": known.id,
                    "action": each["Action"],
                    "principal": principal.get("Service") if isinstance(principal, dict) else principal,
                    "sourceArn": condition.get("ArnLike", {}).get("AWS:SourceArn"),
                    "sourceAccount": condition.get("StringEquals", {}).get("AWS:SourceAccount"),
                }
                return Existing(known.id, inputs)
        return None

    def _where(self, known: Existing) -> dict[str, Any]:
        return {"FunctionName": known.inputs["function"], **pascal(chosen(known.inputs, ["qualifier"]))}

    def _statements(self, account: Account, known: Existing) -> list[dict[str, Any]]:
        policy = account.client("lambda").get_policy(**self._where(known))["Policy"]
        statements: list[dict[str, Any]] = json.loads(policy)["Statement"]
        return statements

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("lambda").remove_permission(**self._where(old), StatementId=old.id)
        wait_until(
            lambda: all(each.get("Sid") != old.id for each in self._statements(account, old)),
            f"The end of the permission {old.id}",
        )
