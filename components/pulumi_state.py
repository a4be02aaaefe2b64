"""Permissions for Pulumi's state of a stack: its files in a bucket, and the key that encrypts its secrets.

Bucket and key have fixed names, so nobody has to look them up or copy them. A stack has its own files in the bucket.
The key encrypts each stack's secrets for that stack only (`context_stack=NAME` in its secrets provider): whoever may
decrypt those of one stack cannot decrypt those of another.
"""

from collections.abc import Sequence

from components.policy import Statement, joined
from components.scoped_policies import Scope

# pulumi/pulumi v3.274.1, pkg/backend/diy: store.go, lock.go, stack_tags.go. A stack's name holds no dot.
FILES = (".pulumi/stacks/{project}/{stack}.*", ".pulumi/*/{project}/{stack}/*")
"""A stack's files: its state and tags; its history, backups and locks."""
LAYOUT = ".pulumi/meta.yaml"
"""Says how all files are laid out; Pulumi reads it first."""


def reading_state(scope: Scope) -> list[Statement]:
    """What `pulumi preview` needs: it reads the state and decrypts the secrets.

    Args:
        scope: The stacks.
    """
    return _state(scope, "ReadState", ["s3:GetObject"])


def keeping_state(scope: Scope) -> list[Statement]:
    """What `pulumi up` needs: it also writes the state.

    Args:
        scope: The stacks.
    """
    return _state(scope, "KeepState", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])


def creating_state(scope: Scope) -> list[Statement]:
    """What `pulumi stack init` needs beyond keeping the state: it encrypts the stack's own key with the shared one.

    Args:
        scope: The stacks.
    """
    return [_with_key(scope, "EncryptSecrets", "kms:Encrypt")]


def _state(scope: Scope, sid: str, actions: Sequence[str]) -> list[Statement]:
    account = scope.account
    bucket = joined("arn:", account.partition, f":s3:::{scope.project}-state-", account.account_id, "-", account.region)
    paths = [each.format(project=scope.project, stack=stack) for stack in scope.stacks for each in FILES]
    # Nobody else's bucket, should somebody have taken the name before: S3 names are unique in the world.
    own = {"StringEquals": {"aws:ResourceAccount": [account.account_id]}}
    return [
        # It lists the names of all stacks.
        Statement(sid="ListState", actions=["s3:ListBucket"], resources=[bucket], conditions=own),
        Statement(sid="ReadLayout", actions=["s3:GetObject"], resources=[joined(bucket, f"/{LAYOUT}")], conditions=own),
        Statement(sid=sid, actions=actions, resources=[joined(bucket, f"/{path}") for path in paths], conditions=own),
        _with_key(scope, "DecryptSecrets", "kms:Decrypt"),
    ]


def _with_key(scope: Scope, sid: str, action: str) -> Statement:
    # AWS KMS Developer Guide, "kms:ResourceAliases" and "kms:EncryptionContext:context-key" (read in November 2026).
    return Statement(
        sid=sid,
        actions=[action],
        resources=[scope.account.arn("kms", "key/*")],
        conditions={
            "ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{scope.project}"},
            "StringEquals": {"kms:EncryptionContext:stack": list(scope.stacks)},
        },
    )
