"""The bot's function: a folder of code of any Lambda runtime, deployed as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi_aws import lambda_

from components.code_archive import Prepare, as_it_is, write_archive
from components.errors import require

# Lambda Developer Guide, "Lambda quotas".
MEMORY_MB = range(128, 10_240 + 1)
TIMEOUT_SECONDS = range(1, 900 + 1)


@dataclass(frozen=True, kw_only=True)
class BotFunctionArgs:
    """What `BotFunction` needs.

    Attributes:
        code: The folder that is deployed; caches in it are left out.
        package: The folder's name inside the zip (`bot` lets Python import it as `bot`). Empty: at the zip's root.
        handler: What the runtime calls, such as `bot.handler.handle` or `index.handler`.
        role_arn: The role that the function runs as; known once its policies are in place.
        log_group_name: Where its log goes.
        environment: Environment variables; no secrets.
        memory_mb: 128 to 10,240; the processor's share grows with it.
        timeout_seconds: 1 to 900, for one invocation.
        build_folder: Where the zip is written.
        tags: Tags of the function.
        runtime: Any managed runtime of Lambda, such as `python3.13`, `nodejs22.x`, `java21`, `dotnet8`.
        prepare: What is deployed of each file, such as `slim_python`; all of it by default.
        architecture: `arm64` costs a fifth less a second than `x86_64` (AWS Lambda pricing).

    Raises:
        InvalidArgs: If memory or time-out is outside what Lambda has.
    """

    code: Path
    package: str
    handler: str
    role_arn: pulumi.Input[str]
    log_group_name: pulumi.Input[str]
    environment: Mapping[str, pulumi.Input[str]]
    memory_mb: int
    timeout_seconds: int
    build_folder: Path
    tags: Mapping[str, str]
    runtime: str = "python3.13"
    architecture: str = "arm64"
    prepare: Prepare = as_it_is

    def __post_init__(self) -> None:
        require(self.memory_mb in MEMORY_MB, f"Lambda has no {self.memory_mb} MB of memory: choose 128 to 10240.")
        require(
            self.timeout_seconds in TIMEOUT_SECONDS,
            f"Lambda cannot run for {self.timeout_seconds} seconds: choose 1 to 900.",
        )


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
        archive = write_archive(args.code, args.package, args.build_folder, args.prepare)
        function = lambda_.Function(
            f"{name}-function",
            code=pulumi.FileArchive(str(archive)),
            handler=args.handler,
            runtime=args.runtime,
            architectures=[args.architecture],
            role=args.role_arn,
            memory_size=args.memory_mb,
            timeout=args.timeout_seconds,
            environment={"variables": dict(args.environment)},
            logging_config={"log_format": "JSON", "log_group": args.log_group_name},
            tags=args.tags,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.name = function.name
        self.arn = function.arn
        self.invoke_arn = function.invoke_arn
        self.register_outputs({"name": self.name, "arn": self.arn})
