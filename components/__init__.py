"""The reusable units that a stack is composed of, one component per file."""

from components.admin_group import AdminGroup, AdminGroupArgs
from components.alarms import Alarms, AlarmsArgs
from components.api_account import ApiAccount
from components.bot_function import BotFunction, BotFunctionArgs
from components.bot_logs import BotLogs, BotLogsArgs
from components.bot_role import BotRole, BotRoleArgs
from components.bot_secrets import BotSecrets, BotSecretsArgs
from components.conversation_function import ConversationFunction, ConversationFunctionArgs
from components.custom_domain import CustomDomain, CustomDomainArgs
from components.dashboard import Dashboard, DashboardArgs
from components.deployer import Deployer, DeployerArgs, github_provider_arn
from components.event_queue import EventQueue, EventQueueArgs
from components.ledger import BACKUP_DAYS, Ledger, LedgerArgs
from components.lex import lex_statement
from components.live_alias import LiveAlias, LiveAliasArgs
from components.policy import Account
from components.questions import Questions
from components.queue_consumer import QueueConsumer, QueueConsumerArgs
from components.rest_api import RestApi, RestApiArgs, Route
from components.scoped_policies import Scope, boundary_arn
from components.self_check import SelfCheck, SelfCheckArgs
from components.tags import STAGE, tag_everything

__all__ = [
    "BACKUP_DAYS",
    "STAGE",
    "Account",
    "AdminGroup",
    "AdminGroupArgs",
    "Alarms",
    "AlarmsArgs",
    "ApiAccount",
    "BotFunction",
    "BotFunctionArgs",
    "BotLogs",
    "BotLogsArgs",
    "BotRole",
    "BotRoleArgs",
    "BotSecrets",
    "BotSecretsArgs",
    "ConversationFunction",
    "ConversationFunctionArgs",
    "CustomDomain",
    "CustomDomainArgs",
    "Dashboard",
    "DashboardArgs",
    "Deployer",
    "DeployerArgs",
    "EventQueue",
    "EventQueueArgs",
    "Ledger",
    "LedgerArgs",
    "LiveAlias",
    "LiveAliasArgs",
    "Questions",
    "QueueConsumer",
    "QueueConsumerArgs",
    "RestApi",
    "RestApiArgs",
    "Route",
    "Scope",
    "SelfCheck",
    "SelfCheckArgs",
    "boundary_arn",
    "github_provider_arn",
    "lex_statement",
    "tag_everything",
]
