"""A conversation as a function of its own, in Node.js, Python, Java or C#: it may write its log, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pulumi

from components.bot_function import BotFunction, BotFunctionArgs
from components.bot_logs import BotLogs, BotLogsArgs
from components.bot_role import BotRole, BotRoleArgs
from components.errors import require
from components.policy import Statement

RUNTIME = "(nodejs|python|java|dotnet)[0-9.]{1,6}x?"
"""A managed runtime of one of the four languages, as a pattern."""
HANDLER = r"[^\s]{1,128}"
"""What a runtime calls, as a pattern (AWS Lambda API reference, "CreateFunction", Handler)."""

TIMEOUT_SECONDS = 8
"""Lambda ends a longer call and says so: before the bot's function stops waiting, and in time for it to send."""


class Language(NamedTuple):
    """What a language is deployed with, if the settings say nothing else.

    Attributes:
        runtime: The newest runtime that AWS supports.
        handler: What it calls.
    """

    runtime: str
    handler: str


# Which files show that a folder holds code of a language. Source of the runtimes: Lambda Developer Guide, "Lambda
# runtimes", read 2026-11-25. An executable assembly's handler is its name ("Define Lambda function handler in C#").
LANGUAGES: Mapping[str, Language] = {
    "*.runtimeconfig.json": Language("dotnet10", "Bot"),
    "**/*.class": Language("java21", "Bot::answer"),
    "*.mjs": Language("nodejs24.x", "index.handler"),
    "*.js": Language("nodejs24.x", "index.handler"),
    "*.py": Language("python3.13", "index.handler"),
}


@dataclass(frozen=True, kw_only=True)
class ConversationFunctionArgs:
    """What `ConversationFunction` needs.

    Attributes:
        code: The folder that is deployed, with everything that the function needs.
        memory_mb: 128 to 10,240; the share of a processor grows with it.
        log_retention_days: How long a line of its log is kept.
        runtime: Such as `nodejs24.x`. Empty: that of the language in the folder, as `LANGUAGES` has it.
        handler: Such as `index.handler`. Empty: likewise.
        permissions_boundary: The ARN of the policy that bounds what the role may do; None for no bound.

    Raises:
        InvalidArgs: If there is no such folder, or if its language cannot be seen and runtime or handler is empty.
    """

    code: Path
    memory_mb: int
    log_retention_days: int
    runtime: str = ""
    handler: str = ""
    permissions_boundary: pulumi.Input[str] | None = None

    def __post_init__(self) -> None:
        require(self.code.is_dir(), f"There is no conversation to deploy: {self.code} is not a folder.")
        require(
            all(self.language),
            f"The conversation in {self.code} is in no known language: it holds none of {', '.join(LANGUAGES)}. Build "
            "it first, or give its runtime and its handler.",
        )

    @property
    def language(self) -> Language:
        """The runtime and handler that the function gets."""
        found = next((each for pattern, each in LANGUAGES.items() if any(self.code.glob(pattern))), Language("", ""))
        return Language(self.runtime or found.runtime, self.handler or found.handler)


class ConversationFunction(pulumi.ComponentResource):
    """The function, its log group, and a role that may write to it and do nothing else.

    Attributes:
        name: The function's name.
        version_name: Name and version, as `NAME:VERSION`. A caller that names the version keeps it: the version of the
            bot's function that names it goes back to it whenever the bot goes back.
        caller_statement: Permission to call any version of it.
    """

    name: pulumi.Output[str]
    version_name: pulumi.Output[str]
    caller_statement: Statement

    def __init__(self, name: str, args: ConversationFunctionArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:ConversationFunction", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        logs = BotLogs(f"{name}-logs", BotLogsArgs(retention_days=args.log_retention_days), child)
        role = BotRole(
            name,
            BotRoleArgs(log_statement=logs.writer_statement, permissions_boundary=args.permissions_boundary),
            child,
        )
        function = BotFunction(
            name,
            BotFunctionArgs(
                code=args.code,
                package="",
                handler=args.language.handler,
                runtime=args.language.runtime,
                role_arn=role.arn,
                log_group_name=logs.name,
                environment={},
                memory_mb=args.memory_mb,
                timeout_seconds=TIMEOUT_SECONDS,
            ),
            child,
        )
        self.name = function.name
        self.version_name = pulumi.Output.concat(function.name, ":", function.version)
        self.caller_statement = Statement(
            sid="CallConversation",
            actions=["lambda:InvokeFunction"],
            resources=[pulumi.Output.concat(function.arn, ":*")],
        )
        self.register_outputs({"name": self.name})
