"""The laws that follow from SPEC §4.3, §4.2 and §4.5, as pairs of filters that select the same, or the opposite."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias, assert_never

from astra_filter.fields import Array, Map, Object, Open
from astra_filter.language.operators import Kind, Operator
from astra_filter.language.records import replace
from astra_filter.syntax.nodes import And, Comparison, Element, Membership, Not, Or, Path
from astra_filter.syntax.printer import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from astra_filter.fields import Field
    from astra_filter.filter import Filter
    from astra_filter.syntax.nodes import Node


class Law(NamedTuple):
    """Two filters that select the same resources, or if ``opposite``, of which exactly one selects each."""

    name: str
    left: str
    right: str
    opposite: bool = False


def laws(first: Filter, second: Filter) -> Iterator[Law]:
    """Yield the laws as they concern two filters of one schema.

    Partition, double negation, De Morgan, commutativity and absorption hold for any; ``in`` is a chain of ``eq``, and a
    path through an array is a bracket, where the first filter has such a test.
    """
    f, g = f"({first})", f"({second})"
    yield Law("partition", f, f"not {f}", opposite=True)
    yield Law("double negation", f, f"not not {f}")
    yield Law("De Morgan", f"not ({f} and {g})", f"not {f} or not {g}")
    yield Law("De Morgan", f"not ({f} or {g})", f"not {f} and not {g}")
    yield Law("commutativity", f"{f} and {g}", f"{g} and {f}")
    yield Law("commutativity", f"{f} or {g}", f"{g} or {f}")
    yield Law("absorption", f, f"{f} or {f} and {g}")
    chained = rewritten(first, _chain_of_eq)
    if chained != str(first):
        yield Law("in is a chain of eq", str(first), chained)
    bracketed = rewritten(first, _bracket)
    if bracketed != str(first):
        yield Law("a path through an array is a bracket", str(first), bracketed)


_Test: TypeAlias = Comparison | Membership


def rewritten(chosen: Filter, change: Callable[[_Test, Field], Node]) -> str:
    """Return the text of a filter after ``change`` was applied to each of its tests, given with its paths' owner."""

    def visit(node: Node, owner: Field) -> Node:
        match node:
            case And(operands) | Or(operands):
                return replace(node, operands=tuple([visit(operand, owner) for operand in operands]))
            case Not(operand):
                return replace(node, operand=visit(operand, owner))
            case Element(path, condition):
                return replace(node, condition=visit(condition, _inside(_field(owner, path.names))))
            case Comparison() | Membership():
                return change(node, owner)
            case _:
                assert_never(node)

    return canonical(visit(chosen.syntax.root, chosen.declaration.root), chosen.literals)


def _field(owner: Field, names: Sequence[str]) -> Field:
    """Return the field at a path."""
    for name in names:
        owner = _inside(owner)
        if isinstance(owner, Object):
            owner = owner.members[name]
        elif isinstance(owner, Map):
            owner = owner.values
    return owner


def _inside(field: Field) -> Field:
    return field.items if isinstance(field, Array) else field


def _allows(owner: Field, test: _Test, operator: Operator) -> bool:
    field = _field(owner, test.path.names)
    return isinstance(field, Open) or operator in field.operators


def _chain_of_eq(node: _Test, owner: Field) -> Node:
    if not isinstance(node, Membership) or not node.slots:
        return node
    equal = Operator.EQ if node.operator is Operator.IN else Operator.IEQ
    if not _allows(owner, node, equal):
        return node
    path, span = node.path, node.span
    chain: Node = Or(tuple([Comparison(path, equal, slot, span, span) for slot in node.slots]), span)
    if len(node.slots) == 1:
        chain = Comparison(path, equal, node.slots[0], span, span)
    return Not(chain, span) if node.negated else chain


def _bracket(node: _Test, owner: Field) -> Node:
    """Move the rest of a path behind the first array of objects that it goes through into a bracket."""
    cut = _array_step(owner, node.path.names)
    slots = node.slots if isinstance(node, Membership) else (node.slot,)
    # Inside a bracket the array itself is there, so that fewer paths may be null.
    if cut is None or any(slot.kind is Kind.NULL for slot in slots):
        return node
    # That no element equals is the opposite of that some element does.
    negated = _is_opposite(node.operator) if isinstance(node, Comparison) else node.negated
    names, spans, span = node.path.names, node.path.spans, node.path.span
    rest = Path(names[cut:], spans[cut:], span)
    inner: Node
    if isinstance(node, Membership):
        inner = replace(node, path=rest, negated=False)
    elif not negated:
        inner = replace(node, path=rest)
    else:
        equal = Operator.IEQ if node.operator is Operator.INE else Operator.EQ
        if not _allows(owner, node, equal):
            return node
        inner = replace(node, path=rest, operator=equal)
    bracket = Element(Path(names[:cut], spans[:cut], span), inner, span)
    return Not(bracket, span) if negated else bracket


def _is_opposite(operator: Operator) -> bool:
    """Whether an operator is true of an array where its opposite is true of no element (SPEC §4.5)."""
    match operator:
        case Operator.NE | Operator.INE:
            return True
        case (
            Operator.EQ
            | Operator.LT
            | Operator.LTE
            | Operator.GT
            | Operator.GTE
            | Operator.IN
            | Operator.CONTAINS
            | Operator.STARTSWITH
            | Operator.ENDSWITH
            | Operator.IEQ
            | Operator.IIN
            | Operator.ICONTAINS
            | Operator.ISTARTSWITH
            | Operator.IENDSWITH
        ):
            return False
        case _:
            assert_never(operator)


def _array_step(owner: Field, names: Sequence[str]) -> int | None:
    """Return how many names lead to the first array that a path goes through; None for a path through none."""
    for place in range(1, len(names)):
        if isinstance(_field(owner, names[:place]), Array):
            return place
    return None
