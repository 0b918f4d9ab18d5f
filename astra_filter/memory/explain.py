"""Why a filter selects a resource, or does not: a tree that mirrors the filter, with what each test found.

Whether a test holds is asked of the predicate's own code, generated for that test alone; so the explanation cannot mean
anything else than the filter. Made for people who look at one resource, not for many.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NamedTuple, assert_never

from astra_filter.fields import Array, Map, Object, Open
from astra_filter.language.names import path_text
from astra_filter.language.values import entry, member
from astra_filter.meaning.declaration import Declaration
from astra_filter.meaning.shapes import Shapes
from astra_filter.memory.predicate import functions
from astra_filter.syntax.nodes import And, Comparison, Element, Membership, Node, Not, Or
from astra_filter.syntax.printer import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from astra_filter.fields import Field
    from astra_filter.syntax.nodes import Literal, Path
    from astra_filter.syntax.tree import Syntax

_MOST_ELEMENTS = 3
"""Elements of an array that are explained where none satisfies a bracket."""


class Explanation(NamedTuple):
    """What a part of a filter comes to for one resource."""

    label: str
    """``and``, ``or``, ``not``, or the canonical text of a test; of a bracket the path and ``[…]``."""
    holds: bool
    """Whether the resource satisfies this part."""
    decides: bool
    """Whether it belongs to the smallest set of tests that make the whole filter true or false."""
    value: Any
    """What a test found in the resource: a list where its path leads through an array; None for what is no test."""
    operands: tuple[Explanation, ...]
    """The parts; of a bracket, the condition for the element that satisfies it, or for the first few that do not."""

    def lines(self) -> list[str]:
        """Return the tree as lines: ``✓`` or ``✗``, the part, and what was found; ``←`` marks the tests that decide."""
        return list(_lines(self, "", ""))


def explain(declaration: Declaration, syntax: Syntax, resource: object) -> Explanation:
    """Explain a filter for a resource; arguments as `Filter` has them."""
    found, _ = _Explaining(declaration, syntax.literals).explain(syntax.root, resource)
    return _marked(found)


class _Explaining:
    def __init__(self, declaration: Declaration, literals: tuple[Literal, ...]) -> None:
        self._declaration = declaration
        self._root = declaration.root
        self._literals = literals
        self._shapes = Shapes(declaration)
        # It passed the limits when it was compiled; canonical text may be longer.
        self._limits = declaration.limits._replace(text_length=sys.maxsize)

    def explain(self, node: Node, resource: object) -> tuple[Explanation, int]:
        """Explain a condition on a resource, or on an element whose members are those of the root.

        Returns:
            The explanation, in which ``decides`` is set as if the condition were the whole filter, and how many tests
            decide it.
        """
        match node:
            case And(operands) | Or(operands):
                parts = [self.explain(operand, resource) for operand in operands]
                is_and = isinstance(node, And)
                holds = all(part.holds for part, _ in parts) if is_and else any(part.holds for part, _ in parts)
                if holds == is_and:  # Every operand is needed.
                    count = sum(count for _, count in parts)
                    made = tuple(part for part, _ in parts)
                else:
                    # One is enough: the one with the fewest tests, the first of those.
                    count, place = min(
                        (count, place) for place, (part, count) in enumerate(parts) if part.holds == holds
                    )
                    made = tuple(part if place == at else _undecided(part) for at, (part, _) in enumerate(parts))
                return Explanation("and" if is_and else "or", holds, True, None, made), count
            case Not(operand):
                part, count = self.explain(operand, resource)
                return Explanation("not", not part.holds, True, None, (part,)), count
            case Comparison(path) | Membership(path):
                label = canonical(node, self._literals)
                value = _values(self._root, path.names, resource)
                return Explanation(label, self._holds(node, resource), True, value, ()), 1
            case Element(path, condition):
                holds = self._holds(node, resource)
                inner = self._elements(path, condition, resource, holds=holds)
                label = f"{path_text(path.names)}[…]"
                return Explanation(label, holds, True, _values(self._root, path.names, resource), inner), 1
            case _:
                assert_never(node)

    def _holds(self, node: Node, resource: object) -> bool:
        bound = self._shapes.compile(canonical(node, self._literals), self._limits)
        matches, _ = functions(bound.template.condition, bound.values, bound.template.memo)
        return matches(resource)

    def _elements(self, path: Path, condition: Node, resource: object, *, holds: bool) -> tuple[Explanation, ...]:
        items = _items(self._root, path.names)
        if items is None:
            return ()
        outer = self._declaration
        inner = _Explaining(Declaration(items, key=None, limits=outer.limits, binary=outer.binary), self._literals)
        values = _values(self._root, path.names, resource)
        found = []
        for element in values if isinstance(values, (list, tuple)) else ():
            explained, _ = inner.explain(condition, element)
            if explained.holds == holds:
                found.append(explained)
            if len(found) == (1 if holds else _MOST_ELEMENTS):
                break
        return tuple(found)


def _undecided(part: Explanation) -> Explanation:
    """Return a part of which nothing decides."""
    return part._replace(decides=False, operands=tuple(map(_undecided, part.operands)))


def _marked(part: Explanation) -> Explanation:
    """Return a part in which only tests are said to decide."""
    if part.label in ("and", "or", "not"):
        return part._replace(decides=False, operands=tuple(map(_marked, part.operands)))
    return part._replace(operands=tuple(map(_undecided, part.operands)))


def _items(root: Object | Open, names: Sequence[str]) -> Object | Open | None:
    """The fields of the elements of the array at a path; None where they are no objects."""
    field: Field = root
    for name in names:
        if isinstance(field, Array):
            field = field.items
        if isinstance(field, Open):
            return field
        if not isinstance(field, Object):
            return None
        field = field.members[name]
    items = field.items if isinstance(field, Array) else field
    return items if isinstance(items, (Object, Open)) else None


def _values(root: Field, names: Sequence[str], resource: object) -> Any:
    """What a resource has at a path: a list of what the elements have, where the path leads through an array."""
    value: Any = resource
    field = root
    for place, name in enumerate(names):
        if place and isinstance(value, (list, tuple)) and isinstance(field, (Array, Open)):
            found: list[Any] = []
            for element in value:
                inner = _values(field.items if isinstance(field, Array) else field, names[place:], element)
                # A list of lists is one of their elements, as the test takes it.
                found.extend(inner) if isinstance(inner, (list, tuple)) else found.append(inner)
            return found
        if isinstance(field, Map):
            return entry(value, name)
        value = member(value, name)
        if isinstance(field, Array):
            field = field.items
        field = field.members[name] if isinstance(field, Object) else field
    return value


def _lines(part: Explanation, first: str, rest: str) -> Iterator[str]:
    from astra_filter.language.span import visible

    shown = ""
    if part.label not in ("and", "or", "not"):
        shown = f"   {visible(repr(part.value), 80)}" + (" ←" if part.decides else "")
    yield f"{first}{'✓' if part.holds else '✗'} {visible(part.label, 200)}{shown}"
    for place, below in enumerate(part.operands, 1):
        last = place == len(part.operands)
        yield from _lines(below, rest + ("└── " if last else "├── "), rest + ("    " if last else "│   "))
