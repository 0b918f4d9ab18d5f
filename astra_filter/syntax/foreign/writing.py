"""What a foreign spelling says, written with the operators of the language. All tests come out of `fitting`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from astra_filter.language.names import unquote
from astra_filter.syntax import fitting
from astra_filter.syntax.fitting import Misfit
from astra_filter.syntax.foreign.cursor import CLOSING, NULLS, Cursor, Part, Value, folded
from astra_filter.syntax.foreign.spellings import Meaning, meaning
from astra_filter.syntax.lenient import NUMBER, quote
from astra_filter.wording import hints as hints_wording

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPARISONS = frozenset({"eq", "ne", "lt", "lte", "gt", "gte"})


class Writer(Cursor):
    """Reads the operand of an operator, and writes the test that comes of path, operator and operand."""

    def _subject(self, start: int) -> tuple[tuple[str, ...], int, tuple[Meaning, int] | None]:
        """The path of a test and its operator, which may hang on the path: ``size__gte``, ``size.gt``."""
        names, place = self._steps_of_path(start)
        if fitting.find(self.scope, names) is not None and (
            self.scope is not None or len(names) == 1 or self._text(place) != "("
        ):
            return names, place, self._meaning(place)
        what = meaning(folded(names[-1]))
        if len(names) > 1 and what is not None and fitting.find(self.scope, names[:-1]) is not None:
            return names[:-1], place, self._passed(what, place)
        for index in range(1, len(names) - 1):  # ``title.eq.abc``
            what = meaning(folded(names[index]))
            if what is not None and fitting.find(self.scope, names[:index]) is not None:
                return names[:index], place, (what, place - 2 * (len(names) - index - 1) + 1)
        if len(names) > 2 and names[-2].lower() == "not" and fitting.find(self.scope, names[:-2]) is not None:
            what = meaning(folded(names[-1]))
            if what is not None:
                return names[:-2], place, self._passed(what._replace(negated=True), place)
        for mark in ("__", "_"):
            head, found, tail = names[-1].rpartition(mark)
            while found:
                path = (*names[:-1], *head.split(mark)) if mark == "__" else (*names[:-1], head)
                what = meaning(folded(tail))
                if what is not None and all(path) and fitting.find(self.scope, path) is not None:
                    return path, place, self._passed(what, place)
                head, found, last = head.rpartition(mark)
                tail = last + mark + tail
                if len(tail) > 40:
                    break
        raise Misfit

    def _operand(self, names: tuple[str, ...], what: Meaning, place: int) -> Part:
        """The value, the list or nothing that an operator takes, and the test that comes of it."""
        if what.operator in NULLS:
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
        if opening in CLOSING:
            values, end = self._list(place)
        else:
            value, end = self._value(place)
            values = [value]
            while self._text(end) in (",", "|") and what.operator in ("in", "eq", "ne", "any", "all"):
                try:
                    value, after = self._value(end + 1)
                except Misfit:
                    break
                if value.bare and self._begins_a_test(end + 1):
                    break
                if not self._ends(after) and self._text(after) not in (",", "|"):
                    break
                values, end = [*values, value], after
        if len(values) > 1 and what.operator in ("eq", "ne"):
            what = Meaning("in", what.negated != (what.operator == "ne"))
            self.reasons.append("list not in" if what.negated else "list in")
        elif what.operator == "in" and (opening != "(" or len(values) == 0):
            if len(values) == 1 and opening not in CLOSING and self._looks_inside(names, what, place):
                raise Misfit
            self.reasons.append("list not in" if what.negated else "list in")
        if not self._ends(end) and self._meaning(end) is None:
            raise Misfit
        self._says(what)
        braced = self._text(end) == "}" and place in self._braced
        return Part(self._of(names, what, values), end + braced, 2, (names, what))

    def _begins_a_test(self, place: int) -> bool:
        """Whether a field stands here, so that no more values follow: ``and(size.eq.5,title.eq.a)``."""
        if self.scope is None or not self._is_name(place):
            return False
        return fitting.find(self.scope, [self._text(place)]) is not None

    def _looks_inside(self, names: tuple[str, ...], what: Meaning, place: int) -> bool:
        """Whether ``title in 'x'`` is meant, which the language has: it is ``contains``."""
        return not what.negated and self._text(place - 1).lower() == "in" and self._takes_contains(names)

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
        operator = "eq" if (what.operator != "not null") != what.negated else "ne"
        values = ["null"]
        found = fitting.find(self.scope, names)
        if what.operator == "empty" and found is not None and fitting.is_array(found.field):
            raise Misfit  # An empty array is not null.
        if what.operator == "empty" and found is not None and fitting.is_text(found.field):
            operator, values = {"eq": "in", "ne": "not in"}[operator], ["null", "''"]
            if not found.nullable:
                operator, values = {"in": "eq", "not in": "ne"}[operator], ["''"]
        test = fitting.write(self.scope, names, operator, values)
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
        opening = self._text(place) if self._text(place) in CLOSING else ""
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
        tests = (low_end, bounds[0].text), (high_end, bounds[1].text)
        return Part(self._bounded(names, negated, *tests), end)

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

    def _year(self, names: tuple[str, ...], name: str, place: int, what: Meaning | None = None) -> Part:
        told = self._meaning(place) if what is None else self._passed(what, place)
        if name != "year":
            raise Misfit(hints_wording.date_part_hint(name))
        if told is None or told[0].operator not in COMPARISONS:
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
        return Part(fitting.write(self.scope, names, real, [bound]), end)

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
            return fitting.write(self.scope, names, operator, ["null"])
        opposite = {"eq": "ne", "ne": "eq", "in": "not in"}.get(operator)
        if negated and opposite is not None:
            operator, negated = opposite, False
        test = fitting.write(self.scope, names, operator, texts)
        self.reasons.append(operator)
        return f"not {test}" if negated else test

    def _of_several(
        self, names: tuple[str, ...], operator: str, texts: Sequence[str], *, elements: bool, negated: bool
    ) -> str:
        """``tags has any ('a', 'b')`` to ``tags in ('a', 'b')``; ``has all`` to one test for each."""
        if elements and operator == "any":
            self.reasons.append("not in" if negated else "in")
            return fitting.write(self.scope, names, "not in" if negated else "in", texts)
        word = "eq" if elements else "contains"
        tests = [fitting.write(self.scope, names, word, [text]) for text in texts[:20]]
        self.reasons.append(word)
        joined = (" and " if operator == "all" else " or ").join(tests)
        if len(tests) > 1:
            joined = f"({joined})"
        return f"not {joined}" if negated else joined

    def _takes_contains(self, names: tuple[str, ...]) -> bool:
        try:
            fitting.write(self.scope, names, "contains", ["'a'"])
        except Misfit:
            return False
        return True


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
