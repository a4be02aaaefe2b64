"""Secrets are encrypted whatever the caller passes in, and readable only by their path."""

import pulumi

from components.bot_role import BotRole, BotRoleArgs
from components.bot_secrets import BotSecrets, BotSecretsArgs
from tests.harness import run_program


def args(previous: str | None = None) -> BotSecretsArgs:
    return BotSecretsArgs(
        page_access_token="canary-a",
        app_secret="canary-b",
        verify_token=pulumi.Output.secret("canary-c") if previous else "canary-c",
        app_secret_previous=previous,
    )


def test_a_plain_value_becomes_a_secret_and_is_encrypted() -> None:
    graph = run_program(lambda: BotSecrets("bot-secrets", args()))

    for each in graph.of("aws:ssm/parameter:Parameter"):
        assert each.secret_inputs == {"value"}
        assert each.inputs["type"] == "SecureString"


def test_the_previous_app_secret_is_a_parameter_only_while_there_is_one() -> None:
    without = run_program(lambda: BotSecrets("bot-secrets", args()))
    with_previous = run_program(lambda: BotSecrets("bot-secrets", args("canary-d")))

    assert {each.inputs["name"] for each in without.of("aws:ssm/parameter:Parameter")} == {
        "/bot-secrets/page-access-token",
        "/bot-secrets/app-secret",
        "/bot-secrets/verify-token",
    }
    previous = with_previous.one("aws:ssm/parameter:Parameter", "app-secret-previous")
    assert (previous.inputs["name"], previous.inputs["value"]) == ("/bot-secrets/app-secret-previous", "canary-d")


def test_the_reader_may_read_the_path_and_nothing_else() -> None:
    def program() -> None:
        secrets = BotSecrets("bot-secrets", args())
        BotRole("bot", BotRoleArgs(statements=[secrets.reader_statement]))
        pulumi.export("path", secrets.path)

    graph = run_program(program)

    assert graph.outputs == {"path": "/bot-secrets"}
    assert graph.one("aws:iam/rolePolicy:RolePolicy", "access-policy").policy()["Statement"] == [
        {
            "Sid": "ReadSecrets",
            "Effect": "Allow",
            "Action": ["ssm:GetParametersByPath"],
            "Resource": "arn:aws:ssm:eu-central-1:111122223333:parameter/bot-secrets",
        }
    ]


def test_the_arguments_show_no_secret() -> None:
    assert "canary" not in repr(args())
