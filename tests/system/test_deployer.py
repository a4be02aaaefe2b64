"""The deployer's roles on the emulated AWS: who gets a session of which, and what each session is refused."""

from collections.abc import Iterator

import pytest
from botocore.exceptions import ClientError

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import ACCOUNT
from tests.engine.place import REGION, Embedded, Place
from tests.github import AUDIENCE, HOUR, session, token
from tests.harness import PROJECT

REPOSITORY = "octo/bot"
BUCKET = f"{PROJECT}-state-{ACCOUNT}-{REGION}"
SETTINGS = "config:\n  aws:region: eu-central-1\n  innolab-fbm:bot: false\n  innolab-fbm:adminRights: scoped\n"
ADMINISTRATOR = "arn:aws:iam::aws:policy/IAMFullAccess"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/{PROJECT}-dev-boundary"
GITHUB = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
RUNS = {
    "preview": f"repo:{REPOSITORY}:pull_request",
    "drift": f"repo:{REPOSITORY}:ref:refs/heads/main",
    "deploy-dev": f"repo:{REPOSITORY}:environment:dev",
    "deploy-prod": f"repo:{REPOSITORY}:environment:prod",
}


class Account:
    """An account in which the owner has deployed the deployer for `dev` and `prod`, with the state of both."""

    def __init__(self, place: Place) -> None:
        self.owner, self.cloud = place.owner, place.cloud
        (place.folder / "Pulumi.admins.yaml").write_text(SETTINGS, "utf-8")
        Embedded(place, "admins", adminStacks='["dev", "prod"]', deployFrom=REPOSITORY).run("up")
        s3, kms = self.owner("s3"), self.owner("kms")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.key = kms.create_key()["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName=f"alias/{PROJECT}", TargetKeyId=self.key)
        self.other_key = kms.create_key()["KeyMetadata"]["Arn"]
        self.wrapped = {}
        for stack in ("dev", "prod"):
            s3.put_object(Bucket=BUCKET, Key=state(stack), Body=b"{}")
            self.wrapped[stack] = self.encrypted(self.key, stack)
            self.owner("ssm").put_parameter(Name=f"/{PROJECT}-{stack}-secrets/page", Value="x", Type="SecureString")

    def encrypted(self, key: str, stack: str) -> bytes:
        context = {"stack": stack}
        blob: bytes = self.owner("kms").encrypt(KeyId=key, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]
        return blob

    def as_role(self, role: str) -> Clients:
        return Clients(self.cloud.url, REGION, session(self.owner, role, token(RUNS[role])))


def state(stack: str) -> str:
    return f".pulumi/stacks/{PROJECT}/{stack}.json"


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    with Place() as place:
        yield Account(place)


@pytest.mark.parametrize("role", RUNS)
@pytest.mark.parametrize("ids", ["", "@12"], ids=["by name", "by name and id"])
def test_a_workflow_gets_the_role_of_its_run_for_an_hour(account: Account, role: str, ids: str) -> None:
    subject = RUNS[role].replace("octo/bot", f"octo{ids}/bot{ids}")

    assert session(account.owner, role, token(subject), HOUR)
    with pytest.raises(ClientError, match="exceeds the MaxSessionDuration"):
        session(account.owner, role, token(subject), HOUR + 1)


@pytest.mark.parametrize(
    ("role", "subject"),
    [
        ("deploy-dev", RUNS["preview"]),
        ("deploy-dev", RUNS["drift"]),
        ("deploy-prod", RUNS["deploy-dev"]),
        ("preview", RUNS["deploy-dev"]),
        ("drift", RUNS["preview"]),
        ("drift", f"repo:{REPOSITORY}:ref:refs/heads/other"),
        ("deploy-dev", "repo:octo/bot2:environment:dev"),
        ("deploy-dev", "repo:other/bot:environment:dev"),
        ("deploy-dev", "repo:octo@1/other@2:environment:dev"),
        ("deploy-dev", "repo:octo@1/other@2:environment:x/bot@2%3Aenvironment%3Adev"),
        ("deploy-dev", "repo:octo@1/other@2:ref:refs/heads/bot@2"),
    ],
)
def test_any_other_run_gets_no_session(account: Account, role: str, subject: str) -> None:
    with pytest.raises(ClientError, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        session(account.owner, role, token(subject))


def test_a_token_for_somebody_else_or_from_somebody_else_gets_no_session(account: Account) -> None:
    with pytest.raises(ClientError, match="Incorrect token audience"):
        session(account.owner, "preview", token(RUNS["preview"], audience="https://github.com/octo"))
    with pytest.raises(ClientError, match="No OpenIDConnect provider"):
        session(account.owner, "preview", token(RUNS["preview"], AUDIENCE, "https://token.example.org"))


@pytest.mark.parametrize(("role", "own", "other"), [("deploy-dev", "dev", "prod"), ("deploy-prod", "prod", "dev")])
def test_a_deploying_role_has_the_state_and_the_secrets_of_its_own_stack_only(
    account: Account, role: str, own: str, other: str
) -> None:
    clients = account.as_role(role)

    def read(stack: str) -> None:
        clients("s3").get_object(Bucket=BUCKET, Key=state(stack))

    def write(stack: str) -> None:
        clients("s3").put_object(Bucket=BUCKET, Key=state(stack), Body=b"{}")

    def decrypt(stack: str) -> None:
        clients("kms").decrypt(CiphertextBlob=account.wrapped[stack], EncryptionContext={"stack": stack})

    def look_up(stack: str) -> None:
        clients("ssm").get_parameter(Name=f"/{PROJECT}-{stack}-secrets/page", WithDecryption=True)

    for attempt in (read, write, decrypt, look_up):
        attempt(own)
        with pytest.raises(ClientError, match=r"(?i)not authorized|AccessDenied"):
            attempt(other)


def test_the_key_opens_nothing_under_another_alias(account: Account) -> None:
    blob = account.encrypted(account.other_key, "dev")

    with pytest.raises(ClientError, match="not authorized"):
        account.as_role("deploy-dev")("kms").decrypt(CiphertextBlob=blob, EncryptionContext={"stack": "dev"})


ATTEMPTS: tuple[tuple[str, str, dict[str, object]], ...] = (
    ("iam", "attach_role_policy", {"RoleName": f"{PROJECT}-deploy-dev", "PolicyArn": ADMINISTRATOR}),
    ("iam", "update_assume_role_policy", {"RoleName": f"{PROJECT}-deploy-prod", "PolicyDocument": "{}"}),
    ("iam", "create_role", {"RoleName": f"{PROJECT}-dev-more", "AssumeRolePolicyDocument": "{}"}),
    ("iam", "delete_role_permissions_boundary", {"RoleName": f"{PROJECT}-dev-bot-role"}),
    ("iam", "create_policy_version", {"PolicyArn": BOUNDARY, "PolicyDocument": "{}", "SetAsDefault": True}),
    ("iam", "create_access_key", {"UserName": "anna"}),
    ("iam", "create_open_id_connect_provider", {"Url": "https://mine.example.org", "ClientIDList": ["x"]}),
    ("iam", "add_client_id_to_open_id_connect_provider", {"OpenIDConnectProviderArn": GITHUB, "ClientID": "x"}),
    ("s3", "put_object", {"Bucket": BUCKET, "Key": ".pulumi/meta.yaml", "Body": b""}),
    ("kms", "update_alias", {"AliasName": f"alias/{PROJECT}", "TargetKeyId": "k"}),
    ("kms", "schedule_key_deletion", {"KeyId": f"alias/{PROJECT}"}),
)


@pytest.mark.parametrize("role", RUNS)
def test_no_role_can_get_more(account: Account, role: str) -> None:
    clients = account.as_role(role)
    for service, operation, arguments in ATTEMPTS:
        with pytest.raises(ClientError, match=r"(?i)not authorized|AccessDenied"):
            getattr(clients(service), operation)(**arguments)
