"""Check a syntax tree against a schema: return what the filter means, or every problem found (SPEC §3, §4).

A syntax tree that passes becomes a tree of `conditions`, which has the same meaning for every backend.

Long because conditions, paths and what does not fit share one walk over the tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, assert_never

from astra_filter.errors import LiteralError, Problem
from astra_filter.fields import Array, Boolean, Field, Map, Number, Object, Open, String
from astra_filter.language.fold import fold
from astra_filter.language.names import nearest, path_text
from astra_filter.language.operators import FOLDED, NULLABLE, Kind, Operator, exact
from astra_filter.language.records import make, replace
from astra_filter.language.span import Span
from astra_filter.limits import MOST_PROBLEMS
from astra_filter.meaning.conditions import AllOf, AnyOf, Compare, Condition, In, IsNull, Ref, Some
from astra_filter.syntax.nodes import And, Comparison, Element, Membership, Node, Not, Or, Path, Slot
from astra_filter.wording import check as wording
from astra_filter.wording import syntax as syntax_wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from astra_filter.fields import AnyField
    from astra_filter.meaning.leaves import Leaf
    from astra_filter.syntax.tree import Syntax


class Checked(NamedTuple):
    """The result of a check: the meaning or the problems of a shape, and the coercion of each slot's literal."""

    condition: Condition | None
    """None when there are problems."""
    coercions: tuple[Callable[[str], object] | None, ...]
    """By slot number; None where the literal is its own value."""
    keys: tuple[str, ...]
    """The keys of maps that the paths name, in order; their slots follow those of the literals."""
    problems: tuple[Problem, ...]


class Target(NamedTuple):
    """A resolved path: the arrays that it leads through, outermost first, and the value at its end."""

    arrays: tuple[Ref, ...]
    ref: Ref
    nullable: bool


def check(
    syntax: Syntax,
    text: str,
    root: Object | Open,
    leaves: Mapping[tuple[str, ...], Leaf],
    targets: dict[tuple[str, ...], Target],
    most_literals: int,
    *,
    asked: bool = False,
) -> Checked:
    """Check a syntax tree, apart from the values of its literals.

    Args:
        syntax: the parsed ``text``.
        text: the source, for the problems.
        root: the fields of a resource.
        leaves: where each field is stored.
        targets: a cache of resolved paths of the resource; declared paths that are new are added.
        most_literals: how many literals and keys of maps the filter may have together (SPEC §8).
        asked: only whether there is a problem; one that takes long to word raises `Unworded` instead.
    """
    return _Check(text, leaves, targets, len(syntax.literals), most_literals, root, asked=asked).run(syntax.root, root)


class Unworded(Exception):  # noqa: N818  # Not an error: it says that there are problems.
    """There is a problem, which has not been worded."""


def coerce(
    coercions: Sequence[Callable[[str], object] | None], syntax: Syntax, text: str
) -> tuple[tuple[object, ...], tuple[Problem, ...]]:
    """Turn raw literals into canonical values. A literal that is not a value of its field's type becomes a problem."""
    values: list[object] = []
    problems: list[Problem] = []
    for literal, coercion in zip(syntax.literals, coercions, strict=True):
        value: object = literal
        if coercion is not None:
            try:
                value = coercion(literal)  # type: ignore[arg-type]  # Checked by kind.
            except LiteralError as error:
                slot = list(_slots(syntax.root))[len(values)]
                problems.append(wording.bad_literal(text, slot.span, error, _mended(coercion, error, literal)))
                if len(problems) == MOST_PROBLEMS:
                    break
        values.append(value)
    return tuple(values), tuple(problems)


def _slots(node: Node) -> Iterator[Slot]:
    match node:
        case Comparison(slot=slot):
            yield slot
        case Membership(slots=slots):
            yield from slots
        case Not(operand):
            yield from _slots(operand)
        case Element(condition=condition):
            yield from _slots(condition)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _slots(operand)


def _mended(coercion: Callable[[str], object], error: LiteralError, literal: object) -> str | None:
    if error.code != "bad_timestamp" or not isinstance(literal, str):
        return None
    from astra_filter.meaning.hints import mended_instant  # Errors only: not paid by those who send none.

    return mended_instant(coercion, literal)


class _Scope(NamedTuple):
    """Where paths begin: the resource, or an element of an array."""

    owner: Object | Open
    is_resource: bool


class _Check:
    def __init__(
        self,
        text: str,
        leaves: Mapping[tuple[str, ...], Leaf],
        targets: dict[tuple[str, ...], Target],
        slots: int,
        most_literals: int,
        root: Object | Open,
        *,
        asked: bool,
    ) -> None:
        self._asked = asked
        self._text = text
        self._leaves = leaves
        self._targets = targets
        self._root = root
        self._coercions: list[Callable[[str], object] | None] = [None] * slots
        self._keys: list[str] = []
        self._most_literals = most_literals
        self._problems: list[Problem] = []

    def run(self, node: Node, root: Object | Open) -> Checked:
        condition = self._condition(node, _Scope(root, is_resource=True), negated=False)
        problems = tuple(self._problems)
        return Checked(None if problems else condition, tuple(self._coercions), tuple(self._keys), problems)

    # Nodes to conditions. A node that has a problem gives None.

    def _condition(self, node: Node, scope: _Scope, *, negated: bool) -> Condition | None:
        if isinstance(node, Comparison):
            operator, is_opposite, folded = _POSITIVE[node.operator]
            slots = (node.slot,)
            return self._test(node, node.path, slots, operator, scope, negated=negated != is_opposite, folded=folded)
        if isinstance(node, And):
            return self._group(node.operands, scope, negated=negated, group=AnyOf if negated else AllOf)
        if isinstance(node, Or):
            return self._group(node.operands, scope, negated=negated, group=AllOf if negated else AnyOf)
        if isinstance(node, Not):
            return self._condition(node.operand, scope, negated=not negated)
        if isinstance(node, Membership):
            negated, folded = negated != node.negated, node.operator is _IIN
            return self._test(node, node.path, node.slots, _IN, scope, negated=negated, folded=folded)
        if isinstance(node, Element):
            return self._element(node, scope, negated=negated)
        assert_never(node)

    def _group(
        self, operands: tuple[Node, ...], scope: _Scope, *, negated: bool, group: type[AllOf | AnyOf]
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
        folded: bool,
    ) -> Condition | None:
        target = self._resolve(path, scope)
        if target is None or not self._fits(node, path, slots, target, scope):
            return None
        arrays, ref, _ = target
        if not slots:
            if isinstance(ref.field, Array):
                arrays, ref = (*arrays, ref), Ref((), ref.field.items, None, False, None, False)
            none = In(ref, (), negated and not arrays)
            return _some(arrays, none, negated=negated) if arrays else none
        if folded:
            ref = replace(ref, folded=True)
        if arrays:
            return _some(arrays, self._tests(ref, operator, slots, negated=False), negated=negated)
        return self._tests(ref, operator, slots, negated=negated)

    def _tests(self, ref: Ref, operator: Operator, slots: tuple[Slot, ...], *, negated: bool) -> Condition:
        """Make one test for each kind of literal. Only an open schema has more than one kind besides null."""
        if len(slots) == 1:
            number, kind, _ = slots[0]
            return self._of_kind(ref, operator, kind, (number,), negated=negated)
        by_kind: dict[Kind, list[int]] = {}
        for number, kind, _ in slots:
            by_kind.setdefault(kind, []).append(number)
        tests = [
            self._of_kind(ref, operator, kind, tuple(numbers), negated=negated) for kind, numbers in by_kind.items()
        ]
        return _join(AllOf if negated else AnyOf, tests)

    def _of_kind(
        self, ref: Ref, operator: Operator, kind: Kind, slots: tuple[int, ...], *, negated: bool
    ) -> IsNull | Compare | In | Some:
        path, field, _, is_open, _, folded = ref
        own = replace(ref, folded=False) if folded else ref
        if kind is _NULL:
            return IsNull(own, negated)
        in_array = isinstance(field, Array)
        if in_array:
            tested, flag = Ref((), field.items, None, False, None, folded), False
        else:
            tested, flag = (Ref(path, _OPEN_TYPES[kind], None, True, None, folded) if is_open else ref), negated
        test = In(tested, slots, flag) if operator is _IN else make(Compare, (tested, operator, slots[0], flag))
        return Some(own, test, negated) if in_array else test

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
            self._refuse(
                wording.brackets_on_scalars(
                    self._text, node.path.span, path_text(node.path.names), self._example(node.path, scope)
                )
            )
            return None
        elif isinstance(field, Map):
            self._refuse(wording.map_tested(self._text, node.path.span, path_text(node.path.names)))
            return None
        else:
            label = path_text(node.path.names)
            self._refuse(wording.brackets_on_scalar(self._text, node.path.span, label, field.type))
            return None
        condition = self._condition(node.condition, _Scope(inner, is_resource=False), negated=False)
        if condition is None:
            return None
        return _some((*target.arrays, target.ref), condition, negated=negated)

    # Paths to values

    def _resolve(self, path: Path, scope: _Scope) -> Target | None:
        owner, is_resource = scope
        if isinstance(owner, Open):
            return Target((), Ref(path.names, owner, None, True, None, False), nullable=True)
        if not is_resource:
            return self._step(path, owner, is_resource=False)
        target = self._targets.get(path.names)
        if target is None:
            target = self._step(path, owner, is_resource=True)
            # Keys of maps have no end.
            if target is not None and target.ref.key is None:
                self._targets[path.names] = target
        return target

    def _step(self, path: Path, owner: Object, *, is_resource: bool) -> Target | None:
        arrays: list[Ref] = []
        field: Field = owner
        names = path.names
        start = 0  # Where the names after the last array begin.
        nullable = False
        last = len(names) - 1
        for index, name in enumerate(names):
            found = owner.members.get(name)
            if found is None:
                self._unknown(path, index, owner, is_resource=is_resource)
                return None
            field = found
            nullable = nullable or field.nullable
            if index == last:
                break
            if isinstance(field, Object):
                owner = field
            elif isinstance(field, Array) and isinstance(field.items, Object):
                arrays.append(self._ref(names[start : index + 1], field, is_resource=is_resource))
                owner, is_resource, start = field.items, False, index + 1
                nullable = nullable or owner.nullable
            elif isinstance(field, Map):
                return self._entry(path, index, start, tuple(arrays), field, is_resource=is_resource)
            else:
                label = path_text(names[: index + 1])
                problem = wording.no_such_member(self._text, path.spans[index + 1], label, field.type)
                self._refuse(self._other_spelling(problem))
                return None
        return Target(tuple(arrays), self._ref(names[start:], field, is_resource=is_resource), nullable)

    def _entry(
        self, path: Path, index: int, start: int, arrays: tuple[Ref, ...], field: Map, *, is_resource: bool
    ) -> Target | None:
        """Resolve a path behind the map that its name number ``index`` leads to; the others as in `_step`."""
        key = index + 1
        if key < len(path.names) - 1:
            label = path_text(path.names[: index + 1])
            span = Span(path.spans[key].start, path.spans[-1].end)
            self._refuse(wording.members_of_entry(self._text, span, label, ".".join(path.names[key:])))
            return None
        slot = len(self._coercions) + len(self._keys)
        if slot >= self._most_literals:
            self._refuse(syntax_wording.too_many_literals(self._text, path.spans[key], self._most_literals))
            return None
        self._keys.append(path.names[key])
        ref = self._ref(path.names[start:key], field, is_resource=is_resource)
        return Target(arrays, replace(ref, field=field.values, key=slot), nullable=True)

    def _ref(self, names: tuple[str, ...], field: Field, *, is_resource: bool) -> Ref:
        leaf = self._leaves.get(names) if is_resource else None
        return make(Ref, (names, field, None if leaf is None else leaf.column, False, None, False))

    # What does not fit

    def _fits(
        self, node: Comparison | Membership, path: Path, slots: tuple[Slot, ...], target: Target, scope: _Scope
    ) -> bool:
        """Whether the field takes the operator and the literals; notes the coercion of each literal."""
        operator = node.operator
        field = target.ref.field
        if isinstance(field, Object):
            label = path_text(path.names)
            self._refuse(wording.object_tested(self._text, path.span, label, self._example(path, scope)))
            return False
        if isinstance(field, Map):
            self._refuse(wording.map_tested(self._text, path.span, path_text(path.names)))
            return False
        if not isinstance(field, Open) and operator not in field.operators:
            allowed = [o.value for o in Operator if o in field.operators]
            label = path_text(path.names)
            problem = wording.operator_not_allowed(
                self._text, node.operator_span, operator.value, label, field.type, allowed
            )
            self._refuse(self._other_operator(problem, path, slots, scope))
            return False
        if len(slots) == 1:
            return self._literal_fits(slots[0], operator, path, target, scope)
        # A list, so that every literal is checked: `all` of a generator stops at the first that does not fit.
        fits = [self._literal_fits(slot, operator, path, target, scope) for slot in slots]
        return all(fits)

    def _literal_fits(self, slot: Slot, operator: Operator, path: Path, target: Target, scope: _Scope) -> bool:
        field = target.ref.field
        if slot.kind is _NULL:
            if operator not in NULLABLE:
                self._refuse(wording.null_with_operator(self._text, slot.span, operator.value))
                return False
            if not target.nullable:
                self._refuse(wording.null_never(self._text, slot.span, path_text(path.names)))
                return False
            return True
        if isinstance(field, Array):
            field = field.items
        if isinstance(field, Open):
            field = _OPEN_TYPES[slot.kind]
            if operator not in field.operators:
                allowed = [o.value for o in Operator if o in field.operators]
                self._refuse(
                    wording.operator_not_allowed(
                        self._text, slot.span, operator.value, path_text(path.names), field.type, allowed
                    )
                )
                return False
        elif isinstance(field, Object):
            self._refuse(
                wording.objects_tested(self._text, path.span, path_text(path.names), self._example(path, scope))
            )
            return False
        elif slot.kind is not field.kind:
            label = path_text(path.names)
            problem = wording.wrong_kind(self._text, slot.span, label, field.type, slot.kind.value)
            self._refuse(self._other_literal(problem, field, slot.kind))
            return False
        if operator in FOLDED:
            self._coercions[slot.number] = fold
        elif type(field).coerce is not Field.coerce:
            self._coercions[slot.number] = field.coerce
        return True

    def _unknown(self, path: Path, index: int, owner: Object, *, is_resource: bool) -> None:
        if self._enough():
            return
        name = path.names[index]
        near = [path_text([found]) for found in nearest(name, owner.members)]
        if not near and is_resource:
            near = [path_text(leaf) for leaf in self._leaves if len(leaf) > 1 and leaf[-1] == name][:1]
        problem = wording.unknown_field(self._text, path.spans[index], name, near, path_text(path.names[:index]))
        self._refuse(self._other_spelling(problem) if "_" in name.strip("_") else problem)

    # Hints. At most `MOST_PROBLEMS` are made, and the imports are not paid by those who send no errors.

    def _other_spelling(self, problem: Problem) -> Problem:
        if self._enough():
            return problem
        from astra_filter.meaning.hints import other_spelling

        return other_spelling(problem, self._root)

    def _example(self, path: Path, scope: _Scope) -> str | None:
        if self._enough():
            return None
        from astra_filter.syntax.fitting import example

        return example(scope.owner, path.names)

    def _other_operator(self, problem: Problem, path: Path, slots: tuple[Slot, ...], scope: _Scope) -> Problem:
        if self._enough() or len(slots) != 1:
            return problem
        from astra_filter.meaning.hints import other_operator

        return other_operator(problem, scope.owner, path.names, self._text[slice(*slots[0].span)])

    def _other_literal(self, problem: Problem, field: Field, kind: Kind) -> Problem:
        if self._enough():
            return problem
        from astra_filter.meaning.hints import other_literal

        return other_literal(problem, field, kind)

    def _enough(self) -> bool:
        """Whether no more problems are worded."""
        if self._asked:
            raise Unworded
        return len(self._problems) >= MOST_PROBLEMS

    def _refuse(self, problem: Problem) -> None:
        if len(self._problems) < MOST_PROBLEMS:
            self._problems.append(problem)


def _positive(operator: Operator) -> tuple[Operator, bool, bool]:
    """Return the operator that is tested, whether the one given is its opposite, and whether that ignores case."""
    positive = Operator.EQ if exact(operator) is Operator.NE else exact(operator)
    return positive, positive is not exact(operator), operator in FOLDED


_POSITIVE = {operator: _positive(operator) for operator in Operator}
# A module constant, because looking up `Operator.IN` takes as long as making a tuple.
_IN, _IIN = Operator.IN, Operator.IIN
_NULL = Kind.NULL
_OPEN_TYPES: Mapping[Kind, AnyField] = {
    Kind.STRING: String(),
    Kind.NUMBER: Number(),
    Kind.BOOLEAN: Boolean(),
}


def _join(group: type[AllOf | AnyOf], conditions: Sequence[Condition]) -> Condition:
    """Join conditions in one group; a condition that is such a group itself gives its operands."""
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
