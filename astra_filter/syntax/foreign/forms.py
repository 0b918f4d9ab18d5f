"""The forms that a test has in other languages, a method each, with an example of what it reads and what comes of it.

A form that does not fit raises `Misfit`, and the next one is tried.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from astra_filter import errors
from astra_filter.language.names import path_text
from astra_filter.syntax import fitting
from astra_filter.syntax.fitting import Misfit
from astra_filter.syntax.foreign.cursor import CLOSING, FOLDS, NULLS, Part, Value, folded
from astra_filter.syntax.foreign.spellings import CASTS, Meaning, meaning
from astra_filter.syntax.foreign.writing import COMPARISONS, Writer
from astra_filter.wording import hints as hints_wording

_FLIPPED = {"lt": "gt", "gt": "lt", "lte": "gte", "gte": "lte", "eq": "eq", "ne": "ne"}
_TEXT = frozenset({"contains", "startswith", "endswith"})
_NATIVE = frozenset({*errors.OPERATORS, "le", "ge"})
_DATE_PARTS = frozenset({"year", "month", "day", "hour", "minute", "second", "week", "quarter", "weekday"})


class Forms(Writer, ABC):
    """Reads one test in whatever form."""

    @abstractmethod
    def _disjunction(self, start: int) -> Part:
        """Read a whole filter, as it stands inside parentheses."""

    @abstractmethod
    def _test(self, start: int) -> Part:
        """Read a test in the first form that fits."""

    def _before(self, start: int) -> Part:
        """``exists note``, ``exists(note)``, ``isnull(note)``, ``_exists_:note`` to ``note ne null``."""
        what = meaning(folded(self._text(start)))
        if what is None or what.operator not in NULLS or self._is_path_of_test(start):
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
        name = folded(self._text(start))
        if self._text(start + 1) != "(" or self._at(start).kind != "word":  # type: ignore[union-attr]  # There is text.
            raise Misfit
        if name in ("and", "or", "not", "nor"):
            return self._polish(start, name)
        if name in ("indexof", "position", "instr", "strpos", "locate", "charindex"):
            return self._index_of(start + 2)
        if name in _DATE_PARTS or name in ("extract", "datepart"):
            return self._date_part(start)
        if name in ("date", "todate", "trunc") or name in FOLDS:
            raise Misfit(hints_wording.function_hint(name, folds=name in FOLDS))
        what = meaning(name)
        if name in ("any", "some", "exists") and self._text(start + 3) == ",":
            found, place = self._path(start + 2)
            return self._inside(found, place + 1, False, None, ")")
        if name == "has" and self._text(start + 3) == ")":
            what = Meaning("not null")
        if name in ("any", "some") or (name in CASTS and what is None):
            raise Misfit
        if what is None:
            raise Misfit(hints_wording.function_hint(self._text(start), folds=False))
        names, values, end = self._arguments(start + 2, what)
        if what.operator in NULLS:
            return self._null(names, what, end)
        self._says(what)
        kept = len(self.reasons)
        test = self._of(names, what, values)
        if name in _TEXT and len(self.reasons) == kept + 1:
            self.reasons[-1] = "literal" if self._is_name(start + 2) else "order"
        if self._says_truth(end):
            self.reasons.append("truth")
            return Part(opposite(test) if self._is_untrue(end) else test, end + 2)
        return Part(test, end, 2, None)

    def _operator_first(self, start: int) -> Part:
        """``contains title 'x'`` to ``title contains 'x'``."""
        what = meaning(folded(self._text(start)))
        if what is None or what.operator in NULLS or self._is_path_of_test(start):
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
            elif self._text(place) in CLOSING:
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
        if not values and what.operator in NULLS:
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

    def _is_untrue(self, place: int) -> bool:
        """Whether ``eq false`` or ``ne true`` stands here."""
        return (meaning(self._key_at(place)) == Meaning("ne")) != (self._text(place + 1).lower() in ("false", "0"))

    def _polish(self, start: int, name: str) -> Part:
        """``and(eq(size,5),gt(n,3))``, ``and(size.eq.5,n.gt.3)`` to ``(size eq 5 and n gt 3)``; ``or`` alike."""
        parts: list[Part] = []
        place = start + 1
        while not parts or self._text(place) == ",":
            part = self._test(place + 1)
            parts.append(part)
            place = part.end
        end = self._closed(place, ")")
        self.reasons.append("prefix")
        if name in ("not", "nor"):
            inner = parts[0] if len(parts) == 1 else Part(" or ".join([part.text for part in parts]), end, 0)
            return Part(f"not {grouped(inner, 2)}", end)
        if len(parts) == 1:
            return parts[0]._replace(end=end)
        texts = [grouped(part, 2) for part in parts]
        return Part("(" + f" {name} ".join(texts) + ")", end)

    def _index_of(self, place: int) -> Part:
        """``indexof(title, 'x') ge 0`` to ``title contains 'x'``; ``eq -1`` to its opposite."""
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
        name = folded(self._text(start))
        place = start + 2
        if name in ("extract", "datepart"):
            name = folded(self._text(place))
            place += 2
        names, place = self._path(place)
        return self._year(names, name, self._closed(place, ")"))

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
        if second is not None and what.operator in _FLIPPED and second[0].operator in COMPARISONS:
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
        if (
            found is None
            or (found.field is None and opening != "(")
            or not (found.field is None or fitting.is_array(found.field))
        ):
            raise Misfit
        place += 1
        variable = None
        if self._at(place) is not None and self._at(place).kind == "word":  # type: ignore[union-attr]
            after = self._text(place + 1)
            if (
                after in (":", "=>", "|")
                or (after == "," and opening == "(")
                or (after == "-" and self._text(place + 2) == ">")
            ):
                variable = self._text(place)
                place += 3 if after == "-" else 2
            elif after == "=" and self._text(place + 2) == ">":
                variable, place = self._text(place), place + 3
        return self._inside(tuple(names), place, kind in ("all", "every"), variable, CLOSING[opening])

    def _inside(self, names: tuple[str, ...], place: int, every: bool, variable: str | None, closing: str) -> Part:
        found = fitting.find(self.scope, names)
        if found is None:
            raise Misfit
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
        path = path_text(names)
        if every:
            return Part(f"not {path}[{opposite(inner.text) if inner.level == 2 else f'not ({inner.text})'}]", end)
        return Part(f"{path}[{inner.text}]", end)

    def _scalar_element(self, names: tuple[str, ...], place: int, variable: str, closing: str) -> Part:
        """What stands for some element that is a value: one positive test of it."""
        values: list[Value] = []
        what = None
        if self._text(place + 1) == "(" and meaning(folded(self._text(place))) is not None:
            what = meaning(folded(self._text(place)))
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
        if what is None or what.negated or what.operator in {"ne", "has", *NULLS} or not values:
            raise Misfit(hints_wording.one_element_hint(path_text(names)))
        self.reasons.append("elements")
        return Part(self._of(names, what, values), self._closed(end, closing))

    def _bracketed_operator(self, start: int) -> Part:
        """``size[gte]=5`` to ``size gte 5``."""
        names, place = self._steps_of_path(start)
        closing = place + (3 if self._text(place + 1) == "$" else 2)
        what = meaning(folded(self._text(closing - 1)))
        if self._text(place) != "[" or what is None or self._text(closing) != "]":
            raise Misfit
        if fitting.find(self.scope, names) is None:
            raise Misfit
        place = closing + 1
        place += self._text(place) in ("=", ":", "==") or self._text(place).lower() == "eq"
        return self._operand(names, what, place)

    def _plain(self, start: int) -> Part:
        """``title isnt 'x'``, ``size=gt=5``, ``size__gte=5``, ``title.includes('x')``, ``{size: {$gt: 5}}``."""
        braces = 0
        while self._text(start) == "{":
            braces, start = braces + 1, start + 1
        if self._text(start) in ("-", "+") and self._text(start + 2) == ":":  # Lucene
            part = self._plain(start + 1)
            return part._replace(text=opposite(part.text), subject=None) if self._text(start) == "-" else part
        called = self._text(start).lower() in ("any", "some") and self._text(start + 1) == "("
        if called:
            names, begin = self._path(start + 2)
            begin = self._closed(begin, ")")
            told = self._meaning(begin)
        else:
            names, begin = self._steps_of_path(start)
            member = self._member(names, begin)
            if member is not None:
                return member
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
        if len(path) > 2 and folded(path[-2]) in _DATE_PARTS and meaning(folded(path[-1])) is not None:
            if self.scope is None or fitting.find(self.scope, path[:-2]) is None:
                return None
            return self._year(path[:-2], folded(path[-2]), place, meaning(folded(path[-1])))
        if len(path) < 2 or self.scope is None or fitting.find(self.scope, path[:-1]) is None:
            return None
        name = folded(path[-1])
        if name in _DATE_PARTS:
            return self._year(path[:-1], name, place)
        if name in ("length", "len", "size", "count") or name in FOLDS:
            raise Misfit(hints_wording.function_hint(path[-1], folds=name in FOLDS))
        return None


def grouped(part: Part, level: int) -> str:
    """Return what was read, in parentheses where it binds less tightly than ``level``."""
    return part.text if part.level >= level else f"({part.text})"


def opposite(test: str) -> str:
    """Return the negation of a test."""
    return test.removeprefix("not ") if test.startswith("not ") else f"not {test}"


def _not_equal(what: Meaning) -> bool:
    return (what.operator == "ne") != what.negated
