"""The bot's secrets: encrypted parameters under one path, never environment variables."""

from dataclasses import dataclass, field

import pulumi
from pulumi_aws import ssm

from components.policy import Statement

SECRET_CHARACTERS = 4096
"""The longest value of a standard parameter (Systems Manager User Guide, "Managing parameter tiers": 4 KB)."""


@dataclass(frozen=True, kw_only=True)
class BotSecretsArgs:
    """What `BotSecrets` needs.

    Attributes:
        page_access_token: Lets the bot write as the page.
        app_secret: Signs what Facebook sends.
        verify_token: Proves that a webhook registration is meant for this bot.
        app_secret_previous: The app secret before a rotation; the bot accepts both. None: no rotation.
    """

    page_access_token: pulumi.Input[str] = field(repr=False)
    app_secret: pulumi.Input[str] = field(repr=False)
    verify_token: pulumi.Input[str] = field(repr=False)
    app_secret_previous: pulumi.Input[str] | None = field(default=None, repr=False)


class BotSecrets(pulumi.ComponentResource):
    """The secrets as SSM SecureString parameters under `/<component's name>`.

    Attributes:
        path: The path of all of them, for one `GetParametersByPath`; known once all exist.
        reader_statement: Permission to read them. The account's own key (`alias/aws/ssm`) needs no `kms:Decrypt`.
    """

    path: pulumi.Output[str]
    reader_statement: Statement

    def __init__(self, name: str, args: BotSecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:BotSecrets", name, None, opts)
        path = f"/{name}"
        values = {
            "page-access-token": args.page_access_token,
            "app-secret": args.app_secret,
            "app-secret-previous": args.app_secret_previous,
            "verify-token": args.verify_token,
        }
        parameters = [
            ssm.Parameter(
                f"{name}-{key}",
                name=f"{path}/{key}",
                type=ssm.ParameterType.SECURE_STRING,
                value=value,  # the provider marks it as a secret, even if the caller did not
                opts=pulumi.ResourceOptions(parent=self),
            )
            for key, value in values.items()
            if value is not None
        ]
        # By their names, which a preview knows: an ARN would announce changes of everything that reads the path.
        self.path = pulumi.Output.all(*[parameter.name for parameter in parameters]).apply(lambda _: path)
        # Each parameter's ARN is the path's ARN and its own last part.
        self.reader_statement = reader_statement(parameters[0].arn.apply(lambda arn: arn.rpartition("/")[0]))
        self.register_outputs({"path": self.path})


def reader_statement(path_arn: pulumi.Output[str]) -> Statement:
    """The statement that lets a role read all parameters under a path.

    Args:
        path_arn: The path's ARN. AWS authorises a path as if it were a parameter of that name (Systems Manager User
            Guide, "Restricting access to parameters").
    """
    return Statement(sid="ReadSecrets", actions=["ssm:GetParametersByPath"], resources=[path_arn])
