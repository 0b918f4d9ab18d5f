"""From the place where the parser stopped to what the writer probably meant (SPEC §7).

The text is cut into lenient tokens, which know the spellings of other languages, and the token at the place decides
together with what could have stood there. Runs only when a text is no filter.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, NamedTuple

from astra_filter import errors
from astra_filter.fields import Array, Enum, Object
from astra_filter.language.names import RESERVED, bad_name_character, name_text, path_text, unquote
from astra_filter.language.operators import Operator
from astra_filter.language.span import Span
from astra_filter.syntax.printer import test_text
from astra_filter.wording import phrases as phrases_wording
from astra_filter.wording import request as request_wording
from astra_filter.wording import syntax as syntax_wording

if TYPE_CHECKING:
    from astra_filter.errors import Problem
    from astra_filter.fields import Field


class _Token(NamedTuple):
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def span(self) -> Span:
        return Span(self.start, self.end)


_W = r"0-9A-Za-z_\x80-\U0010FFFF"
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
  | (?P<number>[+-]?(?:[0-9]|\.[0-9])[{_W}.]*(?:(?<=[eE])[+-][0-9]+)?)
  | (?P<word>(?![“„”‘‚’])[A-Za-z_\x80-\U0010FFFF](?:(?![“„”‘‚’])[{_W}])*)
  | (?P<mark>.)
    """,
    re.VERBOSE | re.DOTALL,
)

_RUN = re.compile(r"[^\s'\"`()\[\],;=<>!&|]+")
_UUID = re.compile(r"\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?", re.IGNORECASE)
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt][0-9:.]+(?:[Zz]|[+-][0-9:]+)?)?")
_STEPS = re.compile(rf"[{_W}]+(?:(?:->|[./])[{_W}]+)*")
"""Names joined as other languages do."""
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")

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
_CONSTANTS = ("true", "false", "null")
_SECOND_WORDS = frozenset({"with", "than", "to", "of", "from", "equal", "equals"})
"""What may follow the word that tells: ``starts with``, ``greater than or equal to``."""
_VALUE = rf"('[^']*(?:''[^']*)*'|\"[^\"]*\"|[{_W}+.:-]+)"
_BETWEEN = re.compile(rf"[ \t\r\n(]*{_VALUE}[ \t\r\n]*(?:,|\band\b)[ \t\r\n]*{_VALUE}", re.IGNORECASE)
_EXAMPLES: dict[str, tuple[str, str]] = {
    "string": ("'a'", "'m'"),
    "uuid": ("'ae1e6561-9e22-406c-8a5a-762f4604da00'", "'bc1e6561-9e22-406c-8a5a-762f4604da00'"),
    "integer": ("1", "9"),
    "number": ("1", "9"),
    "boolean": ("true", "false"),
    "timestamp": ("'2020-08-06T12:24:52Z'", "'2020-08-07T12:24:52Z'"),
    "date": ("'2020-08-06'", "'2020-08-07'"),
}
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
        return syntax_wording.empty_filter(text)
    return _Diagnosis(text, place, expected, root).problem()


class _Diagnosis:
    def __init__(self, text: str, place: int, expected: frozenset[str], root: Field | None) -> None:
        self.text = text
        self.expected = expected
        self.root = root
        self.tokens = [
            _Token(match.lastgroup or "", match[0], match.start())
            for match in _TOKENS.finditer(text)
            if match.lastgroup != "space"
        ]
        # The parser may stop inside a lenient token (at the `-` of `-08-06T…`): the token that covers the place.
        self.index = next((i for i, token in enumerate(self.tokens) if token.end > place), len(self.tokens))
        self.at = self.tokens[self.index] if self.index < len(self.tokens) else None
        self.before = self.tokens[self.index - 1] if self.index else None

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
            return syntax_wording.double_quoted_name(text, at.span, at.text[1:-1])
        if at.kind in ("string", "number") or word in _CONSTANTS:
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
            return syntax_wording.missing_operator(text, self._end(), self._example(self._path_text(), None))
        glued = self._name_that_needs_quotes(at)
        if glued is not None:
            return glued
        path = self._path_text()
        word = at.text.lower()
        if at.kind == "symbol":
            operator = _SYMBOLS.get(at.text)
            if operator is not None:
                return syntax_wording.unknown_operator(text, at.span, at.text, operator, path, self._literal_text(1))
            return syntax_wording.missing_operator(text, at.span, self._example(path, at))
        if word in ("is", "not") or (
            word in (*errors.OPERATORS, "like", "ilike", "between")
            and self.before is not None
            and self.before.text.lower() == "not"
        ):
            special = self._is(at, path) or self._negated(at, path)
            if special is not None:
                return special
        if word in ("like", "ilike"):
            return syntax_wording.like_operator(text, at.span, at.text, path, self._raw_string(1), negated=False)
        if word == "between":
            return self._between(at, path, at.start, negated=False)
        if at.kind == "word" and word not in RESERVED:
            return self._unknown_operator(at, path, at)
        if at.kind in ("word", "string", "number", "double"):
            return syntax_wording.missing_operator(text, at.span, self._example(path, at))
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
            if only_string and _NUMBER.fullmatch(at.text):
                return syntax_wording.string_only(text, at.span, before)
            return syntax_wording.bad_number(text, Span(run.start, run.end), run.text)
        if word in ("nan", "inf", "infinity"):
            return syntax_wording.bad_number(text, at.span, at.text)
        if word in _CONSTANTS:
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

    def _unknown_operator(
        self, at: _Token, path: str, word: _Token, *, ahead: int = 0, negated: bool = False
    ) -> Problem:
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
        if negated and near is not None:
            near, path = ("not in", path) if near == "in" else (near, f"not {path}")
        span = Span(at.start, last.end)
        return syntax_wording.unknown_operator(
            self.text, span, self.text[slice(*span)], near, path, self._literal_text(ended)
        )

    def _belongs(self, token: _Token, place: int) -> bool:
        """Whether a word goes on with an operator of several."""
        word = token.text.lower()
        following = self._token(place + 1)
        if word == "or":
            return following is not None and following.text.lower() in ("equal", "equals")
        return word in _SECOND_WORDS

    def _is(self, at: _Token, path: str) -> Problem | None:
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
            return syntax_wording.is_null(self.text, span, path, negated=negated, never_null=never_null)
        if told is not None and word == "between":
            return self._between(told, path, at.start, negated=negated)
        if told is not None and word in ("like", "ilike"):
            span, pattern = Span(at.start, told.end), self._raw_string(ahead + 1)
            return syntax_wording.like_operator(
                self.text, span, self.text[slice(*span)], path, pattern, negated=negated
            )
        if told is not None and told.kind == "word" and (word in _SYNONYMS or word in errors.OPERATORS):
            return self._unknown_operator(at, path, told, ahead=ahead, negated=negated)
        operator = "ne" if negated else "eq"
        return syntax_wording.unknown_operator(self.text, at.span, at.text, operator, path, self._literal_text(ahead))

    def _negated(self, at: _Token, path: str) -> Problem | None:
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
        index = self.tokens.index(word) + 1
        if operator == "between":
            return self._between(word, path, start, negated=True)
        if operator in ("like", "ilike"):
            pattern = self._raw_string(index - self.index)
            return syntax_wording.like_operator(
                self.text, Span(start, word.end), word.text, path, pattern, negated=True
            )
        literal = self.tokens[index].text if index < len(self.tokens) else None
        return syntax_wording.negated_operator(self.text, Span(start, word.end), operator, path, literal)

    def _between(self, word: _Token, path: str, start: int, *, negated: bool) -> Problem:
        """``path between 1 and 5``, also ``(1, 5)`` and bare dates."""
        span = Span(start, word.end)
        bounds = _BETWEEN.match(self.text, word.end)
        values = [_as_literal(_lenient(bound)) for bound in bounds.groups()] if bounds else []
        low, high = values if None not in values and values else _literals(self._found()[0])
        return syntax_wording.between(self.text, span, path, str(low), str(high), negated=negated)

    def _example(self, path: str, at: _Token | None) -> str:
        """A test of the path before the place, with the literal at the place if there is one."""
        written = at is not None and (at.kind in ("string", "number", "double") or at.text.lower() in _CONSTANTS)
        literal = self._literal_text(0) if written else None
        return _example(path, self._found()[0], literal) or f"{path} eq 'value'"

    def _name_that_needs_quotes(self, at: _Token) -> Problem | None:
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
        if stepped is not None and len(names) > 1 and self._field(names) is not None:
            return syntax_wording.stepped_by_dots(self.text, Span(*stepped.span()), path_text(names))
        if at.text == ":" and self._found()[0] is not None:
            literal = self._literal_text(1)
            return syntax_wording.unknown_operator(self.text, at.span, at.text, "eq", self._path_text(), literal)
        # Names before the one that is meant: in `meta.created-by` only what follows the object.
        names = run.text.split(".")
        known = 0
        while known < len(names) - 1 and isinstance(self._field(names[: known + 1]), Array | Object):
            known += 1
        name = ".".join(names[known:])
        return syntax_wording.name_needs_quotes(self.text, Span(run.end - len(name), run.end), name)

    def _bare_value(self, run: _Token) -> Problem | None:
        span = Span(run.start, run.end)
        if _UUID.fullmatch(run.text) and not _NUMBER.fullmatch(run.text):
            return syntax_wording.bare_value(self.text, span, run.text, "UUID")
        match = _TIMESTAMP.fullmatch(run.text)
        if match is not None:
            return syntax_wording.bare_value(self.text, span, run.text, "timestamp" if match[1] else "date")
        return None

    def _nothing_after(self) -> Problem:
        before = self.before
        if before is None:
            return syntax_wording.empty_filter(self.text)
        return syntax_wording.nothing_after(self.text, before.span, before.text)

    def _unclosed(self) -> Problem:
        opened = self._opened()
        if opened:
            return syntax_wording.unclosed(self.text, opened[-1].span, opened[-1].text)
        return self._unexpected("the rest of the filter")

    def _stray(self, at: _Token) -> Problem:
        opened = self._opened()
        return syntax_wording.stray(self.text, at.span, at.text, opened[-1].text if opened else None)

    def _in_list(self) -> bool:
        """Whether what is open at the place is the list of an ``in``."""
        opened = self._opened()
        before = self.tokens.index(opened[-1]) - 1 if opened else -1
        return before >= 0 and self.tokens[before].text.lower() == "in"

    def _opened(self) -> list[_Token]:
        """The parentheses and brackets that are open at the place, the innermost last."""
        opened: list[_Token] = []
        for token in self.tokens[: self.index]:
            if token.kind == "mark" and token.text in "([":
                opened.append(token)
            elif token.kind == "mark" and token.text in ")]" and opened:
                opened.pop()
        return opened

    def _unexpected(self, wanted: str) -> Problem:
        at = self.at
        if at is None:
            return syntax_wording.unexpected_end(self.text, self._end(), wanted)
        return syntax_wording.unexpected_text(self.text, at.span, at.text, wanted)

    # Pieces of the text ---------------------------------------------------------------------------------------------

    def _token(self, ahead: int) -> _Token | None:
        index = self.index + ahead
        return self.tokens[index] if index < len(self.tokens) else None

    def _end(self) -> Span:
        end = self.tokens[-1].end if self.tokens else len(self.text)
        return Span(end, end)

    def _run(self, offset: int) -> _Token:
        """The characters around ``offset`` that no space, quote, bracket or symbol parts."""
        for match in _RUN.finditer(self.text):
            if match.end() > offset:
                if match.start() <= offset:
                    return _Token("run", match[0], match.start())
                break
        return _Token("run", self.text[offset : offset + 1], offset)

    def _path_tokens(self) -> list[_Token]:
        """The tokens of the path that ends before the place."""
        index = self.index - 1
        if index >= 0 and self.tokens[index].text.lower() == "not":
            index -= 1
        path: list[_Token] = []
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

    def _literal_text(self, ahead: int) -> str | None:
        """The literal that stands some tokens further, or is meant there; None where that cannot be told."""
        token = self._token(ahead)
        if token is None:
            return None
        end = token.end
        if token.kind in ("word", "number") and token.text.lower() not in RESERVED:
            run = self._run(token.start)
            if run.start != token.start:
                return None
            token, end = _lenient(run.text), run.end
        following = next((other for other in self.tokens[self.index + ahead + 1 :] if other.start >= end), None)
        # Text of several words, or with a quote in it.
        goes_on = following is not None and following.kind in ("word", "number", "string", "open_string")
        if (
            following is not None
            and goes_on
            and (following.start == end or following.text.lower() not in ("and", "or"))
        ):
            return None
        return _as_literal(token)

    def _raw_string(self, ahead: int) -> str:
        text = self._literal_text(ahead)
        return text if text is not None and text.startswith("'") else ""

    def _found(self) -> tuple[Field | None, bool]:
        """The field that the path before the place names, if it can be told, and whether it may be null."""
        names = [unquote(t.text) if t.kind == "backquoted" else t.text for t in self._path_tokens()]
        return self._walk(names)

    def _field(self, names: list[str]) -> Field | None:
        return self._walk(names)[0]

    def _walk(self, names: list[str]) -> tuple[Field | None, bool]:
        scope: Field | None = self.root
        nullable = False
        for name in names:
            if isinstance(scope, Array):
                scope = scope.items
                nullable = nullable or scope.nullable
            scope = scope.members.get(name) if isinstance(scope, Object) else None
            if scope is None:
                return None, False
            nullable = nullable or scope.nullable
        return scope, nullable


def _literals(field: Field | None) -> tuple[str, str]:
    """Two literals that a field takes, the lower first; text where the field is not known."""
    if isinstance(field, Array):
        field = field.items
    if isinstance(field, Enum):
        return phrases_wording.quoted(field.values[0]), phrases_wording.quoted(field.values[-1])
    return _EXAMPLES.get("string" if field is None else field.type, _EXAMPLES["string"])


def _example(path: str, field: Field | None, literal: str | None = None) -> str | None:
    """A test of a field, if it allows one; with ``literal`` where that is given."""
    inner = field.items if isinstance(field, Array) else field
    if isinstance(inner, Object):
        bracketed = isinstance(field, Array)
        for name, member in inner.members.items():
            found = _example(name_text(name) if bracketed else f"{path}.{name_text(name)}", member)
            if found is not None:
                return f"{path}[{found}]" if bracketed else found
        return None
    operators = [Operator.EQ] if field is None else [operator for operator in Operator if operator in field.operators]
    if not operators:
        return None
    value = literal or _literals(field)[0]
    return test_text(path, operators[0], value)


def _lenient(text: str) -> _Token:
    """The token that a text is one of, in quotes where it has to be."""
    match = _TOKENS.fullmatch(text)
    token = _Token("" if match is None else match.lastgroup or "", text, 0)
    return _Token("string", phrases_wording.quoted(text), 0) if _as_literal(token) is None else token


def _as_literal(token: _Token) -> str | None:
    """The literal that a token is, or is meant to be."""
    word = token.text.lower()
    if token.kind == "double":
        return phrases_wording.quoted(token.text[1:-1])
    if word in ("none", "nil"):
        return "null"
    if token.kind == "string" or word in _CONSTANTS or _NUMBER.fullmatch(token.text):
        return token.text
    if token.kind == "word" and word not in RESERVED:
        return phrases_wording.quoted(token.text)
    return None
