"""The schedule that lets the function check every hour whether all is well."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam, scheduler

from components.policy import Account, Statement, document, trust_in

EVERY = "rate(1 hour)"


@dataclass(frozen=True, kw_only=True)
class SelfCheckArgs:
    """What `SelfCheck` needs.

    Attributes:
        function_arn: What is called: a function, or one of its aliases.
        order: What the function gets under `check`. It is passed here rather than as the function's environment,
            because it may hold what depends on the function itself.
        account: Where the schedule is.
        permissions_boundary: The ARN of a policy that bounds the role; None for none.
    """

    function_arn: pulumi.Input[str]
    order: Mapping[str, pulumi.Input[object]]
    account: Account
    permissions_boundary: pulumi.Input[str] | None = None


class SelfCheck(pulumi.ComponentResource):
    """A schedule, and a role that may call this one function and nothing else."""

    def __init__(self, name: str, args: SelfCheckArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:SelfCheck", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        role = iam.Role(
            f"{name}-role",
            # EventBridge Scheduler User Guide, "Confused deputy prevention", read 2026-11.
            assume_role_policy=trust_in(args.account, "scheduler.amazonaws.com"),
            permissions_boundary=args.permissions_boundary,
            opts=child,
        )
        call = Statement(sid="CallTheBot", actions=["lambda:InvokeFunction"], resources=[args.function_arn])
        policy = iam.RolePolicy(f"{name}-policy", role=role.name, policy=document([call]), opts=child)
        scheduler.Schedule(
            f"{name}-schedule",
            description="Lets the bot check whether all is well",
            schedule_expression=EVERY,
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": args.function_arn,
                "role_arn": role.arn,
                "input": pulumi.Output.json_dumps({"check": dict(args.order)}),
                # The next check comes within the hour anyway.
                "retry_policy": {"maximum_event_age_in_seconds": 600, "maximum_retry_attempts": 2},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({})
