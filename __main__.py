"""One stack: its administrators and its bot. Its settings are in Pulumi.<stack>.yaml; what the bot says is in bot/."""

from pathlib import Path

import pulumi
import pulumi_aws as aws

import components as fbm
from bot.environment import variables
from bot.log import (
    ACCEPTED_KIND,
    ALARM_KINDS,
    CHECKED_KIND,
    COUNTED_FINDING_KINDS,
    FINDING_KINDS,
    NO_ANSWER_KINDS,
    WAITING_KIND,
)
from facebook import FacebookRegistration
from settings import load

CODE = Path(__file__).parent.resolve() / "bot"
WEBHOOK_PATH = "webhook"

settings = load()
project, stack = pulumi.get_project(), pulumi.get_stack()
name = f"{project}-{stack}"
account = fbm.Account(
    partition=aws.get_partition_output().partition,
    region=aws.get_region_output().region,
    account_id=aws.get_caller_identity_output().account_id,
)
fbm.tag_everything({"project": project, "stack": stack})

if settings.admin_group_name:
    admins = fbm.AdminGroup(
        f"{name}-admins",
        fbm.AdminGroupArgs(
            group_name=settings.admin_group_name,
            members=settings.admin_members,
            managed_policies=settings.admin_policies,
            name_prefixes=[f"{project}-{each}-" for each in (stack, *settings.admin_stacks)],
            require_mfa=settings.require_mfa,
            account=account,
        ),
    )
    pulumi.export("adminGroupName", admins.name)

if settings.bot:
    protected = pulumi.ResourceOptions(protect=settings.protect_data)
    logs = fbm.BotLogs(f"{name}-bot-logs", fbm.BotLogsArgs(retention_days=settings.log_retention_days))
    queue = fbm.EventQueue(
        f"{name}-events", fbm.EventQueueArgs(consumer_timeout_seconds=settings.timeout_seconds), protected
    )
    secrets = fbm.BotSecrets(
        f"{name}-secrets",
        fbm.BotSecretsArgs(
            page_access_token=settings.page_access_token,
            app_secret=settings.app_secret,
            app_secret_previous=settings.app_secret_previous or None,
            verify_token=settings.verify_token,
        ),
    )
    ledger = fbm.Ledger(
        f"{name}-ledger",
        fbm.LedgerArgs(point_in_time_recovery=settings.protect_data, deletion_protection=settings.protect_data),
        protected,
    )

    statements = [
        queue.producer_statement,
        queue.consumer_statement,
        queue.dead_letter_statement,
        secrets.reader_statement,
        ledger.user_statement,
    ]
    if settings.lex_bot_id:
        statements.append(fbm.lex_statement(account, settings.lex_bot_id, settings.lex_bot_alias_id))
    role = fbm.BotRole(f"{name}-bot", fbm.BotRoleArgs(log_statement=logs.writer_statement, statements=statements))

    function = fbm.BotFunction(
        f"{name}-bot",
        fbm.BotFunctionArgs(
            code=CODE,
            package="bot",
            handler="bot.handler.handle",
            memory_mb=settings.memory_mb,
            timeout_seconds=settings.timeout_seconds,
            role_arn=role.arn,
            log_group_name=logs.name,
            environment=variables(
                page_id=settings.page_id,
                graph_api_url=settings.graph_api_url,
                graph_api_version=settings.graph_api_version,
                queue_url=queue.url,
                dead_letter_queue_url=queue.dead_letter_url,
                message_bytes=queue.message_bytes,
                ledger_table=ledger.name,
                secrets_path=secrets.path,
                state_days=settings.state_days,
                echo_seconds=settings.echo_seconds,
                concurrency=settings.concurrency,
                assets_url=settings.assets_url,
                lex_bot_id=settings.lex_bot_id,
                lex_bot_alias_id=settings.lex_bot_alias_id,
                lex_locale_id=settings.lex_locale_id,
            ),
        ),
    )
    consumer = fbm.QueueConsumer(
        f"{name}-consumer",
        fbm.QueueConsumerArgs(
            queue_arn=queue.arn, function_name=function.name, maximum_concurrency=settings.concurrency
        ),
    )

    api_account = [fbm.ApiAccount(f"{name}-api-account")] if settings.manage_api_gateway_account else []
    api = fbm.RestApi(
        f"{name}-webhook",
        fbm.RestApiArgs(
            path=WEBHOOK_PATH,
            routes=[
                fbm.Route(method_name="GET", required_query=["hub.mode", "hub.verify_token", "hub.challenge"]),
                fbm.Route(method_name="POST"),
            ],
            function_name=function.name,
            function_invoke_arn=function.invoke_arn,
            stage_name="live",
            throttle_rate=settings.throttle_rate,
            throttle_burst=settings.throttle_burst,
            access_log_days=settings.log_retention_days if settings.api_access_log else None,
        ),
        pulumi.ResourceOptions(depends_on=api_account),
    )
    url = api.url
    if settings.domain_name:
        url = fbm.CustomDomain(
            f"{name}-domain",
            fbm.CustomDomainArgs(
                domain_name=settings.domain_name,
                hosted_zone_id=settings.hosted_zone_id,
                api_id=api.id,
                stage_name=api.stage_name,
                path=WEBHOOK_PATH,
            ),
        ).url
    live: list[pulumi.Resource] = [role, secrets, consumer, api]
    if settings.app_id:
        registration = FacebookRegistration(
            f"{name}-facebook",
            app_id=settings.app_id,
            page_id=settings.page_id,
            webhook_url=url,
            graph_api_url=settings.graph_api_url,
            graph_api_version=settings.graph_api_version,
            page_access_token=settings.page_access_token,
            app_secret=settings.app_secret,
            verify_token=settings.verify_token,
            # Facebook calls the webhook while it is registered.
            opts=pulumi.ResourceOptions(depends_on=live),
        )
        live.append(registration)
        pulumi.export("appId", settings.app_id)
    fbm.SelfCheck(
        f"{name}-check",
        fbm.SelfCheckArgs(
            function_arn=function.arn,
            order={
                "webhook_url": url,
                "app_id": settings.app_id,
                # A bot that was never registered by Pulumi may be meant to stay unregistered.
                "self_heal": settings.self_heal and bool(settings.app_id),
                "human_minutes": settings.human_minutes,
            },
            account=account,
        ),
        # A new schedule calls at once.
        pulumi.ResourceOptions(depends_on=live),
    )
    fbm.Alarms(
        f"{name}-alarms",
        fbm.AlarmsArgs(
            queue_name=queue.name,
            dead_letter_queue_name=queue.dead_letter_name,
            function_name=function.name,
            api_name=api.name,
            stage_name=api.stage_name,
            log_group_name=logs.name,
            log_kinds=ALARM_KINDS,
            waiting_kind=WAITING_KIND,
            finding_kinds=FINDING_KINDS,
            counted_kinds=COUNTED_FINDING_KINDS,
            checked_kind=CHECKED_KIND,
            accepted_kind=ACCEPTED_KIND,
            no_answer_kinds=NO_ANSWER_KINDS,
            silence_hours=settings.silence_hours,
            timeout_seconds=settings.timeout_seconds,
            email=settings.alarm_email,
        ),
    )

    pulumi.export("webhookUrl", url)
    pulumi.export("functionName", function.name)
    pulumi.export("roleName", role.name)
    pulumi.export("queueUrl", queue.url)
    pulumi.export("deadLetterQueueUrl", queue.dead_letter_url)
    pulumi.export("ledgerTable", ledger.name)
    pulumi.export("logGroupName", logs.name)
    pulumi.export("secretsPath", secrets.path)
    pulumi.export("pageId", settings.page_id)
    pulumi.export("graphApiUrl", settings.graph_api_url)
    pulumi.export("graphApiVersion", settings.graph_api_version)
