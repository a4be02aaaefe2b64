"""Identity and access management."""

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import unquote

from sandbox.provider import refusals
from sandbox.provider.account import Account
from sandbox.provider.resource import Change, Existing, Inputs, Json, ResourceType, chosen, tag_list, tag_map, text

POLICY_VERSIONS = 5  # IAM User Guide, "IAM and AWS STS quotas": versions of a managed policy
DEFAULT_SESSION_SECONDS = 3600


def _document(document: Json) -> str:
    """A policy document as text: boto3 gives an object, or quoted text."""
    return unquote(text(document))


class Group(ResourceType):
    """A group of users."""

    type_name = "aws:iam/group:Group"

    def _create(self, account: Account, inputs: Inputs) -> str:
        account.client("iam").create_group(GroupName=inputs["name"], Path=inputs["path"])
        return str(inputs["name"])

    def _read(self, account: Account, known: Existing) -> Existing:
        group = account.client("iam").get_group(GroupName=known.id)["Group"]
        inputs = {"name": group["GroupName"], "path": group["Path"]}
        return Existing(group["GroupName"], inputs, {"arn": group["Arn"], "uniqueId": group["GroupId"]})

    def _update(self, account: Account, change: Change) -> str:
        old, inputs, changed = change.old, change.inputs, change.changed
        new = {"name": {"NewGroupName": inputs["name"]}, "path": {"NewPath": inputs["path"]}}
        account.client("iam").update_group(
            GroupName=old.id, **{key: value for each in sorted(changed) for key, value in new[each].items()}
        )
        return str(inputs["name"])

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("iam").delete_group(GroupName=old.id)


class PolicyAttachment(ResourceType):
    """A managed policy attached to something.

    Attributes:
        holder: what it is attached to, as the argument is named.
    """

    holder: ClassVar[str]

    def _create(self, account: Account, inputs: Inputs) -> str:
        refusals.attachable(account.owner("iam"), inputs["policyArn"])
        self._call(account, "attach_{}_policy", inputs, PolicyArn=inputs["policyArn"])
        return self._id(inputs)

    def _call(self, account: Account, name: str, inputs: Inputs, **arguments: str) -> Any:
        call = getattr(account.client("iam"), name.format(self.holder))
        return call(**{f"{self.holder.title()}Name": inputs[self.holder]}, **arguments)

    def _id(self, inputs: Inputs) -> str:
        return f"{inputs[self.holder]}-{inputs['policyArn'].rpartition('/')[2]}"

    def _read(self, account: Account, known: Existing) -> Existing | None:
        attached = self._call(account, "list_attached_{}_policies", known.inputs)["AttachedPolicies"]
        arns = [each["PolicyArn"] for each in attached]
        return Existing(known.id, known.inputs) if known.inputs["policyArn"] in arns else None

    def _delete(self, account: Account, old: Existing) -> None:
        self._call(account, "detach_{}_policy", old.inputs, PolicyArn=old.inputs["policyArn"])


class GroupPolicyAttachment(PolicyAttachment):
    """A managed policy attached to a group."""

    type_name = "aws:iam/groupPolicyAttachment:GroupPolicyAttachment"
    import_format = "group/policyArn"
    holder = "group"


class RolePolicyAttachment(PolicyAttachment):
    """A managed policy attached to a role."""

    type_name = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    import_format = "role/policyArn"
    holder = "role"


class UserGroupMembership(ResourceType):
    """A user's membership of some groups; the user's other groups stay."""

    type_name = "aws:iam/userGroupMembership:UserGroupMembership"

    def _parsed(self, import_id: str) -> Existing:
        user, *groups = import_id.split("/")
        return Existing(user, {"user": user, "groups": groups})

    def _create(self, account: Account, inputs: Inputs) -> str:
        self._add(account, inputs["user"], inputs["groups"])
        return str(inputs["user"])

    def _read(self, account: Account, known: Existing) -> Existing | None:
        user = known.inputs["user"]
        groups = {each["GroupName"] for each in account.client("iam").list_groups_for_user(UserName=user)["Groups"]}
        found = [each for each in known.inputs["groups"] if each in groups]
        return Existing(known.id, {"user": user, "groups": found}) if found else None

    def _update(self, account: Account, change: Change) -> None:
        before, after = change.old.inputs["groups"], change.inputs["groups"]
        self._remove(account, change.inputs["user"], [each for each in before if each not in after])
        self._add(account, change.inputs["user"], [each for each in after if each not in before])

    def _delete(self, account: Account, old: Existing) -> None:
        self._remove(account, old.inputs["user"], old.inputs["groups"])

    def _add(self, account: Account, user: str, groups: list[str]) -> None:
        for group in groups:
            account.client("iam").add_user_to_group(UserName=user, GroupName=group)

    def _remove(self, account: Account, user: str, groups: list[str]) -> None:
        iam = account.client("iam")
        for group in groups:
            try:
                iam.remove_user_from_group(UserName=user, GroupName=group)
            except iam.exceptions.NoSuchEntityException:
                continue  # somebody else removed the user or the group


class Policy(ResourceType):
    """A customer-managed policy."""

    type_name = "aws:iam/policy:Policy"

    def _create(self, account: Account, inputs: Inputs) -> str:
        created = account.client("iam").create_policy(
            PolicyName=inputs["name"],
            PolicyDocument=inputs["policy"],
            Description=inputs["description"],
            Path=inputs["path"],
            Tags=tag_list(inputs.get("tags")),
        )
        return str(created["Policy"]["Arn"])

    def _read(self, account: Account, known: Existing) -> Existing:
        iam = account.client("iam")
        policy = iam.get_policy(PolicyArn=known.id)["Policy"]
        version = iam.get_policy_version(PolicyArn=known.id, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        inputs = {
            "name": policy["PolicyName"],
            "path": policy["Path"],
            "description": policy.get("Description", ""),
            "policy": _document(version["Document"]),
            "tags": tag_map(policy.get("Tags", [])),
        }
        return Existing(known.id, inputs, {"arn": policy["Arn"], "policyId": policy["PolicyId"]})

    def _update(self, account: Account, change: Change) -> None:
        versions = self._old_versions(account, change.old.id)
        if len(versions) == POLICY_VERSIONS - 1:
            account.client("iam").delete_policy_version(PolicyArn=change.old.id, VersionId=versions[0])
        account.client("iam").create_policy_version(
            PolicyArn=change.old.id, PolicyDocument=change.inputs["policy"], SetAsDefault=True
        )

    def _delete(self, account: Account, old: Existing) -> None:
        for version in self._old_versions(account, old.id):
            account.client("iam").delete_policy_version(PolicyArn=old.id, VersionId=version)
        account.client("iam").delete_policy(PolicyArn=old.id)

    def _old_versions(self, account: Account, arn: str) -> list[str]:
        """The versions that are not in force, oldest first."""
        versions = account.client("iam").list_policy_versions(PolicyArn=arn)["Versions"]
        numbers = [int(each["VersionId"].removeprefix("v")) for each in versions if not each["IsDefaultVersion"]]
        return [f"v{number}" for number in sorted(numbers)]

    def _tag(self, account: Account, old: Existing, tags: Mapping[str, str]) -> None:
        account.client("iam").tag_policy(PolicyArn=old.id, Tags=tag_list(tags))

    def _untag(self, account: Account, old: Existing, keys: list[str]) -> None:
        account.client("iam").untag_policy(PolicyArn=old.id, TagKeys=keys)


class Role(ResourceType):
    """A role."""

    type_name = "aws:iam/role:Role"
    unreadable = frozenset({"forceDetachPolicies"})

    def _create(self, account: Account, inputs: Inputs) -> str:
        optional = {"description": "Description", "permissionsBoundary": "PermissionsBoundary"}
        account.client("iam").create_role(
            RoleName=inputs["name"],
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            Path=inputs["path"],
            MaxSessionDuration=inputs["maxSessionDuration"],
            Tags=tag_list(inputs.get("tags")),
            **{optional[key]: value for key, value in chosen(inputs, optional).items()},
        )
        return str(inputs["name"])

    def _read(self, account: Account, known: Existing) -> Existing:
        iam = account.client("iam")
        role = iam.get_role(RoleName=known.id)["Role"]
        for name in iam.list_role_policies(RoleName=known.id)["PolicyNames"]:
            iam.get_role_policy(RoleName=known.id, PolicyName=name)
        iam.list_attached_role_policies(RoleName=known.id)
        inputs = {
            "name": role["RoleName"],
            "path": role["Path"],
            "description": role.get("Description", ""),
            "assumeRolePolicy": _document(role["AssumeRolePolicyDocument"]),
            "maxSessionDuration": role.get("MaxSessionDuration", DEFAULT_SESSION_SECONDS),
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "tags": tag_map(role.get("Tags", [])),
        }
        return Existing(known.id, inputs, {"arn": role["Arn"], "uniqueId": role["RoleId"]})

    def _update(self, account: Account, change: Change) -> None:
        old, inputs, changed = change.old, change.inputs, change.changed
        iam = account.client("iam")
        if "assumeRolePolicy" in changed:
            iam.update_assume_role_policy(RoleName=old.id, PolicyDocument=inputs["assumeRolePolicy"])
        if "description" in changed:
            iam.update_role_description(RoleName=old.id, Description=inputs.get("description", ""))
        if "maxSessionDuration" in changed:
            iam.update_role(RoleName=old.id, MaxSessionDuration=inputs["maxSessionDuration"])
        if "permissionsBoundary" in changed:
            if boundary := inputs.get("permissionsBoundary"):
                iam.put_role_permissions_boundary(RoleName=old.id, PermissionsBoundary=boundary)
            else:
                iam.delete_role_permissions_boundary(RoleName=old.id)

    def _delete(self, account: Account, old: Existing) -> None:
        iam = account.client("iam")
        iam.list_instance_profiles_for_role(RoleName=old.id)
        if old.inputs.get("forceDetachPolicies"):
            for name in iam.list_role_policies(RoleName=old.id)["PolicyNames"]:
                iam.delete_role_policy(RoleName=old.id, PolicyName=name)
            for policy in iam.list_attached_role_policies(RoleName=old.id)["AttachedPolicies"]:
                iam.detach_role_policy(RoleName=old.id, PolicyArn=policy["PolicyArn"])
        iam.delete_role(RoleName=old.id)

    def _tag(self, account: Account, old: Existing, tags: Mapping[str, str]) -> None:
        account.client("iam").tag_role(RoleName=old.id, Tags=tag_list(tags))

    def _untag(self, account: Account, old: Existing, keys: list[str]) -> None:
        account.client("iam").untag_role(RoleName=old.id, TagKeys=keys)


class RolePolicy(ResourceType):
    """A role's inline policy."""

    type_name = "aws:iam/rolePolicy:RolePolicy"
    import_format = "role:name"

    def _create(self, account: Account, inputs: Inputs) -> str:
        self._put(account, inputs)
        return self._id(inputs)

    def _put(self, account: Account, inputs: Inputs) -> None:
        account.client("iam").put_role_policy(
            RoleName=inputs["role"], PolicyName=inputs["name"], PolicyDocument=inputs["policy"]
        )

    def _id(self, inputs: Inputs) -> str:
        return f"{inputs['role']}:{inputs['name']}"

    def _read(self, account: Account, known: Existing) -> Existing:
        role, _, name = known.id.partition(":")
        policy = account.client("iam").get_role_policy(RoleName=role, PolicyName=name)
        return Existing(known.id, {"role": role, "name": name, "policy": _document(policy["PolicyDocument"])})

    def _update(self, account: Account, change: Change) -> None:
        self._put(account, change.inputs)

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("iam").delete_role_policy(RoleName=old.inputs["role"], PolicyName=old.inputs["name"])


class OpenIdConnectProvider(ResourceType):
    """An identity provider whose tokens may assume roles."""

    type_name = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"

    def _create(self, account: Account, inputs: Inputs) -> str:
        created = account.client("iam").create_open_id_connect_provider(
            Url=inputs["url"], ClientIDList=inputs["clientIdLists"], Tags=tag_list(inputs.get("tags"))
        )
        return str(created["OpenIDConnectProviderArn"])

    def _read(self, account: Account, known: Existing) -> Existing:
        provider = account.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=known.id)
        inputs = {
            "url": f"https://{provider['Url'].removeprefix('https://')}",  # AWS gives it without
            "clientIdLists": provider["ClientIDList"],
            "tags": tag_map(provider.get("Tags", [])),
        }
        return Existing(known.id, inputs, {"arn": known.id})

    def _update(self, account: Account, change: Change) -> None:
        iam, before, after = account.client("iam"), change.old.inputs["clientIdLists"], change.inputs["clientIdLists"]
        for added in sorted(set(after) - set(before)):
            iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=change.old.id, ClientID=added)
        for removed in sorted(set(before) - set(after)):
            iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=change.old.id, ClientID=removed)

    def _delete(self, account: Account, old: Existing) -> None:
        account.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=old.id)

    def _tag(self, account: Account, old: Existing, tags: Mapping[str, str]) -> None:
        account.client("iam").tag_open_id_connect_provider(OpenIDConnectProviderArn=old.id, Tags=tag_list(tags))

    def _untag(self, account: Account, old: Existing, keys: list[str]) -> None:
        account.client("iam").untag_open_id_connect_provider(OpenIDConnectProviderArn=old.id, TagKeys=keys)
