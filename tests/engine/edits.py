"""Edits of a deployed stack, one after the other, each with exactly what it does to which resource."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.engine.place import ZONE
from tests.harness import ROOT

CHANGED, REPLACED, MADE, DELETED = "changed", "replaced", "made", "deleted"


@dataclass(frozen=True)
class Edit:
    """One edit.

    Attributes:
        name: what it is.
        settings: the settings that it changes.
        operations: resource, without the names of project and stack → what is done with it.
        file, old, new: the text that it replaces in a file of the project.
    """

    name: str
    settings: Mapping[str, str]
    operations: Mapping[str, str]
    file: str = ""
    old: str = ""
    new: str = ""

    def apply(self, folder: Path) -> None:
        """Edit the project in a folder."""
        if self.file:
            path = folder / self.file
            text = path.read_text("utf-8")
            assert self.old in text
            path.write_text(text.replace(self.old, self.new, 1), "utf-8")


FUNCTION = {"bot-function": CHANGED}
GET_ROUTE = 'fbm.Route(method_name="GET"'
PUT_ROUTE = 'fbm.Route(method_name="PUT"),\n                '
POLICIES = ["AWSLambda_FullAccess", "IAMFullAccess", "AmazonAPIGatewayAdministrator", "ReadOnlyAccess"]
API_LOG = {
    "api-account-account": MADE, "api-account-policy": MADE, "api-account-role": MADE, "webhook-access-log": MADE,
    "webhook-stage": CHANGED,
}  # fmt: skip
CONVERSATION = ("dialogue-function", "dialogue-log-policy", "dialogue-logs-group", "dialogue-role")
PUT = ("webhook-put", "webhook-put-integration", "webhook-put-permission")
PAGES = [
    f"webhook-{page}{part}"
    for page in ("privacy", "deletion")
    for part in ("", "-get", "-get-integration", "-get-permission")
]
EDITS = (
    Edit("memory", {"memoryMb": "1024"}, FUNCTION),
    Edit(
        "time-out",
        {"timeoutSeconds": "20"},
        {**FUNCTION, "events-queue": CHANGED, "events-dead-letters": CHANGED},
    ),
    Edit("retention", {"logRetentionDays": "60"}, {**FUNCTION, "bot-logs-group": CHANGED}),
    Edit("throttling", {"throttleRate": "50", "throttleBurst": "80"}, {"webhook-settings": CHANGED}),
    Edit(
        "what the bot reads",
        {
            "stateDays": "30", "echoSeconds": "10", "humanHours": "6", "discloseDays": "7",
            "assetsUrl": "https://example.org/assets", "inboxAppId": "263902037430900", "conversationPerson": "locale",
            "graphApiVersion": "v25.0", "graphApiUrl": "https://graph.example.org", "pageId": "100000000000009",
        },
        FUNCTION,
    ),
    Edit("concurrency", {"concurrency": "4"}, {**FUNCTION, "consumer-mapping": CHANGED}),
    Edit("an e-mail address", {"alarmEmail": "team@example.org"}, {"alarms-email": MADE}),
    Edit("another e-mail address", {"alarmEmail": "others@example.org"}, {"alarms-email": REPLACED}),
    Edit("access log on", {"apiAccessLog": "true", "manageApiGatewayAccount": "true"}, {**FUNCTION, **API_LOG}),
    Edit(
        "access log off",
        {"apiAccessLog": "false"},
        {**FUNCTION, "webhook-access-log": DELETED, "webhook-stage": CHANGED},
    ),
    Edit(
        "Lex",
        {"lexBotId": "ABCDEFGHIJ", "lexBotAliasId": "KLMNOPQRST", "lexLocaleId": "en_US"},
        {**FUNCTION, "bot-access-policy": CHANGED},
    ),
    Edit(
        "a conversation in Node.js",
        {
            "timeoutSeconds": "30", "conversationCode": str(ROOT / "examples" / "nodejs"),
            "conversationRuntime": "nodejs22.x", "conversationHandler": "index.handler",
        },
        {
            **FUNCTION, "events-queue": CHANGED, "events-dead-letters": CHANGED, "bot-access-policy": CHANGED,
            **dict.fromkeys(CONVERSATION, MADE),
        },
    ),
    Edit(
        "the conversation in the bot again",
        {"conversationCode": ""},
        {**FUNCTION, "bot-access-policy": CHANGED, **dict.fromkeys(CONVERSATION, DELETED)},
    ),
    Edit(
        "the app secret rotated",
        {"appSecret": "CANARY-other", "appSecretPrevious": "CANARY-appSecret"},
        {"secrets-app-secret": CHANGED, "secrets-app-secret-previous": MADE},
    ),
    Edit("the rotation over", {"appSecretPrevious": ""}, {"secrets-app-secret-previous": DELETED}),
    Edit(
        "the other secrets",
        {"pageAccessToken": "CANARY-token", "verifyToken": "CANARY-word"},
        {"secrets-page-access-token": CHANGED, "secrets-verify-token": CHANGED},
    ),
    Edit("protection on", {"protectData": "true"}, {**FUNCTION, "ledger-table": CHANGED}),
    Edit("protection off", {"protectData": "false"}, {**FUNCTION, "ledger-table": CHANGED}),
    Edit(
        "a member added",
        {"adminMembers": '["anna","ben"]'},
        {"admins-member-ben": MADE, "admins-watch-policy": CHANGED},
    ),
    Edit(
        "other managed policies",
        {"adminPolicies": json.dumps(POLICIES)},
        {
            "admins-AmazonAPIGatewayInvokeFullAccess": DELETED, "admins-AmazonLexFullAccess": DELETED,
            "admins-ReadOnlyAccess": MADE,
        },
    ),
    Edit(
        "another stack to administer",
        {"adminStacks": '["other"]'},
        {"admins-data-policy": CHANGED, "admins-tools-policy": CHANGED, "admins-watch-policy": CHANGED},
    ),
    Edit(
        "the group renamed",
        {"adminGroupName": "Innolab_FBM_renamed"},
        {
            "admins-group": CHANGED, "admins-member-anna": CHANGED, "admins-member-ben": CHANGED,
            "admins-data": REPLACED, "admins-tools": REPLACED, "admins-watch": REPLACED, "admins-watch-policy": CHANGED,
            **{f"admins-{policy}": REPLACED for policy in POLICIES},
        },
    ),
    Edit(
        "pages about privacy",
        {"organisation": "Innolab", "privacyContact": "privacy@example.org"},
        {**FUNCTION, **dict.fromkeys(PAGES, MADE), "webhook-deployment": REPLACED, "webhook-stage": CHANGED},
    ),
    Edit(
        "no pages about privacy",
        {"organisation": "", "privacyContact": ""},
        {**FUNCTION, **dict.fromkeys(PAGES, DELETED), "webhook-deployment": REPLACED, "webhook-stage": CHANGED},
    ),
    Edit("code", {}, FUNCTION, "bot/conversation/parcels.py", '"""', '"""Edited. '),
    Edit(
        "a route",
        {},
        {**dict.fromkeys(PUT, MADE), "webhook-deployment": REPLACED, "webhook-stage": CHANGED},
        "__main__.py",
        GET_ROUTE,
        PUT_ROUTE + GET_ROUTE,
    ),
    Edit(
        "a route removed",
        {},
        {**dict.fromkeys(PUT, DELETED), "webhook-deployment": REPLACED, "webhook-stage": CHANGED},
        "__main__.py",
        PUT_ROUTE,
        "",
    ),
    Edit("nothing", {}, {}),
)  # fmt: skip
"""What a member of the group does."""

DOMAIN = ("certificate", "proof", "issued", "name", "mapping", "address")
SCOPED = [f"admins-scoped-{title}" for title in ("data", "watch", "functions", "access")]
FOR_THE_OWNER = (
    Edit(
        "a domain",
        {"domainName": "bot.example.org", "hostedZoneId": ZONE},
        {f"domain-{each}": MADE for each in DOMAIN},
    ),
    Edit("no domain", {"domainName": "", "hostedZoneId": ""}, {f"domain-{each}": DELETED for each in DOMAIN}),
    Edit(
        "scoped rights",
        {"adminRights": "scoped"},
        {
            **dict.fromkeys(("admins-data", "admins-watch", "admins-data-policy", "admins-watch-policy"), DELETED),
            **{f"admins-{policy}": DELETED for policy in POLICIES[:3]},
            **dict.fromkeys([*SCOPED, *(f"{name}-policy" for name in SCOPED)], MADE),
            **dict.fromkeys(
                ("admins-tools", "admins-tools-policy"), REPLACED
            ),  # its description names the kind of rights
            **dict.fromkeys(("admins-dev-boundary", "admins-other-boundary"), MADE),
            "bot-role": CHANGED,
            "webhook-stage": CHANGED,
        },
    ),
    Edit("MFA", {"requireMfa": "true"}, {"admins-mfa": MADE, "admins-mfa-policy": MADE}),
    Edit("no bot", {"bot": "false"}, {}),
)
"""What would take a member's own permissions away, and what takes away all but the group."""

NOT_SCOPED = ("admins-", "api-account-", "webhook-access-log")
OF_SCOPED_MEMBERS = [edit for edit in EDITS if not any(name.startswith(NOT_SCOPED) for name in edit.operations)]
"""What a member with scoped rights does: not the group, nor what all APIs of the account share."""
