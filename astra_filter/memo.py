"""What is made once and kept: shapes, generated code, SQL statements; bounded by the bytes of what is held.

All caches of a schema share one `Budget`: each entry is weighed when it is made, and when the budget is spent, the
shapes that nobody has asked for longest go, with all that was made of them. So no caller can fill the memory, whatever
the shapes, orders and lists of names of the requests.
"""

from __future__ import annotations

from sys import getsizeof
from threading import Lock
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

P = ParamSpec("P")
T = TypeVar("T")

CACHE_BYTES = 8 * 2**20
"""Bytes that the caches of one schema may hold together, about."""
_SHARE = 8
"""No memo holds more than this part of its budget, so that one shape cannot drive out all others."""
_SMALL, _SMALL_BYTES = frozenset({int, float, bool, type(None)}), 28
"""Types whose values take about so many bytes; most are shared anyway."""
_ENTRY = 64
"""Bytes of an entry of a dictionary."""


class CacheInfo(NamedTuple):
    """What the caches of a schema hold."""

    shapes: int
    """Shapes of filters that are known."""
    held: int
    """Bytes, about, of the shapes and of all that was made of them and of the schema."""
    most: int
    """Bytes that may be held."""


class Budget:
    """Counts the bytes that some caches hold together. Safe between threads.

    Args:
        most: the bytes that they may hold.
    """

    __slots__ = ("_lock", "held", "most", "shed")

    def __init__(self, most: int = CACHE_BYTES) -> None:
        self.most = most
        self.held = 0
        self.shed: Callable[[], None] | None = None
        """Lets go of what is needed least, while more is held than may be."""
        self._lock = Lock()

    def add(self, weight: int) -> None:
        """Count what a cache holds more, or less."""
        with self._lock:
            self.held += weight
        if weight > 0 and self.held > self.most and self.shed is not None:
            self.shed()


class Memo:
    """Keeps what was made for a key. When it is full, the entry that was made first goes. Safe between threads.

    Args:
        entries: the most that is kept, so that ever-new keys (orders, aliases) do not fill the memory.
        budget: where the bytes are counted; None for what is bounded by ``entries`` alone until `attach`.
        most: the bytes that are kept here, at most; default a part of the usual budget.
    """

    __slots__ = ("_budget", "_entries", "_kept", "_lock", "_most", "held")

    def __init__(self, entries: int, budget: Budget | None = None, most: int | None = None) -> None:
        self._entries = entries
        self._budget = budget
        self._most = (CACHE_BYTES if budget is None else budget.most) // _SHARE if most is None else most
        self._kept: dict[Hashable, tuple[Any, int]] = {}
        self._lock = Lock()
        self.held = 0
        """Bytes of all that is kept, about."""

    def made(self, key: Hashable, make: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what is kept for a key; where there is nothing, call ``make`` and keep what it returns.

        What says of itself that it is ``passing`` (a very long statement) is not kept, nor what alone is too heavy.

        Args:
            key: everything that the result depends on.
            make: makes it of the arguments that follow. Two threads may both call it; then the last result is kept.
            *args: for ``make``.
            **kwargs: for ``make``.
        """
        kept = self._kept.get(key)
        if kept is not None:
            value: T = kept[0]
            return value
        value = make(*args, **kwargs)
        if not getattr(value, "passing", False):
            self._keep(key, value)
        return value

    def _keep(self, key: Hashable, value: object) -> None:
        weight = _ENTRY + weigh(key) + weigh(value)
        if weight > self._most:
            return
        with self._lock:
            before = self.held
            old = self._kept.get(key)
            if old is not None:
                self.held -= old[1]
            while self._kept and old is None and (len(self._kept) >= self._entries or self.held + weight > self._most):
                self.held -= self._kept.pop(next(iter(self._kept)))[1]
            self._kept[key] = (value, weight)
            self.held += weight
            more, budget = self.held - before, self._budget
        if budget is not None:
            budget.add(more)

    def attach(self, budget: Budget) -> int:
        """Count in a budget from now on; return the bytes that are held by now."""
        with self._lock:
            self._budget = budget
            return self.held

    def detach(self) -> int:
        """Count in no budget from now on; return the bytes that are held by now."""
        with self._lock:
            self._budget = None
            return self.held

    def __len__(self) -> int:
        return len(self._kept)


def weigh(value: object) -> int:
    """Return about how many bytes a value holds that is kept: text, numbers, lists of them, generated code.

    An object that has a ``weight`` says it itself. Any other weighs itself alone: what is declared (fields, fixed
    functions) is shared by all entries, and lives as long as the schema.
    """
    kind = type(value)
    if kind is str:
        return getsizeof(value)
    if kind in _SMALL:
        return _SMALL_BYTES
    if kind is tuple or kind is list:
        return getsizeof(value) + sum([weigh(each) for each in value])  # type: ignore[attr-defined, misc]
    weight: int | None = getattr(value, "weight", None)
    if weight is not None:
        return weight
    if isinstance(value, (tuple, list, frozenset, set)):
        return getsizeof(value) + sum(map(weigh, value))
    if isinstance(value, CodeType):
        return _weigh_code(value)
    if isinstance(value, FunctionType):
        return _weigh_function(value)
    return getsizeof(value)


def _weigh_function(function: FunctionType) -> int:
    weight = getsizeof(function)
    if function.__code__.co_filename.startswith("<"):  # Generated; others are the library's own.
        weight += _weigh_code(function.__code__)
    for cell in function.__closure__ or ():
        held = cell.cell_contents
        weight += getsizeof(cell) + (weigh(held) if isinstance(held, (tuple, list, str)) else getsizeof(held))
    return weight


def _weigh_code(code: CodeType) -> int:
    inner = sum(map(weigh, code.co_consts))
    names = (code.co_names, code.co_varnames, code.co_cellvars, code.co_freevars)
    return getsizeof(code) + inner + sum(map(weigh, (*names, code.co_code, code.co_linetable, code.co_exceptiontable)))
