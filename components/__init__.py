"""The reusable units that a stack is composed of, one component per file."""

from components.admin_group import AdminGroup, AdminGroupArgs
from components.alarms import Alarms, AlarmsArgs
from components.api_account import ApiAccount
from components.bot_function import BotFunction, BotFunctionArgs
from components.bot_logs import BotLogs, BotLogsArgs
from components.bot_role import BotRole, BotRoleArgs
from components.bot_secrets import BotSecrets, BotSecretsArgs
from components.custom_domain import CustomDomain, CustomDomainArgs
from components.event_queue import EventQueue, EventQueueArgs
from components.ledger import Ledger, LedgerArgs
from components.lex import lex_statement
from components.policy import Account
from components.queue_consumer import QueueConsumer, QueueConsumerArgs
from components.rest_api import RestApi, RestApiArgs, Route
from components.self_check import SelfCheck, SelfCheckArgs
from components.tags import tag_everything

__all__ = [
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
    "CustomDomain",
    "CustomDomainArgs",
    "EventQueue",
    "EventQueueArgs",
    "Ledger",
    "LedgerArgs",
    "QueueConsumer",
    "QueueConsumerArgs",
    "RestApi",
    "RestApiArgs",
    "Route",
    "SelfCheck",
    "SelfCheckArgs",
    "lex_statement",
    "tag_everything",
]
