"""The deployer: the roles in AWS that the workflows of one GitHub repository assume, without a stored key."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_aws import iam

from components.errors import require
from components.policy import VERSION, Account, Statement, document
from components.pulumi_state import keeping_state, reading_state
from components.scoped_policies import Scope, by_service, reading, releasing, writing

# GitHub Docs, "Configuring OpenID Connect in Amazon Web Services" (read in November 2026). AWS checks GitHub's
# certificate itself, so the provider needs no thumbprint (IAM API Reference, CreateOpenIDConnectProvider).
ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
REPOSITORY = (
    r"[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}"
    r"|[A-Za-z0-9-]{1,39}@[0-9]{1,20}/[A-Za-z0-9._-]{1,100}@[0-9]{1,20}"
)
SESSION_SECONDS = 3600
PATH = "/github/"
"""Of the roles: permissions for the roles of a stack (`role/NAME*`) never cover them, whatever the stack's name."""
PREVIEW = "pull_request"
"""What GitHub says of a run for a pull request."""
MAIN = "ref:refs/heads/main"
"""What GitHub says of a run on the branch `main`, in no environment."""


def github_provider_arn(account: Account) -> pulumi.Input[str]:
    """The ARN of an account's identity provider for GitHub; an account can have only one.

    Args:
        account: The account.
    """
    return account.iam_arn(f"oidc-provider/{ISSUER}")


def environment(name: str) -> str:
    """What GitHub says of a job in an environment.

    Args:
        name: The environment's name.
    """
    return f"environment:{name}"


@dataclass(frozen=True, kw_only=True)
class DeployerArgs:
    """What `Deployer` needs.

    Attributes:
        repository: Who deploys: `OWNER/NAME`, or with GitHub's ids `OWNER@ID/NAME@ID`, which no other repository can
            ever have.
        scope: The stacks; each is deployed from the GitHub environment of its name.
        provider_arn: The account's identity provider for GitHub. None: there is none yet, and the component makes it.

    Raises:
        InvalidArgs: If the repository's name has another form, or there are no stacks.
    """

    repository: str
    scope: Scope
    provider_arn: pulumi.Input[str] | None = None

    def __post_init__(self) -> None:
        require(
            re.fullmatch(REPOSITORY, self.repository) is not None,
            f"The repository is {self.repository!r}; allowed: OWNER/NAME or OWNER@ID/NAME@ID.",
        )
        require(bool(self.scope.stacks), f"There is no stack for {self.repository} to deploy: name one in adminStacks.")


def subjects(repository: str, run: str) -> list[str]:
    """The patterns of a token's subject for some runs of a repository's workflows.

    GitHub writes ids behind the names, `repo:OWNER@ID/NAME@ID:…`, in repositories made or renamed since summer 2026
    and in others that ask for it (GitHub Changelog, "Immutable subject claims for GitHub Actions OIDC tokens", April
    2026). A name without ids stands for both. The `*` then matches nothing but an id: GitHub writes a `:` in the name
    of an environment as `%3A`, so no other run of the owner's repositories has a subject that ends in `/NAME@…:RUN`.

    Args:
        repository: `OWNER/NAME` or `OWNER@ID/NAME@ID`.
        run: `PREVIEW`, or an `environment(…)`.
    """
    owner, _, name = repository.partition("/")
    forms = [repository] if "@" in repository else [repository, f"{owner}@*/{name}@*"]
    return [f"repo:{form}:{run}" for form in forms]


def github_trust(provider_arn: str, repository: str, run: str) -> str:
    """The trust policy that lets some runs of one repository's workflows, and nothing else, assume a role.

    Args:
        provider_arn: The account's identity provider for GitHub.
        repository: `OWNER/NAME` or `OWNER@ID/NAME@ID`.
        run: `PREVIEW`, or an `environment(…)`.
    """
    statement = {
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {f"{ISSUER}:aud": AUDIENCE},
            "StringLike": {f"{ISSUER}:sub": subjects(repository, run)},
        },
    }
    return json.dumps({"Version": VERSION, "Statement": [statement]})


class Deployer(pulumi.ComponentResource):
    """Two roles that only read, for previews and for the nightly look for drift, and one that deploys for each stack.

    The roles have fixed names, so that the workflows can name them: `PROJECT-preview`, `PROJECT-drift` and
    `PROJECT-deploy-STACK`.
    """

    def __init__(self, name: str, args: DeployerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("fbm:index:Deployer", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        scope = args.scope
        self._provider_arn = pulumi.Output.from_input(args.provider_arn or self._make_provider())
        self._make_role("preview", PREVIEW, reading_state(scope), reading(scope))
        self._make_role("drift", MAIN, reading_state(scope), reading(scope))
        for stack in scope.stacks:
            alone = Scope(project=scope.project, stacks=[stack], account=scope.account)
            self._make_role(
                f"deploy-{stack}",
                environment(stack),
                keeping_state(alone),
                [*reading(alone), *writing(alone), *releasing(alone)],
            )
        self.register_outputs({})

    def _make_provider(self) -> pulumi.Output[str]:
        provider = iam.OpenIdConnectProvider(
            f"{self._name}-provider", url=f"https://{ISSUER}", client_id_lists=[AUDIENCE], opts=self._child
        )
        return provider.arn

    def _make_role(self, title: str, run: str, state: Sequence[Statement], stacks: Sequence[Statement]) -> None:
        """Make a role, with its permissions for Pulumi's state and for the stacks' resources."""
        trust = self._provider_arn.apply(lambda arn: github_trust(arn, self._args.repository, run))
        role = iam.Role(
            f"{self._name}-{title}-role",
            name=f"{self._args.scope.project}-{title}",
            path=PATH,
            assume_role_policy=trust,
            max_session_duration=SESSION_SECONDS,
            opts=self._child,
        )
        iam.RolePolicy(f"{self._name}-{title}-state-policy", role=role.name, policy=document(state), opts=self._child)
        for part, statements in by_service(stacks).items():
            policy = iam.Policy(
                f"{self._name}-{title}-{part}-policy",
                description="What workflows on GitHub may do with the stacks.",
                policy=document(statements),
                opts=self._child,
            )
            iam.RolePolicyAttachment(
                f"{self._name}-{title}-{part}", role=role.name, policy_arn=policy.arn, opts=self._child
            )
