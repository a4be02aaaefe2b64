"""A member with scoped rights, in an emulated AWS: attempts to get more are refused."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from sandbox.aws.clients import Clients
from sandbox.aws.cloud import ACCOUNT, OWNER, Cloud
from tests import harness
from tests.harness import Graph, run_main
from tests.sandbox.conftest import REGION
from tools.rights.attempts import ATTEMPTS, Attempt, Scene, refused_action, set_up

MEMBER = "mallory"


@pytest.fixture(scope="module")
def stage() -> Iterator[Callable[[str], Scene]]:
    """Makes the group of a stack with one kind of rights and one member, each in its own cloud."""
    with ExitStack() as running:

        def start(rights: str) -> Scene:
            cloud = Cloud(REGION)
            running.callback(cloud.stop)
            cloud.start()
            cloud.wait_until_ready()
            return _group(cloud, run_main("local", {"adminRights": rights}))

        yield start


def _group(cloud: Cloud, graph: Graph) -> Scene:
    def sign_in(key: tuple[str, ...]) -> Clients:
        return Clients(cloud.url, REGION, key)

    iam = sign_in(OWNER)("iam")
    iam.create_group(GroupName="group")
    arns: dict[str, str] = {}
    for each in graph.of("aws:iam/policy:Policy"):
        document = json.dumps(each.policy()).replace(harness.ACCOUNT, ACCOUNT)
        name = each.inputs.get("name", each.name)
        arns[name] = iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
    for each in graph.of("aws:iam/groupPolicyAttachment:GroupPolicyAttachment"):
        arn = each.inputs["policyArn"]
        own = arns.get(arn.rpartition("/")[2].rpartition("-")[0])
        iam.attach_group_policy(GroupName="group", PolicyArn=own or arn)
    boundary = arns.get("innolab-fbm-local-boundary", "")
    iam.create_user(UserName=MEMBER)
    iam.add_user_to_group(GroupName="group", UserName=MEMBER)
    made = iam.create_access_key(UserName=MEMBER)["AccessKey"]
    return set_up(sign_in, (made["AccessKeyId"], made["SecretAccessKey"]), MEMBER, "group", boundary)


@pytest.fixture(scope="module")
def scoped(stage: Callable[[str], Scene]) -> Scene:
    return stage("scoped")


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda each: each.name)
def test_an_attempt_to_get_more_is_refused(scoped: Scene, attempt: Attempt) -> None:
    assert refused_action(attempt, scoped) == attempt.action


def test_with_the_documented_rights_every_attempt_succeeds(stage: Callable[[str], Scene]) -> None:
    """The second attempt already gives everything. So no attempt is refused just because it makes no sense."""
    documented = stage("documented")

    assert {each.name: refused_action(each, documented) for each in ATTEMPTS} == {each.name: "" for each in ATTEMPTS}
