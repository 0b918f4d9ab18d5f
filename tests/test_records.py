"""Records: fields by position or by name, equality that ignores where a record comes from."""

from __future__ import annotations

import copy
import pickle

import pytest

from astra_filter.language.operators import Kind
from astra_filter.language.records import replace
from astra_filter.language.span import Span
from astra_filter.syntax.nodes import Path, Slot

HERE, THERE = Span(0, 1), Span(5, 9)


def test_fields_by_position_and_by_name():
    slot = Slot(3, Kind.STRING, HERE)
    assert slot == Slot(number=3, kind=Kind.STRING, span=HERE) == Slot(3, span=HERE, kind=Kind.STRING)
    assert (slot.number, slot.kind, slot.span) == (3, Kind.STRING, HERE)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ((), {}),
        ((3, Kind.STRING), {}),
        ((3, Kind.STRING, HERE, HERE), {}),
        ((3, Kind.STRING, HERE), {"span": HERE}),
        ((3, Kind.STRING), {"place": HERE}),
        ((3,), {"kind": Kind.STRING, "number": 3}),
    ],
)
def test_wrong_fields_are_refused(values, named):
    with pytest.raises(TypeError, match="Slot takes the fields number, kind, span, each once"):
        Slot(*values, **named)


def test_replace():
    slot = Slot(3, Kind.STRING, HERE)
    assert replace(slot, number=4) == Slot(4, Kind.STRING, HERE)
    assert replace(slot, span=THERE).span == THERE
    with pytest.raises(TypeError, match="Slot takes the fields"):
        replace(slot, nmber=4)


def test_spans_do_not_count():
    assert Slot(3, Kind.STRING, HERE) == Slot(3, Kind.STRING, THERE)
    assert hash(Slot(3, Kind.STRING, HERE)) == hash(Slot(3, Kind.STRING, THERE))
    assert Slot(3, Kind.STRING, HERE) != Slot(3, Kind.NUMBER, HERE)
    assert Path(("a",), (HERE,), HERE) != (("a",), (HERE,), HERE)


def test_copies():
    slot = Slot(3, Kind.STRING, HERE)
    for copied in (copy.copy(slot), copy.deepcopy(slot), pickle.loads(pickle.dumps(slot))):  # noqa: S301  # Its own.
        assert type(copied) is Slot
        assert copied == slot
        assert copied.span == HERE


def test_records_do_not_change():
    with pytest.raises(AttributeError):
        Slot(3, Kind.STRING, HERE).number = 4
