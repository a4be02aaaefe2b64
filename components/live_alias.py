"""The alias that API and queue call: it says which version of the function answers people."""

from dataclasses import dataclass
from typing import Literal

import pulumi
from pulumi_aws import lambda_

ALIAS_NAME = "live"
# GitHub's workflow watches a release with AWS credentials that last an hour.
RELEASE_MINUTES = range(45 + 1)
# Lambda API reference, "AliasRoutingConfiguration": the second version gets a share between 0 and 1.
RELEASE_PERCENT = range(1, 50 + 1)


@dataclass(frozen=True, kw_only=True)
class LiveAliasArgs:
    """What `LiveAlias` needs.

    Attributes:
        function_name: The function.
        version: The version that was published last.
        moved_by: Who moves the alias to that version: `pulumi` does so at once; with `release`, Pulumi leaves it at the
            version before, until an operator's command has tried the newer one.
    """

    function_name: pulumi.Input[str]
    version: pulumi.Input[str]
    moved_by: Literal["pulumi", "release"]


class LiveAlias(pulumi.ComponentResource):
    """The alias.

    Attributes:
        name: Its name.
        arn: Its ARN, by which a queue's event source mapping calls it.
        invoke_arn: The URI that API Gateway integrates with.
    """

    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    invoke_arn: pulumi.Output[str]

    def __init__(self, name: str, args: LiveAliasArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:LiveAlias", name, None, opts)
        # A release writes into the description which versions were rolled back.
        moved_elsewhere = {"pulumi": ["description"], "release": ["description", "functionVersion", "routingConfig"]}
        alias = lambda_.Alias(
            f"{name}-alias",
            name=ALIAS_NAME,
            function_name=args.function_name,
            function_version=args.version,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=moved_elsewhere[args.moved_by]),
        )
        self.name = alias.name
        self.arn = alias.arn
        self.invoke_arn = alias.invoke_arn
        self.register_outputs({"arn": self.arn})
