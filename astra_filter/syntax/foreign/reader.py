"""What a refused text says in the spelling of another language, written as this one has it.

A `Reader` reads one test from a token on, and what goes on with it: ``a gt 5 and lt 9``. What it returns compiles under
the schema, because `fitting` made it. Imported to explain errors only.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from astra_filter.syntax import fitting
from astra_filter.syntax.fitting import Misfit
from astra_filter.syntax.foreign.cursor import NULLS, Part
from astra_filter.syntax.foreign.forms import Forms, grouped, opposite

if TYPE_CHECKING:
    from astra_filter.syntax.foreign.spellings import Meaning

_FIQL = re.compile(r"\w=[a-z]*=[\w'\"*(]")
"""Where tests are written so, a comma is an *or*: ``kind==Red,size=gt=5``."""
_ORDER = frozenset({"lt", "lte", "gt", "gte"})


class Reader(Forms):
    """Reads foreign tests; the arguments are those of `Cursor`."""

    def read(self, start: int) -> Part:
        """Read a test and what goes on with it: ``a gt 5 and lt 9``, ``a = 1 && b = 2``.

        Raises:
            Misfit: there is no test here that can be told.
        """
        part = self._unary(start) if self._text(start) in ("!", "(") else self._test(start)
        if self._text(start) == "(":
            part = self._without_truth(part)
        while True:
            more = self._more(part)
            if more is None:
                return part
            part = more

    def _without_truth(self, group: Part) -> Part:
        """``(size gt 5) eq true`` to ``(size gt 5)``."""
        if not self._says_truth(group.end):
            raise Misfit
        negated = self._is_untrue(group.end)
        self.reasons.append("truth")
        return Part(f"not ({group.text})" if negated else f"({group.text})", group.end + 2)

    def read_all(self) -> str:
        """Read the whole text as one filter.

        Raises:
            Misfit: it is none.
        """
        part = self._disjunction(0)
        if part.end != len(self.tokens):
            raise Misfit
        return part.text

    def _disjunction(self, start: int) -> Part:
        part = self._conjunction(start)
        while self._connective(part.end) == "or":
            right = self._conjunction(part.end + 1)
            part = Part(f"{part.text} or {right.text}", right.end, 0)
        return part

    def _conjunction(self, start: int) -> Part:
        part = self._unary(start)
        while self._connective(part.end) == "and":
            right = self._unary(part.end + 1)
            part = Part(f"{grouped(part, 1)} and {grouped(right, 1)}", right.end, 1)
        return part

    def _unary(self, start: int) -> Part:
        """``not (…)``, ``!…``, ``(…)`` or a test."""
        self._step()
        token = self._at(start)
        if token is not None and (token.word == "not" or token.text == "!"):
            inner = self._unary(start + 1)
            if token.text == "!":
                self.reasons.append("join not")
            return Part(f"not {grouped(inner, 2)}", inner.end)
        if token is not None and token.text == "(":
            inner = self._deeper(self._disjunction, start + 1)
            if self._text(inner.end) != ")":
                raise Misfit
            return inner._replace(end=inner.end + 1, subject=None)
        return self._test(start)

    def _more(self, left: Part) -> Part | None:
        """What goes on with a test: the same field again, or a test joined by a symbol."""
        word = self._connective(left.end)
        if word is None:
            return self._run_on(left)
        spelled = self._text(left.end).lower()
        if spelled == "," and _FIQL.search(self.text[:1000]):
            word = "or"
        if spelled in (",", ";") and self._at(left.end + 1) is None:
            return None
        try:
            again = self._again(left, word)
        except Misfit:
            again = None
        if again is not None:
            return again
        if word == spelled and word in ("and", "or"):
            return None  # A join of this language: what follows is read when it is wrong itself.
        try:
            right = self._unary(left.end + 1)
        except Misfit:
            return None
        if word in ("and", "or"):
            if (word == "and" and left.level == 0) or right.level == 0:
                return None
            self.reasons.append(f"join {word}")
            return Part(f"{left.text} {word} {right.text}", right.end, 1 if word == "and" else 0)
        if left.level != 2 or right.level != 2:
            return None
        self.reasons.append(word)
        one, other = left.text, right.text
        if word == "xor":
            return Part(f"({one} and {opposite(other)} or {opposite(one)} and {other})", right.end)
        return Part(f"not ({one} {'or' if word == 'nor' else 'and'} {other})", right.end)

    def _run_on(self, left: Part) -> Part | None:
        """``size gt 5 lt 9`` to ``size gt 5 and size lt 9``."""
        told = self._meaning(left.end)
        if left.subject is None or told is None or {left.subject[1].operator, told[0].operator} - _ORDER:
            return None
        try:
            return self._again(left._replace(end=left.end - 1), "and")
        except Misfit:
            return None

    def _again(self, left: Part, word: str) -> Part | None:
        """``size gt 5 and lt 9`` to ``size gt 5 and size lt 9``; ``kind eq 'a' or 'b'`` to ``kind in ('a', 'b')``."""
        if left.subject is None or word not in ("and", "or"):
            return None
        names, first = left.subject
        place = left.end + 1
        negated = self._text(place).lower() == "not"
        token = self._at(place + negated)
        is_value = token is not None and (token.kind in ("string", "double", "number") or token.word == "null")
        told = None if is_value else self._meaning(place + negated)
        if told is not None and self._is_path_of_test(place):
            return None
        what, place = (first, place + negated) if told is None else told
        what = what._replace(negated=what.negated != negated)
        if what.operator in NULLS:
            right, end, *_ = self._null(names, what, place)
        else:
            value, end = self._value(place)
            if not self._ends(end) or (told is None and word == "or" and _is_negative(what)):
                return None
            right = self._of(names, what, [value])
        found = fitting.find(self.scope, names)
        through = found is not None and (found.bracket or fitting.is_array(found.field))
        if through and word == "and" and left.level == 2:
            # One element that satisfies both is meant.
            pairs = [_pair(left.text), _pair(right)]
            if None in pairs:
                raise Misfit
            joined = fitting.several(self.scope, names, [pair for pair in pairs if pair is not None], "and")
            self.reasons.append("repeat")
            return Part(joined, end, 2)
        if left.level == 0 and word == "and":
            return None
        self.reasons.append("repeat")
        return Part(f"{left.text} {word} {right}", end, 1 if word == "and" else 0, (names, what))

    def _test(self, start: int) -> Part:
        self._step()
        forms = (
            self._before,
            self._call,
            self._operator_first,
            self._value_first,
            self._elements,
            self._bracketed_operator,
            self._plain,
        )
        for form in forms:
            kept = len(self.reasons)
            try:
                return self._deeper(form, start)
            except Misfit as misfit:
                del self.reasons[kept:]
                self._refusal = self._refusal or misfit.hint
        raise Misfit(self._refusal)


def _is_negative(what: Meaning) -> bool:
    """Whether ``ne 'a' or 'b'`` would be true of everything."""
    return what.negated or what.operator == "ne"


def _pair(test: str) -> tuple[str, str] | None:
    """Return operator and literal of a test that has one literal."""
    match = re.search(r" (eq|lt|lte|gt|gte|contains|startswith|endswith) ('(?:[^']|'')*'|[^ ']+)$", test)
    return None if match is None or test.startswith("not ") else (match[1], match[2])
