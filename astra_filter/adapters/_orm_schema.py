"""A schema from an ORM's model: what the adapters for ORMs share of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from astra_filter import errors
from astra_filter.fields import Array, Field, Object, Timestamp
from astra_filter.wording import adapters as adapters_wording
from astra_filter.wording import derive as wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

BINARY_COLLATIONS = frozenset({"C", "POSIX", "BINARY", "binary", "utf8mb4_nopad_bin", "utf8mb4_0900_bin"})
"""The collations that compare by code point; not ``utf8mb4_bin``, which ignores trailing spaces."""


class Relation(NamedTuple):
    """A relation of a model."""

    model: Any
    """The model of the related rows."""
    to_many: bool
    nullable: bool
    """Whether a to-one relation may lead nowhere."""
    loadable: bool = True
    """Whether its rows are the value of an attribute, once loaded."""


def native_array(items: Field, path: str, **options: Any) -> Array:
    """Return the field of a column of PostgreSQL's arrays, which are compared in the text that JSON has of them.

    Raises:
        SchemaError: the elements are timestamps, which have a text of their own there.
    """
    if isinstance(items, Timestamp):
        raise wording.underivable("timestamp_elements", path)
    return Array(items, **options)


def by_column(columns: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the attributes of a model by the names of their columns, or by their own where columns share a name.

    A model that inherits has columns of several tables.

    Args:
        columns: the attributes, each with the name of its column.
    """
    pairs = list(columns)
    times = Counter(column for _, column in pairs)
    shared = {attribute: attribute for attribute, column in pairs if times[column] > 1}
    return shared | {column: attribute for attribute, column in pairs if times[column] == 1}


class Describer(ABC):
    """Describes the rows of models; arguments, by dotted path, as the adapters' ``schema`` takes them."""

    def __init__(
        self,
        given: Mapping[str, Field] | None,
        exclude: Iterable[str],
        relations: Iterable[str],
        *,
        omit_unsupported: bool,
    ) -> None:
        self._given = given or {}
        self._exclude = frozenset(exclude)
        self._relations = frozenset(relations)
        self._omit = omit_unsupported
        self._met: set[str] = set()
        self._refused: list[errors.SchemaError] = []

    def describe(self, model: Any) -> dict[str, Field]:
        """Return the fields of a model's rows.

        Raises:
            SchemaError: columns have types that no field represents, all of which it names; a path in the arguments
                leads nowhere.
        """
        made = self._members(model, "")
        if self._refused:
            raise adapters_wording.several(self._refused)
        for path in (*self._given, *self._exclude, *self._relations):
            if path not in self._met:
                raise wording.underivable("unknown_column", path)
        return made

    @abstractmethod
    def columns(self, model: Any) -> Iterable[tuple[str, Any]]:
        """Return the columns of a model by the names of their attributes."""

    @abstractmethod
    def attributes(self, model: Any) -> Mapping[str, str]:
        """Return the names of a model's attributes `by_column`."""

    @abstractmethod
    def field(self, described: Any, path: str, **options: Any) -> Field:
        """Return the field of a column; ``path`` is for errors, ``options`` for the field."""

    @abstractmethod
    def accept(self, described: Any, field: Field, path: str) -> Field:
        """Return the field that was given for a column, if it compares what the column holds."""

    @abstractmethod
    def relations(self, model: Any) -> Mapping[str, Relation]:
        """Return the relations of a model by the names of their attributes."""

    def _members(self, model: Any, around: str) -> dict[str, Field]:
        made: dict[str, Field] = {}
        stored = {attribute: column for column, attribute in self.attributes(model).items()}
        for name, described in self.columns(model):
            path = around + name
            self._met.add(path)
            try:
                if path in self._given:
                    given = self._given[path]
                    if not isinstance(given, Field):
                        raise adapters_wording.bad_target(given, f"a field for {path}")
                    own = given.json_path is None and given.column in (None, name, stored.get(name))
                    made[name] = self.accept(described, given, path) if own else given
                elif path not in self._exclude and not name.startswith("_"):
                    if name not in stored:
                        raise wording.underivable("ambiguous_column", path)
                    renamed = None if stored[name] == name else stored[name]
                    made[name] = self.field(described, path, column=renamed, sortable=not around)
            except errors.SchemaError as error:
                if path in self._given or not self._omit:
                    self._refused.append(error)
        for name, relation in self.relations(model).items():
            path = around + name
            self._met.add(path)
            if path in self._relations:
                if not relation.loadable:
                    raise wording.underivable("unloadable_relationship", path)
                members = self._members(relation.model, path + ".")
                to_one = not relation.to_many
                related = Object(members, nullable=to_one and relation.nullable)
                made[name] = related if to_one else Array(related)
        return made
