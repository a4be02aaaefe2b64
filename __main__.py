"""One stack: its administrators and its bot. Its settings are in Pulumi.<stack>.yaml; what the bot says is in bot/."""

from pathlib import Path

import pulumi
import pulumi_aws as aws

import components as fbm
from bot.environment import DELETION, PRIVACY, variables
from bot.log import (
    ACCEPTED_KIND,
    ALARM_KINDS,
    CHECKED_KIND,
    COUNTED_FINDING_KINDS,
    FINDING_KINDS,
    MEASURED,
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
scoped = settings.admin_rights == "scoped"
# With scoped rights, only an API may be tagged, and only when it is created.
fbm.tag_everything({"project": project, "stack": stack}, except_types=[fbm.STAGE] if scoped else [])

admins: list[pulumi.Resource] = []
if settings.admin_group_name:
    group = fbm.AdminGroup(
        f"{name}-admins",
        fbm.AdminGroupArgs(
            group_name=settings.admin_group_name,
            members=settings.admin_members,
            rights=settings.admin_rights,
            managed_policies=settings.admin_policies,
            project=project,
            stacks=[stack, *settings.admin_stacks],
            require_mfa=settings.require_mfa,
            account=account,
        ),
    )
    admins.append(group)
    pulumi.export("adminGroupName", group.name)

if settings.deploy_from:
    environments = [*([stack] if settings.bot else []), *settings.admin_stacks]
    fbm.Deployer(
        f"{name}-deployer",
        fbm.DeployerArgs(
            repository=settings.deploy_from,
            scope=fbm.Scope(project=project, stacks=environments, account=account),
            provider_arn=None if settings.manage_github_provider else fbm.github_provider_arn(account),
        ),
    )

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
    questions = fbm.Questions(f"{name}-questions") if settings.unknown_days else None

    statements = [
        queue.producer_statement,
        queue.consumer_statement,
        queue.dead_letter_statement,
        secrets.reader_statement,
        ledger.user_statement,
    ]
    if questions:
        statements.append(questions.counter_statement)
        pulumi.export("questionsTable", questions.name)
    if settings.lex_bot_id:
        statements.append(fbm.lex_statement(account, settings.lex_bot_id, settings.lex_bot_alias_id))
    boundary = fbm.boundary_arn(project, stack, account) if scoped else None
    bounded = pulumi.ResourceOptions(depends_on=admins)
    conversation = None
    if settings.conversation_code:
        conversation = fbm.ConversationFunction(
            f"{name}-dialogue",
            fbm.ConversationFunctionArgs(
                code=CODE.parent / settings.conversation_code,
                runtime=settings.conversation_runtime,
                handler=settings.conversation_handler,
                memory_mb=settings.memory_mb,
                log_retention_days=settings.log_retention_days,
                permissions_boundary=boundary,
            ),
            bounded,
        )
        statements.append(conversation.caller_statement)
    role = fbm.BotRole(
        f"{name}-bot",
        fbm.BotRoleArgs(log_statement=logs.writer_statement, statements=statements, permissions_boundary=boundary),
        bounded,
    )

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
                human_hours=settings.human_hours,
                disclose_days=settings.disclose_days,
                concurrency=settings.concurrency,
                assets_url=settings.assets_url,
                conversation_function=conversation.version_name if conversation else "",
                conversation_person=settings.conversation_person,
                inbox_app_id=settings.inbox_app_id,
                questions_table=questions.name if questions else "",
                unknown_days=settings.unknown_days,
                lex_bot_id=settings.lex_bot_id,
                lex_bot_alias_id=settings.lex_bot_alias_id,
                lex_locale_id=settings.lex_locale_id,
                organisation=settings.organisation,
                privacy_contact=settings.privacy_contact,
                log_days=settings.log_retention_days,
                access_log_days=settings.log_retention_days if settings.api_access_log else 0,
                backup_days=fbm.BACKUP_DAYS if settings.protect_data else 0,
            ),
        ),
    )
    live = fbm.LiveAlias(
        f"{name}-live",
        fbm.LiveAliasArgs(
            function_name=function.name,
            version=function.version,
            moved_by="release" if settings.release_minutes else "pulumi",
        ),
    )
    consumer = fbm.QueueConsumer(
        f"{name}-consumer",
        fbm.QueueConsumerArgs(queue_arn=queue.arn, function_name=live.arn, maximum_concurrency=settings.concurrency),
    )

    pages = [PRIVACY, DELETION] if settings.organisation else []
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
            alias_name=live.name,
            alias_invoke_arn=live.invoke_arn,
            stage_name="live",
            throttle_rate=settings.throttle_rate,
            throttle_burst=settings.throttle_burst,
            pages=pages,
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
    answering: list[pulumi.Resource] = [role, secrets, consumer, api]
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
            opts=pulumi.ResourceOptions(depends_on=answering),
        )
        answering.append(registration)
        pulumi.export("appId", settings.app_id)
    fbm.SelfCheck(
        f"{name}-check",
        fbm.SelfCheckArgs(
            function_arn=live.arn,
            order={
                "webhook_url": url,
                "app_id": settings.app_id,
                # A bot that was never registered by Pulumi may be meant to stay unregistered.
                "self_heal": settings.self_heal and bool(settings.app_id),
                "human_minutes": settings.human_minutes,
            },
            account=account,
            permissions_boundary=boundary,
        ),
        # A new schedule calls at once.
        pulumi.ResourceOptions(depends_on=[*answering, *admins]),
    )
    alarms = fbm.Alarms(
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
    dashboard = fbm.Dashboard(
        f"{name}-dashboard",
        fbm.DashboardArgs(
            region=account.region,
            queue_name=queue.name,
            dead_letter_queue_name=queue.dead_letter_name,
            function_name=function.name,
            api_name=api.name,
            stage_name=api.stage_name,
            table_name=ledger.name,
            log_group_name=logs.name,
            measured=MEASURED,
            alarms_namespace=alarms.namespace,
            alarm_kinds=list(ALARM_KINDS),
            finding_kinds=[*FINDING_KINDS, *COUNTED_FINDING_KINDS],
            checked_kind=CHECKED_KIND,
            waiting_kind=WAITING_KIND,
        ),
    )

    pulumi.export("webhookUrl", url)
    base = url.apply(lambda known: known.removesuffix(WEBHOOK_PATH))
    for page in pages:
        pulumi.export(f"{page}Url", pulumi.Output.concat(base, page))
    pulumi.export("functionName", function.name)
    pulumi.export("aliasName", live.name)
    pulumi.export("releaseMinutes", settings.release_minutes)
    pulumi.export("releasePercent", settings.release_percent)
    pulumi.export("smokePerson", settings.smoke_person)
    pulumi.export("roleName", role.name)
    pulumi.export("queueUrl", queue.url)
    pulumi.export("deadLetterQueueUrl", queue.dead_letter_url)
    pulumi.export("ledgerTable", ledger.name)
    pulumi.export("logGroupName", logs.name)
    pulumi.export("dashboardName", dashboard.name)
    pulumi.export("secretsPath", secrets.path)
    pulumi.export("pageId", settings.page_id)
    pulumi.export("graphApiUrl", settings.graph_api_url)
    pulumi.export("graphApiVersion", settings.graph_api_version)
