"""Text to syntax tree (SPEC §2), apart from what the conformance cases hold."""

from __future__ import annotations

import pytest

from astra_filter import AstraFilterError, FilterError, Limits, Schema, parse
from astra_filter.language.operators import Kind, Operator
from astra_filter.language.span import Span
from astra_filter.limits import MOST_NESTING
from astra_filter.syntax.nodes import And, Comparison, Element, Membership, Not, Or, Path, Slot
from astra_filter.syntax.tree import Syntax

ANYWHERE = Span(0, 0)


def path(*names):
    return Path(names, (ANYWHERE,) * len(names), ANYWHERE)


def slot(number, kind):
    return Slot(number, kind, ANYWHERE)


def test_literals_travel_beside_the_tree():
    assert parse("a eq 'it''s' and b.c not in (1, -2.50E1, null, TRUE)") == Syntax(
        And(
            (
                Comparison(path("a"), Operator.EQ, slot(0, Kind.STRING), ANYWHERE, ANYWHERE),
                Membership(
                    path("b", "c"),
                    Operator.IN,
                    (slot(1, Kind.NUMBER), slot(2, Kind.NUMBER), slot(3, Kind.NULL), slot(4, Kind.BOOLEAN)),
                    True,
                    ANYWHERE,
                    ANYWHERE,
                ),
            ),
            ANYWHERE,
        ),
        ("it's", "1", "-2.50e1", None, True),
    )


def test_binding_and_flattening():
    def test(name, number):
        return Comparison(path(name), Operator.EQ, slot(number, Kind.NUMBER), ANYWHERE, ANYWHERE)

    text = "a eq 0 or (b eq 1 or not c eq 2 and (d eq 3 and e[f eq 4]))"
    inner = And(
        (Not(test("c", 2), ANYWHERE), test("d", 3), Element(path("e"), test("f", 4), ANYWHERE)),
        ANYWHERE,
    )
    assert parse(text).root == Or((test("a", 0), test("b", 1), inner), ANYWHERE)


def test_spans_cover_what_was_written():
    text = "not (a.`b c` in (1, 2)) or contains(d, 'x') or e[f ge 3]"

    def written(span):
        return text[span.start : span.end]

    root = parse(text).root
    negation, call, element = root.operands
    assert written(negation.span) == "not (a.`b c` in (1, 2)"
    assert written(negation.operand.span) == "a.`b c` in (1, 2)"
    assert [written(span) for span in negation.operand.path.spans] == ["a", "`b c`"]
    assert written(negation.operand.operator_span) == "in"
    assert [written(slot.span) for slot in negation.operand.slots] == ["1", "2"]
    assert written(call.span) == "contains(d, 'x')"
    assert written(element.span) == "e[f ge 3]"
    assert written(element.condition.operator_span) == "ge"


def test_equality_tells_kinds_apart():
    one, text, true, fraction = (parse(f"a eq {literal}") for literal in ("1", "'1'", "true", "1.0"))
    assert len({one, text, true, fraction}) == 4
    assert parse("a  EQ 1") == one


@pytest.mark.parametrize(
    ("limits", "inside", "outside", "code"),
    [
        (Limits(text_length=8), "ab eq 12", "ab eq 123", "text_too_long"),
        (Limits(tests=2), "a eq 1 or a eq 2", "a eq 1 or a eq 2 or a eq 3", "too_many_tests"),
        (Limits(literals=2), "a in (1, 2)", "a in (1, 2, 3)", "too_many_literals"),
        (Limits(list_items=2), "a in (1, 2)", "a in (1, 2, 3)", "list_too_long"),
        (Limits(nesting=2), "((a eq 1))", "(((a eq 1)))", "too_deep"),
        (Limits(nesting=2), "not not a eq 1", "not not not a eq 1", "too_deep"),
        (Limits(nesting=2), "a[not b eq 1]", "a[not b[c eq 1]]", "too_deep"),
        (Limits(nesting=2), "not (a eq 1) and (not b eq 1)", "not (not (a eq 1))", "too_deep"),
        (Limits(nesting=1), "a eq '(((' and `((` eq 1 or not b eq 1 or not c not in (1)", None, "too_deep"),
    ],
)
def test_limits(limits, inside, outside, code):
    if outside is None:
        with pytest.raises(FilterError) as caught:
            parse(inside, limits)
        assert caught.value.code == code
        return
    parse(inside, limits)
    with pytest.raises(FilterError) as caught:
        parse(outside, limits)
    assert caught.value.code == code


def test_over_long_text_is_not_kept():
    with pytest.raises(FilterError) as caught:
        parse("x" * 10_000_000)
    assert len(str(caught.value)) < 1000
    assert len(caught.value.text) < 10_000


@pytest.mark.parametrize("text", [None, b"a eq 1", 5])
def test_a_filter_is_text(text):
    with pytest.raises(AstraFilterError) as caught:
        parse(text)
    assert caught.value.code == "not_text"


@pytest.mark.parametrize("nested", ["({})", "not {}", "a[{}]", "(a eq 1 or {})", "(a eq 1 or (a eq 1 and {}))"])
def test_no_limit_lets_trees_be_deeper_than_python_walks(nested):
    limits = Limits(nesting=10**6, text_length=10**6, tests=10**6)
    text = "a eq 1"
    for _ in range(MOST_NESTING // (2 if nested.count("(") == 2 else 1)):
        text = nested.format(text)
    chosen = Schema.open(limits=limits).compile(text)
    assert chosen.matches({"a": 1}) in (True, False)
    assert parse(str(chosen), limits) == chosen.syntax
    with pytest.raises(FilterError) as caught:
        parse(f"({nested.format(text)})", limits)
    assert caught.value.code == "too_deep"
