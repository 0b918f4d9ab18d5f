"""Loader options: what a page loads along with its rows, beside what the statement's own options say.

SQLAlchemy takes one strategy for a relationship and refuses a second one. So the caller's options are read: what they
load is not loaded again, and what they keep from being loaded, though the page shows it, is taken out of them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import MapperProperty, RelationshipProperty, defaultload, lazyload, selectinload, undefer

from astra_filter.adapters._orm_sql import inside
from astra_filter.wording import adapters as wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy.orm import Mapper
    from sqlalchemy.orm.strategy_options import _AbstractLoad

    from astra_filter.adapters._orm_sql import Path
    from astra_filter.adapters._sqlalchemy_scope import Scope

_EAGER = frozenset({"joined", "selectin", "subquery", "immediate"})


class _Given(NamedTuple):
    """What the caller's options say."""

    eager: frozenset[Path]
    """The relationships that they load, by the attributes that lead there."""
    mentioned: frozenset[Path]
    wild: bool
    """Whether they say what becomes of all other relationships."""
    columns: frozenset[Path]
    """Where they say which columns are loaded: the relationships that lead there."""


def options(own: Sequence[Any], scope: Scope, shown: Sequence[Path], *, limited: bool) -> list[Any]:
    """Return a statement's options with what the paths ``shown`` need.

    Args:
        own: the options that the statement has.
        scope: where the paths begin.
        shown: the paths of the leaves that the page shows or sorts by.
        limited: the page has a limit.

    Raises:
        SchemaError: ``contains_eager()`` of a collection, whose rows a limit would cut.
    """
    if isinstance(scope.target, sa.FromClause):
        return list(own)
    relations, columns = _needed(scope, shown, ())
    kept: list[Any] = []
    eager: set[Path] = set()
    mentioned: set[Path] = set()
    chosen: set[Path] = set()
    wild = False
    for option in own:
        elements = getattr(option, "context", None)
        if elements is None:
            # Criteria have a path of no kind; what is said of `*` has the strategy itself.
            wild = wild or getattr(option, "strategy", None) is not None
            kept.append(option)
            continue
        left = []
        for element in elements:
            names, last = _path(element)
            strategy = dict(element.strategy or ())
            lazy = strategy.get("lazy")
            collection = isinstance(last, RelationshipProperty) and bool(last.uselist)
            joined_by_hand = "eager_from_alias" in element.local_opts
            if joined_by_hand and collection and limited:
                raise wording.limited_collection(".".join(names))
            if "deferred" in strategy:
                chosen.add(names if last is None else names[:-1])
                if strategy["deferred"] and last is not None and names in columns:
                    continue
            elif lazy is not None and last is not None:
                mentioned.add(names)
                if names in relations and (
                    lazy not in _EAGER or (lazy == "joined" and collection and not joined_by_hand)
                ):
                    continue
                if lazy in _EAGER:
                    eager.add(names)
            elif lazy is not None:
                wild = True
            left.append(element)
        if len(left) == len(elements):
            kept.append(option)
        elif left:
            changed = option._clone()  # noqa: SLF001  # There is no other way to take something out.
            changed.context = tuple(left)
            kept.append(changed)
    given = _Given(frozenset(eager), frozenset(mentioned), wild, frozenset(chosen))
    return [*kept, *_loads(scope, shown, given, ())]


def _path(element: Any) -> tuple[Path, MapperProperty[Any] | None]:
    """Return the attributes that lead to what an option is about, and the last; None where it is about all (``*``)."""
    steps = element.path.path
    properties = [step for step in steps if isinstance(step, MapperProperty)]
    names = tuple([step.key for step in properties])
    return names, None if not properties or isinstance(steps[-1], str) else properties[-1]


def _needed(scope: Scope, shown: Iterable[Path], around: Path) -> tuple[set[Path], set[Path]]:
    """Return the relationships and the columns that the paths ``shown`` need, by the attributes that lead there."""
    shown = list(shown)
    relations: set[Path] = set()
    columns = {
        (*around, scope.attribute(scope.leaves[path].column.name)) for path in shown if not scope.is_relation(path[0])
    }
    for name, deeper in inside(scope, shown).items():
        relations.add((*around, name))
        more_relations, more_columns = _needed(scope.related(name), deeper, (*around, name))
        relations |= more_relations
        columns |= more_columns
    return relations, columns


def _loads(scope: Scope, shown: Sequence[Path], given: _Given, around: Path) -> Iterator[_AbstractLoad]:
    """Return the options that load what the paths ``shown`` need: relationships, and columns that are deferred."""
    mapper = sa.inspect(scope.target).mapper
    deferred = _deferred(mapper)
    for path in shown:
        if not scope.is_relation(path[0]):
            name = scope.attribute(scope.leaves[path].column.name)
            if name in mapper.column_attrs and (name in deferred or around in given.columns):
                yield undefer(getattr(scope.target, name))
    deeper_by_name = inside(scope, shown)
    for name, deeper in deeper_by_name.items():
        attribute = getattr(scope.target, name)
        load = defaultload if (*around, name) in given.eager else selectinload
        yield load(attribute).options(*_loads(scope.related(name), deeper, given, (*around, name)))
    if not around and not given.wild:
        # What a class joins by itself would make rows of rows, which only unique() tells apart.
        for name in _joining(mapper):
            if name not in deeper_by_name and (name,) not in given.mentioned:
                yield lazyload(getattr(scope.target, name))


@lru_cache(maxsize=256)
def _deferred(mapper: Mapper[Any]) -> frozenset[str]:
    """Return the attributes of a mapped class whose columns are not loaded before they are asked for."""
    return frozenset(attribute.key for attribute in mapper.column_attrs if attribute.deferred)


@lru_cache(maxsize=256)
def _joining(mapper: Mapper[Any]) -> tuple[str, ...]:
    """Return the relationships that a class loads by joins with collections, at any depth."""
    return tuple([name for name, relation in _joined(mapper).items() if _joins_collection(relation, frozenset())])


def _joined(mapper: Mapper[Any]) -> Mapping[str, RelationshipProperty[Any]]:
    return {name: relation for name, relation in mapper.relationships.items() if relation.lazy in ("joined", False)}


def _joins_collection(relation: RelationshipProperty[Any], seen: frozenset[Any]) -> bool:
    if relation.uselist:
        return True
    if relation in seen:
        return False
    return any(_joins_collection(deeper, seen | {relation}) for deeper in _joined(relation.mapper).values())
