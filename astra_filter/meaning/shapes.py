"""Cut a text into its shape and its literals, and compile each shape only once.

``state eq 'running' and percentDone gte 20`` is cut at its strings and numbers:

    key     ("state eq ", " and percentDone gte ", "", True, False)    the pieces, then whether each token is a string
    tokens  ["'running'", "20"]

A text with the same key only needs its literals coerced and bound. A shape is kept only after the parser has accepted
its text and found the same literals as the scan did; every other text takes the plain way through the parser. Both ways
give equal filters and equal errors.

Keys of maps, as in ``labels.env eq 'prod'``, are values too, but only the check can tell them from other names. So the
names stand in the key of the scan, and texts that differ in such keys only are read one by one; but they have one
template, which is found by the text of their shape, ``labels.? eq ?``.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from astra_filter.errors import FilterError, LiteralError
from astra_filter.language.records import make
from astra_filter.limits import MOST_PROBLEMS
from astra_filter.meaning.check import Target, check, coerce
from astra_filter.meaning.keys import without_keys
from astra_filter.memo import Memo
from astra_filter.syntax.parser import parse
from astra_filter.syntax.printer import shape_text
from astra_filter.wording import syntax as wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from astra_filter.limits import Limits
    from astra_filter.meaning.conditions import Condition
    from astra_filter.meaning.declaration import Declaration
    from astra_filter.syntax.nodes import Literal, Node

# What a number may not follow, nor be followed by, told by what does not belong to it, as the grammar tells it.
_WORD_OR_POINT = r"[^\0-\-/:-@\[-^`{-\x7f]"
# It begins with a set of few characters, from one of which to the next the engine skips; what began is looked at after.
_TOKEN = re.compile(
    rf"""(['`\-0-9](?:
    (?<=')[^'\0\ud800-\udfff]*(?:''[^'\0\ud800-\udfff]*)*'(?!')
  | (?<=`)[^`]*(?:``[^`]*)*`(?!`)
  | (?<!{_WORD_OR_POINT}[-0-9])(?:(?<=-)(?:0|[1-9][0-9]*)|(?<=0)|(?<=[1-9])[0-9]*)
    (?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?!{_WORD_OR_POINT})
    ))""",
    re.VERBOSE,
)

_Key: TypeAlias = tuple[object, ...]
_MOST_KEPT = 64
"""The most entries that are kept for one shape: generated code, and SQL for each order, table and style."""


class Scan(NamedTuple):
    """A text cut at its strings and numbers."""

    key: _Key
    """The shape: the text between strings and numbers, and which are strings. ``true`` and ``null`` are part of it."""
    tokens: list[str]
    """The strings and numbers as written."""


def scan(text: str) -> Scan:
    """Cut a text at its strings and numbers."""
    pieces = _TOKEN.split(text)
    tokens = pieces[1::2]
    if "`" not in text:
        return make(Scan, ((*pieces[::2], *[token[0] == "'" for token in tokens]), tokens))
    # A backquoted name is part of the shape, so it joins the key as written; a string may hold a backquote too.
    kinds = [token if token[0] == "`" else token[0] == "'" for token in tokens]
    return make(Scan, ((*pieces[::2], *kinds), [token for token in tokens if token[0] != "`"]))


class Template:
    """What is made once for a shape and shared by all its filters.

    ``condition`` is the checked tree. ``memo`` keeps what other rooms make of it when first asked: generated functions,
    SQL text.
    """

    __slots__ = ("condition", "memo")

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.memo = Memo(_MOST_KEPT)


class _Reading(NamedTuple):
    """How texts with one key are read."""

    template: Template
    root: Node
    coercions: tuple[Callable[[str], object] | None, ...]
    """By slot; None where the literal is its own value."""
    constants: tuple[tuple[int, bool | None], ...]
    """The literals that are part of the shape, by slot: true, false and null."""
    keys: tuple[str, ...]
    """The keys of maps that the paths name. Their slots follow those of the literals."""
    shape: _Key
    """Where keys are named, the key of all texts of the same shape, whatever keys they name."""


class Bound(NamedTuple):
    """A template with one filter's tree, literals and values."""

    template: Template
    root: Node
    literals: tuple[Literal, ...]
    """Raw, by slot."""
    values: tuple[object, ...]
    """Canonical, by slot: those of the literals, then the keys of maps."""


class _Recent(OrderedDict[_Key, _Reading]):
    """The readings used last. Safe to change from several threads.

    Args:
        entries: how many are kept at most.
        characters: how many characters of filter text they have together, at most.
    """

    def __init__(self, entries: int, characters: int) -> None:
        super().__init__()
        self._entries = entries
        self._characters = characters
        self._weights: dict[_Key, int] = {}
        self._weight = 0
        self._lock = threading.Lock()

    def keep(self, key: _Key, reading: _Reading, weight: int) -> None:
        """Keep a reading of so many characters; what was used longest ago goes."""
        with self._lock:
            self._weight += weight - self._weights.get(key, 0)
            self._weights[key] = weight
            self[key] = reading
            self.move_to_end(key)
            while len(self) > self._entries or self._weight > self._characters:
                dropped, _ = self.popitem(last=False)
                self._weight -= self._weights.pop(dropped)

    def touch(self, key: _Key) -> None:
        """Say that a reading was used."""
        try:  # noqa: SIM105  # `suppress` takes longer than what it guards.
            self.move_to_end(key)
        except KeyError:  # Another thread has just removed it.
            pass


class Shapes:
    """The compiled shapes of one schema, the last used ones. Safe to share between threads.

    Args:
        declaration: what the schema declares.
        entries: how many shapes are kept at most.
        characters: how many characters of filter text the kept shapes have together, at most.
    """

    def __init__(self, declaration: Declaration, entries: int = 1024, characters: int = 2**18) -> None:
        self._root = declaration.root
        self._leaves = declaration.leaves
        self._targets: dict[tuple[str, ...], Target] = {}
        self._shapes = _Recent(entries, characters)
        # Keys of maps have no end: texts that name some push out such texts only, and no shape.
        self._keyed = _Recent(max(entries // 4, 1), characters // 4)

    def __len__(self) -> int:
        return len(self._shapes)

    def compile(self, text: str, limits: Limits) -> Bound:
        """Compile a filter. A known shape is not parsed again.

        Raises:
            FilterError: the text is not a filter, or not one for this schema.
        """
        if len(text) > limits.text_length:
            raise FilterError([wording.text_too_long(text, limits.text_length)])
        scanned = scan(text)
        key = (limits, scanned.key)
        reading = self._shapes.get(key) or self._known(key)
        if reading is None:
            return self._plain(text, limits, key, scanned)
        template, root, coercions, constants, keys, _ = reading
        literals = _literals(scanned, constants)
        try:
            values = tuple(
                [
                    literal if coercion is None else coercion(literal)  # type: ignore[arg-type]  # Checked by kind.
                    for literal, coercion in zip(literals, coercions, strict=True)
                ]
            )
        except LiteralError:  # The plain way finds the place of the literal.
            return self._plain(text, limits, key, scanned)
        if keys:
            values += keys
            self._keyed.touch(key)
            self._shapes.touch(reading.shape)
        else:
            self._shapes.touch(key)
        return make(Bound, (template, root, tuple(literals), values))

    def _known(self, key: _Key) -> _Reading | None:
        """Return how a text is read that names keys of maps, if its shape is still known too."""
        reading = self._keyed.get(key)
        shape = None if reading is None else self._shapes.get(reading.shape)
        return None if reading is None or shape is None else reading._replace(template=shape.template)

    def _plain(self, text: str, limits: Limits, key: _Key, scanned: Scan) -> Bound:
        syntax = parse(text, limits, self._root)
        found = check(syntax, text, self._root, self._leaves, self._targets, limits.literals)
        values, problems = coerce(found.coercions, syntax, text)
        if found.condition is None or problems:
            problems = tuple(sorted((*found.problems, *problems), key=lambda problem: problem.span)[:MOST_PROBLEMS])
            raise FilterError(problems)
        constants: tuple[tuple[int, bool | None], ...] = ()
        if len(scanned.tokens) < len(syntax.literals):
            constants = tuple(
                [
                    (number, each)
                    for number, each in enumerate(syntax.literals)
                    if each is None or isinstance(each, bool)
                ]
            )
        shape = key
        template = Template(found.condition)
        if found.keys:
            shape = (limits, shape_text(without_keys(syntax.root, self._root), syntax.literals))
            known = self._shapes.get(shape)
            template = template if known is None else known.template
        reading = _Reading(template, syntax.root, found.coercions, constants, found.keys, shape)
        if found.keys:
            self._shapes.keep(shape, reading, len(text) - sum(map(len, found.keys)))
        if tuple(_literals(scanned, constants)) == syntax.literals:
            (self._keyed if found.keys else self._shapes).keep(key, reading, len(text))
        return Bound(template, syntax.root, syntax.literals, (*values, *found.keys))


def _literals(scanned: Scan, constants: tuple[tuple[int, bool | None], ...]) -> list[Literal]:
    """Return the literals of a text by slot: the scanned ones, and those that are part of the shape."""
    literals: list[Literal] = [
        token[1:-1].replace("''", "'") if token[0] == "'" else token.lower() for token in scanned.tokens
    ]
    for number, constant in constants:
        literals.insert(number, constant)
    return literals
