"""The sample's main question, through the whole stack."""

import json

from sandbox.local import Sandbox, new_person


def test_a_person_who_asks_for_the_status_is_asked_for_the_number_and_shown_the_steps(sandbox: Sandbox) -> None:
    person = new_person()

    (question,) = sandbox.say("status", person)
    assert "number" in question["message"]["text"]
    answers = sandbox.say("12345678", person)
    shown = json.dumps(answers, ensure_ascii=False)
    assert [each for each in ("announced", "in transit", "out for delivery", "delivered") if each not in shown] == []
    assert {(answer["recipient"]["id"], answer["messaging_type"]) for answer in answers} == {(person, "RESPONSE")}
