"""The ledger is billed per request and deletes expired items."""

from components.ledger import Ledger, LedgerArgs
from tests.harness import run_program


def test_items_have_one_key_and_expire() -> None:
    args = LedgerArgs(point_in_time_recovery=False, deletion_protection=False)
    table = run_program(lambda: Ledger("ledger", args)).one("aws:dynamodb/table:Table")

    assert table.inputs["hashKey"] == "id"
    assert "rangeKey" not in table.inputs
    assert table.inputs["attributes"] == [{"name": "id", "type": "S"}]
    assert table.inputs["ttl"] == {"attributeName": "expires", "enabled": True}
    assert table.inputs["billingMode"] == "PAY_PER_REQUEST"
