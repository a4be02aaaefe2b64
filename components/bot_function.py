"""The bot's function: a folder of code for any Lambda runtime."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi_aws import lambda_

from components.code import code_archive
from components.errors import require_within

# Lambda Developer Guide, "Lambda quotas".
MEMORY_MB = range(128, 10_240 + 1)
TIMEOUT_SECONDS = range(1, 900 + 1)


@dataclass(frozen=True, kw_only=True)
class BotFunctionArgs:
    """What `BotFunction` needs.

    Attributes:
        code: The folder that is deployed, without caches and hidden files.
        package: The folder's name inside the zip (`bot` lets Python import it as `bot`). Empty: at the zip's root.
        handler: What the runtime calls, such as `bot.handler.handle` or `index.handler`.
        role_arn: The role that the function runs as; known once its policies are in place.
        log_group_name: The log group that the function writes to.
        environment: Environment variables; no secrets.
        memory_mb: 128 to 10,240; the share of a processor grows with it.
        timeout_seconds: The longest that one invocation may take, 1 to 900.
        runtime: Any managed Lambda runtime, such as `python3.13`, `nodejs22.x`, `java21`, `dotnet8`.
        architecture: `arm64` costs a fifth less per second than `x86_64` (AWS Lambda pricing).

    Raises:
        InvalidArgs: If memory or timeout is outside Lambda's limits.
    """

    code: Path
    package: str
    handler: str
    role_arn: pulumi.Input[str]
    log_group_name: pulumi.Input[str]
    environment: Mapping[str, pulumi.Input[str]]
    memory_mb: int
    timeout_seconds: int
    runtime: str = "python3.13"
    architecture: str = "arm64"

    def __post_init__(self) -> None:
        require_within(MEMORY_MB, self.memory_mb, "function's memory in MB")
        require_within(TIMEOUT_SECONDS, self.timeout_seconds, "function's timeout in seconds")


class BotFunction(pulumi.ComponentResource):
    """The function, with JSON logs in its own log group.

    Attributes:
        name: The function's name.
        arn: Its ARN.
        invoke_arn: The URI that API Gateway integrates with.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    invoke_arn: pulumi.Output[str]

    def __init__(self, name: str, args: BotFunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:BotFunction", name, None, opts)
        function = lambda_.Function(
            f"{name}-function",
            code=code_archive(args.code, args.package),
            handler=args.handler,
            runtime=args.runtime,
            architectures=[args.architecture],
            role=args.role_arn,
            memory_size=args.memory_mb,
            timeout=args.timeout_seconds,
            environment={"variables": dict(args.environment)},
            logging_config={"log_format": "JSON", "log_group": args.log_group_name},
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = function.name
        self.arn = function.arn
        self.invoke_arn = function.invoke_arn
        self.register_outputs({"name": self.name})
