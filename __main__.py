"""One stack: its administrators and its bot. The settings are in Pulumi.<stack>.yaml, what the bot says is in bot/."""

from pathlib import Path

import pulumi
import pulumi_aws as aws

import components as fbm
from settings import load

settings, root = load(), Path(__file__).parent.resolve()
name, tags = settings.name, {"project": settings.project, "stack": settings.stack}
# Laid out by hand, a paragraph a component, so that the stack reads as one page.
# fmt: off
if group := settings.group:
    admins = fbm.AdminGroup(f"{name}-admins", fbm.AdminGroupArgs(
        group_name=group.name, members=group.members, managed_policies=group.policies, tags=tags,
        name_prefixes=group.name_prefixes, require_mfa=group.require_mfa, region=aws.get_region_output().region,
        account_id=aws.get_caller_identity_output().account_id))
    pulumi.export("adminGroupName", admins.name)
if bot := settings.bot:
    guard = pulumi.ResourceOptions(protect=bot.protect_data)
    logs = fbm.BotLogs(f"{name}-bot-logs", fbm.BotLogsArgs(retention_days=bot.log_retention_days, tags=tags))
    queue = fbm.EventQueue(f"{name}-events", fbm.EventQueueArgs(
        consumer_timeout_seconds=bot.timeout_seconds, tags=tags), guard)
    secrets = fbm.BotSecrets(f"{name}-secrets", fbm.BotSecretsArgs(
        page_access_token=bot.page_access_token, app_secret=bot.app_secret, verify_token=bot.verify_token,
        app_secret_previous=bot.app_secret_previous, tags=tags))
    ledger = fbm.Ledger(f"{name}-ledger", fbm.LedgerArgs(
        point_in_time_recovery=bot.protect_data, deletion_protection=bot.protect_data, tags=tags), guard)
    lex = [fbm.lex_statement(aws.get_region_output().region, aws.get_caller_identity_output().account_id,
                             bot.lex.bot_id, bot.lex.bot_alias_id)] if bot.lex else []
    role = fbm.BotRole(f"{name}-bot", fbm.BotRoleArgs(log_statement=logs.writer_statement, tags=tags, statements=[
        queue.producer_statement, queue.consumer_statement, queue.dead_letter_statement,
        secrets.reader_statement, ledger.user_statement, *lex]))
    function = fbm.BotFunction(f"{name}-bot", fbm.BotFunctionArgs(
        code=root / "bot", package="bot", handler="bot.handler.handle", build_folder=root / ".build", tags=tags,
        prepare=fbm.slim_python, memory_mb=bot.memory_mb, timeout_seconds=bot.timeout_seconds, role_arn=role.arn,
        log_group_name=logs.name, environment={
            **bot.environment, "QUEUE_URL": queue.url, "DEAD_LETTER_QUEUE_URL": queue.dead_letter_url,
            "LEDGER_TABLE": ledger.name, "SECRETS_PATH": secrets.path}))
    fbm.QueueConsumer(f"{name}-consumer", fbm.QueueConsumerArgs(
        queue_arn=queue.arn, function_name=function.name, maximum_concurrency=bot.concurrency, tags=tags))
    account = [fbm.ApiAccount(f"{name}-api-account", fbm.ApiAccountArgs(tags=tags))] if bot.manage_account else []
    api = fbm.RestApi(f"{name}-webhook", fbm.RestApiArgs(
        path="webhook", stage_name="live", function_name=function.name, function_invoke_arn=function.invoke_arn,
        throttle_rate=bot.throttle_rate, throttle_burst=bot.throttle_burst, access_log_days=bot.access_log_days,
        routes=[fbm.Route(method_name="GET", required_query=["hub.mode", "hub.verify_token", "hub.challenge"]),
                fbm.Route(method_name="POST", required_headers=["X-Hub-Signature-256"])],
        tags=tags), pulumi.ResourceOptions(depends_on=account))
    fbm.Alarms(f"{name}-alarms", fbm.AlarmsArgs(
        queue_name=queue.name, dead_letter_queue_name=queue.dead_letter_name, function_name=function.name,
        api_name=api.name, stage_name=api.stage_name, log_group_name=logs.name, email=bot.alarm_email, tags=tags))
    for key, value in {
        "webhookUrl": api.url, "functionName": function.name, "roleName": role.name, "queueUrl": queue.url,
        "deadLetterQueueUrl": queue.dead_letter_url, "ledgerTable": ledger.name, "logGroupName": logs.name,
        "secretsPath": secrets.path, "pageId": bot.page_id, "graphApiUrl": bot.graph_api_url,
        "graphApiVersion": bot.graph_api_version}.items():
        pulumi.export(key, value)
