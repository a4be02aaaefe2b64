"""The ledger is billed per request, deletes expired items, and is protected on request."""

import pytest

from components.ledger import Ledger, LedgerArgs
from tests.harness import Resource, run_program


def make(protected: bool = False) -> Resource:
    args = LedgerArgs(point_in_time_recovery=protected, deletion_protection=protected)
    return run_program(lambda: Ledger("ledger", args)).one("aws:dynamodb/table:Table")


def test_items_have_one_key_and_expire() -> None:
    table = make()

    assert table.inputs["hashKey"] == "id"
    assert "rangeKey" not in table.inputs
    assert table.inputs["attributes"] == [{"name": "id", "type": "S"}]
    assert table.inputs["ttl"] == {"attributeName": "expires", "enabled": True}
    assert table.inputs["billingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize("protected", [True, False])
def test_it_is_protected_on_request(protected: bool) -> None:
    table = make(protected)

    assert table.inputs["pointInTimeRecovery"] == {"enabled": protected}
    assert table.inputs["deletionProtectionEnabled"] is protected
