"""A group that requires MFA, and a session of each kind that the emulator can make, with both kinds of rights."""

import json
from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import ACCOUNT
from tests.engine.place import REGION, Embedded, Key, Place
from tests.github import ISSUER, token

GROUP, MEMBER, ROLE = "Innolab_FBM", "anna", "people"
SETTINGS = "config:\n  aws:region: eu-central-1\n  innolab-fbm:bot: false\n  innolab-fbm:requireMfa: true\n"
SUBJECT = "repo:octo/bot:pull_request"


class Account:
    """An account with the group, a member with an MFA device, and a role with the group's policies."""

    def __init__(self, place: Place, rights: str) -> None:
        self._place = place
        (place.folder / "Pulumi.admins.yaml").write_text(SETTINGS, "utf-8")
        Embedded(place, "admins", adminRights=rights, adminMembers=json.dumps([MEMBER])).run("up")
        iam = place.owner("iam")
        self.serial = iam.create_virtual_mfa_device(VirtualMFADeviceName=MEMBER)["VirtualMFADevice"]["SerialNumber"]
        iam.enable_mfa_device(
            UserName=MEMBER, SerialNumber=self.serial, AuthenticationCode1="123456", AuthenticationCode2="654321"
        )
        provider = iam.create_open_id_connect_provider(Url=ISSUER, ClientIDList=["sts.amazonaws.com"])
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=self._trust(provider["OpenIDConnectProviderArn"]))
        for policy in iam.list_attached_group_policies(GroupName=GROUP)["AttachedPolicies"]:
            iam.attach_role_policy(RoleName=ROLE, PolicyArn=policy["PolicyArn"])
        may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": self._role}
        document = json.dumps({"Version": "2012-10-17", "Statement": [may]})
        iam.put_user_policy(UserName=MEMBER, PolicyName="role", PolicyDocument=document)
        self.key = place.key_of(MEMBER)
        self.code = {"SerialNumber": self.serial, "TokenCode": "123456"}

    def _trust(self, provider: str) -> str:
        member = {"AWS": f"arn:aws:iam::{ACCOUNT}:user/{MEMBER}"}
        allowed = (("sts:AssumeRole", member), ("sts:AssumeRoleWithWebIdentity", {"Federated": provider}))
        statements = [{"Effect": "Allow", "Action": action, "Principal": who} for action, who in allowed]
        return json.dumps({"Version": "2012-10-17", "Statement": statements})

    def plain(self) -> Key:
        return self.key

    def session(self, **code: str) -> Key:
        return self._key(self._clients(self.key)("sts").get_session_token(**code))

    def role(self, **code: str) -> Key:
        # A key alone may not even assume a role. What counts for the role is the code given for its own session.
        sts = self._clients(self.session(**self.code))("sts")
        return self._key(sts.assume_role(RoleArn=self._role, RoleSessionName=MEMBER, **code))

    def workflow(self) -> Key:
        return self._key(
            self._place.owner("sts").assume_role_with_web_identity(
                RoleArn=self._role, RoleSessionName="workflow", WebIdentityToken=token(SUBJECT)
            )
        )

    @property
    def _role(self) -> str:
        return f"arn:aws:iam::{ACCOUNT}:role/{ROLE}"

    def _key(self, answer: dict[str, dict[str, str]]) -> Key:
        given = answer["Credentials"]
        return given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"]

    def look(self, key: Key) -> None:
        """Do what every member may do, with MFA."""
        self._clients(key)("logs").describe_log_groups()

    def _clients(self, key: Key) -> Clients:
        return Clients(self._place.cloud.url, REGION, key)


@pytest.fixture(scope="module", params=["documented", "scoped"])
def account(request: pytest.FixtureRequest) -> Iterator[Account]:
    with Place() as place:
        yield Account(place, request.param)


@pytest.mark.parametrize("kind", [Account.session, Account.role], ids=["of a user", "of a role"])
def test_a_session_that_began_with_a_code_may_do_what_the_group_may(account: Account, kind: Callable[..., Key]) -> None:
    account.look(kind(account, **account.code))


@pytest.mark.parametrize(
    "kind", [Account.plain, Account.session, Account.role, Account.workflow],
    ids=["an access key", "of a user", "of a role", "of a workflow"],
)  # fmt: skip
def test_no_other_session_may(account: Account, kind: Callable[..., Key]) -> None:
    with pytest.raises(ClientError, match=r"not authorized.*explicit deny"):
        account.look(kind(account))
