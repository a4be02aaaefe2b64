"""Looks at a system that was made by hand as documented: group, role, function and REST API. Changes nothing."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bot.aws.client import Aws, AwsError

Json = dict[str, Any]

LOG_ACTIONS = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
ANY_LOG = "arn:aws:logs:*:*:*"
"""The documented role's inline policy allows these actions on this resource."""
# Amazon API Gateway Developer Guide, "Lambda proxy integrations": the URI of the integration names the function.
CALLED = re.compile(r"/functions/arn:[^/]*:function:([A-Za-z0-9_-]+)")
NO_SUCH_ENTITY = "NoSuchEntity"


class Group(NamedTuple):
    """An IAM group: its people, the ARNs of its policies, and the names of its inline policies."""

    name: str
    members: tuple[str, ...]
    policies: tuple[str, ...]
    inline: tuple[str, ...]


class Role(NamedTuple):
    """An IAM role: the names of its inline policies, and the ARNs of the others."""

    name: str
    inline: tuple[str, ...]
    policies: tuple[str, ...]


class Function(NamedTuple):
    """A Lambda function: its runtime, its role's name, and its log group."""

    name: str
    runtime: str
    role: str
    log_group: str


class Api(NamedTuple):
    """A REST API: what it answers, as stage and path, and the functions that it calls."""

    id: str
    name: str
    paths: tuple[str, ...]
    calls: tuple[str, ...]


class System(NamedTuple):
    """Functions, their roles, and the REST APIs that call them."""

    functions: tuple[Function, ...]
    roles: tuple[Role, ...]
    apis: tuple[Api, ...]


class Account:
    """What is in an AWS account and a region.

    Every method raises `AwsError` if AWS refuses.

    Args:
        aws: the client.
    """

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    def group(self, name: str) -> Group | None:
        """The group of this name, if there is one."""
        request = {"GroupName": name}
        try:
            members = list(self._each("iam", "GetGroup", "Users", request))
        except AwsError as error:
            if error.code == NO_SUCH_ENTITY:
                return None
            raise
        return Group(
            name,
            tuple(sorted(each["UserName"] for each in members)),
            tuple(
                each["PolicyArn"]
                for each in self._each("iam", "ListAttachedGroupPolicies", "AttachedPolicies", request)
            ),
            tuple(self._each("iam", "ListGroupPolicies", "PolicyNames", request)),
        )

    def documented(self) -> System:
        """The functions whose role is the documented one, with their roles and the REST APIs that call them."""
        functions = self._functions()
        roles = [name for name in dict.fromkeys(each.role for each in functions) if self._is_documented(name)]
        found = [each for each in functions if each.role in roles]
        names = {each.name for each in found}
        apis = [each for each in self._apis() if names.intersection(each.calls)]
        return System(tuple(found), tuple(map(self._role, roles)), tuple(apis))

    def only_behind(self, url: str) -> System:
        """What serves a REST API's URL and, as far as APIs and functions say, nothing else; empty for any other URL."""
        apis = self._apis()
        asked = [each for each in apis if re.search(rf"\b{each.id}\b", url)]
        called = {name for each in asked for name in each.calls}
        called -= {name for each in apis if each not in asked for name in each.calls}
        functions = self._functions()
        found = [each for each in functions if each.name in called]
        used_elsewhere = {each.role for each in functions if each not in found}
        roles = dict.fromkeys(each.role for each in found if each.role not in used_elsewhere)
        return System(
            tuple(found),
            tuple(map(self._role, roles)),
            tuple(each for each in asked if called.issuperset(each.calls)),
        )

    def _functions(self) -> list[Function]:
        return [
            Function(
                each["FunctionName"],
                each.get("Runtime", "image"),
                each["Role"].rpartition("/")[2],
                each.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{each['FunctionName']}",
            )
            for each in self._each("lambda", "ListFunctions", "Functions", {})
        ]

    def _apis(self) -> list[Api]:
        return [self._api(each) for each in self._each("apigateway", "GetRestApis", "items", {})]

    def _api(self, api: Json) -> Api:
        request = {"restApiId": api["id"]}
        called: dict[str, list[str]] = {}
        for resource in self._each("apigateway", "GetResources", "items", {**request, "embed": ["methods"]}):
            for method in resource.get("resourceMethods", {}).values():
                called.setdefault(resource["path"], []).extend(
                    CALLED.findall(method.get("methodIntegration", {}).get("uri", ""))
                )
        stages = [each["stageName"] for each in self._aws.call("apigateway", "GetStages", request)["item"]]
        return Api(
            api["id"],
            api["name"],
            tuple(f"/{stage}{path}" for stage in stages for path in called),
            tuple(dict.fromkeys(name for names in called.values() for name in names)),
        )

    def _is_documented(self, role: str) -> bool:
        request = {"RoleName": role}
        try:
            names = list(self._each("iam", "ListRolePolicies", "PolicyNames", request))
        except AwsError as error:
            if error.code == NO_SUCH_ENTITY:  # a function can outlive its role
                return False
            raise
        return any(
            allows_every_log(self._aws.call("iam", "GetRolePolicy", {**request, "PolicyName": name})["PolicyDocument"])
            for name in names
        )

    def _role(self, name: str) -> Role:
        request = {"RoleName": name}
        attached = self._each("iam", "ListAttachedRolePolicies", "AttachedPolicies", request)
        return Role(
            name,
            tuple(self._each("iam", "ListRolePolicies", "PolicyNames", request)),
            tuple(each["PolicyArn"] for each in attached),
        )

    def _each(self, service: str, operation: str, items: str, request: Mapping[str, Any]) -> Iterator[Any]:
        """Everything that a call lists, page by page."""
        more: Json = {}
        while True:
            answer = self._aws.call(service, operation, {**request, **more})
            yield from answer.get(items, [])
            # The parameter that continues a list, and where an answer has it: Lambda, IAM, API Gateway.
            following = answer.get("NextMarker") or answer.get("Marker") or answer.get("position")
            if not following:
                return
            more = {"position" if service == "apigateway" else "Marker": following}


def allows_every_log(document: Mapping[str, Any]) -> bool:
    """Whether a policy is the documented one: it allows writing any log."""
    return any(
        each["Effect"] == "Allow"
        and ANY_LOG in _texts(each.get("Resource"))
        and set(_texts(each.get("Action"))).issuperset(LOG_ACTIONS)
        for each in _statements(document)
    )


def _statements(document: Mapping[str, Any]) -> list[Json]:
    found = document["Statement"]
    return [found] if isinstance(found, dict) else list(found)


def _texts(value: object) -> list[str]:
    """A policy's field that holds one text or several."""
    return [value] if isinstance(value, str) else list(value) if isinstance(value, list) else []
