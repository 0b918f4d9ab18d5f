"""A place in the tokens of a foreign text, and what stands from there on: names, values, operators.

Everything here takes the number of a token and returns what it has read with the number of the next one, or raises
`Misfit`. Nothing here writes a filter; that is `writing`.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from astra_filter import errors
from astra_filter.language.names import unquote
from astra_filter.syntax import fitting
from astra_filter.syntax.fitting import Misfit
from astra_filter.syntax.foreign.spellings import CASTS, CONNECTIVES, MEANINGS, Meaning, meaning
from astra_filter.syntax.lenient import NUMBER, TIMESTAMP, UUID, Token, as_literal, literal_of, quote
from astra_filter.wording import hints as hints_wording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from astra_filter.fields import Field


class Value(NamedTuple):
    """A literal as the language writes it; ``bare`` where it stood without quotes."""

    text: str
    bare: bool = False


class Part(NamedTuple):
    """What was read: a filter, where it ends, and how tightly it binds."""

    text: str
    end: int
    level: int = 2
    """0 a disjunction, 1 a conjunction, 2 a test."""
    subject: tuple[tuple[str, ...], Meaning] | None = None
    """The path and the operator, for a test that goes on without them."""


CLOSING = {"(": ")", "[": "]", "{": "}"}
NULLS = frozenset({"null", "not null", "empty"})
"""Operators that take no value."""
FOLDS = frozenset({"tolower", "toupper", "lower", "upper", "lcase", "ucase", "casefold", "tolowercase", "touppercase"})
"""Functions that make the case of letters not matter."""
_RUN = re.compile(r"[^\s'\"`()\[\]{},;=<>!&|]+")
_ARTICLES = frozenset({"a", "an", "the", "either"})
_MOST_STEPS = 400
_MOST_DEPTH = 18


class Cursor:
    """Reads pieces of a foreign text.

    Args:
        text: the whole text.
        tokens: the text's lenient tokens.
        scope: where paths begin: the schema's root, the element of a bracket, None where no schema says.
        misspelled: take a word that is near an operator for it.
    """

    def __init__(self, text: str, tokens: Sequence[Token], scope: Field | None, *, misspelled: bool = False) -> None:
        self.text = text
        self.tokens = tokens
        self.scope = scope
        self._misspelled = misspelled
        self.reasons: list[str] = []
        """What was foreign, in the order of reading: an operator, or one of `errors.REASONS`."""
        self._variable: str | None = None
        self._braced: set[int] = set()
        """The values that a brace was opened for, which is closed behind them."""
        self._steps = 0
        self._depth = 0
        self._refusal: str | None = None

    def _meaning(self, place: int) -> tuple[Meaning, int] | None:
        """Read the longest operator from a token on: ``is not greater than``, ``=gte=``, ``=not.eq.``, ``!=``."""
        fiql = self._fiql(place)
        if fiql is not None:
            return fiql
        key = ""
        found: tuple[Meaning, int] | None = None
        for end in range(place, min(place + 8, len(self.tokens))):
            token = self.tokens[end]
            if token.word in _ARTICLES and key:
                continue
            if token.text == "$" and not (self._is_name(end + 1) and self.tokens[end + 1].start == token.end):
                break
            if (
                token.kind == "symbol"
                or (token.kind == "mark" and token.text in "$:@?*.-^/")
                or (token.kind == "word" and "=" not in key)
            ) or (token.kind == "word" and key in ("=", ":", "==")):
                key += folded(token.text)
            else:
                break
            what = meaning(key.replace("$", "").replace("{", "")) if key != "$" else None
            if what is not None:
                found = what, end + 1
        if found is None and self._misspelled and self._is_name(place):
            near = get_close_matches(self._text(place).lower(), errors.OPERATORS, 1)
            found = (Meaning(near[0]), place + 1) if near and len(self._text(place)) <= 20 else None
        if found is None and self._text(place).lower() in ("is", "not"):
            return (Meaning("eq", negated=self._text(place).lower() == "not"), place + 1)
        if found is not None:
            what, end = found
            if self._text(end).lower() == "either" and not self._ends(end + 1):
                end += 1
            found = what, end
            if self._text(end) == "{":
                return self._in_braces(end + 1) or found
            if self._text(end).lower() == "eq" and what.operator in ("has", "contains"):
                return None
        return found

    def _is_path_of_test(self, place: int) -> bool:
        """Whether a word that is an operator somewhere is a field here: ``before eq 5``."""
        token = self._at(place)
        if token is None or token.kind != "word" or self._meaning(place + 1) is None:
            return False
        return self.scope is None or fitting.find(self.scope, [token.text]) is not None

    def _in_braces(self, place: int) -> tuple[Meaning, int] | None:
        """``$gt:`` or ``"$gt":``, in ``size: {$gt: 5}``."""
        place += self._text(place) == "$"
        token = self._at(place)
        what = None if token is None else meaning(folded(token.text.strip("\"'").lstrip("$")))
        if what is None or self._text(place + 1) != ":":
            return None
        self._braced.add(place + 2)
        return what, place + 2

    def _fiql(self, place: int) -> tuple[Meaning, int] | None:
        """``=gt=``, ``=gt.``, ``=not.in.``, ``=!gt=``, ``:gt:``, ``.gt.``: an operator between marks."""
        opening = self._text(place)
        if opening not in ("=", ":", ".", "=!"):
            return None
        word, negated = place + 1, opening == "=!"
        if self._text(word).lower() == "not" and self._text(word + 1) == ".":
            word, negated = word + 2, True
        what = meaning(folded(self._text(word)))
        token = self._at(word)
        if what is None or token is None or token.kind != "word":
            return None
        closing = self._text(word + 1)
        end = word + 1
        if (
            closing in (("=", ".", ":", "(") if opening == "." else ("=", ".", ":"))
            and self.tokens[end].start == token.end
        ):
            end += closing != "("
        elif not (closing.startswith(".") and self.tokens[end].start == token.end):
            return None
        return what._replace(negated=what.negated != negated), end

    def _passed(self, what: Meaning, place: int) -> tuple[Meaning, int]:
        """Step over what only joins an operator and its value: ``=`` in ``size__gte=5``, ``.`` in ``size.gte.5``."""
        if self._text(place) in ("=", ":", ".", "/", "==") or self._text(place).lower() == "eq":
            place += 1
        return what, place

    def _path(self, place: int) -> tuple[tuple[str, ...], int]:
        """A path that the schema has."""
        names, end = self._steps_of_path(place)
        if fitting.find(self.scope, names) is None:
            raise Misfit
        return names, end

    def _steps_of_path(self, place: int) -> tuple[tuple[str, ...], int]:
        """Names that are joined, whatever the schema has: ``a.b``, ``a/b``, ``a->>'b'``, ``a['b']``, ``a[*].b``."""
        if self._text(place) == "$" and self._text(place + 1) == ".":
            place += 2
        elif self._text(place) in ("$", "@", "#") or (self._text(place) == "." and place == 0):
            place += 1
        if self._text(place) == "[" and self._is_name(place + 1) and self._text(place + 2) == "]":
            return (self._name(place + 1),), place + 3
        names = [self._name(place)]
        if self._is_quoted(place) and "." in names[0] and fitting.find(self.scope, names) is None:
            names = names[0].split(".")
        place += 1
        while len(names) < 12:
            if self._text(place) in (".", "/") and self._is_name(place + 1):
                names.append(self._name(place + 1))
                place += 2
            elif self._text(place) in ("-", "-") and self._text(place + 1) == ">":
                place += 2 + (self._text(place + 2) == ">")
                names.append(self._name(place, strings=True))
                place += 1
            elif self._texts(place, place + 2) in (["[", "]"], [".", "*"]):
                place += 2
            elif self._texts(place, place + 3) in (["[", "*", "]"], ["[", ":", "]"]):
                place += 3
            elif (
                self._text(place) == ":"
                and self._is_name(place + 1)
                and self.scope is not None
                and fitting.find(self.scope, [*names, self._text(place + 1)]) is not None
            ):
                names.append(self._name(place + 1))
                place += 2
            elif self._text(place) == "[" and self._is_quoted(place + 1) and self._text(place + 2) == "]":
                names.append(self._name(place + 1, strings=True))
                place += 3
            else:
                break
        if self._variable is not None and names[0] == self._variable and len(names) > 1:
            names = names[1:]
        return tuple(names), place

    def _is_name(self, place: int) -> bool:
        token = self._at(place)
        return token is not None and token.kind in ("word", "backquoted")

    def _is_quoted(self, place: int) -> bool:
        token = self._at(place)
        return token is not None and token.kind in ("string", "double")

    def _name(self, place: int, *, strings: bool = False) -> str:
        token = self._at(place)
        if (
            token is not None
            and token.kind == "word"
            and token.word not in ("and", "or", "not", "true", "false", "null")
        ):
            return token.text
        if token is not None and token.kind == "backquoted" and len(token.text) > 2:
            return unquote(token.text)
        if token is not None and token.kind == "double":
            return token.text[1:-1]
        if token is not None and strings and token.kind == "string":
            return unquote(token.text)
        raise Misfit

    def _value(self, place: int) -> tuple[Value, int]:
        """A literal in any spelling: ``'a'``, ``"a"``, ``NS.Type'Red'``, ``date('…')``, ``5L``, ``abc``."""
        self._step()
        token = self._at(place)
        if token is None:
            raise Misfit
        if token.kind == "string":
            return Value(token.text), self._after_cast(place + 1)
        if token.kind == "double":
            return Value(quote(token.text[1:-1])), self._after_cast(place + 1)
        if token.kind == "word":
            typed = self._typed(place)
            if typed is not None:
                return typed
        if token.text == "(":
            value, end = self._value(place + 1)
            return value, self._closed(end, ")")
        if token.text == "." or token.kind not in ("word", "number", "mark"):
            raise Misfit
        if token.kind == "mark" and token.text not in "*%-":
            raise Misfit
        return self._bare(place)

    def _typed(self, place: int) -> tuple[Value, int] | None:
        """``datetime'…'``, ``NS.Type'Red'``, ``DATE '…'``, ``ISODate("…")``; ``NS.Type.Red`` stays text."""
        names, end = [self._text(place)], place + 1
        while self._text(end) == "." and self._is_name(end + 1):
            names.append(self._text(end + 1))
            end += 2
        token = self._at(end)
        last = folded(names[-1])
        if token is None or token.kind not in ("string", "double", "mark"):
            return None
        quoted = token.kind in ("string", "double")
        if quoted and (token.start == self.tokens[end - 1].end or last in CASTS):
            self.reasons.append("typed")
            return Value(as_literal(token) or token.text), self._after_cast(end + 1)
        inner = self._at(end + 1)
        if token.text == "(" and last in CASTS and inner is not None and inner.kind in ("string", "double", "number"):
            self.reasons.append("typed")
            value, end = self._value(end + 1)
            return value, self._closed(end, ")")
        return None

    def _after_cast(self, place: int) -> int:
        """Step over ``::date``."""
        if self._text(place) == ":" and self._text(place + 1) == ":" and self._is_name(place + 2):
            return place + 3
        return place

    def _bare(self, place: int) -> tuple[Value, int]:
        """Text without quotes, up to a blank or a mark; a number where it is one."""
        start = self.tokens[place].start
        match = _RUN.match(self.text, start)
        if match is None:
            raise Misfit
        run = match[0]
        before = self._at(place - 1)
        if run.startswith(".") and before is not None and before.kind == "word" and before.end == start:
            run = run[1:]  # ``gte.5``
        end = place
        while end < len(self.tokens) and self.tokens[end].start < match.end():
            end += 1
        if TIMESTAMP.fullmatch(run) or (UUID.fullmatch(run) and not NUMBER.fullmatch(run)):
            return Value(quote(run)), end
        number = re.fullmatch(r"\+?(-?[0-9.eE+-]+)(?:[lLfFdDmM]|n)?", run)
        if number is not None and NUMBER.fullmatch(number[1]):
            return Value(number[1]), end
        if re.fullmatch(r"-?\.[0-9]+", run):
            return Value(run.replace(".", "0.", 1)), end
        literal = literal_of(run)
        if run.lower() in ("and", "or", "not") or (run.lower() in MEANINGS and run.lower() in errors.OPERATORS):
            raise Misfit
        if self.scope is not None and re.match(r"\w", run) and fitting.find(self.scope, run.split(".")) is not None:
            raise Misfit(hints_wording.no_field_values_hint(run))
        if self._text(end) == "(" and self.tokens[place].kind == "word":
            raise Misfit(hints_wording.function_hint(run, folds=folded(run) in FOLDS))
        if literal.startswith("'"):
            following = self._at(end)
            if following is not None and not self._ends(end) and following.text not in (",", "|", ")", "]", "}", "("):
                raise Misfit  # Text of several words.
        return Value(literal, bare=True), end

    def _list(self, place: int) -> tuple[list[Value], int]:
        """``('a', 'b')``, ``['a', 'b']``, ``{'a', 'b'}``, ``('a'; 'b')``, ``('a' or 'b')``, ``('a' 'b')``."""
        closing = CLOSING.get(self._text(place))
        if closing is None:
            raise Misfit
        values: list[Value] = []
        place += 1
        while self._text(place) != closing:
            value, place = self._value(place)
            values.append(value)
            if self._text(place).lower() in (",", ";", "|", "||", "or"):
                place += 1
        if not values:
            raise Misfit
        return values, place + 1

    def _at(self, place: int) -> Token | None:
        return self.tokens[place] if 0 <= place < len(self.tokens) else None

    def _text(self, place: int) -> str:
        return self.tokens[place].text if 0 <= place < len(self.tokens) else ""

    def _texts(self, start: int, end: int) -> list[str]:
        return [token.text for token in self.tokens[start:end]]

    def _key_at(self, place: int) -> str:
        return folded(self._text(place))

    def _connective(self, place: int) -> str | None:
        return CONNECTIVES.get(self._text(place).lower())

    def _ends(self, place: int) -> bool:
        """Whether a test may end before this token."""
        token = self._at(place)
        if token is None or token.text in (")", "]", "}", ",", ";"):
            return True
        return token.word in CONNECTIVES

    def _closed(self, place: int, closing: str) -> int:
        if self._text(place) != closing:
            raise Misfit
        return place + 1

    def _step(self) -> None:
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise Misfit

    def _deeper(self, read: Callable[[int], Part], start: int) -> Part:
        if self._depth > _MOST_DEPTH:
            raise Misfit
        self._depth += 1
        try:
            return read(start)
        finally:
            self._depth -= 1


def folded(text: str) -> str:
    """Return a word as `spellings` lists it."""
    return text.lower().replace("_", "").replace("-", "") if text not in ("-", "_") else text
