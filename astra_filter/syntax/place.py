"""The place where the parser stopped, and what stands around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.fields import Array, Map, Object
from astra_filter.language.names import path_text, unquote
from astra_filter.language.span import Span
from astra_filter.syntax import fitting
from astra_filter.syntax.hints import scope_at
from astra_filter.syntax.lenient import NUMBER, RUN, TIMESTAMP, UUID, Token, tokens
from astra_filter.wording import syntax as syntax_wording

if TYPE_CHECKING:
    from astra_filter.errors import Problem
    from astra_filter.fields import Field


class Place:
    """The lenient tokens of a text, the one at the place, and the schema's fields.

    Args:
        text: the text.
        place: the offset where the parser stopped; the length of the text when it wanted more.
        expected: the names of the grammar's terminals that could have stood there.
        root: the schema's fields, where there is a schema.
    """

    def __init__(self, text: str, place: int, expected: frozenset[str], root: Field | None) -> None:
        self.text = text
        self.expected = expected
        self.root = root
        self.tokens = tokens(text)
        # The parser may stop inside a lenient token (at the `-` of `-08-06T…`): the token that covers the place.
        self.index = next((i for i, token in enumerate(self.tokens) if token.end > place), len(self.tokens))
        self.at = self.tokens[self.index] if self.index < len(self.tokens) else None
        self.before = self.tokens[self.index - 1] if self.index else None

    def _in_list(self) -> bool:
        """Whether what is open at the place is the list of an ``in``."""
        opened = self._opened()
        before = self.tokens.index(opened[-1]) - 1 if opened else -1
        return before >= 0 and self.tokens[before].text.lower() == "in"

    def _opened(self) -> list[Token]:
        """The parentheses and brackets that are open at the place, the innermost last."""
        opened: list[Token] = []
        for token in self.tokens[: self.index]:
            if token.kind == "mark" and token.text in "([":
                opened.append(token)
            elif token.kind == "mark" and token.text in ")]" and opened:
                opened.pop()
        return opened

    def _token(self, ahead: int) -> Token | None:
        index = self.index + ahead
        return self.tokens[index] if index < len(self.tokens) else None

    def _end(self) -> Span:
        end = self.tokens[-1].end if self.tokens else len(self.text)
        return Span(end, end)

    def _run(self, offset: int) -> Token:
        """The characters around ``offset`` that no space, quote, bracket or symbol parts."""
        for match in RUN.finditer(self.text):
            if match.end() > offset:
                if match.start() <= offset:
                    return Token("run", match[0], match.start())
                break
        return Token("run", self.text[offset : offset + 1], offset)

    def _path_tokens(self) -> list[Token]:
        """The tokens of the path that ends before the place."""
        index = self.index - 1
        if index >= 0 and self.tokens[index].text.lower() == "not":
            index -= 1
        path: list[Token] = []
        while index >= 0:
            token = self.tokens[index]
            if token.kind not in ("word", "backquoted"):
                break
            path.insert(0, token)
            if index == 0 or self.tokens[index - 1].text != ".":
                break
            index -= 2
        return path

    def _path_text(self) -> str:
        return ".".join(token.text for token in self._path_tokens()) or "field"

    def _path_names(self) -> list[str]:
        return [unquote(token.text) if token.kind == "backquoted" else token.text for token in self._path_tokens()]

    def _found(self) -> tuple[Field | None, bool]:
        """The field that the path before the place names, if it can be told, and whether it may be null."""
        return self._walk(self._path_names())

    def _field(self, names: list[str]) -> Field | None:
        return self._walk(names)[0]

    def _walk(self, names: list[str]) -> tuple[Field | None, bool]:
        scope: Field | None = self.root
        nullable = False
        for name in names:
            if isinstance(scope, Array):
                scope = scope.items
                nullable = nullable or scope.nullable
            if isinstance(scope, Map):
                scope = scope.values
            else:
                scope = scope.members.get(name) if isinstance(scope, Object) else None
            if scope is None:
                return None, False
            nullable = nullable or scope.nullable
        return scope, nullable

    def _example(self, operator: str | None = None, literal: str | None = None) -> str | None:
        """A test of the path before the place, or of the first field where the path is none."""
        scope, known = scope_at(self.tokens, self.index, self.root)
        names = self._path_names()
        if not known:
            return None
        found = fitting.find(scope, names) if names else None
        if operator is None:
            shown = None if found is None else fitting.example(scope, names, literal)
            return shown or fitting.any_example(scope)
        if operator in ("and", "or", "not"):
            return fitting.any_example(scope)
        try:
            return fitting.write(scope, names, operator, [fitting.literals(found.field)[0]]) if found else None
        except fitting.Misfit:
            return None

    def _quoted_path(self, inner: str) -> str:
        """What stands between double quotes as a path: a name, or names that dots join where the schema has those."""
        names = inner.split(".")
        return path_text(names if self._field([inner]) is None and self._field(names) is not None else [inner])

    def _bare_value(self, run: Token) -> Problem | None:
        span = Span(run.start, run.end)
        if UUID.fullmatch(run.text) and not NUMBER.fullmatch(run.text):
            return syntax_wording.bare_value(self.text, span, run.text, "UUID")
        match = TIMESTAMP.fullmatch(run.text)
        if match is not None:
            return syntax_wording.bare_value(self.text, span, run.text, "timestamp" if match[1] else "date")
        return None
