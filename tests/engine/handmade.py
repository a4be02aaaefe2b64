"""An account as the documented page has people make it by hand: group, users, role, function, REST API."""

import io
import json
import textwrap
import zipfile
from collections.abc import Callable
from typing import Any

from components.admin_group import DOCUMENTED_POLICIES
from components.bot_role import DOCUMENTED_LOG_STATEMENT

GROUP, RETIRED = "Innolab_FBM", "AWSLambdaFullAccess"
ROLE, POLICY, FUNCTION, API = "fbm-bot-role", "write-logs", "fbm-bot", "FBM"
VERIFY_TOKEN = "word-of-the-old-bot"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
LOGS = {"Version": "2012-10-17", "Statement": [DOCUMENTED_LOG_STATEMENT.as_dict()]}
BOT = textwrap.dedent(
    """
    import json, os, urllib.request

    def handle(event, context):
        query = event.get("queryStringParameters") or {}
        if event["httpMethod"] == "GET":
            right = query.get("hub.verify_token") == os.environ["VERIFY_TOKEN"]
            return {"statusCode": 200 if right else 403, "body": query.get("hub.challenge", "")}
        for entry in json.loads(event["body"])["entry"]:
            for item in entry["messaging"]:
                answer = {
                    "recipient": item["sender"], "messaging_type": "RESPONSE",
                    "message": {"text": "The old bot: " + item["message"]["text"]},
                }
                headers = {"Authorization": "Bearer " + os.environ["TOKEN"], "Content-Type": "application/json"}
                request = urllib.request.Request(os.environ["SEND_URL"], json.dumps(answer).encode(), headers)
                urllib.request.urlopen(request, timeout=10).read()
        return {"statusCode": 200, "body": "EVENT_RECEIVED"}
    """
)
"""As tutorials have it: it checks no signature, and takes an echo for a message."""

Json = dict[str, Any]
Client = Callable[[str], Any]


def make(client: Client, region: str, environment: Json, people: list[str]) -> str:
    """Make everything; return what the webhook's URL has behind the API's host.

    Args:
        client: makes the owner's boto3 clients.
        region: of function and API.
        environment: the function's variables: `SEND_URL`, `TOKEN`.
        people: who administers it.
    """
    iam = client("iam")
    iam.create_group(GroupName=GROUP)
    for name in (RETIRED, *DOCUMENTED_POLICIES):
        iam.attach_group_policy(GroupName=GROUP, PolicyArn=f"arn:aws:iam::aws:policy/{name}")
    for each in people:
        iam.create_user(UserName=each)
        iam.add_user_to_group(GroupName=GROUP, UserName=each)
    role = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    iam.put_role_policy(RoleName=ROLE, PolicyName=POLICY, PolicyDocument=json.dumps(LOGS))
    function = client("lambda").create_function(
        FunctionName=FUNCTION,
        Runtime="python3.12",
        Role=role,
        Handler="bot.handle",
        Code={"ZipFile": zipped({"bot.py": BOT})},
        Timeout=20,
        Environment={"Variables": {**environment, "VERIFY_TOKEN": VERIFY_TOKEN}},
    )["FunctionArn"]
    return make_api(client, region, function)


def zipped(files: dict[str, str]) -> bytes:
    """A function's code."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def make_api(client: Client, region: str, function: str) -> str:
    """A REST API with the path `/messenger`, which calls a function for everything."""
    gateway = client("apigateway")
    api = gateway.create_rest_api(name=API)["id"]
    (root,) = gateway.get_resources(restApiId=api)["items"]
    path = gateway.create_resource(restApiId=api, parentId=root["id"], pathPart="messenger")["id"]
    uri = f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations"
    for method in ("GET", "POST"):
        where = {"restApiId": api, "resourceId": path, "httpMethod": method}
        gateway.put_method(**where, authorizationType="NONE")
        gateway.put_integration(**where, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    gateway.create_deployment(restApiId=api, stageName="prod")
    client("lambda").add_permission(
        FunctionName=FUNCTION, StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    return f"/restapis/{api}/prod/_user_request_/messenger"
