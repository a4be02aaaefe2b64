"""The ledger is paid by use, forgets by itself, and is guarded where asked."""

import pytest

from components.ledger import Ledger, LedgerArgs
from tests.harness import Resource, run_program


def make(guarded: bool = False) -> Resource:
    args = LedgerArgs(point_in_time_recovery=guarded, deletion_protection=guarded, tags={"stack": "dev"})
    return run_program(lambda: Ledger("ledger", args)).one("aws:dynamodb/table:Table")


def test_items_are_found_by_one_key_and_go_when_they_expire() -> None:
    table = make()

    assert table.inputs["hashKey"] == "id"
    assert "rangeKey" not in table.inputs
    assert table.inputs["attributes"] == [{"name": "id", "type": "S"}]
    assert table.inputs["ttl"] == {"attributeName": "expires", "enabled": True}
    assert table.inputs["billingMode"] == "PAY_PER_REQUEST"


@pytest.mark.parametrize("guarded", [True, False])
def test_it_is_guarded_as_asked(guarded: bool) -> None:
    table = make(guarded)

    assert table.inputs["pointInTimeRecovery"] == {"enabled": guarded}
    assert table.inputs["deletionProtectionEnabled"] is guarded
