"""Cut a text into its shape and its literals, and compile each shape only once.

``state eq 'running' and percentDone gte 20`` is cut at its strings and numbers:

    key     ("state eq ", " and percentDone gte ", "", True, False)    the pieces, then whether each token is a string
    tokens  ["'running'", "20"]

A text with the same key only needs its literals coerced and bound. A shape is kept only after the parser has accepted
its text and found the same literals as the scan did; every other text takes the plain way through the parser. Both ways
give equal filters and equal errors.

Keys of maps, as in ``labels.env eq 'prod'``, are values too, but only the check can tell them from other names. So the
names stand in the key of the scan, and texts that differ in such keys only are parsed each; but they have one template,
which is found by the text of their shape, ``labels.? eq ?``.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from astra_filter.errors import FilterError, LiteralError
from astra_filter.fields import Timestamp
from astra_filter.language.names import FRACTION_AND_EXPONENT, INTEGER_PART, STRING_REST, WORD_OR_POINT
from astra_filter.language.records import make
from astra_filter.language.values import Between
from astra_filter.limits import MOST_PROBLEMS
from astra_filter.meaning.between import settled
from astra_filter.meaning.check import Target, Unworded, check, coerce
from astra_filter.meaning.keys import without_keys
from astra_filter.memo import Budget, CacheInfo, Memo
from astra_filter.syntax.parser import parse
from astra_filter.syntax.printer import shape_text
from astra_filter.wording import syntax as wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from astra_filter.errors import Problem
    from astra_filter.limits import Limits
    from astra_filter.meaning.conditions import Condition
    from astra_filter.meaning.declaration import Declaration
    from astra_filter.syntax.nodes import Literal, Node
    from astra_filter.syntax.tree import Syntax

# It begins with a set of few characters, from one of which to the next the engine skips; what began is looked at after.
_TOKEN = re.compile(
    rf"""(['`\-0-9](?:
    (?<='){STRING_REST}
  | (?<=`)[^`]*(?:``[^`]*)*`(?!`)
  | (?<!{WORD_OR_POINT}[-0-9])(?:(?<=-){INTEGER_PART}|(?<=0)|(?<=[1-9])[0-9]*)
    {FRACTION_AND_EXPONENT}(?!{WORD_OR_POINT})
    ))""",
    re.VERBOSE,
)

_Key: TypeAlias = tuple[object, ...]
_MOST_KEPT = 64
"""The most entries that are kept for one shape: generated code, and SQL for each order, table and style."""
_TEMPLATE_BYTES = 1500
"""What a template and its key take, about, as measured; ..."""
_CHARACTER_BYTES = 80
"""... and more for each character of the shape ..."""
_LITERAL_BYTES = 300
"""... and for each literal."""
_SPELLINGS = 8
"""Which part of the entries and of the budget texts may take that name keys of maps: one in so many."""


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

    ``condition`` is the checked tree; ``constants`` are the literals that are part of the shape, by slot: true, false
    and null. ``weight`` is how many bytes it holds, about, without what its ``memo`` keeps: what other rooms make of it
    when first asked, generated functions and SQL text. ``variant`` tells a shape in which tests are constant because
    literals lie between the values of their type; ``fine`` says that literals of the shape may.
    """

    __slots__ = ("coercions", "condition", "constants", "fine", "memo", "root", "variant", "weight")

    def __init__(
        self,
        root: Node,
        condition: Condition,
        coercions: tuple[Callable[[str], object] | None, ...],
        constants: tuple[tuple[int, bool | None], ...],
        weight: int,
        variant: str = "",
    ) -> None:
        self.root = root
        self.variant = variant
        self.fine = any(isinstance(getattr(each, "__self__", None), Timestamp) for each in coercions)
        self.condition = condition
        self.coercions = coercions
        self.constants = constants
        self.weight = weight
        self.memo = Memo(_MOST_KEPT)

    def __reduce__(self) -> tuple[object, ...]:
        # What was made of it stays behind: another process makes its own.
        return (Template, (self.root, self.condition, self.coercions, self.constants, self.weight, self.variant))


class _Spelling(NamedTuple):
    """A text that names keys of maps, as far as it is not the shape's."""

    shape: _Key
    """The key of the template, the same for all keys of maps."""
    root: Node
    keys: tuple[str, ...]
    """The keys of maps that the paths name. Their slots follow those of the literals."""
    weight: int


class Bound(NamedTuple):
    """A template with one filter's tree, literals and values."""

    template: Template
    root: Node
    literals: tuple[Literal, ...]
    """Raw, by slot."""
    values: tuple[object, ...]
    """Canonical, by slot: those of the literals, then the keys of maps."""


class Shapes:
    """The compiled shapes of one schema, the last used ones. Safe to share between threads.

    Args:
        declaration: what the schema declares.
        entries: how many shapes are kept at most.
        budget: bounds the bytes that the shapes hold, with all that was made of them; default one of its own.
    """

    def __init__(self, declaration: Declaration, entries: int = 1024, budget: Budget | None = None) -> None:
        self._root = declaration.root
        self._leaves = declaration.leaves
        self._entries = entries
        self._targets: dict[tuple[str, ...], Target] = {}
        self._templates: OrderedDict[_Key, Template] = OrderedDict()
        # Keys of maps have no end: texts that name some push out such texts only, and no shape.
        self._spellings: OrderedDict[_Key, _Spelling] = OrderedDict()
        self._spelled = 0
        self._budget = budget or Budget()
        self._budget.shed = self._shed
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._templates)

    def info(self) -> CacheInfo:
        """Return what the caches hold that share the budget."""
        return CacheInfo(len(self._templates), self._budget.held, self._budget.most)

    def compile(self, text: str, limits: Limits) -> Bound:
        """Compile a filter. A known shape is not parsed again.

        Raises:
            FilterError: the text is not a filter, or not one for this schema.
        """
        if len(text) > limits.text_length:
            raise FilterError([wording.text_too_long(text, limits.text_length)])
        scanned = scan(text)
        key: _Key = (limits, scanned.key)
        template = self._templates.get(key)
        spelling = None
        if template is None:
            spelling = self._spellings.get(key)
            template = None if spelling is None else self._templates.get(spelling.shape)
            if template is None:
                return self._plain(text, limits, key, scanned)
        literals = _literals(scanned, template.constants)
        try:
            values = tuple(
                [
                    literal if coercion is None else coercion(literal)  # type: ignore[arg-type]  # Checked by kind.
                    for literal, coercion in zip(literals, template.coercions, strict=True)
                ]
            )
        except LiteralError:  # The plain way finds the place of the literal.
            return self._plain(text, limits, key, scanned)
        root = template.root
        try:
            if spelling is not None:
                root = spelling.root
                values += spelling.keys
                self._spellings.move_to_end(key)
                key = spelling.shape
            self._templates.move_to_end(key)
        except KeyError:  # Another thread has just removed it.
            pass
        if template.fine:
            template, values = _settled(template, values)
        return make(Bound, (template, root, tuple(literals), values))

    def _plain(self, text: str, limits: Limits, key: _Key, scanned: Scan) -> Bound:
        syntax = parse(text, limits, self._root)
        try:
            found = check(syntax, text, self._root, self._leaves, self._targets, limits.literals, asked=True)
        except Unworded:
            raise FilterError(partial(self._problems, syntax, text, limits)) from None
        values, problems = coerce(found.coercions, syntax, text)
        if found.condition is None or problems:
            raise FilterError(_in_order((*found.problems, *problems)))
        constants: tuple[tuple[int, bool | None], ...] = ()
        if len(scanned.tokens) < len(syntax.literals):
            constants = tuple(
                [
                    (number, each)
                    for number, each in enumerate(syntax.literals)
                    if each is None or isinstance(each, bool)
                ]
            )
        known = tuple(_literals(scanned, constants)) == syntax.literals
        weight = _weight(scanned.key, len(syntax.literals))
        if found.keys:
            shape: _Key = (shape_text(without_keys(syntax.root, self._root), syntax.literals),)
            if known:
                self._keep_spelling(key, _Spelling((limits, shape), syntax.root, found.keys, weight))
            key, weight = (limits, shape), _weight(shape, len(syntax.literals))
        template = self._templates.get(key) if found.keys else None
        if template is None:
            template = Template(syntax.root, found.condition, found.coercions, constants, weight)
            if known or found.keys:
                self._keep(key, template)
        values = (*values, *found.keys)
        if template.fine:
            template, values = _settled(template, values)
        return Bound(template, syntax.root, syntax.literals, values)

    def _problems(self, syntax: Syntax, text: str, limits: Limits) -> list[Problem]:
        found = check(syntax, text, self._root, self._leaves, self._targets, limits.literals)
        return _in_order((*found.problems, *coerce(found.coercions, syntax, text)[1]))

    def _keep_spelling(self, key: _Key, spelling: _Spelling) -> None:
        with self._lock:
            before = self._spelled
            old = self._spellings.pop(key, None)
            self._spelled += spelling.weight - (0 if old is None else old.weight)
            self._spellings[key] = spelling
            while len(self._spellings) * _SPELLINGS > self._entries or self._spelled * _SPELLINGS > self._budget.most:
                self._spelled -= self._spellings.popitem(last=False)[1].weight
            more = self._spelled - before
        self._budget.add(more)

    def _keep(self, key: _Key, template: Template) -> None:
        more = template.weight + template.memo.attach(self._budget)
        with self._lock:
            if key in self._templates:
                more -= _released(self._templates.pop(key))
            self._templates[key] = template
            while len(self._templates) > self._entries:
                more -= _released(self._templates.popitem(last=False)[1])
        self._budget.add(more)

    def _shed(self) -> None:
        """Let go of the shapes that nobody has asked for longest, until the budget is kept."""
        freed = 0
        with self._lock:
            while self._spellings and self._budget.held - freed > self._budget.most:
                freed += self._spellings.popitem(last=False)[1].weight
            self._spelled -= freed
            while self._templates and self._budget.held - freed > self._budget.most:
                freed += _released(self._templates.popitem(last=False)[1])
        self._budget.add(-freed)


def _settled(template: Template, values: tuple[object, ...]) -> tuple[Template, tuple[object, ...]]:
    """Return a template and values of the same meaning, without a `Between`.

    The template is another one where a test became constant. Nobody keeps that, as hardly anybody asks for it.
    """
    if not any(isinstance(value, Between) for value in values):
        return template, values
    condition, found = settled(template.condition, values)
    if condition == template.condition:
        return template, found
    variant = ",".join([str(place) for place, value in enumerate(values) if isinstance(value, Between)])
    coercions, constants = template.coercions, template.constants
    return Template(template.root, condition, coercions, constants, template.weight, variant), found


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: problem.span)[:MOST_PROBLEMS]


def _released(template: Template) -> int:
    """Return the bytes that a dropped template no longer takes of the budget."""
    return template.weight + template.memo.detach()


def _weight(key: _Key, literals: int) -> int:
    """Return about how many bytes a template of a text holds, with its key."""
    characters = sum([len(piece) for piece in key if isinstance(piece, str)])
    return _TEMPLATE_BYTES + _CHARACTER_BYTES * characters + _LITERAL_BYTES * literals


def _literals(scanned: Scan, constants: tuple[tuple[int, bool | None], ...]) -> list[Literal]:
    """Return the literals of a text by slot: the scanned ones, and those that are part of the shape."""
    literals: list[Literal] = [
        token[1:-1].replace("''", "'") if token[0] == "'" else token.lower() for token in scanned.tokens
    ]
    for number, constant in constants:
        literals.insert(number, constant)
    return literals
