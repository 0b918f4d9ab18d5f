"""Syntax tree and literals to canonical text (SPEC §2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.language.names import path_text
from astra_filter.language.operators import Kind
from astra_filter.syntax.nodes import And, Comparison, Element, Membership, Node, Not, Or, Path, Slot, Syntax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astra_filter.syntax.nodes import Literal


def canonical(syntax: Syntax) -> str:
    """Return the canonical text of a filter; parsing it gives an equal filter."""
    return _condition(syntax.root, syntax.literals)


def string_text(text: str) -> str:
    """Return a string literal that stands for ``text``."""
    return "'" + text.replace("'", "''") + "'"


def _condition(node: Node, literals: Sequence[Literal]) -> str:
    match node:
        case Comparison(Path(names), operator, slot):
            return f"{path_text(names)} {operator.value} {_literal(slot, literals)}"
        case Membership(Path(names), slots, negated):
            items = ", ".join([_literal(slot, literals) for slot in slots])
            return f"{path_text(names)} {'not in' if negated else 'in'} ({items})"
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


def _literal(slot: Slot, literals: Sequence[Literal]) -> str:
    literal = literals[slot.number]
    if slot.kind is Kind.STRING:
        return string_text(str(literal))
    return str(literal).lower() if slot.kind is not Kind.NULL else "null"
