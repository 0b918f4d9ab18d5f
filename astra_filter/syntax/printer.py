"""Syntax tree and literals to canonical text (SPEC §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from astra_filter.language.names import path_text
from astra_filter.language.operators import Kind, Operator
from astra_filter.syntax.nodes import ANY_KEY, And, Comparison, Element, Membership, Node, Not, Or, Path, Slot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from astra_filter.syntax.nodes import Literal


def canonical(root: Node, literals: Sequence[Literal]) -> str:
    """Return the canonical text of a syntax tree with its literals, by slot; parsing it gives an equal filter."""
    return _condition(root, literals)


def string_text(text: str) -> str:
    """Return a string literal that stands for ``text``."""
    return "'" + text.replace("'", "''") + "'"


def shape_text(root: Node, literals: Sequence[Literal]) -> str:
    """Return the canonical text with ``?`` for strings, numbers and `ANY_KEY`: ``n in (?, ?) and labels.? eq true``."""
    return _condition(root, [each if each is None or isinstance(each, bool) else _Placeholder() for each in literals])


def tested_paths(root: Node) -> tuple[str, ...]:
    """Return the paths that a filter tests, each once, in order of appearance; a bracket's begin with its array's.

    Where `ANY_KEY` stands for the key of a map, the path is that of the map.
    """
    return tuple(dict.fromkeys(map(path_text, _paths(root, ()))))


def _paths(node: Node, outer: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    match node:
        case Comparison(Path(names)) | Membership(Path(names)):
            yield (*outer, *names[: -1 if names[-1] is ANY_KEY else None])
        case Element(Path(names), condition):
            yield from _paths(condition, (*outer, *names))
        case Not(operand):
            yield from _paths(operand, outer)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _paths(operand, outer)
        case _:
            assert_never(node)


class _Placeholder:
    """Stands for a literal in the text of a shape."""


def _condition(node: Node, literals: Sequence[Literal | _Placeholder]) -> str:
    match node:
        case Comparison(Path(names), operator, slot):
            return test_text(_path(names), operator, _literal(slot, literals))
        case Membership(Path(names), operator, slots, negated):
            items = ", ".join([_literal(slot, literals) for slot in slots])
            return f"{_path(names)} {'not ' if negated else ''}{operator.value} ({items})"
        case Element(Path(names), condition):
            return f"{path_text(names)}[{_condition(condition, literals)}]"
        case Not(operand):
            inner = _condition(operand, literals)
            return f"not ({inner})" if isinstance(operand, (And, Or)) else f"not {inner}"
        case And(operands):
            parts = [_condition(operand, literals) for operand in operands]
            return " and ".join(
                [f"({part})" if isinstance(o, Or) else part for part, o in zip(parts, operands, strict=True)]
            )
        case Or(operands):
            return " or ".join([_condition(operand, literals) for operand in operands])
        case _:
            assert_never(node)


def _path(names: tuple[str, ...]) -> str:
    return f"{path_text(names[:-1])}.?" if names[-1] is ANY_KEY else path_text(names)


def test_text(path: str, operator: Operator, literal: str) -> str:
    """Return the text of a test with one literal."""
    match operator:
        case (
            Operator.EQ
            | Operator.NE
            | Operator.LT
            | Operator.LTE
            | Operator.GT
            | Operator.GTE
            | Operator.CONTAINS
            | Operator.STARTSWITH
            | Operator.ENDSWITH
            | Operator.IEQ
            | Operator.INE
            | Operator.ICONTAINS
            | Operator.ISTARTSWITH
            | Operator.IENDSWITH
        ):
            return f"{path} {operator.value} {literal}"
        case Operator.IN | Operator.IIN:
            return f"{path} {operator.value} ({literal})"
        case _:
            assert_never(operator)


def _literal(slot: Slot, literals: Sequence[Literal | _Placeholder]) -> str:
    literal = literals[slot.number]
    if isinstance(literal, _Placeholder):
        return "?"
    if slot.kind is Kind.STRING:
        return string_text(str(literal))
    return str(literal).lower() if slot.kind is not Kind.NULL else "null"
