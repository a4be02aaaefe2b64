"""The path of one event, from the webhook to its answers, by the real function's lines."""

import json
import time

from bot.aws.queues import fingerprint
from sandbox.facebook.webhooks import text_item
from sandbox.local import Sandbox, new_person
from tests.ops.conftest import Ops

TEXT = "my neighbour's birthday present"


def test_the_path_of_a_message_is_shown_from_the_webhook_to_its_last_answer(sandbox: Sandbox, ops: Ops) -> None:
    items = [text_item(sandbox.page_id, new_person(), TEXT) for _ in range(2)]
    sandbox.deliver(items)
    sandbox.settle()
    mids = [each["message"]["mid"] for each in items]
    mine, other = (fingerprint(sandbox.page_id, mid) for mid in mids)

    code, out, _ = ops("trace", mids[0], "--json")

    path = json.loads(out)
    kinds = [line["kind"] for line in path["lines"]]
    assert code == 0
    assert (kinds[0], kinds[-1]) == ("accepted", "answered")
    assert "sent" in kinds
    assert path["ledger"] == {"outcome": "settled"}
    assert path["events"] == [mine]
    assert other in path["lines"][0]["ids"]
    assert len(path["requests"]) == 1
    assert all(line["request"] == path["requests"][0] for line in path["lines"])
    assert ops("trace", mine, "--json")[1] == out
    assert TEXT not in out

    of_the_request = ops("trace", path["requests"][0])[1]
    assert (of_the_request.count("accepted"), of_the_request.count("answered")) == (1, 2)


def test_an_event_that_waits_is_found_by_the_lines_that_say_so(sandbox: Sandbox, ops: Ops) -> None:
    item = text_item(sandbox.page_id, new_person(), "status")
    sandbox.aws_faults({"dynamodb:*": {"status": 500, "code": "InternalServerError"}})
    sandbox.deliver([item])
    deadline = time.monotonic() + 20
    while "handed_back" not in ops("trace", item["message"]["mid"])[1]:
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.1)
    sandbox.aws_faults({})

    path = json.loads(ops("trace", item["message"]["mid"], "--json")[1])

    assert [line["kind"] for line in path["lines"]][:2] == ["accepted", "handed_back"]
    sandbox.settle()


def test_an_unknown_id_is_an_error_that_says_what_an_id_is(ops: Ops) -> None:
    code, _, err = ops("trace", "m_nobody")

    assert code == 1
    assert "The log has no line about m_nobody" in err
    assert "mid" in err
