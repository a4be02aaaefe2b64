"""The bot's secrets: encrypted parameters under one path, never environment variables."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
from pulumi_aws import ssm

from components.policy import Statement


@dataclass(frozen=True, kw_only=True)
class BotSecretsArgs:
    """What `BotSecrets` needs.

    Attributes:
        page_access_token: Lets the bot write as the page.
        app_secret: Signs what Facebook sends.
        verify_token: Proves to the bot that the handshake is meant for it.
        tags: Tags of each parameter.
        app_secret_previous: Still accepted beside the new one while that is being rotated. None: there is none.
    """

    page_access_token: pulumi.Input[str] = field(repr=False)
    app_secret: pulumi.Input[str] = field(repr=False)
    verify_token: pulumi.Input[str] = field(repr=False)
    tags: Mapping[str, str]
    app_secret_previous: pulumi.Input[str] | None = field(default=None, repr=False)


class BotSecrets(pulumi.ComponentResource):
    """The secrets as SSM SecureString parameters under `/<component's name>`.

    Attributes:
        path: The path that they are read from, in one `GetParametersByPath`; known once all are there.
        reader_statement: The right to read them. The account's own key (`alias/aws/ssm`) asks for no `kms:Decrypt`.
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
                value=value,  # the provider makes it a secret, even where the caller did not
                tags=args.tags,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for key, value in values.items()
            if value is not None
        ]
        arns = pulumi.Output.all(*[parameter.arn for parameter in parameters])
        self.path = arns.apply(lambda _: path)
        self.reader_statement = Statement(
            sid="ReadSecrets",
            actions=["ssm:GetParametersByPath"],
            # A path is authorised as if it were a parameter of that name (Systems Manager User Guide,
            # "Restricting access to parameters"); every parameter's ARN is the path's plus its last part.
            resources=[arns.apply(lambda known: str(known[0]).rpartition("/")[0])],
        )
        self.register_outputs({"path": self.path})
