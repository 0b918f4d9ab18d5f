"""A text cut into lenient tokens, which know the spellings of other languages; imported to explain errors only.

The grammar decides what is a filter. These tokens never do: they say what the writer of a refused text may have meant.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from astra_filter.language import names
from astra_filter.language.names import RESERVED, WORD_CHARACTER, WORD_START
from astra_filter.language.span import Span


class Token(NamedTuple):
    """A piece of the text: ``'a'`` is a ``string``, ``"a"`` a ``double``, ``>=`` a ``symbol``, ``(`` a ``mark``."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """The offset behind the token."""
        return self.start + len(self.text)

    @property
    def span(self) -> Span:
        """The place in the text."""
        return Span(self.start, self.end)

    @property
    def word(self) -> str:
        """The text in lower case."""
        return self.text.lower()


W = WORD_CHARACTER
_TOKENS = re.compile(
    rf"""
    (?P<space>[ \t\r\n]+)
  | (?P<string>'[^']*(?:''[^']*)*'(?!'))
  | (?P<open_string>'[^']*(?:''[^']*)*)
  | (?P<backquoted>`[^`]*(?:``[^`]*)*`(?!`))
  | (?P<open_backquoted>`[^`]*(?:``[^`]*)*)
  | (?P<double>"(?:[^"\\]|\\.)*"|[“„”][^“„”]*[“”]|[‘‚’][^‘‚’']*[‘’'])
  | (?P<open_double>".*|[“„”‘‚’])  # All that is left: to look for the end again from each quote takes quadratic time.
  | (?P<symbol>===|!==|==|!=|<>|<=|>=|=>|=<|&&|\|\||[=<>!&|~])
  | (?P<number>[+-]?(?:[0-9]|\.[0-9])(?:{W}|\.)*(?:(?<=[eE])[+-][0-9]+)?)
  | (?P<word>(?![“„”‘‚’]){WORD_START}(?:(?![“„”‘‚’]){W})*)
  | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)
RUN = re.compile(r"[^\s'\"`()\[\],;=<>!&|]+")
"""What no space, quote, bracket or symbol parts."""
UUID = re.compile(r"\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?", re.IGNORECASE)
TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9:.]+(?:[Zz]|[+-][0-9:]+)?)?")
NUMBER = re.compile(names.NUMBER)
CONSTANTS = ("true", "false", "null")


def tokens(text: str) -> list[Token]:
    """Cut a text; white space is left out."""
    return [
        Token(match.lastgroup or "", match[0], match.start())
        for match in _TOKENS.finditer(text)
        if match.lastgroup != "space"
    ]


def literal_of(text: str) -> str:
    """Return the literal that an unquoted text is meant to be: ``5`` for ``5``, ``'a-b'`` for ``a-b``."""
    match = _TOKENS.fullmatch(text)
    token = Token("" if match is None else match.lastgroup or "", text, 0)
    return as_literal(token) or quote(text)


def as_literal(token: Token) -> str | None:
    """Return the literal that a token is, or is meant to be."""
    if token.kind == "double":
        return quote(token.text[1:-1])
    if token.word in ("none", "nil", "undefined"):
        return "null"
    if token.kind == "string" or NUMBER.fullmatch(token.text):
        return token.text
    if token.word in CONSTANTS:
        return token.word
    if token.kind == "word" and token.word not in RESERVED:
        return quote(token.text)
    return None


def quote(text: str) -> str:
    """Return a string literal, whole: what is shown of it is another matter."""
    return "'" + text.replace("'", "''") + "'"
