"""The laws that follow from SPEC §4.3, §4.2 and §4.5, as pairs of filters that select the same, or the opposite."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from astra_filter.fields import Array, Object
from astra_filter.nodes import And, Comparison, Element, Kind, Membership, Not, Operator, Or, Path, Slot, Syntax
from astra_filter.printer import canonical
from astra_filter.records import replace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from astra_filter.filter import Filter
    from astra_filter.nodes import Node


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
    bracketed = rewritten(first, _brackets(first))
    if bracketed != str(first):
        yield Law("a path through an array is a bracket", str(first), bracketed)


def rewritten(chosen: Filter, change: Callable[[Node], Node]) -> str:
    """Return the text of a filter after ``change`` has been applied to each of its tests."""

    def visit(node: Node) -> Node:
        match node:
            case And(operands) | Or(operands):
                return replace(node, operands=tuple(map(visit, operands)))
            case Not(operand):
                return replace(node, operand=visit(operand))
            case Element(condition=condition):
                return replace(node, condition=visit(condition))
            case _:
                return change(node)

    return canonical(Syntax(visit(chosen.template.root), chosen.literals))


def _chain_of_eq(node: Node) -> Node:
    if not isinstance(node, Membership):
        return node
    path, span = node.path, node.span
    chain: Node = Or(tuple([Comparison(path, Operator.EQ, slot, span, span) for slot in node.slots]), span)
    if len(node.slots) == 1:
        chain = Comparison(path, Operator.EQ, node.slots[0], span, span)
    return Not(chain, span) if node.negated else chain


def _brackets(chosen: Filter) -> Callable[[Node], Node]:
    """Move the rest of each path from the resource through an array of objects into a bracket."""

    def change(node: Node) -> Node:
        if not isinstance(node, (Comparison, Membership)):
            return node
        cut = _array_step(chosen.schema.root, node.path.names)
        # Inside a bracket the array itself is there, so that fewer paths may be null.
        if cut is None or any(slot.kind is Kind.NULL for slot in _slots(node)):
            return node
        # That no element equals is the opposite of that some element does.
        negated = node.operator is Operator.NE if isinstance(node, Comparison) else node.negated
        names, spans, span = node.path.names, node.path.spans, node.path.span
        rest = Path(names[cut:], spans[cut:], span)
        inner: Node
        if isinstance(node, Membership):
            inner = replace(node, path=rest, negated=False)
        else:
            inner = replace(node, path=rest, operator=Operator.EQ if negated else node.operator)
        bracket = Element(Path(names[:cut], spans[:cut], span), inner, span)
        return Not(bracket, span) if negated else bracket

    return change


def _slots(test: Comparison | Membership) -> tuple[Slot, ...]:
    return test.slots if isinstance(test, Membership) else (test.slot,)


def _array_step(root: object, names: tuple[str, ...]) -> int | None:
    """Return how many names lead to the first array that a path goes through; None for a path through none."""
    owner = root
    for index, name in enumerate(names[:-1], 1):
        field = owner.members.get(name) if isinstance(owner, Object) else None
        if isinstance(field, Array):
            return index
        owner = field
    return None
