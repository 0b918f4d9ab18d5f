"""The leaves of a schema: its scalars and arrays, and where each is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from astra_filter.fields import Object, Open
from astra_filter.wording import schema as wording

if TYPE_CHECKING:
    from astra_filter.fields import AnyField


class Column(NamedTuple):
    """Where a resource's value is stored: a column, or a place in a column that holds JSON."""

    name: str
    json_path: tuple[str, ...]
    """Members to step through inside the column; empty for the column itself."""
    nullable: bool
    """False only for a column of its own that is declared NOT NULL."""
    binary: bool
    """The column's text has a collation that compares by code point."""
    folded: str | None = None
    """The column that holds the text folded, where there is one."""

    def of_folded(self, name: str) -> Column:
        """Return the column of that name, which holds the text folded."""
        return Column(name, (), self.nullable, self.binary)


class Leaf(NamedTuple):
    """A scalar or an array of a schema, outside any array: what a column or a place in a JSON column holds."""

    path: tuple[str, ...]
    field: AnyField
    column: Column
    nullable: bool
    """Whether any step of the path is nullable."""
    returnable: bool
    """Whether every step of the path is."""

    @property
    def weight(self) -> int:
        """For the memo: the schema holds it anyway."""
        return 0

    @property
    def sortable(self) -> bool:
        """Whether it may be sorted by: a token shows its value, so it must be returnable."""
        return self.field.sortable and self.returnable


def leaves(root: Object | Open, *, binary: bool) -> dict[tuple[str, ...], Leaf]:
    """Return the leaves of a schema by path, in declared order; none of an open one, which declares nothing.

    Args:
        root: the fields of a resource.
        binary: whether text columns have a binary collation where their field does not say.

    Raises:
        SchemaError: a field inside JSON has a storage of its own.
    """
    found: dict[tuple[str, ...], Leaf] = {}
    if isinstance(root, Open):
        return found

    def visit(
        owner: Object,
        path: tuple[str, ...],
        column: str | None,
        json_path: tuple[str, ...],
        nullable: bool,
        returnable: bool,
    ) -> None:
        for name, member in owner.members.items():
            place = (*path, name)
            if member.column is not None:
                at, inside = member.column, member.json_path or ()
            elif column is None:
                at, inside = name, ()
            else:
                at, inside = column, (*json_path, name)
            if member.storage is not None and inside:
                raise wording.storage_in_json(member.storage)
            maybe = nullable or member.nullable
            shown = returnable and member.returnable
            if isinstance(member, Object):
                visit(member, place, at, inside, maybe, shown)
            else:
                own = getattr(member, "binary", None)
                text = binary if own is None else own
                where = Column(at, inside, maybe or bool(inside), text, getattr(member, "folded", None))
                found[place] = Leaf(place, member, where, maybe, shown)

    visit(root, (), None, (), False, True)
    return found
