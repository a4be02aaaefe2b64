from typing import ClassVar

import pytest

from bot.messenger.record import Record


class Point(Record):
    dimensions: ClassVar[int] = 2

    x: int
    y: int = 0


class Named(Point, kw_only=True):
    name: str = ""

    def check(self) -> None:
        if self.x < 0:
            raise ValueError("x is negative")


def test_a_record_is_its_class_with_its_fields() -> None:
    assert Point(1, 2) == Point(1, y=2) == Point(x=1, y=2)
    assert Point(1).fields() == {"x": 1, "y": 0}
    assert Named(1, 2, name="A").fields() == {"x": 1, "y": 2, "name": "A"}
    assert len({Point(1), Point(1), Point(2), Named(1)}) == 3


def test_a_record_is_frozen_and_replaced() -> None:
    point = Named(1, name="A")
    assert point.replace(y=5) == Named(1, 5, name="A")
    with pytest.raises(AttributeError, match=r"replace\(x=…\)"):
        point.x = 2  # type: ignore[misc]  # mypy knows that it is frozen, too
    with pytest.raises(AttributeError, match="frozen"):
        del point.x
    assert point == Named(1, name="A")


def test_values_are_checked_when_a_record_is_made() -> None:
    with pytest.raises(ValueError, match="negative"):
        Named(-1)
    with pytest.raises(ValueError, match="negative"):
        Named(1).replace(x=-1)


def test_a_record_refuses_what_it_has_no_field_for() -> None:
    with pytest.raises(TypeError, match=r"Point takes 2 values by position, not 3\."):
        Point(1, 2, 3)  # type: ignore[call-arg]  # what is tested
    with pytest.raises(TypeError, match="no field z"):
        Point(1, z=3)  # type: ignore[call-arg]  # what is tested
    with pytest.raises(TypeError, match="got x twice"):
        Point(1, x=1)  # type: ignore[misc]  # what is tested
    with pytest.raises(TypeError, match="Point needs x"):
        Point()  # type: ignore[call-arg]  # what is tested
    with pytest.raises(TypeError, match="by position"):
        Named(1, 2, "A")  # type: ignore[call-arg]  # what is tested
