"""The check of a syntax tree against a schema: what the filter means, or all that is wrong with it (SPEC §3, §4).

A syntax tree that passes becomes a `checked` tree, in which the meaning is settled once for every backend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

from astra_filter import errors
from astra_filter.checked import All, Any, Compare, Condition, In, IsNull, Ref, Some
from astra_filter.errors import LiteralError, Problem
from astra_filter.fields import Array, Boolean, Field, Leaf, Number, Object, Open, String
from astra_filter.names import path_text
from astra_filter.nodes import And, Comparison, Element, Kind, Membership, Node, Not, Operator, Or, Path, Slot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from astra_filter.nodes import Literal, Syntax
    from astra_filter.span import Span

MOST_PROBLEMS = 20
"""Problems of one filter that are reported (SPEC §7)."""


class Checked(NamedTuple):
    """What the check found: the meaning, or the problems of the shape; and what each slot's literal is coerced by."""

    condition: Condition | None
    """None when there are problems."""
    coercions: tuple[Callable[[str], object] | None, ...]
    """By slot number; None where the literal is its own value."""
    problems: tuple[Problem, ...]


def check(syntax: Syntax, text: str, root: Object | Open, leaves: Mapping[tuple[str, ...], Leaf]) -> Checked:
    """Check a syntax tree, apart from the values of its literals.

    Args:
        syntax: the parsed ``text``.
        text: the source, for the problems.
        root: the fields of a resource.
        leaves: where each field is stored.
    """
    return _Check(text, leaves, len(syntax.literals)).run(syntax.root, root)


def coerce(
    coercions: Sequence[Callable[[str], object] | None],
    literals: Sequence[Literal],
    text: str,
    spans: Callable[[], Sequence[Span]],
) -> tuple[tuple[object, ...], tuple[Problem, ...]]:
    """Turn raw literals into canonical values; what is no value of its field's type becomes a problem.

    ``spans`` gives the places of the literals, and is called only when there is a problem.
    """
    values = list(literals)
    problems: list[Problem] = []
    for number, coercion in enumerate(coercions):
        if coercion is not None:
            try:
                values[number] = coercion(literals[number])  # type: ignore[call-overload,arg-type]  # Checked by kind.
            except LiteralError as error:
                problems.append(errors.bad_literal(text, spans()[number], error))
                if len(problems) == MOST_PROBLEMS:
                    break
    return tuple(values), tuple(problems)


class _Scope(NamedTuple):
    """Where paths begin: the resource, or an element of an array."""

    owner: Object | Open
    is_resource: bool


class _Target(NamedTuple):
    """A resolved path: the arrays it goes through, outermost first, and the value it ends at."""

    arrays: tuple[Ref, ...]
    ref: Ref
    nullable: bool


class _Check:
    def __init__(self, text: str, leaves: Mapping[tuple[str, ...], Leaf], slots: int) -> None:
        self._text = text
        self._leaves = leaves
        self._coercions: list[Callable[[str], object] | None] = [None] * slots
        self._problems: list[Problem] = []

    def run(self, node: Node, root: Object | Open) -> Checked:
        condition = self._condition(node, _Scope(root, is_resource=True), negated=False)
        return Checked(None if self._problems else condition, tuple(self._coercions), tuple(self._problems))

    # Nodes to conditions. None stands for what has a problem.

    def _condition(self, node: Node, scope: _Scope, *, negated: bool) -> Condition | None:
        match node:
            case Comparison(path, operator, slot):
                if operator is Operator.NE:
                    operator, negated = Operator.EQ, not negated
                return self._test(node, path, (slot,), operator, scope, negated=negated)
            case And(operands):
                return self._group(operands, scope, negated=negated, group=Any if negated else All)
            case Or(operands):
                return self._group(operands, scope, negated=negated, group=All if negated else Any)
            case Not(operand):
                return self._condition(operand, scope, negated=not negated)
            case Membership(path, slots):
                return self._test(node, path, slots, Operator.IN, scope, negated=negated != node.negated)
            case Element():
                return self._element(node, scope, negated=negated)
            case _:
                assert_never(node)

    def _group(
        self, operands: tuple[Node, ...], scope: _Scope, *, negated: bool, group: type[All | Any]
    ) -> Condition | None:
        conditions = [self._condition(operand, scope, negated=negated) for operand in operands]
        whole = [condition for condition in conditions if condition is not None]
        return _join(group, whole) if len(whole) == len(conditions) else None

    def _test(
        self,
        node: Comparison | Membership,
        path: Path,
        slots: tuple[Slot, ...],
        operator: Operator,
        scope: _Scope,
        *,
        negated: bool,
    ) -> Condition | None:
        target = self._resolve(path, scope)
        if target is None or not self._fits(node, path, slots, target):
            return None
        by_kind: dict[Kind, list[int]] = {}  # More than one besides null in an open schema only.
        for slot in slots:
            by_kind.setdefault(slot.kind, []).append(slot.number)

        def tests(*, negated: bool) -> Condition:
            parts: list[Condition] = []
            for kind, numbers in by_kind.items():
                if kind is Kind.NULL:
                    parts.append(IsNull(target.ref, negated))
                    continue
                ref, in_array = self._element_of(target.ref, kind)
                flag = negated and not in_array
                test = (
                    In(ref, tuple(numbers), flag)
                    if operator is Operator.IN
                    else Compare(ref, operator, numbers[0], flag)
                )
                parts.append(Some(target.ref, test, negated) if in_array else test)
            return _join(All if negated else Any, parts)

        if not target.arrays:
            return tests(negated=negated)
        return _some(target.arrays, tests(negated=False), negated=negated)

    def _element(self, node: Element, scope: _Scope, *, negated: bool) -> Condition | None:
        target = self._resolve(node.path, scope)
        if target is None:
            return None
        field = target.ref.field
        if isinstance(field, Open):
            inner: Object | Open = field
        elif isinstance(field, Array) and isinstance(field.items, Object):
            inner = field.items
        elif isinstance(field, Array):
            self._refuse(errors.brackets_on_scalars(self._text, node.path.span, path_text(node.path.names)))
            return None
        else:
            label = path_text(node.path.names)
            self._refuse(errors.brackets_on_scalar(self._text, node.path.span, label, field.type))
            return None
        condition = self._condition(node.condition, _Scope(inner, is_resource=False), negated=False)
        if condition is None:
            return None
        return _some((*target.arrays, target.ref), condition, negated=negated)

    # Paths to values

    def _resolve(self, path: Path, scope: _Scope) -> _Target | None:
        owner, is_resource = scope
        if isinstance(owner, Open):
            return _Target((), Ref(path.names, owner, None, True), nullable=True)
        arrays: list[Ref] = []
        field: Field = owner
        names: tuple[str, ...] = ()
        nullable = False
        last = len(path.names) - 1
        for index, name in enumerate(path.names):
            found = owner.members.get(name)
            if found is None:
                self._unknown(path, index, owner, is_resource=is_resource)
                return None
            field = found
            names = (*names, name)
            nullable = nullable or field.nullable
            if index == last:
                break
            if isinstance(field, Object):
                owner = field
            elif isinstance(field, Array) and isinstance(field.items, Object):
                arrays.append(self._ref(names, field, is_resource=is_resource))
                owner, is_resource, names = field.items, False, ()
                nullable = nullable or owner.nullable
            else:
                label = path_text(path.names[: index + 1])
                self._refuse(errors.no_such_member(self._text, path.spans[index + 1], label, field.type))
                return None
        return _Target(tuple(arrays), self._ref(names, field, is_resource=is_resource), nullable)

    def _ref(self, names: tuple[str, ...], field: Field, *, is_resource: bool) -> Ref:
        leaf = self._leaves.get(names) if is_resource else None
        return Ref(names, field, None if leaf is None else leaf.column, False)

    def _element_of(self, ref: Ref, kind: Kind) -> tuple[Ref, bool]:
        """Return what a test with a literal looks at, an array's element or the value, and whether it is an element."""
        if isinstance(ref.field, Array):
            return Ref((), ref.field.items, None, False), True
        return (Ref(ref.path, _OPEN_TYPES[kind], None, True) if ref.open else ref), False

    # What does not fit

    def _fits(self, node: Comparison | Membership, path: Path, slots: tuple[Slot, ...], target: _Target) -> bool:
        """Whether operator and literals go with the field; takes note of their coercions."""
        operator = Operator.IN if isinstance(node, Membership) else node.operator
        field = target.ref.field
        if isinstance(field, Object):
            label = path_text(path.names)
            self._refuse(errors.object_tested(self._text, path.span, label, tuple(field.members)))
            return False
        if not isinstance(field, Open) and operator not in field.operators:
            allowed = [o.value for o in Operator if o in field.operators]
            label = path_text(path.names)
            self._refuse(
                errors.operator_not_allowed(self._text, node.operator_span, operator.value, label, field.type, allowed)
            )
            return False
        # Every literal is judged, so no stop at the first.
        fits = [self._literal_fits(slot, operator, path, target) for slot in slots]
        return all(fits)

    def _literal_fits(self, slot: Slot, operator: Operator, path: Path, target: _Target) -> bool:
        field = target.ref.field
        if slot.kind is Kind.NULL:
            if operator not in (Operator.EQ, Operator.NE, Operator.IN):
                self._refuse(errors.null_with_operator(self._text, slot.span, operator.value))
                return False
            if not target.nullable:
                self._refuse(errors.null_never(self._text, slot.span, path_text(path.names)))
                return False
            return True
        if isinstance(field, Array):
            field = field.items
        if isinstance(field, Open):
            field = _OPEN_TYPES[slot.kind]
            if operator not in field.operators:
                allowed = [o.value for o in Operator if o in field.operators]
                self._refuse(
                    errors.operator_not_allowed(
                        self._text, slot.span, operator.value, path_text(path.names), field.type, allowed
                    )
                )
                return False
        elif isinstance(field, Object):
            self._refuse(errors.objects_tested(self._text, path.span, path_text(path.names), tuple(field.members)))
            return False
        elif slot.kind is not field.kind:
            label = path_text(path.names)
            self._refuse(errors.wrong_kind(self._text, slot.span, label, field.type, slot.kind.value))
            return False
        if type(field).coerce is not Field.coerce:
            self._coercions[slot.number] = field.coerce
        return True

    def _unknown(self, path: Path, index: int, owner: Object, *, is_resource: bool) -> None:
        if len(self._problems) >= MOST_PROBLEMS:
            return
        name = path.names[index]
        near = [path_text([found]) for found in _near(name, owner.members)]
        if not near and is_resource:
            near = [path_text(leaf) for leaf in self._leaves if len(leaf) > 1 and leaf[-1] == name][:1]
        self._refuse(errors.unknown_field(self._text, path.spans[index], name, near, path_text(path.names[:index])))

    def _refuse(self, problem: Problem) -> None:
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(problem)


_OPEN_TYPES: dict[Kind, Field] = {
    Kind.STRING: String(nullable=True),
    Kind.NUMBER: Number(nullable=True),
    Kind.BOOLEAN: Boolean(nullable=True),
}


def _join(group: type[All | Any], conditions: Sequence[Condition]) -> Condition:
    """Make one group of conditions, and of their operands where they are such groups themselves."""
    if len(conditions) == 1:
        return conditions[0]
    flat: list[Condition] = []
    for condition in conditions:
        if isinstance(condition, group):
            flat.extend(condition.operands)
        else:
            flat.append(condition)
    return group(tuple(flat))


def _some(arrays: Sequence[Ref], condition: Condition, *, negated: bool) -> Some:
    for ref in arrays[:0:-1]:
        condition = Some(ref, condition, False)
    return Some(arrays[0], condition, negated)


def _near(name: str, known: Mapping[str, object]) -> list[str]:
    """Return the known name most like ``name``, if one is: in other letters, or with few of them changed."""
    from difflib import get_close_matches  # Errors only: not paid at start-up.

    # The name is cut because the comparison takes quadratic time.
    folded = {candidate.casefold(): candidate for candidate in known}
    return [folded[found] for found in get_close_matches(name[:64].casefold(), folded, 1)]
