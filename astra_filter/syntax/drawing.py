"""Syntax tree to the lines of a drawn tree, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.language.names import path_text
from astra_filter.language.span import visible
from astra_filter.syntax.nodes import And, Element, Node, Not, Or
from astra_filter.syntax.printer import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astra_filter.syntax.tree import Syntax


def lines(syntax: Syntax) -> Iterator[str]:
    """Yield a filter as the lines of a tree: connectives and brackets above what they hold, a test on each leaf."""
    yield from _branch(syntax.root, syntax, "", "")


def _branch(node: Node, syntax: Syntax, first: str, rest: str) -> Iterator[str]:
    inner: tuple[Node, ...]
    match node:
        case And(operands):
            label, inner = "and", operands
        case Or(operands):
            label, inner = "or", operands
        case Not(operand):
            label, inner = "not", (operand,)
        case Element(path, condition):
            label, inner = f"{path_text(path.names)}[…]", (condition,)
        case _:
            label, inner = canonical(node, syntax.literals), ()
    yield first + visible(label, len(label))
    for place, below in enumerate(inner, 1):
        last = place == len(inner)
        yield from _branch(below, syntax, rest + ("└── " if last else "├── "), rest + ("    " if last else "│   "))
