"""How a value is reached in SQL: in a column of its own, inside a JSON document, or in an array's element."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from astra_filter.fields import String
from astra_filter.language.operators import Operator
from astra_filter.sql.dialects.base import Dialect, Elements, Storage, fill
from astra_filter.sql.fragment import Fragment, Param
from astra_filter.wording import sql as wording

if TYPE_CHECKING:
    from astra_filter.fields import Field
    from astra_filter.meaning.leaves import Column, Leaf

_FOLDED = String()
_TEXT = frozenset({"string", "enum"})
"""The field types whose columns have a collation."""


class Operand(NamedTuple):
    """A value in SQL, ready to be tested.

    ``value`` is null where the value is missing and, inside JSON, where it has another type than its field.
    """

    dialect: Dialect
    value: Fragment
    storage: Storage
    exact: bool
    """Whether SQL must be added to make the text compare by code point."""
    prefilter: bool
    """Whether an index serves equality of the column as it stands, which more may be equal by."""
    nullable: bool

    def compared(self) -> Fragment:
        """Return the value as it is read: null where the column holds what its field cannot."""
        return fill(self.storage.value, x=self.value)

    def ordered(self) -> Fragment:
        """Return the value so that it compares and sorts by code point."""
        return fill(self.dialect.exact, x=self.compared()) if self.exact else self.compared()

    def equal_parameter(self, slot: int) -> Fragment:
        """Return the literal of a slot, which ``value`` itself is tested for equality with, so that an index serves."""
        if self.storage.equal is None:
            return self.parameter(slot)
        return fill(self.storage.equal, p=Param(slot, self.storage.bind_equal))

    def parameter(self, slot: int, operator: Operator = Operator.EQ) -> Fragment:
        """Return the literal of a slot, which an operator compares with ``compared()``."""
        return fill(self.storage.parameter, p=Param(slot, self.storage.literal_bind(operator)))

    def ordered_parameter(self, slot: int, operator: Operator = Operator.EQ) -> Fragment:
        """Return the literal of a slot, which an operator compares with ``ordered()``."""
        parameter = self.parameter(slot, operator)
        return fill(self.dialect.exact_parameter, p=parameter) if self.exact else parameter


def folded_column(dialect: Dialect, column: Column, alias: str | None) -> Operand | None:
    """Return the operand of text that has a column for its folded form; None where it has none."""
    if column.folded is None:
        return None
    return resource_operand(dialect, column.of_folded(column.folded), _FOLDED, alias)


def folded_operand(operand: Operand) -> Operand:
    """Return the operand of text, to be compared without regard to case with folded literals.

    Raises:
        StorageError: the dialect has no way to fold it.
    """
    dialect = operand.dialect
    if dialect.fold is None:
        raise wording.no_fold(dialect.name)
    # No index of the column serves it.
    folded = fill(dialect.fold, x=operand.compared())
    return operand._replace(value=folded, storage=Storage("text"), exact=True, prefilter=False)


def resource_operand(
    dialect: Dialect, column: Column, field: Field, alias: str | None, key: int | None = None
) -> Operand:
    """Return a resource's value: a scalar or an array, in a table or under a table alias.

    Args:
        dialect: the database's SQL.
        column: where the value is stored.
        field: the field of the value.
        alias: the table or table alias.
        key: the column has a map; the value is its entry under the key of this slot.

    Raises:
        StorageError: the dialect cannot reach it.
    """
    stored = dialect.column(column.name, alias)
    if key is not None:
        document, kind = _member(dialect, fill(dialect.document, x=stored), column.json_path)
        captured = dialect.captures("map_entry", column.name, alias)
        return _entry_operand(dialect, field, document, kind, key, captured=captured)
    if column.json_path or (not field.scalar and field.storage is None):
        return _json_operand(dialect, field, *_member(dialect, fill(dialect.document, x=stored), column.json_path))
    storage = dialect.storage(field)
    if storage.elements is not None:
        return Operand(dialect, stored, storage, False, False, column.nullable)
    exact = field.type in _TEXT and not column.binary if storage.exact is None else storage.exact
    prefilter = exact and dialect.prefilter if storage.equal is None else not storage.decides
    return Operand(dialect, stored, storage, exact, prefilter, column.nullable or storage.partial)


def returned(dialect: Dialect, leaf: Leaf) -> str:
    """Return the template by which the column of a leaf is selected.

    Raises:
        StorageError: the dialect cannot store it.
    """
    if leaf.column.json_path:
        return "{x}"
    own = None if leaf.field.storage is None else dialect.storage(leaf.field).returned
    return own or dialect.returned.get(leaf.field.type, "{x}")


def element_operand(
    dialect: Dialect, element: str, path: tuple[str, ...], field: Field, key: int | None = None
) -> Operand:
    """Return a value in the array's element that is named ``element``; an empty path is the element itself.

    Args and errors as for `resource_operand`; with ``key``, the path leads to a map.
    """
    if path:
        document = fill(dialect.element_document or dialect.element, e=element)
        if key is not None:
            return _entry_operand(dialect, field, *_member(dialect, document, path), key, captured=False)
        return _json_operand(dialect, field, *_member(dialect, document, path))
    kind = None if dialect.element_type is None else fill(dialect.element_type, e=element)
    return _json_operand(dialect, field, fill(dialect.element, e=element), kind)


def own_element_operand(dialect: Dialect, element: str, elements: Elements) -> Operand:
    """Return the element that is named ``element`` of an array of the database's own."""
    return Operand(dialect, fill(elements.value, e=element), elements.storage, elements.exact, False, True)


def _member(dialect: Dialect, document: Fragment, path: tuple[str, ...]) -> tuple[Fragment, Fragment | None]:
    if not path:
        return document, None
    if "dashed key" in dialect.cannot:
        for name in path:
            if name.startswith("-"):
                raise wording.unreachable_key(dialect.name, name)
    return dialect.member(document, path)


def _entry_operand(
    dialect: Dialect, field: Field, document: Fragment, kind: Fragment | None, key: int, *, captured: bool
) -> Operand:
    """Return the value of a map, a JSON document of such a type, under the key of a slot."""
    storage, template = dialect.json_storage(field)
    owner = document if kind is None else fill(dialect.entry_owner, value=document, type=kind)
    read = dialect.read_entry(owner, Param(key, dialect.bind_key), template, captured=captured)
    return Operand(dialect, read, storage, dialect.exact_json and storage.type == "text", False, True)


def _json_operand(dialect: Dialect, field: Field, value: Fragment, kind: Fragment | None) -> Operand:
    storage, template = dialect.json_storage(field)
    read = fill(template, value=value, type=kind or fill(dialect.json_type, value=value))
    return Operand(dialect, read, storage, dialect.exact_json and storage.type == "text", False, True)
