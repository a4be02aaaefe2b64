"""API Gateway's REST APIs."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from sandbox.provider import refusals
from sandbox.provider.account import Account
from sandbox.provider.resource import DEFAULTED, Change, Existing, Inputs, ResourceType, chosen, text

Patch = list[dict[str, str]]


def _replace(values: Mapping[str, Any]) -> Patch:
    """The operations that set values, by their paths."""
    return [{"op": "replace", "path": path, "value": text(value)} for path, value in values.items()]


def _remove(paths: Iterable[str]) -> Patch:
    return [{"op": "remove", "path": path} for path in paths]


def _endpoint(inputs: Inputs) -> dict[str, Any]:
    """An endpoint's configuration: the provider takes one type, AWS a list."""
    endpoint = inputs["endpointConfiguration"]
    types = endpoint["types"]
    return {**endpoint, "types": [types] if isinstance(types, str) else types}


class _Tagged(ResourceType):
    """A type that takes tags, as API Gateway's do."""

    def _tag(self, account: Account, old: Existing, tags: Mapping[str, str]) -> None:
        account.client("apigateway").tag_resource(resourceArn=old.outputs["arn"], tags=tags)

    def _untag(self, account: Account, old: Existing, keys: list[str]) -> None:
        account.client("apigateway").untag_resource(resourceArn=old.outputs["arn"], tagKeys=keys)


class RestApi(_Tagged):
    """A REST API."""

    type_name = "aws:apigateway/restApi:RestApi"

    def _create(self, account: Account, inputs: Inputs) -> str:
        settings = {key: value for key, value in inputs.items() if key not in {"tags", DEFAULTED}}
        if inputs.get("endpointConfiguration"):
            settings["endpointConfiguration"] = _endpoint(inputs)
        return str(account.client("apigateway").create_rest_api(tags=inputs.get("tags") or {}, **settings)["id"])

    def _read(self, account: Account, known: Existing) -> Existing:
        client = account.client("apigateway")
        api = client.get_rest_api(restApiId=known.id)
        resources = client.get_resources(restApiId=known.id)["items"]
        inputs = {key: api[key] for key in self.facts.arguments if key in api}
        inputs["endpointConfiguration"] = {"types": api["endpointConfiguration"]["types"][0]}
        outputs = {
            "arn": _arn(account, known.id),
            "executionArn": account.arn("execute-api", known.id),
            "rootResourceId": next(each["id"] for each in resources if each["path"] == "/"),
        }
        return Existing(known.id, inputs, outputs)

    def _update(self, account: Account, change: Change) -> None:
        old, inputs, changed = change.old, change.inputs, change.changed
        values: dict[str, Any] = {f"/{key}": inputs.get(key, "") for key in sorted(changed - {"tags"})}
        if "endpointConfiguration" in changed:
            del values["/endpointConfiguration"]
            before = (old.inputs.get("endpointConfiguration") or {}).get("types", "EDGE")
            values[f"/endpointConfiguration/types/{before}"] = inputs["endpointConfiguration"]["types"]
        account.client("apigateway").update_rest_api(restApiId=old.id, patchOperations=_replace(values))

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("apigateway").delete_rest_api(restApiId=old.id)


def _arn(account: Account, api: str) -> str:
    return f"arn:{account.partition}:apigateway:{account.region}::/restapis/{api}"


class Resource(ResourceType):
    """A path of an API."""

    type_name = "aws:apigateway/resource:Resource"
    import_format = "restApi/id"

    def _create(self, account: Account, inputs: Inputs) -> str:
        created = account.client("apigateway").create_resource(
            restApiId=inputs["restApi"], parentId=inputs["parentId"], pathPart=inputs["pathPart"]
        )
        return str(created["id"])

    def _where(self, existing: Existing) -> dict[str, str]:
        return {"restApiId": existing.inputs["restApi"], "resourceId": existing.id}

    def _read(self, account: Account, known: Existing) -> Existing:
        resource = account.client("apigateway").get_resource(**self._where(known))
        inputs = {"restApi": known.inputs["restApi"], **chosen(resource, ["parentId", "pathPart"])}
        return Existing(known.id, inputs, {"path": resource["path"]})

    def _update(self, account: Account, change: Change) -> None:
        account.client("apigateway").update_resource(
            **self._where(change.old),
            patchOperations=_replace({f"/{key}": change.inputs[key] for key in sorted(change.changed)}),
        )

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("apigateway").delete_resource(**self._where(old))


class RequestValidator(ResourceType):
    """What an API checks of a request."""

    type_name = "aws:apigateway/requestValidator:RequestValidator"
    import_format = "restApi/id"
    flags = ("validateRequestBody", "validateRequestParameters")

    def _create(self, account: Account, inputs: Inputs) -> str:
        created = account.client("apigateway").create_request_validator(
            restApiId=inputs["restApi"], name=inputs["name"], **chosen(inputs, self.flags)
        )
        return str(created["id"])

    def _where(self, existing: Existing) -> dict[str, str]:
        return {"restApiId": existing.inputs["restApi"], "requestValidatorId": existing.id}

    def _read(self, account: Account, known: Existing) -> Existing:
        found = account.client("apigateway").get_request_validator(**self._where(known))
        flags = {flag: found.get(flag, False) for flag in self.flags}
        return Existing(known.id, {"restApi": known.inputs["restApi"], "name": found["name"], **flags})

    def _update(self, account: Account, change: Change) -> None:
        account.client("apigateway").update_request_validator(
            **self._where(change.old),
            patchOperations=_replace({f"/{key}": change.inputs.get(key, False) for key in sorted(change.changed)}),
        )

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("apigateway").delete_request_validator(**self._where(old))


def _method(inputs: Inputs) -> dict[str, str]:
    return {
        "restApiId": inputs["restApi"],
        "resourceId": inputs["resourceId"],
        "httpMethod": inputs["httpMethod"],
    }


class Method(ResourceType):
    """A method of a path."""

    type_name = "aws:apigateway/method:Method"
    import_format = "restApi/resourceId/httpMethod"
    patched: ClassVar[dict[str, str]] = {
        "authorization": "authorizationType", "requestValidatorId": "requestValidatorId",
        "apiKeyRequired": "apiKeyRequired",
    }  # fmt: skip
    """What one patch each can change, and AWS's name for it."""

    def _id(self, inputs: Inputs) -> str:
        return f"agm-{inputs['restApi']}-{inputs['resourceId']}-{inputs['httpMethod']}"

    def _create(self, account: Account, inputs: Inputs) -> str:
        account.client("apigateway").put_method(
            **_method(inputs),
            authorizationType=inputs["authorization"],
            **chosen(inputs, ["apiKeyRequired", "requestParameters", "requestValidatorId"]),
        )
        return self._id(inputs)

    def _read(self, account: Account, known: Existing) -> Existing:
        method = account.client("apigateway").get_method(**_method(known.inputs))
        inputs = {key: method.get(aws) for key, aws in self.patched.items()}
        inputs |= {key: known.inputs[key] for key in ("restApi", "resourceId", "httpMethod")}
        return Existing(known.id, {**inputs, "requestParameters": method.get("requestParameters")})

    def _update(self, account: Account, change: Change) -> None:
        old, inputs, changed = change.old, change.inputs, change.changed
        client = account.client("apigateway")
        before, after = old.inputs.get("requestParameters") or {}, inputs.get("requestParameters") or {}
        patch = _remove(f"/requestParameters/{each}" for each in sorted(before.keys() - after.keys()))
        patch += [
            {"op": "add", "path": f"/requestParameters/{each}", "value": text(value)}
            for each, value in after.items()
            if before.get(each) != value
        ]
        patch += _replace({f"/{aws}": inputs.get(key, "") for key, aws in self.patched.items() if key in changed})
        client.update_method(**_method(old.inputs), patchOperations=patch)
        try:
            client.get_integration(**_method(old.inputs))
        except client.exceptions.NotFoundException:
            return
        client.update_integration(**_method(old.inputs), patchOperations=[])

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("apigateway").delete_method(**_method(old.inputs))


class Integration(ResourceType):
    """What a method calls."""

    type_name = "aws:apigateway/integration:Integration"
    import_format = "restApi/resourceId/httpMethod"
    renamed: ClassVar[dict[str, str]] = {
        "timeoutMilliseconds": "timeoutInMillis", "type": "type", "uri": "uri", "connectionType": "connectionType",
        "passthroughBehavior": "passthroughBehavior", "credentials": "credentials",
        "contentHandling": "contentHandling",
    }  # fmt: skip

    def _id(self, inputs: Inputs) -> str:
        return f"agi-{inputs['restApi']}-{inputs['resourceId']}-{inputs['httpMethod']}"

    def _create(self, account: Account, inputs: Inputs) -> str:
        account.client("apigateway").put_integration(
            **_method(inputs),
            **chosen(inputs, ["integrationHttpMethod"]),
            **{self.renamed[key]: value for key, value in chosen(inputs, self.renamed).items()},
        )
        return self._id(inputs)

    def _read(self, account: Account, known: Existing) -> Existing:
        integration = account.client("apigateway").get_integration(**_method(known.inputs))
        inputs = {key: integration.get(aws) for key, aws in self.renamed.items()}
        inputs |= {key: known.inputs[key] for key in ("restApi", "resourceId", "httpMethod")}
        return Existing(known.id, {**inputs, "integrationHttpMethod": integration.get("httpMethod")})

    def _update(self, account: Account, change: Change) -> None:
        values = {f"/{self.renamed[key]}": change.inputs.get(key, "") for key in sorted(change.changed)}
        account.client("apigateway").update_integration(**_method(change.old.inputs), patchOperations=_replace(values))

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("apigateway").delete_integration(**_method(old.inputs))

    def verify(self, account: Account, existing: Existing) -> None:
        """The function's own policy has to allow the call."""
        inputs = existing.inputs
        if inputs["type"].startswith("AWS") and "/functions/" in inputs.get("uri", ""):
            resource = account.owner("apigateway").get_resource(
                restApiId=inputs["restApi"], resourceId=inputs["resourceId"]
            )
            source = account.arn("execute-api", f"{inputs['restApi']}/*/{inputs['httpMethod']}{resource['path']}")
            refusals.integration(account, inputs["uri"], source)


class Response(ResourceType):
    """What an API answers by itself."""

    type_name = "aws:apigateway/response:Response"
    import_format = "restApiId/responseType"

    def _where(self, inputs: Inputs) -> dict[str, str]:
        return {"restApiId": inputs["restApiId"], "responseType": inputs["responseType"]}

    def _id(self, inputs: Inputs) -> str:
        return f"aggr-{inputs['restApiId']}-{inputs['responseType']}"

    def _create(self, account: Account, inputs: Inputs) -> str:
        settings = chosen(inputs, ["statusCode", "responseTemplates", "responseParameters"])
        account.client("apigateway").put_gateway_response(**self._where(inputs), **settings)
        return self._id(inputs)

    def _read(self, account: Account, known: Existing) -> Existing | None:
        found = account.client("apigateway").get_gateway_response(**self._where(known.inputs))
        if found.get("defaultResponse"):  # API Gateway's own, since there is no other
            return None
        inputs = chosen(found, ["responseType", "statusCode", "responseTemplates", "responseParameters"])
        return Existing(known.id, {"restApiId": known.inputs["restApiId"], **inputs})

    def _update(self, account: Account, change: Change) -> None:
        self._create(account, change.inputs)

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("apigateway").delete_gateway_response(**self._where(old.inputs))


class Deployment(ResourceType):
    """An API, frozen as it is."""

    type_name = "aws:apigateway/deployment:Deployment"
    import_format = "restApi/id"
    unreadable = frozenset({"triggers", "variables"})

    def _create(self, account: Account, inputs: Inputs) -> str:
        created = account.client("apigateway").create_deployment(
            restApiId=inputs["restApi"], **chosen(inputs, ["description", "variables"])
        )
        return str(created["id"])

    def _where(self, existing: Existing) -> dict[str, str]:
        return {"restApiId": existing.inputs["restApi"], "deploymentId": existing.id}

    def _read(self, account: Account, known: Existing) -> Existing:
        found = account.client("apigateway").get_deployment(**self._where(known))
        return Existing(known.id, {"restApi": known.inputs["restApi"], "description": found.get("description")})

    def _update(self, account: Account, change: Change) -> None:
        account.client("apigateway").update_deployment(
            **self._where(change.old), patchOperations=_replace({"/description": change.inputs["description"]})
        )

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("apigateway").delete_deployment(**self._where(old))


def _stage(inputs: Inputs) -> dict[str, str]:
    return {"restApiId": inputs["restApi"], "stageName": inputs["stageName"]}


class Stage(_Tagged):
    """A name under which a deployment is called."""

    type_name = "aws:apigateway/stage:Stage"
    import_format = "restApi/stageName"
    renamed: ClassVar[dict[str, str]] = {
        "deployment": "deploymentId", "xrayTracingEnabled": "tracingEnabled", "description": "description",
    }  # fmt: skip

    def _id(self, inputs: Inputs) -> str:
        return f"ags-{inputs['restApi']}-{inputs['stageName']}"

    def _create(self, account: Account, inputs: Inputs) -> str:
        account.client("apigateway").create_stage(
            **_stage(inputs),
            tags=inputs.get("tags") or {},
            **chosen(inputs, ["variables"]),
            **{self.renamed[key]: value for key, value in chosen(inputs, self.renamed).items()},
        )
        if inputs.get("accessLogSettings"):
            refusals.stage_logs(account)
            self._patch(account, inputs, self._access_log(inputs))
        return self._id(inputs)

    def _patch(self, account: Account, inputs: Inputs, patch: Patch) -> None:
        account.client("apigateway").update_stage(**_stage(inputs), patchOperations=patch)

    def _access_log(self, inputs: Inputs) -> Patch:
        settings = inputs.get("accessLogSettings")
        if not settings:
            return _remove(["/accessLogSettings"])
        return _replace({f"/accessLogSettings/{key}": value for key, value in settings.items()})

    def _read(self, account: Account, known: Existing) -> Existing:
        stage = account.client("apigateway").get_stage(**_stage(known.inputs))
        inputs = {key: stage.get(aws) for key, aws in self.renamed.items()}
        inputs |= chosen(stage, ["stageName", "accessLogSettings", "variables", "tags"])
        api, name = known.inputs["restApi"], stage["stageName"]
        outputs = {
            "arn": f"{_arn(account, api)}/stages/{name}",
            "executionArn": account.arn("execute-api", f"{api}/{name}"),
            "invokeUrl": f"{account.url}/restapis/{api}/{name}/_user_request_",
        }
        return Existing(known.id, {**inputs, "restApi": api}, outputs)

    def _update(self, account: Account, change: Change) -> None:
        old, inputs, changed = change.old, change.inputs, change.changed
        patch = _replace({f"/{aws}": inputs.get(key, "") for key, aws in self.renamed.items() if key in changed})
        if "variables" in changed:
            before, after = old.inputs.get("variables") or {}, inputs.get("variables") or {}
            patch += _remove(f"/variables/{name}" for name in sorted(before.keys() - after.keys()))
            patch += _replace({f"/variables/{name}": value for name, value in after.items()})
        if "accessLogSettings" in changed:
            if inputs.get("accessLogSettings"):
                refusals.stage_logs(account)
            patch += self._access_log(inputs)
        self._patch(account, inputs, patch)

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("apigateway").delete_stage(**_stage(old.inputs))


class MethodSettings(ResourceType):
    """What a stage measures, logs and lets through of its methods."""

    type_name = "aws:apigateway/methodSettings:MethodSettings"
    import_format = "restApi/stageName/methodPath"
    paths: ClassVar[dict[str, str]] = {
        "throttlingRateLimit": "throttling/rateLimit",
        "throttlingBurstLimit": "throttling/burstLimit",
        "dataTraceEnabled": "logging/dataTrace",
        "loggingLevel": "logging/loglevel",
        "metricsEnabled": "metrics/enabled",
        "cachingEnabled": "caching/enabled",
        "cacheTtlInSeconds": "caching/ttlInSeconds",
        "cacheDataEncrypted": "caching/dataEncrypted",
    }
    """What can be set, as the path of its patch."""

    def _id(self, inputs: Inputs) -> str:
        return f"{inputs['restApi']}-{inputs['stageName']}-{inputs['methodPath']}"

    def _create(self, account: Account, inputs: Inputs) -> str:
        self._set(account, inputs, {key: value for key, value in inputs["settings"].items() if value})
        return self._id(inputs)

    def _set(self, account: Account, inputs: Inputs, settings: Mapping[str, Any]) -> None:
        if settings.get("loggingLevel", "OFF") != "OFF":
            refusals.stage_logs(account)
        values = {f"/{inputs['methodPath']}/{self.paths[key]}": value for key, value in settings.items()}
        account.client("apigateway").update_stage(**_stage(inputs), patchOperations=_replace(values))

    def _read(self, account: Account, known: Existing) -> Existing | None:
        stage = account.client("apigateway").get_stage(**_stage(known.inputs))
        found = stage.get("methodSettings", {}).get(known.inputs["methodPath"])
        if found is None:
            return None
        inputs = {key: known.inputs[key] for key in ("restApi", "stageName", "methodPath")}
        return Existing(known.id, {**inputs, "settings": {key: found[key] for key in self.paths if key in found}})

    def _update(self, account: Account, change: Change) -> None:
        before, after = change.old.inputs["settings"], change.inputs["settings"]
        self._set(account, change.inputs, {key: value for key, value in after.items() if before.get(key) != value})

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("apigateway").update_stage(
            **_stage(old.inputs), patchOperations=_remove([f"/{old.inputs['methodPath']}"])
        )


class ApiGatewayAccount(ResourceType):
    """What all APIs of an account and region share: the role with which they write logs."""

    type_name = "aws:apigateway/account:Account"

    def _create(self, account: Account, inputs: Inputs) -> str:
        self._set(account, inputs["cloudwatchRoleArn"])
        return account.id

    def _set(self, account: Account, role: str) -> None:
        account.client("apigateway").update_account(patchOperations=_replace({"/cloudwatchRoleArn": role}))

    def _read(self, account: Account, known: Existing) -> Existing:
        found = account.client("apigateway").get_account()
        return Existing(known.id, {"cloudwatchRoleArn": found.get("cloudwatchRoleArn")})

    def _update(self, account: Account, change: Change) -> None:
        self._set(account, change.inputs["cloudwatchRoleArn"])

    def _delete(self, account: Account, old: Existing) -> None:  # noqa: ARG002 - there is only one
        self._set(account, "")


class DomainName(_Tagged):
    """A domain name of one's own."""

    type_name = "aws:apigateway/domainName:DomainName"
    plain = ("regionalCertificateArn", "securityPolicy", "endpointAccessMode")

    def _create(self, account: Account, inputs: Inputs) -> str:
        created = account.client("apigateway").create_domain_name(
            domainName=inputs["domainName"],
            endpointConfiguration=_endpoint(inputs),
            tags=inputs.get("tags") or {},
            **chosen(inputs, self.plain),
        )
        return str(created["domainName"])

    def _read(self, account: Account, known: Existing) -> Existing:
        found = account.client("apigateway").get_domain_name(domainName=known.id)
        inputs = chosen(found, ["domainName", *self.plain, "tags"])
        inputs["endpointConfiguration"] = {"types": found["endpointConfiguration"]["types"][0]}
        outputs = {
            "arn": f"arn:{account.partition}:apigateway:{account.region}::/domainnames/{known.id}",
            "regionalDomainName": found["regionalDomainName"],
            "regionalZoneId": found["regionalHostedZoneId"],
        }
        return Existing(known.id, inputs, outputs)

    def _update(self, account: Account, change: Change) -> None:
        values = {f"/{key}": change.inputs.get(key, "") for key in self.plain if key in change.changed}
        account.client("apigateway").update_domain_name(domainName=change.old.id, patchOperations=_replace(values))

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("apigateway").delete_domain_name(domainName=old.id)


NO_PATH = "(none)"
"""AWS's name of the empty base path."""


class BasePathMapping(ResourceType):
    """Which API and stage a domain name leads to."""

    type_name = "aws:apigateway/basePathMapping:BasePathMapping"
    import_format = "domainName/basePath"
    patched: ClassVar[dict[str, str]] = {"restApi": "restapiId", "stageName": "stage", "basePath": "basePath"}
    """Its arguments, and the path of the patch that changes each."""

    def _id(self, inputs: Inputs) -> str:
        return f"{inputs['domainName']}/{inputs.get('basePath') or ''}"

    def _where(self, known: Existing) -> dict[str, str]:
        return {"domainName": known.inputs["domainName"], "basePath": known.inputs.get("basePath") or NO_PATH}

    def _create(self, account: Account, inputs: Inputs) -> str:
        account.client("apigateway").create_base_path_mapping(
            domainName=inputs["domainName"],
            basePath=inputs.get("basePath") or NO_PATH,
            restApiId=inputs["restApi"],
            stage=inputs.get("stageName") or "",
        )
        return self._id(inputs)

    def _read(self, account: Account, known: Existing) -> Existing:
        found = account.client("apigateway").get_base_path_mapping(**self._where(known))
        inputs = {
            "domainName": known.inputs["domainName"],
            "restApi": found["restApiId"],
            "stageName": found["stage"],
            "basePath": "" if found["basePath"] == NO_PATH else found["basePath"],
        }
        return Existing(self._id(inputs), inputs)

    def _update(self, account: Account, change: Change) -> None:
        values = {f"/{aws}": change.inputs.get(key) or "" for key, aws in self.patched.items() if key in change.changed}
        account.client("apigateway").update_base_path_mapping(
            **self._where(change.old), patchOperations=_replace(values)
        )

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("apigateway").delete_base_path_mapping(**self._where(old))
