"""The keys of maps in a syntax tree, which only a schema can tell from other names."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from astra_filter.fields import Array, Map, Object
from astra_filter.language.records import replace
from astra_filter.syntax.nodes import ANY_KEY, And, Comparison, Element, Membership, Not, Or

if TYPE_CHECKING:
    from astra_filter.fields import Field
    from astra_filter.syntax.nodes import Node, Path


def without_keys(node: Node, owner: Field) -> Node:
    """Return the tree with `ANY_KEY` in the place of each key of a map: that of the shape.

    Args:
        node: a tree that has passed the check.
        owner: the fields at which its paths begin.
    """
    match node:
        case Comparison(path) | Membership(path):
            return replace(node, path=_without_key(path, owner)[0])
        case Element(path, condition):
            path, inner = _without_key(path, owner)
            return replace(node, path=path, condition=without_keys(condition, inner))
        case Not(operand):
            return replace(node, operand=without_keys(operand, owner))
        case And(operands) | Or(operands):
            return replace(node, operands=tuple([without_keys(operand, owner) for operand in operands]))
        case _:
            assert_never(node)


def _without_key(path: Path, owner: Field) -> tuple[Path, Field]:
    """Return a path without its key, and the field that paths begin at behind it."""
    for place, name in enumerate(path.names):
        if isinstance(owner, Map):
            return replace(path, names=(*path.names[:place], ANY_KEY)), owner.values
        if isinstance(owner, Object):
            owner = owner.members[name]
        if isinstance(owner, Array):
            owner = owner.items
    return path, owner
