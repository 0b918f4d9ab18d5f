"""From the checked tree to the condition of a WHERE clause (SPEC §5).

A negated test is never NULL. A positive one may be, which AND, OR and WHERE take for false, and nothing negates it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, assert_never

from astra_filter.language.operators import Operator
from astra_filter.language.records import replace
from astra_filter.meaning.conditions import AllOf, AnyOf, Compare, In, IsNull, Some
from astra_filter.sql.dialects.base import fill
from astra_filter.sql.fragment import Fragment, Param
from astra_filter.sql.lists import in_lists
from astra_filter.sql.operands import (
    Operand,
    element_operand,
    folded_column,
    folded_operand,
    own_element_operand,
    resource_operand,
)
from astra_filter.wording import sql as wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from astra_filter.meaning.conditions import Condition, Ref
    from astra_filter.meaning.leaves import Column
    from astra_filter.sql.dialects.base import Dialect, Elements

_Relation: TypeAlias = Literal[Operator.EQ, Operator.LT, Operator.LTE, Operator.GT, Operator.GTE]
"""The operators that SQL has signs for."""

_WIDTH = 16
"""The longest chain of one operator that is written without balancing."""
SUBQUERY_DEPTH = 10
"""About how many symbols a subquery keeps on a parser's stack around its own condition."""


def where(condition: Condition, dialect: Dialect, alias: str | None = None) -> Fragment:
    """Return the condition that is true for exactly the rows whose resources match.

    Args:
        condition: the checked tree; its slots are those of the fragment's parameters.
        dialect: the database's SQL.
        alias: the table or table alias by which columns are qualified; None leaves them bare.

    Raises:
        SchemaError: the schema is an open one.
        StorageError: the dialect cannot express the condition.
    """
    term = Writer(dialect, alias, 0).condition(in_lists(asked_once(condition)))
    if dialect.most_depth is not None and term.depth > dialect.most_depth:
        raise wording.too_deep(dialect.name)
    return term.sql


class Term(NamedTuple):
    """A piece of a condition, with what decides about its parentheses and its place."""

    sql: Fragment
    joined: str
    """The operator outside all parentheses; empty for a test."""
    depth: int
    """How far it fills the stack of an LR parser, roughly."""


class Writer:
    """Writes conditions whose scope is a row, or with ``level`` above 0 the element of the level-th array around."""

    def __init__(self, dialect: Dialect, alias: str | None, level: int, elements: Elements | None = None) -> None:
        self._dialect = dialect
        self._alias = alias
        self._level = level
        self._elements = elements
        """Of the array around, where it is one of the database's own."""

    def condition(self, condition: Condition) -> Term:
        """Return a condition of this scope; raises as `where` does."""
        match condition:
            case AllOf():
                return self._group(condition, "AND")
            case AnyOf():
                return self._group(condition, "OR")
            case Some():
                return self._some(condition)
            case IsNull() | Compare() | In():
                asks_rows = condition.ref.key is not None and self._dialect.entry_is_query
                return Term(self._test(condition), "", SUBQUERY_DEPTH if asks_rows else 0)
            case _:
                assert_never(condition)

    def _group(self, group: AllOf | AnyOf, operator: str) -> Term:
        return _chain([self.condition(operand) for operand in _flat(group)], operator)

    def _test(self, test: IsNull | Compare | In) -> Fragment:
        if isinstance(test, In) and not test.slots and not test.ref.open:
            return Fragment("1 = 1" if test.negated else "1 = 0")
        operand = self._folded(test.ref) if test.ref.folded else self._operand(test.ref)
        match test:
            case IsNull():
                return Fragment(operand.compared(), " IS NOT NULL" if test.negated else " IS NULL")
            case Compare():
                return self._compare(test, operand)
            case In():
                return _membership(test, operand)
            case _:
                assert_never(test)

    def _compare(self, test: Compare, operand: Operand) -> Fragment:
        value = operand.ordered()
        parameter = operand.ordered_parameter(test.slot, test.operator)
        match test.operator:
            case Operator.CONTAINS:
                positive = fill(self._dialect.contains, x=value, p=parameter)
            case Operator.STARTSWITH:
                positive = fill(self._dialect.startswith, x=value, p=parameter)
            case Operator.ENDSWITH:
                positive = fill(self._dialect.endswith, x=value, p=parameter)
            case Operator.EQ | Operator.LT | Operator.LTE | Operator.GT | Operator.GTE:
                sign, opposite = _signs(test.operator)
                equality = test.operator is Operator.EQ
                if equality and operand.storage.decides:
                    positive = Fragment(operand.value, " = ", operand.equal_parameter(test.slot))
                elif test.negated and not operand.nullable:
                    return Fragment(value, f" {opposite} ", parameter)
                else:
                    positive = Fragment(value, f" {sign} ", parameter)
                    if operand.prefilter and equality and not test.negated:
                        return Fragment(operand.value, " = ", operand.equal_parameter(test.slot), " AND ", positive)
            case (
                Operator.NE
                | Operator.IN
                | Operator.IEQ
                | Operator.INE
                | Operator.IIN
                | Operator.ICONTAINS
                | Operator.ISTARTSWITH
                | Operator.IENDSWITH
            ):
                raise AssertionError(test.operator)
            case _:
                assert_never(test.operator)
        return Fragment(positive, self._dialect.not_true) if test.negated else positive

    def _some(self, some: Some) -> Term:
        most = self._dialect.most_arrays
        if most is not None and self._level >= most:
            raise wording.too_deep(self._dialect.name)
        element = f"element{self._level + 1}"
        array = self._operand(some.ref)
        elements = array.storage.elements
        inner = Writer(self._dialect, None, self._level + 1, elements).condition(some.condition)
        column = some.ref.column
        captured = column is not None and self._dialect.captures(element, column.name, self._alias)
        template = self._dialect.some_captured if captured else self._dialect.some
        if elements is not None:
            template = elements.some
        sql = fill(template, array=array.value, e=element, condition=inner.sql)
        if elements is not None:
            if some.negated:
                return Term(Fragment(sql, self._dialect.not_true), "", inner.depth + SUBQUERY_DEPTH)
            indexed = _indexed(some.condition, array, elements)
            return Term(Fragment(*indexed, sql), "AND" if indexed else "", inner.depth + SUBQUERY_DEPTH)
        return Term(fill(self._dialect.not_some, some=sql) if some.negated else sql, "", inner.depth + SUBQUERY_DEPTH)

    def _folded(self, ref: Ref) -> Operand:
        own = None
        if not self._level and ref.column is not None and ref.key is None and ref.field.scalar:
            own = folded_column(self._dialect, ref.column, self._alias)
        return folded_operand(self._operand(ref)) if own is None else own

    def _operand(self, ref: Ref) -> Operand:
        if self._elements is not None:
            return own_element_operand(self._dialect, f"element{self._level}", self._elements)
        if self._level:
            return element_operand(self._dialect, f"element{self._level}", ref.path, ref.field, ref.key)
        if ref.column is None:
            raise wording.open_schema_has_no_columns()
        return resource_operand(self._dialect, ref.column, ref.field, self._alias, ref.key)


def _indexed(condition: Condition, array: Operand, elements: Elements) -> list[Fragment | str]:
    """Return what stands before a test on the elements of an array so that an index serves; nothing where none does."""
    slots = _sought(condition) if elements.contains else ()
    if not slots:
        return []
    storage = elements.storage

    def bind(value: Any) -> Any:
        # Null is no element that is looked for: it stands for what the elements cannot be.
        if storage.holds is not None and not storage.holds(value):
            return None
        return value if storage.bind is None else storage.bind(value)

    parameters = [fill(elements.equal, p=Param(slot, bind)) for slot in slots]
    return [fill(elements.contains, array=array.value, p=Fragment.join(", ", parameters)), " AND "]


def _sought(condition: Condition) -> tuple[int, ...]:
    """Return the slots of which an element equals one, where a condition says no more; else nothing."""
    match condition:
        case Compare(ref=ref, operator=Operator.EQ, negated=False, slot=slot) if not ref.folded:
            return (slot,)
        case In(ref=ref, negated=False, slots=slots) if not ref.folded:
            return slots
        case AnyOf(operands):
            found = [_sought(operand) for operand in operands]
            return tuple([slot for slots in found for slot in slots]) if all(found) else ()
        case _:
            return ()


def _signs(operator: _Relation) -> tuple[str, str]:
    """Return the sign of an operator, and the sign of its opposite."""
    match operator:
        case Operator.EQ:
            return "=", "<>"
        case Operator.LT:
            return "<", ">="
        case Operator.LTE:
            return "<=", ">"
        case Operator.GT:
            return ">", "<="
        case Operator.GTE:
            return ">=", "<"
        case _:
            assert_never(operator)


def _membership(test: In, operand: Operand) -> Fragment:
    if operand.storage.decides:
        positive = Fragment(operand.value, " IN ", _listed(map(operand.equal_parameter, test.slots)))
        return Fragment(positive, operand.dialect.not_true) if test.negated else positive
    parameters = _listed(map(operand.ordered_parameter, test.slots))
    if test.negated and not operand.nullable:
        return Fragment(operand.ordered(), " NOT IN ", parameters)
    positive = Fragment(operand.ordered(), " IN ", parameters)
    if test.negated:
        return Fragment(positive, operand.dialect.not_true)
    if operand.prefilter:
        plain = _listed(map(operand.equal_parameter, test.slots))
        return Fragment(operand.value, " IN ", plain, " AND ", positive)
    return positive


def _listed(parameters: Iterable[Fragment]) -> Fragment:
    return Fragment.join(", ", parameters).parenthesised()


def asked_once(condition: Condition) -> Condition:
    """Return a condition of the same meaning that asks an array only once where it can.

    Some element is P or some element is Q, where some element is P or Q; and so for no element, joined by *and*.
    """
    match condition:
        case AllOf() | AnyOf():
            operands = _merged(condition)
            return operands[0] if len(operands) == 1 else type(condition)(operands)
        case Some():
            return replace(condition, condition=asked_once(condition.condition))
        case IsNull() | Compare() | In():
            return condition
        case _:
            assert_never(condition)


def _merged(group: AllOf | AnyOf) -> tuple[Condition, ...]:
    arrays: dict[tuple[Column | None, tuple[str, ...]], list[Some]] = {}
    operands: list[Condition] = []
    for operand in group.operands:
        if isinstance(operand, Some) and operand.negated is isinstance(group, AllOf):
            arrays.setdefault((operand.ref.column, operand.ref.path), []).append(operand)
        else:
            operands.append(asked_once(operand))
    for tests in arrays.values():
        conditions = tuple(test.condition for test in tests)
        operands.append(asked_once(replace(tests[0], condition=AnyOf(conditions)) if len(tests) > 1 else tests[0]))
    return tuple(operands)


def _flat(group: AllOf | AnyOf) -> Iterable[Condition]:
    for operand in group.operands:
        if type(operand) is type(group):
            yield from _flat(operand)
        else:
            yield operand


def _chain(terms: Sequence[Term], operator: str) -> Term:
    """Join terms by AND or OR, the deepest first, because an LR parser's stack holds all that stands left of it."""
    ordered = sorted(terms, key=lambda term: -term.depth)
    while len(ordered) > _WIDTH:
        groups = -(-len(ordered) // _WIDTH)
        size = -(-len(ordered) // groups)
        ordered = [_chain(ordered[start : start + size], operator) for start in range(0, len(ordered), size)]
        ordered = [term._replace(sql=term.sql.parenthesised(), joined="", depth=term.depth + 1) for term in ordered]
    pieces: list[Fragment] = []
    depth = 0
    for term in ordered:
        # AND binds tighter than OR.
        enclosed = operator == "AND" and term.joined == "OR"
        pieces.append(term.sql.parenthesised() if enclosed else term.sql)
        depth = max(depth, term.depth + enclosed + (2 if len(pieces) > 1 else 0))
    return Term(Fragment.join(f" {operator} ", pieces), operator, depth)
