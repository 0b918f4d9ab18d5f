"""What a refused text says in the spelling of another language, written as this one has it.

A `Reader` reads one test from a token on, in whatever spelling: each form is a small method of `_FORMS`, with an example
of what it reads and what comes of it. A form that does not fit raises `Misfit`, and the next one is tried. What is
returned compiles under the schema, because `fitting` made it. Imported to explain errors only.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from astra_filter import errors
from astra_filter.language.names import unquote
from astra_filter.syntax import fitting
from astra_filter.syntax.fitting import Misfit
from astra_filter.syntax.lenient import NUMBER, TIMESTAMP, UUID, Token, as_literal, literal_of, quote
from astra_filter.syntax.spellings import CASTS, CONNECTIVES, MEANINGS, Meaning, meaning
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


_CLOSING = {"(": ")", "[": "]", "{": "}"}
_OPENING = frozenset("([{")
_FLIPPED = {"lt": "gt", "gt": "lt", "lte": "gte", "gte": "lte", "eq": "eq", "ne": "ne"}
_COMPARISONS = frozenset(_FLIPPED)
_TEXT = frozenset({"contains", "startswith", "endswith"})
_ORDER = frozenset({"lt", "lte", "gt", "gte"})
_NATIVE = frozenset({*errors.OPERATORS, "le", "ge"})
_FOLDS = frozenset({"tolower", "toupper", "lower", "upper", "lcase", "ucase", "casefold"})
_DATE_PARTS = frozenset({"year", "month", "day", "hour", "minute", "second", "week", "quarter", "weekday"})
_RUN = re.compile(r"[^\s'\"`()\[\]{},;=<>!&|]+")
_MOST_STEPS = 400
_MOST_DEPTH = 6


class Reader:
    """Reads foreign tests.

    Args:
        text: the whole text.
        tokens: the text's lenient tokens.
        scope: where paths begin: the schema's root, the element of a bracket, None where no schema says.
        misspelled: take a word that is near an operator for it.
    """

    def __init__(
        self, text: str, tokens: Sequence[Token], scope: Field | None, *, misspelled: bool = False
    ) -> None:
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

    # Filters ----------------------------------------------------------------------------------------------------------

    def read(self, start: int) -> Part:
        """Read a test and what goes on with it: ``a gt 5 and lt 9``, ``a = 1 && b = 2``.

        Raises:
            Misfit: there is no test here that can be told.
        """
        part = self._unary(start) if self._text(start) == "!" else self._test(start)
        while True:
            more = self._more(part)
            if more is None:
                return part
            part = more

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
            part = Part(f"{_grouped(part, 1)} and {_grouped(right, 1)}", right.end, 1)
        return part

    def _unary(self, start: int) -> Part:
        """``not (…)``, ``!…``, ``(…)`` or a test."""
        self._step()
        token = self._at(start)
        if token is not None and (token.word == "not" or token.text == "!"):
            inner = self._unary(start + 1)
            if token.text == "!":
                self.reasons.append("join not")
            return Part(f"not {_grouped(inner, 2)}", inner.end)
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
            if word == "and" and left.level == 0 or right.level == 0:
                return None
            self.reasons.append(f"join {word}")
            return Part(f"{left.text} {word} {right.text}", right.end, 1 if word == "and" else 0)
        if left.level != 2 or right.level != 2:
            return None
        self.reasons.append(word)
        one, other = left.text, right.text
        if word == "xor":
            return Part(f"({one} and {_opposite(other)} or {_opposite(one)} and {other})", right.end)
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
        if what.operator in ("null", "not null"):
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

    def _is_path_of_test(self, place: int) -> bool:
        """Whether a word that is an operator somewhere is a field here: ``before eq 5``."""
        token = self._at(place)
        if token is None or token.kind != "word" or self._meaning(place + 1) is None:
            return False
        return self.scope is None or fitting.find(self.scope, [token.text]) is not None

    # Tests ------------------------------------------------------------------------------------------------------------

    def _test(self, start: int) -> Part:
        self._step()
        for form in _FORMS:
            kept = len(self.reasons)
            try:
                return self._deeper(partial(form, self), start)
            except Misfit as misfit:
                del self.reasons[kept:]
                self._refusal = self._refusal or misfit.hint
        raise Misfit(self._refusal)

    def _before(self, start: int) -> Part:
        """``exists note``, ``exists(note)``, ``isnull(note)``, ``_exists_:note`` to ``note ne null``."""
        what = meaning(_key(self._text(start)))
        if what is None or what.operator not in ("null", "not null") or self._is_path_of_test(start):
            raise Misfit
        place = start + 1
        if self._text(place) == ":":
            place += 1
        called = self._text(place) == "("
        names, end = self._path(place + called)
        if called:
            end = self._closed(end, ")")
        return self._null(names, what, end)

    def _call(self, start: int) -> Part:
        """``contains(title, 'x') eq true``, ``substringof('x', title)``, ``eq(size, 5)``, ``year(made) eq 2020``."""
        name = _key(self._text(start))
        if self._text(start + 1) != "(" or self._at(start).kind != "word":  # type: ignore[union-attr]  # There is text.
            raise Misfit
        if name in ("and", "or", "not", "nor"):
            return self._polish(start, name)
        if name in ("indexof", "position", "instr", "strpos", "locate", "charindex"):
            return self._index_of(start + 2)
        if name in _DATE_PARTS or name in ("extract", "datepart"):
            return self._date_part(start)
        if name in ("date", "todate", "trunc") or name in _FOLDS:
            raise Misfit(hints_wording.function_hint(name, folds=name in _FOLDS))
        what = meaning(name)
        if name in ("any", "some") or (name in CASTS and what is None):
            raise Misfit
        if what is None:
            raise Misfit(hints_wording.function_hint(self._text(start), folds=False))
        names, values, end = self._arguments(start + 2, what)
        self._says(what)
        kept = len(self.reasons)
        test = self._of(names, what, values)
        if name in _TEXT and len(self.reasons) == kept + 1:
            self.reasons[-1] = "literal" if self._is_name(start + 2) else "order"
        if self._says_truth(end):
            self.reasons.append("truth")
            negated = (meaning(self._key_at(end)) == Meaning("ne")) != (self._text(end + 1).lower() in ("false", "0"))
            return Part(_opposite(test) if negated else test, end + 2)
        return Part(test, end, 2, None)

    def _operator_first(self, start: int) -> Part:
        """``contains title 'x'`` to ``title contains 'x'``."""
        what = meaning(_key(self._text(start)))
        if what is None or what.operator == "null" or self._is_path_of_test(start):
            raise Misfit
        names, place = self._path(start + 1)
        part = self._operand(names, what, place)
        self.reasons.append("order")
        return part

    def _arguments(self, place: int, what: Meaning) -> tuple[tuple[str, ...], list[Value], int]:
        """The field and the values between the parentheses of a call, in either order."""
        values: list[Value] = []
        names: tuple[str, ...] | None = None
        while True:
            self._step()
            token = self._at(place)
            if names is None and token is not None and token.kind in ("word", "backquoted"):
                try:
                    names, place = self._path(place)
                except Misfit:
                    value, place = self._value(place)
                    values.append(value)
            elif self._text(place) in _OPENING:
                listed, place = self._list(place)
                values += listed
            else:
                value, place = self._value(place)
                values.append(value)
            if self._text(place) == ")":
                break
            place += self._text(place) in (",", ";")
        end = self._closed(place, ")")
        if names is None:
            raise Misfit
        if not values and what.operator in ("null", "not null"):
            return names, values, end
        if len(values) != 1 and what.operator not in ("in", "any", "all", "between"):
            raise Misfit
        return names, values, end

    def _says_truth(self, place: int) -> bool:
        what = self._meaning(place)
        return (
            what is not None
            and what[1] == place + 1
            and what[0] in (Meaning("eq"), Meaning("ne"), Meaning("eq", negated=True))
            and self._text(place + 1).lower() in ("true", "false", "1", "0")
        )

    def _polish(self, start: int, name: str) -> Part:
        """``and(eq(size,5),gt(n,3))``, ``or(size.eq.5,title.eq.a)``, ``not(eq(size,5))`` to ``size eq 5 and n gt 3``."""
        parts: list[Part] = []
        place = start + 1
        while not parts or self._text(place) == ",":
            part = self._test(place + 1)
            parts.append(part)
            place = part.end
        end = self._closed(place, ")")
        self.reasons.append("prefix")
        if name == "not" or name == "nor":
            inner = parts[0] if len(parts) == 1 else Part(" or ".join([part.text for part in parts]), end, 0)
            return Part(f"not {_grouped(inner, 2)}", end)
        if len(parts) == 1:
            return parts[0]._replace(end=end)
        texts = [_grouped(part, 2) for part in parts]
        return Part("(" + f" {name} ".join(texts) + ")", end)

    def _index_of(self, place: int) -> Part:
        """``indexof(title, 'x') ge 0`` to ``title contains 'x'``; ``eq -1`` to its opposite, ``eq 0`` to ``startswith``."""
        names, values, place = self._arguments(place, Meaning("contains"))
        told = self._meaning(place)
        if told is None:
            raise Misfit
        number, end = self._value(told[1])
        key = (told[0].operator, number.text)
        if key in (("gte", "0"), ("gt", "-1"), ("ne", "-1")):
            what = Meaning("contains")
        elif key in (("eq", "-1"), ("lt", "0")):
            what = Meaning("contains", negated=True)
        elif key == ("eq", "0"):
            what = Meaning("startswith")
        else:
            raise Misfit(hints_wording.function_hint("indexof", folds=False))
        self._says(what)
        return Part(self._of(names, what, values), end)

    def _date_part(self, start: int) -> Part:
        """``year(made) eq 2020`` to ``(made gte '2020-01-01' and made lt '2021-01-01')``."""
        name = _key(self._text(start))
        place = start + 2
        if name in ("extract", "datepart"):
            name = _key(self._text(place))
            place += 2
        names, place = self._path(place)
        return self._year(names, name, self._closed(place, ")"))

    def _year(self, names: tuple[str, ...], name: str, place: int, what: Meaning | None = None) -> Part:
        told = self._meaning(place) if what is None else self._passed(what, place)
        if name != "year":
            raise Misfit(hints_wording.date_part_hint(name))
        if told is None or told[0].operator not in _COMPARISONS:
            raise Misfit(hints_wording.date_part_hint(name))
        value, end = self._value(told[1])
        if not re.fullmatch(r"'?[1-9][0-9]{3}'?", value.text) or value.text.strip("'") == "9999":
            raise Misfit(hints_wording.date_part_hint(name))
        number = int(value.text.strip("'"))
        first, following = quote(f"{number:04}-01-01"), quote(f"{number + 1:04}-01-01")
        operator = told[0].operator
        self.reasons.append("year")
        if operator in ("eq", "ne"):
            negated = (operator == "ne") != told[0].negated
            tests = [("gte", first), ("lt", following)]
            joined = fitting.several(self.scope, names, tests, "and", negated=negated)
            return Part(joined if negated or joined.endswith("]") else f"({joined})", end)
        if told[0].negated:
            raise Misfit
        real, bound = {
            "gt": ("gte", following), "gte": ("gte", first), "lt": ("lt", first), "lte": ("lt", following),
        }[operator]  # fmt: skip
        return Part(fitting.test(self.scope, names, real, [bound]), end)

    def _value_first(self, start: int) -> Part:
        """``5 lt size`` to ``size gt 5``; ``5 < size < 9``; ``'a' in tags``; ``null eq note``; ``'a' = any(tags)``."""
        token = self._at(start)
        if token is None or (token.kind in ("word", "backquoted") and token.word not in ("true", "false", "null")):
            raise Misfit
        value, place = self._value(start)
        told = self._meaning(place)
        if told is None:
            raise Misfit
        what, place = told
        called = self._text(place).lower() in ("any", "some", "all") and self._text(place + 1) == "("
        names, end = self._path(place + 2 * called)
        if called:
            end = self._closed(end, ")")
        if what.operator == "in" and not value.bare:
            what = Meaning("has", what.negated)
        elif what.operator in _FLIPPED:
            what = what._replace(operator=_FLIPPED[what.operator])
        else:
            raise Misfit
        self.reasons.append("order")
        if value.text == "null":
            return self._null(names, Meaning("not null" if _not_equal(what) else "null"), end)
        second = self._meaning(end)
        if second is not None and what.operator in _FLIPPED and second[0].operator in _COMPARISONS:
            other, end = self._value(second[1])
            tests = [(what.operator, value.text), (second[0].operator, other.text)]
            joined = fitting.several(self.scope, names, tests, "and")
            return Part(joined if joined.endswith("]") else f"({joined})", end)
        return Part(self._of(names, what, [value]), end)

    def _elements(self, start: int) -> Part:
        """``parts/any(p: p/n gt 5)`` to ``parts[n gt 5]``; ``tags/any(t: t eq 'a')`` to ``tags eq 'a'``."""
        names, place = self._steps_of_path(start)
        opening = self._text(place)
        kind = names[-1].lower() if len(names) > 1 else ""
        if kind in ("any", "some", "exists", "all", "every", "elemmatch", "filter", "find") and opening == "(":
            names = names[:-1]
        elif opening in ("(", "{", "["):
            kind = "any"
        else:
            raise Misfit
        found = fitting.find(self.scope, names)
        inner = self._at(place + 1)
        if opening == "[" and inner is not None and inner.kind == "number" and self._text(place + 2) == "]":
            raise Misfit(hints_wording.no_positions_hint())
        if found is None or (found.field is None and opening != "(") or not (
            found.field is None or fitting.is_array(found.field)
        ):
            raise Misfit
        place += 1
        variable = None
        if self._at(place) is not None and self._at(place).kind == "word":  # type: ignore[union-attr]
            after = self._text(place + 1)
            if after in (":", "=>", "|") or (after == "," and opening == "(") or (after == "-" and self._text(place + 2) == ">"):
                variable = self._text(place)
                place += 3 if after == "-" else 2
            elif after == "=" and self._text(place + 2) == ">":
                variable, place = self._text(place), place + 3
        return self._inside(tuple(names), place, kind in ("all", "every"), variable, _CLOSING[opening])

    def _inside(self, names: tuple[str, ...], place: int, every: bool, variable: str | None, closing: str) -> Part:
        found = fitting.find(self.scope, names)
        assert found is not None
        outer = self.scope, self._variable
        scalars = fitting.is_array(found.field) and not fitting.has_members(found.field)
        try:
            if scalars:
                if variable is None or every:
                    raise Misfit(hints_wording.one_element_hint(".".join(names)))
                self._variable = variable
                return self._scalar_element(names, place, variable, closing)
            self.scope, self._variable = fitting.scope_of(found.field), variable
            inner = self._deeper(self._disjunction, place)
            end = self._closed(inner.end, closing)
        finally:
            self.scope, self._variable = outer
        self.reasons.append("element")
        path = fitting.path_text(names)
        if every:
            return Part(f"not {path}[{_opposite(inner.text) if inner.level == 2 else f'not ({inner.text})'}]", end)
        return Part(f"{path}[{inner.text}]", end)

    def _scalar_element(self, names: tuple[str, ...], place: int, variable: str, closing: str) -> Part:
        """What stands for some element that is a value: one positive test of it."""
        values: list[Value] = []
        what = None
        if self._text(place + 1) == "(" and meaning(_key(self._text(place))) is not None:
            what = meaning(_key(self._text(place)))
            rest = place + 2
            first = self._text(rest) == variable
            value, end = self._value(rest + 2 if first else rest)
            end = self._closed(end if first else end + 2, ")")
            values.append(value)
        elif self._text(place) == variable and (told := self._meaning(place + 1)) is not None:
            what, end = told
            if what.operator == "in":
                values, end = self._list(end)
            else:
                value, end = self._value(end)
                values.append(value)
        if what is None or what.negated or what.operator in ("ne", "null", "not null", "has") or not values:
            raise Misfit
        self.reasons.append("elements")
        return Part(self._of(names, what, values), self._closed(end, closing))

    def _bracketed_operator(self, start: int) -> Part:
        """``size[gte]=5`` to ``size gte 5``."""
        names, place = self._steps_of_path(start)
        closing = place + (3 if self._text(place + 1) == "$" else 2)
        what = meaning(_key(self._text(closing - 1)))
        if self._text(place) != "[" or what is None or self._text(closing) != "]":
            raise Misfit
        if fitting.find(self.scope, names) is None:
            raise Misfit
        place = closing + 1
        place += self._text(place) in ("=", ":", "==") or self._text(place).lower() == "eq"
        return self._operand(names, what, place)

    def _plain(self, start: int) -> Part:
        """``title isnt 'x'``, ``size=gt=5``, ``size__gte=5``, ``title.includes('x')``, ``title:x``, ``{size: {$gt: 5}}``."""
        braces = 0
        while self._text(start) == "{":
            braces, start = braces + 1, start + 1
        if self._text(start) in ("-", "+") and self._text(start + 2) == ":":  # Lucene
            part = self._plain(start + 1)
            return part._replace(text=_opposite(part.text), subject=None) if self._text(start) == "-" else part
        called = self._text(start).lower() in ("any", "some") and self._text(start + 1) == "("
        if called:
            names, begin = self._path(start + 2)
            begin = self._closed(begin, ")")
            told = self._meaning(begin)
        else:
            names, begin = self._steps_of_path(start)
            part = self._member(names, begin)
            if part is not None:
                return part
            names, begin, told = self._subject(start)
        if told is None:
            raise Misfit
        what, place = told
        if called and what == Meaning("eq"):
            what = Meaning("has")
        native = place == begin + 1 and self._text(begin).lower() in _NATIVE
        kept = len(self.reasons)
        part = self._operand(names, what, place)
        if native and len(self.reasons) == kept + 1 and self.reasons[-1] in errors.OPERATORS:
            self.reasons[-1] = "literal"
        end = part.end
        while braces:
            end, braces = self._closed(end, "}"), braces - 1
        return part._replace(end=end)

    def _member(self, names: tuple[str, ...], place: int) -> Part | None:
        """``made.year eq 2020``, ``made__year=2020``; ``title.length gt 3``, which nothing means."""
        if fitting.find(self.scope, names) is not None and self.scope is not None:
            return None
        path = (*names[:-1], *names[-1].split("__"))
        if len(path) > 2 and _key(path[-2]) in _DATE_PARTS and meaning(_key(path[-1])) is not None:
            if self.scope is None or fitting.find(self.scope, path[:-2]) is None:
                return None
            return self._year(path[:-2], _key(path[-2]), place, meaning(_key(path[-1])))
        if len(path) < 2 or self.scope is None or fitting.find(self.scope, path[:-1]) is None:
            return None
        name = _key(path[-1])
        if name in _DATE_PARTS:
            return self._year(path[:-1], name, place)
        if name in ("length", "len", "size", "count") or name in _FOLDS:
            raise Misfit(hints_wording.function_hint(path[-1], folds=name in _FOLDS))
        return None

    def _subject(self, start: int) -> tuple[tuple[str, ...], int, tuple[Meaning, int] | None]:
        """The path of a test and its operator, which may hang on the path: ``size__gte``, ``size.gt``, ``made.year``."""
        names, place = self._steps_of_path(start)
        if fitting.find(self.scope, names) is not None and (
            self.scope is not None or len(names) == 1 or self._text(place) != "("
        ):
            return names, place, self._meaning(place)
        if len(names) > 1 and (what := meaning(_key(names[-1]))) is not None:
            if fitting.find(self.scope, names[:-1]) is not None:
                return names[:-1], place, self._passed(what, place)
        for index in range(1, len(names) - 1):  # ``title.eq.abc``
            what = meaning(_key(names[index]))
            if what is not None and fitting.find(self.scope, names[:index]) is not None:
                return names[:index], place, (what, place - 2 * (len(names) - index - 1) + 1)
        if len(names) > 2 and names[-2].lower() == "not" and fitting.find(self.scope, names[:-2]) is not None:
            what = meaning(_key(names[-1]))
            if what is not None:
                return names[:-2], place, self._passed(what._replace(negated=True), place)
        for mark in ("__", "_"):
            head, found, tail = names[-1].rpartition(mark)
            while found:
                path = (*names[:-1], *head.split(mark)) if mark == "__" else (*names[:-1], head)
                what = meaning(_key(tail))
                if what is not None and all(path) and fitting.find(self.scope, path) is not None:
                    return path, place, self._passed(what, place)
                head, found, last = head.rpartition(mark)
                tail = last + mark + tail
                if len(tail) > 40:
                    break
        raise Misfit

    def _passed(self, what: Meaning, place: int) -> tuple[Meaning, int]:
        """Step over what only joins an operator and its value: ``=`` in ``size__gte=5``, ``.`` in ``size.gte.5``."""
        if self._text(place) in ("=", ":", ".", "/", "==") or self._text(place).lower() == "eq":
            place += 1
        return what, place

    def _operand(self, names: tuple[str, ...], what: Meaning, place: int) -> Part:
        """The value, the list or nothing that an operator takes, and the test that comes of it."""
        if what.operator in ("null", "not null"):
            end, truth = self._truth(place)
            if not truth:
                what = what._replace(negated=not what.negated)
            return self._null(names, what, end)
        if what.operator in ("between", "outside") or (what.operator == "in" and self._is_range(place)):
            return self._between(names, what, place)
        if what.operator in ("eq", "ne") and self._is_range(place):
            return self._between(names, Meaning("between", what.negated != (what.operator == "ne")), place)
        opening = self._text(place)
        if opening == "(" and what.operator not in ("in", "any", "all"):
            listed, end = self._list(place)
            if len(listed) == 1:
                self._says(what)
                return Part(self._of(names, what, listed), end, 2, (names, what))
        if opening in _OPENING:
            values, end = self._list(place)
        else:
            value, end = self._value(place)
            values = [value]
            while self._text(end) in (",", "|") and what.operator in ("in", "eq", "ne", "any", "all"):
                try:
                    value, after = self._value(end + 1)
                except Misfit:
                    break
                if value.bare and self._is_name(end + 1) and fitting.find(self.scope, [self._text(end + 1)]) is not None:
                    if self.scope is not None:
                        break
                if not self._ends(after) and self._text(after) not in (",", "|"):
                    break
                values, end = [*values, value], after
        if len(values) > 1 and what.operator in ("eq", "ne"):
            what = Meaning("in", what.negated != (what.operator == "ne"))
            self.reasons.append("list not in" if what.negated else "list in")
        elif what.operator == "in" and (opening != "(" or len(values) == 0):
            if len(values) == 1 and opening not in _OPENING and not what.negated and "in" == self._text(place - 1).lower():
                raise Misfit
            self.reasons.append("list not in" if what.negated else "list in")
        if not self._ends(end) and self._meaning(end) is None:
            raise Misfit
        self._says(what)
        braced = self._text(end) == "}" and place in self._braced
        return Part(self._of(names, what, values), end + braced, 2, (names, what))

    def _truth(self, place: int) -> tuple[int, bool]:
        """Step over the ``true`` or ``false`` behind ``isnull``, ``exists``."""
        start = place
        if self._text(place) in ("=", ":", ".", "==", "(") or self._text(place).lower() == "eq":
            place += 1
        word = self._text(place).lower().strip("'")
        if word in ("true", "false", "1", "0"):
            place += 1
            if self._text(start) == "(":
                place = self._closed(place, ")")
            return place, word in ("true", "1")
        if self._text(start) == "(" and self._text(start + 1) == ")":
            return start + 2, True
        return start, True

    def _null(self, names: tuple[str, ...], what: Meaning, end: int) -> Part:
        """``note isnull`` to ``note eq null``."""
        if not self._ends(end):
            raise Misfit
        end += self._text(end) == "}" and end - 1 in self._braced
        operator = "eq" if (what.operator == "null") != what.negated else "ne"
        test = fitting.test(self.scope, names, operator, ["null"])
        self.reasons.append(operator)
        return Part(test, end)

    def _is_range(self, place: int) -> bool:
        """Whether ``5..9`` or ``[5 TO 9]`` stands here."""
        token = self._at(place)
        if token is not None and token.text in ("(", "[", "{"):
            return self._text(place + 2).lower() == "to" or (
                (self._at(place + 1) or token).kind == "number" and ".." in self._text(place + 1)
            )
        return token is not None and token.kind == "number" and ".." in token.text

    def _between(self, names: tuple[str, ...], what: Meaning, place: int) -> Part:
        """``between 1 and 5``, ``in (1, 5)``, ``5..9``, ``[5 TO 9]`` to ``(size gte 5 and size lte 9)``."""
        opening = self._text(place) if self._text(place) in _OPENING else ""
        place += bool(opening)
        low_end, high_end = "gte", "lte"
        token = self._at(place)
        if token is not None and token.kind == "number" and ".." in token.text:
            low, _, high = token.text.partition("..")
            bounds = [Value(low), Value(high.lstrip("."))]
            end = place + 1
            if not all(NUMBER.fullmatch(bound.text) for bound in bounds):
                raise Misfit
        else:
            first, place = self._value(place)
            place += self._text(place).lower() in ("and", ",", "to", "-", ";", "&", "&&")
            if opening == "{":
                low_end = "gt"
            second, end = self._value(place)
            bounds = [first, second]
        if opening:
            if self._text(end) == "}" and opening == "{":
                high_end = "lt"
            end = self._closed(end, self._text(end) if self._text(end) in ("]", "}") and opening != "(" else ")")
        negated = what.negated != (what.operator == "outside")
        low, high = (low_end, bounds[0].text), (high_end, bounds[1].text)
        return Part(self._bounded(names, negated, low, high), end)

    def _bounded(self, names: tuple[str, ...], negated: bool, low: tuple[str, str], high: tuple[str, str]) -> str:
        """Write what lies between two bounds, or outside of them: ``(size gte 5 and size lte 9)``."""
        if {low[1], high[1]} & {"'*'", "null"}:
            raise Misfit
        found = fitting.find(self.scope, names)
        if negated and found is not None and not found.bracket and not fitting.is_array(found.field):
            # A null is outside for nobody: as SQL has it.
            self.reasons.append("lt and gt")
            tests = [("lt", low[1]), ("gt", high[1])]
            return f"({fitting.several(self.scope, names, tests, 'or')})"
        self.reasons.append(f"{low[0]} and {high[0]}")
        joined = fitting.several(self.scope, names, [low, high], "and", negated=negated)
        return joined if negated or joined.endswith("]") else f"({joined})"

    # From meanings to tests -------------------------------------------------------------------------------------------

    def _says(self, what: Meaning) -> None:
        if what.folded:
            self.reasons.append("folded")

    def _of(self, names: tuple[str, ...], what: Meaning, values: Sequence[Value]) -> str:
        """Write what a spelling says with the operators of the language."""
        operator, negated, _ = what
        texts = [value.text for value in values]
        if not texts:
            raise Misfit
        elements = fitting.takes_elements(self.scope, names)
        if operator in ("like", "glob", "similar", "regex") or (
            operator == "eq" and len(values) == 1 and values[0].bare and "*" in texts[0] and len(texts[0]) > 3
        ):
            stars = operator in ("eq", "like") and values[0].bare and "%" not in texts[0]
            operator, text = _pattern("glob" if stars else operator, texts[0])
            texts = [text]
        elif operator in ("any", "all") and len(texts) == 1:
            operator = "has"
        if operator in ("between", "outside") and len(texts) == 2:
            return self._bounded(names, negated != (operator == "outside"), ("gte", texts[0]), ("lte", texts[1]))
        if operator in ("any", "all"):
            return self._of_several(names, operator, texts, elements=elements, negated=negated)
        if operator == "has" or (operator == "contains" and elements and not self._takes_contains(names)):
            if elements:
                operator = "eq"
                found = fitting.find(self.scope, names)
                if found is not None and fitting.is_array(found.field):
                    self.reasons.append("has")
            else:
                operator = "contains"
        if operator == "contains" and not elements and texts and texts[0] == "null":
            raise Misfit
        if operator in ("eq", "ne") and texts == ["null"]:
            negated = negated != (operator == "ne")
            operator = "ne" if negated else "eq"
            self.reasons.append(operator)
            return fitting.test(self.scope, names, operator, ["null"])
        opposite = {"eq": "ne", "ne": "eq", "in": "not in"}.get(operator)
        if negated and opposite is not None:
            operator, negated = opposite, False
        test = fitting.test(self.scope, names, operator, texts)
        self.reasons.append(operator)
        return f"not {test}" if negated else test

    def _of_several(
        self, names: tuple[str, ...], operator: str, texts: Sequence[str], *, elements: bool, negated: bool
    ) -> str:
        """``tags has any ('a', 'b')`` to ``tags in ('a', 'b')``; ``has all`` to one test for each."""
        if elements and operator == "any":
            self.reasons.append("not in" if negated else "in")
            return fitting.test(self.scope, names, "not in" if negated else "in", texts)
        word = "eq" if elements else "contains"
        tests = [fitting.test(self.scope, names, word, [text]) for text in texts[:20]]
        self.reasons.append(word)
        joined = (" and " if operator == "all" else " or ").join(tests)
        if len(tests) > 1:
            joined = f"({joined})"
        return f"not {joined}" if negated else joined

    def _takes_contains(self, names: tuple[str, ...]) -> bool:
        try:
            fitting.test(self.scope, names, "contains", ["'a'"])
        except Misfit:
            return False
        return True

    # Operators --------------------------------------------------------------------------------------------------------

    def _meaning(self, place: int) -> tuple[Meaning, int] | None:
        """Read the longest operator from a token on: ``is not greater than``, ``=gte=``, ``=not.eq.``, ``!=``."""
        fiql = self._fiql(place)
        if fiql is not None:
            return fiql
        key = ""
        found: tuple[Meaning, int] | None = None
        for end in range(place, min(place + 8, len(self.tokens))):
            token = self.tokens[end]
            if token.word in ("a", "an", "the") and key:
                continue
            if token.text == "$" and not (self._is_name(end + 1) and self.tokens[end + 1].start == token.end):
                break
            if token.kind == "symbol" or (token.kind == "mark" and token.text in "$:@?*.-^/") or (
                token.kind == "word" and "=" not in key
            ):
                key += _key(token.text)
            elif token.kind == "word" and key in ("=", ":", "=="):
                key += _key(token.text)
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
            if self._text(end) == "{":
                return self._in_braces(end + 1) or found
            if self._text(end).lower() == "eq" and what.operator in ("has", "contains"):
                return None
        return found

    def _in_braces(self, place: int) -> tuple[Meaning, int] | None:
        """``$gt:`` or ``"$gt":``, in ``size: {$gt: 5}``."""
        place += self._text(place) == "$"
        token = self._at(place)
        what = None if token is None else meaning(_key(token.text.strip("\"'").lstrip("$")))
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
        what = meaning(_key(self._text(word)))
        token = self._at(word)
        if what is None or token is None or token.kind != "word":
            return None
        closing = self._text(word + 1)
        end = word + 1
        if closing in (("=", ".", ":", "(") if opening == "." else ("=", ".", ":")) and self.tokens[end].start == token.end:
            end += closing != "("
        elif not (closing.startswith(".") and self.tokens[end].start == token.end):
            return None
        return what._replace(negated=what.negated != negated), end

    # Paths ------------------------------------------------------------------------------------------------------------

    def _path(self, place: int) -> tuple[tuple[str, ...], int]:
        """A path that the schema has."""
        names, end = self._steps_of_path(place)
        if fitting.find(self.scope, names) is None:
            raise Misfit
        return names, end

    def _steps_of_path(self, place: int) -> tuple[tuple[str, ...], int]:
        """Names joined by dots, slashes or arrows, whatever the schema has: ``a.b``, ``a/b``, ``a->>'b'``, ``a['b']``."""
        if self._text(place) in ("$", "@", "#") or (self._text(place) == "." and place == 0):
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
        if token is not None and token.kind == "word" and token.word not in ("and", "or", "not", "true", "false", "null"):
            return token.text
        if token is not None and token.kind == "backquoted" and len(token.text) > 2:
            return unquote(token.text)
        if token is not None and token.kind == "double":
            return token.text[1:-1]
        if token is not None and strings and token.kind == "string":
            return unquote(token.text)
        raise Misfit

    # Values -----------------------------------------------------------------------------------------------------------

    def _value(self, place: int) -> tuple[Value, int]:
        """A literal in any spelling: ``'a'``, ``"a"``, ``datetime'…'``, ``NS.Type'Red'``, ``date('…')``, ``5L``, ``abc``."""
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
        last = _key(names[-1])
        if token is None or token.kind not in ("string", "double", "mark"):
            return None
        quoted = token.kind in ("string", "double")
        if quoted and (token.start == self.tokens[end - 1].end or last in CASTS):
            self.reasons.append("typed")
            return Value(as_literal(token) or token.text), self._after_cast(end + 1)
        inner = self._at(end + 1)
        if token.text == "(" and last in CASTS and inner is not None and inner.kind in ("string", "double", "number"):
            self.reasons.append("typed")
            literal = as_literal(inner)
            if literal is None:
                raise Misfit
            return Value(literal), self._closed(end + 2, ")")
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
        if TIMESTAMP.fullmatch(run) or UUID.fullmatch(run) and not NUMBER.fullmatch(run):
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
            raise Misfit(hints_wording.function_hint(run, folds=_key(run) in _FOLDS))
        if literal.startswith("'"):
            following = self._at(end)
            if following is not None and not self._ends(end) and following.text not in (",", "|", ")", "]", "}", "("):
                raise Misfit  # Text of several words.
        return Value(literal, bare=True), end

    def _list(self, place: int) -> tuple[list[Value], int]:
        """``('a', 'b')``, ``['a', 'b']``, ``{'a', 'b'}``, ``('a'; 'b')``, ``('a' or 'b')``, ``('a' 'b')``."""
        closing = _CLOSING.get(self._text(place))
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

    # Tokens -----------------------------------------------------------------------------------------------------------

    def _at(self, place: int) -> Token | None:
        return self.tokens[place] if 0 <= place < len(self.tokens) else None

    def _text(self, place: int) -> str:
        return self.tokens[place].text if 0 <= place < len(self.tokens) else ""

    def _texts(self, start: int, end: int) -> list[str]:
        return [token.text for token in self.tokens[start:end]]

    def _key_at(self, place: int) -> str:
        return _key(self._text(place))

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
        if self._depth > _MOST_DEPTH * 3:
            raise Misfit
        self._depth += 1
        try:
            return read(start)
        finally:
            self._depth -= 1


_FORMS = (
    Reader._before,
    Reader._call,
    Reader._operator_first,
    Reader._value_first,
    Reader._elements,
    Reader._bracketed_operator,
    Reader._plain,
)
"""The forms of a test, tried in this order."""


def _key(text: str) -> str:
    return text.lower().replace("_", "").replace("-", "") if text not in ("-", "_") else text


def _grouped(part: Part, level: int) -> str:
    return part.text if part.level >= level else f"({part.text})"


def _opposite(test: str) -> str:
    return test.removeprefix("not ") if test.startswith("not ") else f"not {test}"


def _is_negative(what: Meaning) -> bool:
    """Whether ``ne 'a' or 'b'`` would be true of everything."""
    return what.negated or what.operator == "ne"


def _not_equal(what: Meaning) -> bool:
    return (what.operator == "ne") != what.negated


def _pair(test: str) -> tuple[str, str] | None:
    """Return operator and literal of a test that has one literal."""
    match = re.search(r" (eq|lt|lte|gt|gte|contains|startswith|endswith) ('(?:[^']|'')*'|[^ ']+)$", test)
    return None if match is None or test.startswith("not ") else (match[1], match[2])


def _pattern(kind: str, literal: str) -> tuple[str, str]:
    """Return operator and literal of a pattern: ``startswith 'x'`` for ``like 'x%'``, ``glob 'x*'``, ``regex '^x'``.

    Raises:
        Misfit: no operator says it.
    """
    if not literal.startswith("'"):
        literal = quote(literal)
    inner = unquote(literal)
    if kind == "regex":
        begins, ends = inner.startswith("^"), inner.endswith("$")
        inner = inner.removeprefix("^").removesuffix("$")
        begins, inner = (False, inner[2:]) if inner.startswith(".*") else (begins, inner)
        ends, inner = (False, inner[:-2]) if inner.endswith(".*") else (ends, inner)
        wrong = re.search(r"[\\.*+?(){}\[\]|^$]", inner) is not None
    else:
        many, one = ("*", "?[") if kind == "glob" else ("%", "_")
        begins, ends = not inner.startswith(many), not inner.endswith(many) or inner == many
        inner = inner.strip(many)
        wrong = any(mark in inner for mark in many + one + "\\") or (
            kind == "similar" and re.search(r"[|*+?(){}\[\]]", inner) is not None
        )
    if wrong or not inner:
        raise Misfit(hints_wording.pattern_hint(kind))
    operator = {(True, True): "eq", (True, False): "startswith", (False, True): "endswith"}.get((begins, ends))
    return operator or "contains", quote(inner)
