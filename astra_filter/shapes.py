"""The prepared way of a filter: a text is cut into its shape and its literals, and a known shape is only bound anew.

A shape is kept only after the parser accepted its text and found the same literals as the scan did; whatever the scan
cannot vouch for takes the plain way through the parser. Both ways give equal filters and equal errors.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from astra_filter import errors
from astra_filter.check import MOST_PROBLEMS, check, coerce
from astra_filter.errors import FilterError
from astra_filter.names import unquote
from astra_filter.nodes import And, Comparison, Element, Membership, Not, Or, Syntax
from astra_filter.span import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from astra_filter.checked import Condition
    from astra_filter.fields import Leaf, Object, Open
    from astra_filter.limits import Limits
    from astra_filter.nodes import Literal, Node, Slot

# What belongs to words, and to numbers, told by what does not, as the grammar tells it.
_WORD = r"[^\0-/:-@\[-^`{-\x7f]"
_WORD_OR_POINT = r"[^\0-\-/:-@\[-^`{-\x7f]"
# Each branch begins with a set of characters, which lets the engine skip; what must not come before is looked at after.
_TOKEN = re.compile(
    rf"""(
    '[^'\0\ud800-\udfff]*(?:''[^'\0\ud800-\udfff]*)*'(?!')
  | `[^`]*(?:``[^`]*)*`(?!`)
  | [-0-9](?<!{_WORD_OR_POINT}[-0-9])(?:(?<=-)(?:0|[1-9][0-9]*)|(?<=0)|(?<=[1-9])[0-9]*)
    (?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?!{_WORD_OR_POINT})
  | [tTfFnN](?<!{_WORD}.)(?ai:(?<=t)rue|(?<=f)alse|(?<=n)ull)(?!{_WORD})
    )""",
    re.VERBOSE,
)
# The kind of a token by its first character.
_KINDS = str.maketrans("-123456789TtFfNn", "0000000000bbbbnn")

_Key: TypeAlias = tuple[object, ...]


class Scan(NamedTuple):
    """A text cut at its literals."""

    key: _Key
    """The shape: what stands between the literals, and their kinds."""
    tokens: list[str]
    """The literals as written."""
    pieces: list[str]
    """Pieces and tokens in turn, a piece first and last; joined, they are the text."""


def scan(text: str) -> Scan:
    """Cut a text at its literals."""
    pieces = _TOKEN.split(text)
    tokens = pieces[1::2]
    between = pieces[::2]
    if "`" in text:
        # A backquoted name is no literal: it is part of the shape.
        names = [token for token in tokens if token[0] == "`"]
        kinds = "".join([token[0] for token in tokens]).translate(_KINDS)
        return Scan((*between, kinds, *names), [token for token in tokens if token[0] != "`"], pieces)
    return Scan((*between, "".join([token[0] for token in tokens]).translate(_KINDS)), tokens, pieces)


def _literal(token: str) -> Literal:
    first = token[0]
    if first == "'":
        return unquote(token)
    if first in "tT":
        return True
    if first in "fF":
        return False
    return None if first in "nN" else token.lower()


class Template:
    """What is made once per shape, and shared by all filters of it.

    ``condition`` is the checked tree; ``prepared`` is for what the façades make of it when first asked: generated
    functions, SQL text. A template never changes but for that, and each such entry is put there whole.
    """

    __slots__ = ("coercions", "condition", "prepared", "root", "weight")

    def __init__(
        self,
        root: Node,
        condition: Condition,
        coercions: tuple[Callable[[str], object] | None, ...],
        weight: int,
    ) -> None:
        self.root = root
        self.condition = condition
        self.coercions = coercions
        self.weight = weight
        self.prepared: dict[object, object] = {}


class Bound(NamedTuple):
    """A template with one filter's literals, raw and canonical."""

    template: Template
    literals: tuple[Literal, ...]
    values: tuple[object, ...]


class Shapes:
    """The shapes of one schema: at most ``entries`` of them, made from at most ``characters`` of text together."""

    def __init__(
        self, root: Object | Open, leaves: Mapping[tuple[str, ...], Leaf], entries: int = 1024, characters: int = 2**18
    ) -> None:
        self._root = root
        self._leaves = leaves
        self._entries = entries
        self._characters = characters
        self._templates: OrderedDict[_Key, Template] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._templates)

    def compile(self, text: str, limits: Limits) -> Bound:
        """Compile a filter, by its shape where that is known.

        Raises:
            FilterError: the text is no filter for this schema.
        """
        if len(text) > limits.text_length:
            raise FilterError([errors.text_too_long(text, limits.text_length)])
        scanned = scan(text)
        key = (limits, *scanned.key)
        template = self._templates.get(key)
        if template is None:
            return self._plain(text, limits, key, scanned)
        with suppress(KeyError):  # Another thread has just dropped it.
            self._templates.move_to_end(key)
        literals = tuple([_literal(token) for token in scanned.tokens])
        values, problems = coerce(template.coercions, literals, text, lambda: _token_spans(scanned))
        if problems:
            raise FilterError(problems)
        return Bound(template, literals, values)

    def _plain(self, text: str, limits: Limits, key: _Key, scanned: Scan) -> Bound:
        from astra_filter.parser import parse  # Imports Lark: not paid by those who filter nothing.

        syntax = parse(text, limits, self._root)
        found = check(syntax, text, self._root, self._leaves)
        values, problems = coerce(found.coercions, syntax.literals, text, lambda: _slot_spans(syntax))
        if found.condition is None:
            problems = tuple(sorted((*found.problems, *problems), key=lambda problem: problem.span)[:MOST_PROBLEMS])
            raise FilterError(problems)
        template = Template(syntax.root, found.condition, found.coercions, len(text))
        if [_literal(token) for token in scanned.tokens] == list(syntax.literals):
            self._keep(key, template)
        if problems:
            raise FilterError(problems)
        return Bound(template, syntax.literals, values)

    def _keep(self, key: _Key, template: Template) -> None:
        with self._lock:
            old = self._templates.pop(key, None)
            if old is not None:
                self._weight -= old.weight
            self._templates[key] = template
            self._weight += template.weight
            while len(self._templates) > self._entries or self._weight > self._characters:
                _, dropped = self._templates.popitem(last=False)
                self._weight -= dropped.weight


def _token_spans(scanned: Scan) -> list[Span]:
    spans = []
    end = 0
    for index, piece in enumerate(scanned.pieces):
        start, end = end, end + len(piece)
        if index % 2 and piece[0] != "`":
            spans.append(Span(start, end))
    return spans


def _slot_spans(syntax: Syntax) -> list[Span]:
    return [slot.span for slot in _slots(syntax.root)]


def _slots(node: Node) -> Sequence[Slot]:
    match node:
        case Comparison(slot=slot):
            return (slot,)
        case Membership(slots=slots):
            return slots
        case Not(operand):
            return _slots(operand)
        case Element(condition=condition):
            return _slots(condition)
        case And(operands) | Or(operands):
            return [slot for operand in operands for slot in _slots(operand)]
