"""What a schema declares, as data: all that the other rooms need to know of it."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn

from astra_filter.meaning.leaves import Leaf, leaves
from astra_filter.memo import Budget, Memo
from astra_filter.wording import schema as wording

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from astra_filter.fields import Object, Open
    from astra_filter.limits import Limits

_MOST_KEPT = 256


class Declaration:
    """The fields of a resource, its key and its budgets. Immutable, and safe to share between threads.

    Args:
        root: the fields of a resource; `Open` for a schema that takes any field.
        key: the name of the field that identifies a resource; None where there is none.
        limits: the budgets of SPEC §8.
        binary: whether text columns have a collation that compares by code point, where their field does not say.
        sqlite_fold: whether connections to SQLite have the function that ignores case.

    Raises:
        SchemaError: the key is not a sortable scalar at the top level that is never null.
    """

    __slots__ = ("binary", "budget", "key", "leaves", "limits", "memo", "root", "sqlite_fold")

    root: Object | Open
    key: str | None
    limits: Limits
    binary: bool
    sqlite_fold: bool
    leaves: Mapping[tuple[str, ...], Leaf]
    """Every scalar and array outside arrays, by path, with where it is stored."""
    budget: Budget
    """Counts what all caches of the schema hold."""
    memo: Memo
    """For what other rooms make of the declaration: generated code, SQL statements without a filter."""

    def __init__(
        self, root: Object | Open, *, key: str | None, limits: Limits, binary: bool, sqlite_fold: bool = False
    ) -> None:
        found = leaves(root, binary=binary)
        if key is not None:
            leaf = found.get((key,))
            if leaf is None or leaf.nullable or not leaf.field.sortable or leaf.column.json_path:
                raise wording.bad_key(key)
        budget = Budget()
        for name, value in (
            ("root", root),
            ("key", key),
            ("limits", limits),
            ("binary", binary),
            ("sqlite_fold", sqlite_fold),
            ("leaves", MappingProxyType(found)),
            ("budget", budget),
            ("memo", Memo(_MOST_KEPT, budget)),
        ):
            object.__setattr__(self, name, value)

    @property
    def signature(self) -> tuple[object, ...]:
        """Equal for declarations that mean the same, and different for all others."""
        return self.memo.made("signature", self._signature)

    def _signature(self) -> tuple[object, ...]:
        return (self.key, self.binary, self.root.signature(), *([True] if self.sqlite_fold else []))

    def __copy__(self) -> Self:
        return self  # It never changes.

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> tuple[object, ...]:
        # What is kept stays behind: another process makes its own.
        return (_remade, (type(self), self.root, self.key, self.limits, self.binary, self.sqlite_fold))

    def _declare(
        self, root: Object | Open, *, key: str | None, limits: Limits, binary: bool, sqlite_fold: bool
    ) -> None:
        """Make what a declaration holds; a subclass adds what is its own."""
        Declaration.__init__(self, root, key=key, limits=limits, binary=binary, sqlite_fold=sqlite_fold)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a {type(self).__name__} cannot be changed")


def _remade(
    cls: type[Declaration], root: Object | Open, key: str | None, limits: Limits, binary: bool, sqlite_fold: bool
) -> Declaration:
    declaration = cls.__new__(cls)
    declaration._declare(root, key=key, limits=limits, binary=binary, sqlite_fold=sqlite_fold)  # noqa: SLF001  # A way of making it.
    return declaration
