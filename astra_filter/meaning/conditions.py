"""The checked tree: what a filter means, resolved against a schema, for every backend alike.

`check` makes it from the syntax tree and settles there what SPEC §4 says once for all backends:

- ``not`` is pushed down to the tests (exact, because the logic is two-valued): a test carries ``negated``;
- ``ne`` and ``not in`` are the negations of ``eq`` and ``in``;
- a null literal is an `IsNull`, a null in a list an ``or`` beside the list;
- a path through an array, and a test on an array, is a `Some` over its elements.

A backend therefore implements three positive tests, each false on null except `IsNull`, and their exact opposites.

For example, ``not (state eq 'running' and labels.name in ('a', null))`` becomes

    AnyOf(
        Compare(Ref(("state",)), EQ, slot=0, negated=True),
        Some(Ref(("labels",)), AnyOf(In(Ref(("name",)), slots=(1,)), IsNull(Ref(("name",)))), negated=True),
    )
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from astra_filter.language.records import Record

if TYPE_CHECKING:
    from astra_filter.fields import AnyField
    from astra_filter.language.operators import Operator
    from astra_filter.meaning.leaves import Column


class Ref(Record):
    """A value: the members to step through from the scope, and the field at the end.

    The scope is the resource, or inside a `Some` the array's element; an empty path is the element itself.
    ``column`` says where a resource's value is stored in SQL, and is None inside a `Some`, where the path is a path in
    the element's JSON. In an open schema the field follows the literal's kind and ``open`` is true. Where the path
    leads to a map, ``key`` is the slot of the key of the entry that is meant, and ``field`` is the type of its values.
    With ``folded`` the value is compared without regard to case: it is folded first, as the literals are already.
    """

    __slots__ = ()

    path: tuple[str, ...]
    field: AnyField
    column: Column | None
    open: bool
    key: int | None
    folded: bool


class IsNull(Record):
    """The value is missing, null, or has another type than its field. ``ref.field`` may be an array."""

    __slots__ = ()

    ref: Ref
    negated: bool


class Compare(Record):
    """The value is not null and the operator holds with the literal of ``slot``.

    It is none of ``NE``, ``IN`` and those that ignore case, which are said by ``negated``, `In` and `Ref.folded`.
    """

    __slots__ = ()

    ref: Ref
    operator: Operator
    slot: int
    negated: bool


class In(Record):
    """The value is not null and equals one of the literals in ``slots`` (none of them null).

    Without slots it is false whatever ``ref`` leads to, an array or an object too, and nobody looks there.
    """

    __slots__ = ()

    ref: Ref
    slots: tuple[int, ...]
    negated: bool


class Some(Record):
    """``ref`` is an array, and some element of it satisfies ``condition``, whose scope is that element."""

    __slots__ = ()

    ref: Ref
    condition: Condition
    negated: bool


class AllOf(Record):
    """Every operand holds (at least two)."""

    __slots__ = ()

    operands: tuple[Condition, ...]


class AnyOf(Record):
    """Some operand holds (at least two)."""

    __slots__ = ()

    operands: tuple[Condition, ...]


Test: TypeAlias = IsNull | Compare | In | Some
Condition: TypeAlias = Test | AllOf | AnyOf
