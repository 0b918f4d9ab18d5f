"""What a name is in the language, and how it is written; names, numbers and strings as regular expressions (SPEC §2).

The expressions are those of ``grammar/filter.lark``, which a test compares with them. Who needs one takes it from here.
"""

from __future__ import annotations

from functools import lru_cache
from operator import truediv
from typing import TYPE_CHECKING
from unicodedata import category

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RESERVED = frozenset({"and", "or", "not", "true", "false", "null"})
"""The keywords that need backquotes as names."""

# What belongs to words is ASCII letters and digits, `_`, and all beyond ASCII. It is told by what does not belong to
# them, because `re` takes a thousand times as long to compile a set with large numbers in it.
WORD_START = r"[^\0-@\[-^`{-\x7f]"
"""What a word begins with: no digit."""
WORD_CHARACTER = r"[^\0-/:-@\[-^`{-\x7f]"
"""What belongs to a word."""
WORD_OR_POINT = r"[^\0-\-/:-@\[-^`{-\x7f]"
"""What belongs to a word, or a point: none follows a number."""
WORD = f"{WORD_START}{WORD_CHARACTER}*"
"""A keyword, or a name, but for those of its characters beyond ASCII that `bad_name_character` refuses."""
QUOTED_NAME = r"`(?:[^`\0\ud800-\udfff]|``)+`(?!`)"
INTEGER_PART = r"(?:0|[1-9][0-9]*)"
FRACTION_AND_EXPONENT = r"(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
NUMBER = f"-?{INTEGER_PART}{FRACTION_AND_EXPONENT}"
"""A number of JSON (RFC 8259 §6)."""
STRING_REST = r"[^'\0\ud800-\udfff]*(?:''[^'\0\ud800-\udfff]*)*'(?!')"
"""A string literal without the quote that it begins with."""

_AFTER_THE_FIRST = frozenset({"Mn", "Mc", "Me", "Nd"})


def bad_name_character(name: str) -> int | None:
    """Return the index of the first character that cannot stand there in a bare name, or None when all can."""
    if name.isidentifier() and name.isascii():
        return None
    for index, character in enumerate(name):
        if not (character == "_" or character.isalpha() or (index and category(character) in _AFTER_THE_FIRST)):
            return index
    return None


def name_text(name: str) -> str:
    """Return a name as canonical text has it: in backquotes only where it needs them."""
    if name and bad_name_character(name) is None and name.lower() not in RESERVED:
        return name
    return "`" + name.replace("`", "``") + "`"


def path_text(names: Sequence[str]) -> str:
    """Return a path as canonical text has it."""
    return ".".join([name_text(name) for name in names])


def unquote(token: str) -> str:
    """Return what a string literal or a backquoted name stands for, given with its quotes."""
    mark = token[0]
    inner = token[1:-1]
    return inner.replace(mark + mark, mark) if mark in inner else inner


def nearest(word: str, known: Iterable[str]) -> list[str]:
    """Return the known word that ``word`` is most likely meant to be, whatever its case, or nothing.

    What takes long does not depend on how many words are known: of many, the two with the most letters and pairs of
    letters in common are looked at.
    """
    from difflib import get_close_matches  # Only errors need it, so it is not paid at start-up.

    names = _names(tuple(known))
    folded = word[:_LONGEST_COMPARED].casefold()
    likely: Iterable[str] = names.folded if len(names.words) <= _FEW else names.likely(folded)
    return [names.folded[found] for found in get_close_matches(folded, likely, 1)]


_LONGEST_COMPARED = 64
"""Characters of a word that are compared, because comparing takes quadratic time."""
_FEW = 16
"""Words that are all compared."""


class _Names:
    """Known words, prepared for `nearest`.

    A word's mark is a number whose bits stand for its letters and for its pairs of letters, so that two words are
    compared by one operation on numbers.
    """

    def __init__(self, words: tuple[str, ...]) -> None:
        self.words = words
        self.folded = {word[:_LONGEST_COMPARED].casefold(): word for word in reversed(words)}
        self._spelt = list(self.folded)
        self._marks = [_mark(folded) for folded in self._spelt]
        self._sizes = [mark.bit_count() for mark in self._marks]

    def likely(self, word: str) -> list[str]:
        """Return the two words that share most with a word."""
        mark = _mark(word)
        # Each step runs over all words in C.
        common = map(int.bit_count, map(mark.__and__, self._marks))
        shares = list(map(truediv, common, map(mark.bit_count().__add__, self._sizes)))
        best = shares.index(max(shares))
        shares[best] = 0
        return [self._spelt[place] for place in (best, shares.index(max(shares)))]


def _mark(word: str) -> int:
    mark = 0
    last = 0
    for letter in map(ord, word):
        mark |= 1 << letter % 61 | 1 << 61 + (last * 31 + letter) % 251
        last = letter
    return mark | 1 << 61 + last * 31 % 251


_names = lru_cache(maxsize=64)(_Names)
