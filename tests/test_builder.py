"""The builder of filters: what it writes is quoted, and is read back as it was meant (SPEC §2)."""

from __future__ import annotations

import enum
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from math import inf, nan
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from astra_filter import AstraFilterError, Limits, Schema, parse
from astra_filter.builder import Condition, field

if TYPE_CHECKING:
    from collections.abc import Callable

A = field("a").eq(1)
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
WIDE = Limits(text_length=10**6, tests=10**4, nesting=100, literals=10**4)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
names = texts.filter(bool)
values = st.one_of(
    texts,
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.datetimes(
        timezones=st.sampled_from([None, UTC, timezone(timedelta(hours=-9, minutes=-30))]),
        min_value=datetime(2, 1, 1),
        max_value=datetime(9998, 1, 1),
    ),
    st.dates(),
    st.uuids(),
)
fields = st.builds(field, names, names) | st.builds(field, names)
tests = st.one_of(
    st.builds(lambda f, v, o: getattr(f, o)(v), fields, values, st.sampled_from(["eq", "ne"])),
    st.builds(
        lambda f, v, o: getattr(f, o)(v),
        fields,
        values.filter(lambda value: value is not None),
        st.sampled_from(["lt", "lte", "gt", "gte"]),
    ),
    st.builds(lambda f, v, o: getattr(f, o)(v), fields, texts, st.sampled_from(["contains", "startswith", "endswith"])),
    st.builds(
        lambda f, v, o: getattr(f, o)(v), fields, st.lists(values, min_size=1), st.sampled_from(["in_", "not_in"])
    ),
)
conditions = st.recursive(
    tests,
    lambda inner: st.one_of(
        st.builds(Condition.__and__, inner, inner),
        st.builds(Condition.__or__, inner, inner),
        st.builds(Condition.__invert__, inner),
        st.builds(lambda f, c: f.some(c), fields, inner),
    ),
)


def test_as_the_documentation_has_it() -> None:
    assert (
        str(field("state").eq("running") & ~field("percentDone").lt(20))
        == "state eq 'running' and not percentDone lt 20"
    )


@pytest.mark.parametrize(
    ("condition", "text"),
    [
        (field("a").eq("it's"), "a eq 'it''s'"),
        (field("a").eq("' or 1 eq 1"), "a eq ''' or 1 eq 1'"),
        (field("app/name").ne(None), "`app/name` ne null"),
        (field("a.b", "not").eq(True), "`a.b`.`not` eq true"),
        (field("a").in_([]), "a in ()"),
        (field("a").not_in(iter(())), "a not in ()"),
        (field("a").in_([1, 2.5, Decimal("1E+2"), -0.0]), "a in (1, 2.5, 1e+2, -0.0)"),
        (field("a").not_in(["x"]), "a not in ('x')"),
        (
            field("a").gte(datetime(2020, 8, 6, 14, 24, tzinfo=timezone(timedelta(hours=2)))),
            "a gte '2020-08-06T12:24:00.000000Z'",
        ),
        (field("a").lt(datetime(2020, 8, 6)), "a lt '2020-08-06T00:00:00.000000Z'"),
        (field("a").lte(date(2020, 8, 6)), "a lte '2020-08-06'"),
        (field("a").eq(UUID(int=255)), "a eq '00000000-0000-0000-0000-0000000000ff'"),
        (field("a").eq(enum.Enum("E", {"M": "m"}).M), "a eq 'm'"),
        (field("a").eq(enum.IntEnum("E", {"M": 3}).M), "a eq 3"),
        (
            field("a").gt(1) & field("b").startswith("x") & field("c").endswith("y"),
            "a gt 1 and b startswith 'x' and c endswith 'y'",
        ),
        ((field("a").eq(1) | field("b").eq(2)) & field("c").eq(3), "(a eq 1 or b eq 2) and c eq 3"),
        (~(field("a").eq(1) | field("b").eq(2)), "not (a eq 1 or b eq 2)"),
        (~~field("a").contains(""), "not not a contains ''"),
        (field("l").some(field("n").eq("env") & ~field("v").eq("x")), "l[n eq 'env' and not v eq 'x']"),
    ],
)
def test_text(condition: Condition, text: str) -> None:
    assert str(condition) == text
    assert parse(text) == condition.syntax


@UNHURRIED
@given(texts)
def test_every_string(value: str) -> None:
    """SPEC §2: whatever a string holds, it stays one literal, and selects exactly itself."""
    condition = field("a").eq(value) & field("b").in_([value, "x"])
    assert parse(str(condition), WIDE) == condition.syntax
    chosen = Schema.open(limits=WIDE).compile(str(condition))
    assert chosen.values == (value, value, "x")
    assert chosen.matches({"a": value, "b": value})
    assert not chosen.matches({"a": value + "'", "b": value})


@UNHURRIED
@given(names)
def test_every_name(name: str) -> None:
    condition = field(name, "b", name).eq(1)
    assert parse(str(condition), WIDE) == condition.syntax
    assert Schema.open(limits=WIDE).compile(str(condition)).matches({name: {"b": {name: 1}}}) or name.startswith("__")


@UNHURRIED
@given(conditions)
def test_every_condition(condition: Condition) -> None:
    assert parse(str(condition), WIDE) == condition.syntax


@pytest.mark.parametrize(
    "value", ["\0", "a\ud800", nan, inf, -inf, Decimal("NaN"), Decimal("-Infinity"), b"x", [], object()]
)
def test_no_literal(value: Any) -> None:
    with pytest.raises(AstraFilterError) as caught:
        field("a").eq(value)
    assert caught.value.code == "no_literal"


def test_no_instant() -> None:
    """Outside the years 1 to 9999 UTC (SPEC §3)."""
    with pytest.raises(AstraFilterError) as caught:
        field("a").lt(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))))
    assert caught.value.code == "no_literal"


@pytest.mark.parametrize("path", [(), ("",), ("a", ""), ("\0",), ("\udc00",), (1,)])
def test_no_name(path: tuple[Any, ...]) -> None:
    with pytest.raises(AstraFilterError) as caught:
        field(*path)
    assert caught.value.code == "bad_identifier"


@pytest.mark.parametrize(
    ("grow", "levels"),
    [
        (lambda condition: ~condition, 100),
        (lambda condition: ~(condition & A), 50),
        (lambda condition: (condition & A) | A, 101),
        (lambda condition: field("a").some(condition), 100),
        (lambda condition: ~field("a").some(condition), 50),
    ],
)
def test_conditions_are_as_deep_as_filters_may_be(grow: Callable[[Condition], Condition], levels: int) -> None:
    condition = A
    for _ in range(levels):
        condition = grow(condition)
    assert str(Condition(parse(str(condition), limits=WIDE))) == str(condition)
    with pytest.raises(AstraFilterError) as caught:
        grow(condition)
    assert caught.value.code == "nesting_too_deep"


def test_misuse() -> None:
    with pytest.raises(AstraFilterError, match="join conditions with &") as caught:
        field("a").eq(1) and field("b").eq(2)
    assert caught.value.code == "no_truth_value"
    with pytest.raises(TypeError):
        field("a").eq(1) & "b eq 2"


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (lambda: field("x").contains(5), "no_operand"),  # type: ignore[arg-type]
        (lambda: field("x").startswith(None), "no_operand"),  # type: ignore[arg-type]
        (lambda: field("x").lt(None), "no_operand"),
        (lambda: field("x").eq(10**5000), "no_literal"),
        (lambda: field("x").in_([-(10**5000)]), "no_literal"),
        (lambda: field("x").in_("abc"), "one_string"),
        (lambda: field("x").not_in(b"abc"), "one_string"),
    ],
)
def test_what_no_filter_says(build: Any, code: str) -> None:
    with pytest.raises(AstraFilterError) as caught:
        build()
    assert caught.value.code == code
