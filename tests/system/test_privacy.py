"""The pages about privacy, served by the REST API, and *delete my data*, which empties what they name."""

import base64
import json
import secrets
from typing import Any

from bot.aws.queues import fingerprint
from sandbox.local import Sandbox
from tests.system.person import Person
from tests.system.planted import letters
from tests.system.test_main_job import call, function_log

Json = dict[str, Any]

WORD = "CANARYword"


def letter(sandbox: Sandbox, group: str, body: Json) -> None:
    sandbox.client("sqs").send_message(
        QueueUrl=sandbox.outputs["deadLetterQueueUrl"],
        MessageBody=json.dumps(body),
        MessageGroupId=group,
        MessageDeduplicationId=secrets.token_hex(8),
    )


def purge(sandbox: Sandbox) -> None:
    sandbox.client("sqs").purge_queue(QueueUrl=sandbox.outputs["deadLetterQueueUrl"])


def dead(sandbox: Sandbox, item: Json) -> Json:
    message = {"object": "page", "page": sandbox.page_id, "received": 1, "items": [item]}
    return {"reason": "a defect", "detail": {}, "message": message}


def stored(sandbox: Sandbox) -> dict[str, str]:
    """Everything that the stack keeps now, by where it is."""
    table = sandbox.client("dynamodb").scan(TableName=sandbox.outputs["ledgerTable"], ConsistentRead=True)["Items"]
    found = {"table": json.dumps(table, default=str)}
    for queue in ("queueUrl", "deadLetterQueueUrl"):
        bodies: list[str] = []
        received = sandbox.client("sqs").receive_message(
            QueueUrl=sandbox.outputs[queue], MaxNumberOfMessages=10, VisibilityTimeout=0
        )
        for each in received.get("Messages", []):
            body = each["Body"]
            bodies += [body, *([base64.b64decode(json.loads(body)["base64"]).decode()] if "base64" in body else [])]
        found[queue] = "\n".join(bodies)
    return found | {"log": "\n".join(function_log(sandbox))}


def about(person: Person, sandbox: Sandbox) -> set[str]:
    """Where something about a person is: their id, the key of their records, or a word of theirs."""
    marks = (person.id, fingerprint(sandbox.page_id, person.id), WORD)
    return {place for place, content in stored(sandbox).items() if any(mark in content for mark in marks)}


def test_delete_my_data_leaves_nothing_about_a_person_in_any_place(sandbox: Sandbox) -> None:
    purge(sandbox)
    anna, ben = Person(sandbox), Person(sandbox)
    for person in (anna, ben):
        person.says("12345678")
        person.chooses("WATCH:12345678")
        person.consents("WATCH:12345678")
    anna.says("human")
    group = fingerprint(sandbox.page_id, anna.id)
    failed = anna.message(text=f"{WORD} that failed")
    # A planned answer of an event that failed halfway, as the ledger keeps it.
    sandbox.client("dynamodb").put_item(
        TableName=sandbox.outputs["ledgerTable"],
        Item={
            "id": {"S": f"event#{fingerprint(sandbox.page_id, failed['message']['mid'])}"},
            "user": {"S": group},
            "outcome": {"S": "dead"},
            "answers": {"S": json.dumps([{"recipient": {"id": anna.id}, "message": {"text": WORD}}])},
            "next": {"N": "0"},
            "expires": {"N": "9999999999"},
        },
    )
    letter(sandbox, group, dead(sandbox, failed))
    notice = {"notice": {"id": "n1", "topic": "parcel", "data": {"text": WORD}}, "recipient": {"id": anna.id}}
    letter(sandbox, group, dead(sandbox, anna.item(**notice)))
    echo = anna.message(text=f"a human wrote {WORD}", is_echo=True)
    letter(sandbox, "echo", dead(sandbox, echo | {"sender": echo["recipient"], "recipient": echo["sender"]}))
    unusable = json.dumps({"entry": [failed]}).encode()
    letter(sandbox, "unusable", {"reason": "r", "part": 1, "of": 1, "base64": base64.b64encode(unusable).decode()})
    letter(sandbox, fingerprint(sandbox.page_id, ben.id), dead(sandbox, ben.message(text="of Ben's")))
    assert about(anna, sandbox) == {"table", "deadLetterQueueUrl"}

    (answer,) = anna.says("delete my data")

    assert "deleted everything" in answer["message"]["text"]
    sandbox.settle()
    assert about(anna, sandbox) == set()
    assert about(ben, sandbox) >= {"table"}
    assert letters(sandbox) == 1  # Ben's, which the bot looked at and so has hidden for some seconds
    purge(sandbox)


def test_anybody_can_read_the_pages_and_they_leave_no_trace_in_the_bots_stores(sandbox: Sandbox) -> None:
    before = stored(sandbox)

    for page, words in (("privacyUrl", "What is kept"), ("deletionUrl", "lösche meine Daten")):
        status, kind, body = call(sandbox.outputs[page])
        assert (status, kind) == (200, "text/html")
        assert words in body
        assert call(sandbox.outputs[page], b"{}")[0] in {403, 404, 405}

    assert stored(sandbox) | {"log": ""} == before | {"log": ""}
