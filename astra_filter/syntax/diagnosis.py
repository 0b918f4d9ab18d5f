"""From the place where the parser stopped to what the writer probably meant (SPEC §7).

The text is cut into lenient tokens, which know the spellings of other languages, and the token at the place decides
together with what could have stood there. Runs only when a text is no filter.

Long because its rules go by one case, the token at the place, and are tried in one order.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from astra_filter import errors
from astra_filter.fields import Array, Map, Object
from astra_filter.language.names import RESERVED, bad_name_character, nearest, path_text, unquote
from astra_filter.language.span import Span
from astra_filter.syntax import fitting
from astra_filter.syntax.hints import better_hint
from astra_filter.syntax.lenient import (
    CONSTANTS,
    NUMBER,
    Token,
    W,
    as_literal,
)
from astra_filter.syntax.place import Place
from astra_filter.wording import request as request_wording
from astra_filter.wording import syntax as syntax_wording

if TYPE_CHECKING:
    from astra_filter.errors import Problem
    from astra_filter.fields import Field


_STEPS = re.compile(rf"{W}+(?:(?:->|[./]){W}+)*")
"""Names joined as other languages do."""

_SYMBOLS = {
    "=": "eq", "==": "eq", "===": "eq", "!=": "ne", "!==": "ne", "<>": "ne", "~": "contains",
    "<": "lt", "<=": "lte", "=<": "lte", ">": "gt", ">=": "gte", "=>": "gte",
}  # fmt: skip
"""Comparison symbols of other languages, and the operators of this one."""
_CONNECTIVES = {"&&": "and", "&": "and", "||": "or", "|": "or", "!": "not"}
_SYNONYMS = {
    "is": "eq", "equals": "eq", "equal": "eq", "equalto": "eq", "neq": "ne", "isnot": "ne", "notequals": "ne",
    "less": "lt", "before": "lt", "greater": "gt", "more": "gt", "after": "gt", "ilike": "contains",
    "matches": "contains", "match": "contains", "has": "contains", "includes": "contains", "include": "contains",
    "substringof": "contains", "starts": "startswith", "starts_with": "startswith", "begins": "startswith",
    "beginswith": "startswith", "prefix": "startswith", "ends": "endswith", "ends_with": "endswith",
    "suffix": "endswith", "nin": "not in", "notin": "not in", "one": "in", "distinct": "ne",
}  # fmt: skip
_SECOND_WORDS = frozenset({"with", "than", "to", "of", "from", "equal", "equals"})
"""What may follow the word that tells: ``starts with``, ``greater than or equal to``."""
_MARKS = {frozenset({"LPAR"}): "'('", frozenset({"COMMA", "DOT"}): "','", frozenset({"RPAR"}): "')'"}
"""Where nothing but one mark can stand: behind ``not in``, and inside ``contains(path, 'text')``."""


def diagnose(text: str, place: int, expected: frozenset[str], root: Field | None = None) -> Problem:
    """Say what is wrong with a text that is no filter.

    Args:
        text: the text.
        place: the offset where the parser stopped; the length of the text when it wanted more.
        expected: the names of the grammar's terminals that could have stood there.
        root: the schema's fields, where there is a schema.
    """
    if not text.strip(" \t\r\n"):
        return syntax_wording.empty_filter(text, fitting.any_example(root))
    diagnosis = _Diagnosis(text, place, expected, root)
    problem = diagnosis.problem()
    part = diagnosis.part_of_text()
    if part is not None:
        return problem._replace(hint=part)
    # The rules for code and place stand here; what was meant is told by a reading of the whole test.
    hint = better_hint(problem, diagnosis.tokens, diagnosis.index, root)
    return problem if hint is None else problem._replace(hint=hint)


class _Diagnosis(Place):
    """Says what is wrong at a place."""

    def problem(self) -> Problem:
        bad = self._bad_character()
        if bad is not None:
            return bad
        mark = _MARKS.get(self.expected)
        if mark is not None:
            return self._in_fixed_form(mark)
        if "NAME" in self.expected:
            return self._in_name()
        if "STRING" in self.expected:
            return self._in_literal()
        if "COMPARISON" in self.expected or "IN" in self.expected:
            return self._in_operator()
        return self._after_test()

    def part_of_text(self) -> str | None:
        """Return the hint for ``path iin 'text'``: only ``in`` before a string means ``contains``."""
        at, before = self.at, self.before
        opens = self.expected == {"LPAR"}
        if not opens or at is None or before is None or at.kind != "string" or before.word != "iin":
            return None
        self.index -= 1  # The path ends before the operator.
        path = self._path_text()
        self.index += 1
        negated = self.index > 1 and self.tokens[self.index - 2].word == "not"
        return syntax_wording.part_of_text_hint(f"not {path}" if negated else path, at.text)

    # Where each kind of place may go wrong ---------------------------------------------------------------------------

    def _bad_character(self) -> Problem | None:
        """Quotes that never close and characters that nothing may hold, wherever the parser noticed."""
        at = self.at
        for word in self.tokens[: self.index + ("STRING" not in self.expected)]:
            # White space that is none of the four kinds is part of a word to the parser, which then misses an operator.
            bad = bad_name_character(word.text) if word.kind == "word" else None
            if bad is not None:
                return syntax_wording.bad_name_character(self.text, Span(word.start + bad, word.start + bad + 1))
        if at is None:
            return None
        if at.kind in ("string", "backquoted"):
            for offset, character in enumerate(at.text):
                if character == "\0" or "\ud800" <= character <= "\udfff":
                    return syntax_wording.forbidden_character(self.text, Span(at.start + offset, at.start + offset + 1))
        if at.kind == "open_string":
            return syntax_wording.unclosed_string(self.text, at.span)
        if at.kind == "open_backquoted":
            return syntax_wording.unclosed_name(self.text, at.span)
        if at.kind == "backquoted" and at.text == "``":
            return syntax_wording.empty_name(self.text, at.span)
        return None

    def _in_name(self) -> Problem:
        """Where a test or a name begins."""
        at, text = self.at, self.text
        if at is None:
            return self._nothing_after()
        word = at.text.lower()
        if at.text in _CONNECTIVES:
            return syntax_wording.symbol_connective(text, at.span, at.text, _CONNECTIVES[at.text])
        if at.kind == "double":
            return syntax_wording.double_quoted_name(text, at.span, self._quoted_path(at.text[1:-1]))
        if at.kind in ("string", "number") or word in CONSTANTS:
            return (
                request_wording.reserved_name(text, at.span)
                if word in RESERVED
                else syntax_wording.literal_first(text, at.span)
            )
        if word in ("and", "or", "not"):
            following = self._token(1)
            if following is not None and following.kind == "word" and following.text.lower() in errors.OPERATORS:
                return request_wording.reserved_name(text, at.span)
            return syntax_wording.missing_test(text, at.span, at.text)
        if at.text in ")]":
            if self.before is None or not self._opened():
                return self._stray(at)
            return syntax_wording.nothing_inside(text, at.span, self.before.text)
        return self._unexpected("a field name")

    def _in_fixed_form(self, mark: str) -> Problem:
        """Where nothing but ``mark`` can stand."""
        if self.at is not None:
            return self._stray(self.at) if self.at.text == "]" else self._unexpected(mark)
        return self._nothing_after() if mark == "'('" else self._unclosed()

    def _in_operator(self) -> Problem:
        """Behind a path."""
        at, text = self.at, self.text
        if at is None:
            return syntax_wording.missing_operator(text, self._end(), self._example())
        glued = self._name_that_needs_quotes(at)
        if glued is not None:
            return glued
        word = at.text.lower()
        if at.kind == "symbol":
            operator = _SYMBOLS.get(at.text)
            if operator is not None:
                return syntax_wording.unknown_operator(text, at.span, at.text, operator)
            return syntax_wording.missing_operator(text, at.span, self._example())
        if word in ("is", "not") or (
            word in (*errors.OPERATORS, "like", "ilike", "between")
            and self.before is not None
            and self.before.text.lower() == "not"
        ):
            special = self._is(at) or self._negated(at)
            if special is not None:
                return special
        if word in ("like", "ilike"):
            return syntax_wording.like_operator(text, at.span, at.text)
        if word == "between":
            return self._between(at, at.start)
        if at.kind == "word" and word not in RESERVED:
            return self._unknown_operator(at, at)
        if at.kind in ("word", "string", "number", "double"):
            written = at.kind != "word" or at.word in CONSTANTS
            return syntax_wording.missing_operator(
                text, at.span, self._example(literal=as_literal(at) if written else None)
            )
        return self._unexpected("an operator")

    def _in_literal(self) -> Problem:
        """Behind an operator, and in a list."""
        at, text = self.at, self.text
        if at is None:
            return self._nothing_after()
        only_string = "NUMBER" not in self.expected
        before = self.before.text if self.before is not None else ""
        if at.kind == "double":
            return syntax_wording.double_quoted_string(text, at.span, at.text[1:-1])
        if at.kind == "open_double":
            return syntax_wording.unclosed_string(text, Span(at.start, len(text)))
        run = self._run(at.start)
        bare = self._bare_value(run)
        if bare is not None:
            return bare
        word = at.text.lower()
        if at.kind == "symbol" and before.lower() in errors.OPERATORS:
            return syntax_wording.two_operators(text, at.span, at.text)
        if at.text == "(" and before.lower() in ("eq", "ne"):
            return syntax_wording.list_with_eq(text, at.span, before.lower())
        if at.text in ")]":
            return syntax_wording.missing_literal(text, at.span, before)
        if (at.kind == "number" or at.text in "+-.") and run.start >= at.start:
            if only_string and NUMBER.fullmatch(at.text):
                return syntax_wording.string_only(text, at.span, before)
            return syntax_wording.bad_number(text, Span(run.start, run.end), run.text)
        if word in ("nan", "inf", "infinity"):
            return syntax_wording.bad_number(text, at.span, at.text)
        if word in CONSTANTS:
            return syntax_wording.string_only(text, at.span, before)
        if word in ("and", "or", "not"):
            return syntax_wording.missing_literal(text, at.span, before)
        if at.kind == "backquoted":
            name = unquote(at.text)
            wrong = syntax_wording.bare_word if self._field([name]) is None else syntax_wording.field_as_value
            return wrong(text, at.span, name)
        if at.kind == "word":
            is_field = self._field([at.text]) is not None or self._field(run.text.split(".")) is not None
            wrong = syntax_wording.field_as_value if is_field else syntax_wording.bare_word
            return wrong(text, Span(at.start, max(at.end, run.end)), run.text)
        return self._unexpected("a value")

    def _after_test(self) -> Problem:
        """Behind a whole test, and behind an item of a list."""
        at, text = self.at, self.text
        if at is None:
            return self._unclosed()
        run = self._run(at.start)
        # A bare timestamp or UUID begins as a number may, so that the parser stops in its middle.
        bare = self._bare_value(run)
        if bare is not None and run.start < at.end:
            return bare
        before = self.before
        glued = before is not None and before.kind == "number" and before.end == at.start
        if glued and at.kind != "symbol" and at.text not in ")],;":
            return syntax_wording.bad_number(text, Span(run.start, run.end), run.text)
        if (
            before is not None
            and before.kind == "string"
            and before.end == at.start
            and at.kind in ("word", "open_string")
        ):
            return syntax_wording.quote_in_string(text, Span(at.start, at.end), before.text)
        if at.text in (")", "]"):
            return self._stray(at)
        if at.text in _CONNECTIVES and at.text != "!":
            return syntax_wording.symbol_connective(text, at.span, at.text, _CONNECTIVES[at.text])
        if self._in_list():
            return syntax_wording.missing_comma(text, at.span)
        if at.text in ",;":
            return syntax_wording.symbol_connective(text, at.span, at.text, "and")
        if at.kind == "word":
            near = get_close_matches(at.text.lower(), ("and", "or"), 1, 0.6)
            if near:
                return syntax_wording.symbol_connective(text, at.span, at.text, near[0])
        return syntax_wording.text_after_end(text, Span(at.start, len(text.rstrip())))

    # What may be meant --------------------------------------------------------------------------------------------

    def _unknown_operator(self, at: Token, word: Token, *, ahead: int = 0, negated: bool = False) -> Problem:
        """What stands for an operator from ``at`` on, where ``word``, which tells, is ``ahead`` tokens further."""
        told, last, ended = word.text.lower(), word, ahead + 1
        words = set()
        while (following := self._token(ended)) is not None and self._belongs(following, ended):
            last, ended = following, ended + 1
            words.add(last.text.lower())
        near: str | None = None
        # Before an operator stands part of a name.
        if ahead or following is None or following.text.lower() not in errors.OPERATORS:
            near = _SYNONYMS.get(told) or next(iter(get_close_matches(told, errors.OPERATORS, 1)), None)
            if "or" in words and near in ("lt", "gt"):
                near += "e"
        if negated and near == "in":
            near = "not in"
        span = Span(at.start, last.end)
        return syntax_wording.unknown_operator(self.text, span, self.text[slice(*span)], near)

    def _belongs(self, token: Token, place: int) -> bool:
        """Whether a word goes on with an operator of several."""
        word = token.text.lower()
        following = self._token(place + 1)
        if word == "or":
            return following is not None and following.text.lower() in ("equal", "equals")
        return word in _SECOND_WORDS

    def _is(self, at: Token) -> Problem | None:
        """``path is null``, ``path is not null``; ``path is greater than 5``; ``path is 'x'``."""
        if at.text.lower() != "is":
            return None
        negated = (self._token(1) or at).text.lower() == "not"
        ahead = 2 if negated else 1
        told = self._token(ahead)
        word = "" if told is None else told.text.lower()
        if told is not None and word in ("null", "none", "nil", "empty", "missing"):
            field, nullable = self._found()
            span = Span(at.start, told.end)
            never_null = field is not None and not nullable
            return syntax_wording.is_null(self.text, span, self._path_text(), negated=negated, never_null=never_null)
        if told is not None and word == "between":
            return self._between(told, at.start)
        if told is not None and word in ("like", "ilike"):
            span = Span(at.start, told.end)
            return syntax_wording.like_operator(self.text, span, self.text[slice(*span)])
        if told is not None and told.kind == "word" and (word in _SYNONYMS or word in errors.OPERATORS):
            return self._unknown_operator(at, told, ahead=ahead, negated=negated)
        return syntax_wording.unknown_operator(self.text, at.span, at.text, "ne" if negated else "eq")

    def _negated(self, at: Token) -> Problem | None:
        """``path not contains 'x'``: only ``not in`` is written so."""
        word = at
        start = at.start
        if at.text.lower() == "not":
            following = self._token(1)
            if following is None:
                return None
            word = following
        elif self.before is not None:
            start = self.before.start
        operator = word.text.lower()
        if operator == "between":
            return self._between(word, start)
        span = Span(start, word.end)
        if operator in ("like", "ilike"):
            return syntax_wording.like_operator(self.text, span, word.text)
        return syntax_wording.negated_operator(self.text, span, operator)

    def _between(self, word: Token, start: int) -> Problem:
        """``path between 1 and 5``: the bounds are read with the rest of the test, or made up where there are none."""
        names = self._path_names()
        low, high = fitting.literals(self._field(names))
        try:
            example = fitting.several(self.root, names, [("gte", low), ("lte", high)], "and")
        except fitting.Misfit:
            example = None
        return syntax_wording.between(self.text, Span(start, word.end), example)

    def _name_that_needs_quotes(self, at: Token) -> Problem | None:
        before = self.before
        if before is None or before.end != at.start or at.kind not in ("mark", "number", "symbol"):
            return None
        if at.kind == "mark" and at.text in "()[],;":
            return None
        if at.kind == "symbol" and at.text != "~":
            return None
        run = self._run(at.start)
        if run.start >= at.start:
            return None
        stepped = _STEPS.match(self.text, run.start)
        names = re.split(r"->|[./]", stepped[0]) if stepped else []
        # Any name may be the key of a map, so dots alone are no steps of another language.
        other = stepped is not None and stepped[0] != ".".join(names)
        if stepped is not None and other and self._field(names) is not None:
            return syntax_wording.stepped_by_dots(self.text, Span(*stepped.span()), path_text(names))
        if at.text == ":" and self._found()[0] is not None:
            return syntax_wording.unknown_operator(self.text, at.span, at.text, "eq")
        # Names before the one that is meant: in `meta.created-by` only what follows the object.
        names = run.text.split(".")
        known = 0
        while known < len(names) - 1 and isinstance(field := self._field(names[: known + 1]), Array | Object | Map):
            known += 1
            if isinstance(field, Map):  # All that follows is one key.
                break
        name = ".".join(names[known:])
        fields = self.root.members if isinstance(self.root, Object) else None
        known = fields is None or self._field([*names[:known], name]) is not None
        near = [] if known or fields is None else [path_text([found]) for found in nearest(name, fields)]
        return syntax_wording.name_needs_quotes(self.text, Span(run.end - len(name), run.end), name, near, known=known)

    def _nothing_after(self) -> Problem:
        before = self.before
        if before is None:
            return syntax_wording.empty_filter(self.text, fitting.any_example(self.root))
        operator = {"le": "lte", "ge": "gte"}.get(before.word, before.word)
        known = operator in (*errors.OPERATORS, "and", "or", "not")
        # The path ends before the operator.
        self.index -= known and operator not in ("and", "or", "not")
        if operator == "in" and self.index and self.tokens[self.index - 1].word == "not":
            operator = "not in"
        return syntax_wording.nothing_after(
            self.text, before.span, before.text, self._example(operator) if known else None
        )

    def _unclosed(self) -> Problem:
        opened = self._opened()
        if opened:
            return syntax_wording.unclosed(self.text, opened[-1].span, opened[-1].text)
        return self._unexpected("the rest of the filter")

    def _stray(self, at: Token) -> Problem:
        opened = self._opened()
        return syntax_wording.stray(self.text, at.span, at.text, opened[-1].text if opened else None)

    def _unexpected(self, wanted: str) -> Problem:
        at = self.at
        if at is None:
            return syntax_wording.unexpected_end(self.text, self._end(), wanted)
        return syntax_wording.unexpected_text(self.text, at.span, at.text, wanted)
