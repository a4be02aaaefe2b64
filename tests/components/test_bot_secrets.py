"""Secrets are encrypted whatever the caller passes in."""

from components.bot_secrets import BotSecrets, BotSecretsArgs
from tests.harness import run_program

ARGS = BotSecretsArgs(page_access_token="canary-a", app_secret="canary-b", verify_token="canary-c")


def test_a_plain_value_becomes_a_secret_and_is_encrypted() -> None:
    graph = run_program(lambda: BotSecrets("bot-secrets", ARGS))

    for each in graph.of("aws:ssm/parameter:Parameter"):
        assert each.secret_inputs == {"value"}
        assert each.inputs["type"] == "SecureString"


def test_the_arguments_show_no_secret() -> None:
    assert "canary" not in repr(ARGS)
