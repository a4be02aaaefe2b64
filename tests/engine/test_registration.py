"""The registration with Facebook under the real engine: from its creation to its end, with everything in between."""

from collections.abc import Iterator

import pytest

from bot.registration import SUBSCRIBED
from sandbox.aws.cloud import OWNER
from sandbox.engine.automation import Action, PulumiStack
from sandbox.engine.deployment import Deployed
from sandbox.errors import SandboxError
from sandbox.local import APP_ID, Sandbox
from tests.engine.place import run

NAME = "innolab-fbm-local-facebook"
pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]


class Registered:
    """A stack that the real engine has deployed, with a registration."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox, self.graph = sandbox, sandbox.graph
        self.pulumi = PulumiStack(sandbox.configuration, sandbox.pulumi_home, sandbox.cloud_url, OWNER)

    def run(self, action: Action) -> str:
        """Let the engine do something: what it does with the registration."""
        deployed = Deployed()
        self.pulumi.run(action, deployed.note)
        return deployed.done[NAME]

    def preview(self) -> str:
        """What `pulumi preview --diff` shows."""
        return self.pulumi.engine.preview(diff=True, color="never").stdout

    def set(self, **settings: str) -> None:
        """Change settings."""
        self.sandbox.configuration = self.sandbox.configuration.with_values(**settings)
        self.pulumi.configure(self.sandbox.configuration, self.sandbox.cloud_url, OWNER)


@pytest.fixture(scope="module")
def stack() -> Iterator[Registered]:
    with Sandbox(engine="pulumi", settings={"appId": APP_ID}) as sandbox:
        yield Registered(sandbox)


def test_the_life_of_a_registration(stack: Registered) -> None:
    graph = stack.graph

    # It is created once the webhook answers, and is in order then.
    assert set(graph.subscribed_apps.fields) == set(SUBSCRIBED)
    (known,) = graph.app_subscription.subscriptions
    assert known["callback_url"] == stack.sandbox.outputs["webhookUrl"]
    assert stack.run("up") == "same"
    assert stack.run("refresh") == "same"

    # No secret is in plain text in the state.
    command = stack.pulumi.engine.workspace.pulumi_command.command
    exported = run([command, "stack", "export", "--stack", stack.sandbox.stack], stack.pulumi).stdout
    assert NAME in exported
    for secret in (stack.sandbox.page_token, stack.sandbox.app_secret, stack.sandbox.verify_token):
        assert secret not in exported

    # What drifted at Facebook is shown by a preview, noted by a refresh, and repaired by the next update.
    graph.subscribed_apps.fields = [each for each in SUBSCRIBED if each != "feed"]
    graph.set_profile({})
    shown = stack.preview()
    assert "the page's subscription lacks feed" in shown
    assert "the profile differs in" in shown
    assert graph.subscribed_apps.fields[-1] != "feed"
    stack.run("refresh")
    assert stack.run("up") == "changed"
    assert set(graph.subscribed_apps.fields) == set(SUBSCRIBED)
    assert graph.profile()
    assert stack.run("up") == "same"

    # A failure says what to do in one sentence, and the next update completes it.
    graph.app_subscription.delete({})
    stack.sandbox.faults({"error": {"code": 200, "status": 403}})
    with pytest.raises(SandboxError) as failure:
        stack.run("up")
    stack.sandbox.faults({})
    assert "could not be set" in str(failure.value)
    assert "File " not in str(failure.value)
    assert stack.run("up") == "changed"

    # Another verify token is registered with Facebook, although Facebook shows none.
    stack.set(verifyToken="another-verify-token")
    assert stack.run("up") == "changed"
    assert graph.app_subscription.verified == {"page": "another-verify-token"}

    # With the stack, the registration goes.
    assert stack.run("destroy") == "deleted"
    assert (graph.subscribed_apps.fields, graph.app_subscription.subscriptions) == ([], [])
