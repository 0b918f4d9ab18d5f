"""SQL text with places for values: composed once for a shape, bound again for every request.

A `Fragment` is text and parameters in order, in no placeholder style yet:

    Fragment('"state" = ', Param(slot=0), ' AND "n" < ', Param(slot=1))

``prepare("%s")`` makes a `Prepared` of it: the text ``"state" = %s AND "n" < %s``, and a plan that says which value
goes to which placeholder. ``bind(("running", 20))`` then gives ``SQL(text, ("running", 20))``. A request of a known
shape only pays for `Prepared.bind`.
"""

from __future__ import annotations

from sys import getsizeof
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from astra_filter.wording import sql as wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

PLACEHOLDERS = ("?", "%s", "$1", ":p1")
"""The placeholder styles, each named by its first placeholder."""

_LONGEST_KEPT = 65_536
"""Characters of a statement that is kept. To make a longer one again is little beside what the database does for it."""
_PLACE_BYTES = 100
"""Of a place in a plan, about: a pair, and a name."""


class SQL(NamedTuple):
    """SQL text and its parameters, as a driver's ``execute`` takes them.

    ``params`` is a tuple in the order of the placeholders, or under ``:p1`` a dict by name. Pass it even when it is
    empty: under ``%s`` a percent sign in the text is doubled.
    """

    text: str
    params: tuple[Any, ...] | dict[str, Any]


class Param:
    """A place for a value: the literal of a slot, or a constant.

    Under a numbered style (``$1``, ``:p1``) one object used twice is one parameter, so that its places have one type.

    Args:
        slot: the index into the values that are bound; None for a constant.
        bind: turns the canonical value into the driver's; None leaves it as it is. Applied to slots only.
        value: the constant, in the driver's form.
    """

    __slots__ = ("bind", "slot", "value")

    def __init__(self, slot: int | None, bind: Callable[[Any], Any] | None = None, *, value: Any = None) -> None:
        self.slot = slot
        self.bind = bind
        self.value = value


class Verbatim(NamedTuple):
    """SQL of the server's own code that has its placeholders already: ``where`` of a SELECT.

    Its parameters join the plan. Under ``$1`` its placeholders are numbered from ``first`` on and ours follow; it may
    then stand several times in one fragment, but no other verbatim text may.
    """

    text: str
    params: tuple[Param, ...]
    """In the order of the placeholders in ``text``."""
    names: tuple[str, ...] = ()
    """Under ``:p1``, the name of each parameter."""


Part: TypeAlias = "str | Param | Verbatim | Fragment"


class Fragment:
    """A sequence of SQL text and places for values.

    Args:
        parts: texts without placeholders, `Param`, `Verbatim`, and other fragments.
    """

    __slots__ = ("parts",)

    def __init__(self, *parts: Part) -> None:
        flat: list[str | Param | Verbatim] = []
        for part in parts:
            if type(part) is Fragment:
                flat += part.parts
            else:
                flat.append(part)  # type: ignore[arg-type]  # There are no subclasses.
        self.parts: tuple[str | Param | Verbatim, ...] = tuple(flat)

    @classmethod
    def join(cls, separator: str, parts: Iterable[Part]) -> Fragment:
        """Return the parts in order, with ``separator`` between them."""
        joined: list[Part] = []
        for part in parts:
            joined += (separator, part)
        return cls(*joined[1:])

    def parenthesised(self) -> Fragment:
        """Return the fragment between parentheses."""
        return Fragment("(", self, ")")

    def prepare(self, placeholders: str, first: int = 1) -> Prepared:
        """Render the text with one of `PLACEHOLDERS`; ``first`` numbers the first ``$n`` or ``:pn``.

        Raises:
            SchemaError: ``first`` is no whole number of at least 1.
        """
        if type(first) is not int or first < 1:
            raise wording.bad_first(first)
        if placeholders in ("?", "%s"):
            return self._positional(placeholders)
        return self._numbered(placeholders[:-1], first)

    def _positional(self, placeholder: str) -> Prepared:
        text: list[str] = []
        plan: list[Param] = []
        for part in self.parts:
            if isinstance(part, str):
                text.append(part.replace("%", "%%") if placeholder == "%s" else part)
            elif isinstance(part, Param):
                text.append(placeholder)
                plan.append(part)
            else:
                text.append(part.text)
                plan.extend(part.params)
        return Prepared("".join(text), plan, None)

    def _numbered(self, prefix: str, first: int) -> Prepared:
        verbatim = next((part for part in self.parts if isinstance(part, Verbatim)), Verbatim("", ()))
        plan = list(verbatim.params)
        names = list(verbatim.names)
        placeholders: dict[int, str] = {}
        number = first if verbatim.names else first + len(plan)
        text: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                text.append(part)
            elif isinstance(part, Verbatim):
                text.append(part.text)
            else:
                if id(part) not in placeholders:
                    while (name := f"{prefix}{number}"[1:]) in names:
                        number += 1
                    placeholders[id(part)] = prefix[0] + name
                    number += 1
                    plan.append(part)
                    names.append(name)
                text.append(placeholders[id(part)])
        return Prepared("".join(text), plan, names if prefix == ":p" else None)

    def __repr__(self) -> str:
        return f"<Fragment {self.prepare('?').text}>"


class Prepared:
    """Finished text, and the plan by which values are bound to its placeholders.

    Args:
        text: the SQL text.
        params: what goes to each placeholder, in order.
        names: the placeholders' names where parameters are a dict; None for a tuple.
    """

    __slots__ = ("_constants", "_names", "_plan", "text")

    def __init__(self, text: str, params: Sequence[Param], names: Sequence[str] | None) -> None:
        self.text = text
        constants = [param.value for param in params if param.slot is None]
        self._constants = tuple(constants)
        plan: list[tuple[int, Callable[[Any], Any] | None]] = []
        # Constants stand behind the values, so their places are counted from the end.
        place = -len(constants)
        for param in params:
            if param.slot is None:
                plan.append((place, None))
                place += 1
            else:
                plan.append((param.slot, param.bind))
        self._plan = tuple(plan)
        self._names = None if names is None else tuple(names)

    @property
    def weight(self) -> int:
        """The bytes that it holds, about: text, plan and constants."""
        return len(self.text) + _PLACE_BYTES * (len(self._plan) + 1) + sum(map(getsizeof, self._constants))

    @property
    def passing(self) -> bool:
        """Whether it is too long to be kept."""
        return len(self.text) > _LONGEST_KEPT

    def bind(self, values: tuple[Any, ...]) -> SQL:
        """Return text and parameters for canonical ``values``, indexed by slot.

        Raises:
            StorageError: a value has no form in the dialect.
        """
        if self._constants:
            values += self._constants
        params = tuple([values[slot] if bind is None else bind(values[slot]) for slot, bind in self._plan])
        if self._names is None:
            return SQL(self.text, params)
        return SQL(self.text, dict(zip(self._names, params, strict=True)))
