"""The hint of a syntax error: what the writer meant, as a filter that compiles (SPEC §7).

`diagnosis` has found what is wrong and where; here the text around that place is read in the spelling of other
languages. Each rule is a small function that returns a hint or None, with an example in its docstring; the first hint
counts.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from astra_filter import errors
from astra_filter.language.names import unquote
from astra_filter.syntax import fitting
from astra_filter.syntax.fitting import Misfit
from astra_filter.syntax.foreign.reader import Reader
from astra_filter.syntax.foreign.spellings import CONNECTIVES, meaning
from astra_filter.syntax.lenient import Token, tokens
from astra_filter.wording import hints as hints_wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from astra_filter.errors import Problem
    from astra_filter.fields import Field

_SETTLED = frozenset({"empty_filter", "empty_name", "forbidden_character", "quote_in_string", "unclosed_name"})
"""Errors whose own hint says all: the text in quotes, the quote that is missing."""
_ENCODED = re.compile(r"%(?:25)*(?:2[0-9A-Fa-f]|3[A-Ea-e]|5[BDbd]|60|7[BCDbcd])")
_SPACES = re.compile(r"[\xa0\u1680\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff\x0b\x0c\x85\u2028\u2029]")
_SIGNS = {
    "≥": ">=", "⩾": ">=", "≧": ">=", "≤": "<=", "⩽": "<=", "≦": "<=", "≠": "!=", "＝": "=", "＜": "<", "＞": ">",
    "∧": " and ", "∨": " or ", "¬": " not ", "（": "(", "）": ")", "，": ",", "［": "[", "］": "]", "＇": "'",
    "＂": '"', "−": "-",
}  # fmt: skip
"""What looks like a sign of a filter language."""
_FAR = 60
"""How many tokens before the place a test may begin."""


class _Case:
    """What the rules look at."""

    def __init__(self, problem: Problem, found: Sequence[Token], index: int, root: Field | None) -> None:
        self.problem = problem
        self.text = problem.text
        self.tokens = found
        self.index = index
        self.root = root

    def starts(self) -> Iterator[int]:
        """The tokens that the test at the place may begin at, the nearest first."""
        depth = 0
        for place in range(min(self.index, len(self.tokens)), max(self.index - _FAR, 0), -1):
            before = self.tokens[place - 1]
            if before.text in (")", "]", "}"):
                depth += 1
            elif before.text in ("(", "[", "{"):
                if depth:
                    depth -= 1
                elif before.text == "(" and not self._is_call(place - 1):
                    yield place
                    return
                elif before.text == "[":
                    yield place
            elif not depth and (before.word == "not" or before.text == "!" or before.word in CONNECTIVES):
                yield place
        if self.index <= _FAR:
            yield 0

    def _is_call(self, place: int) -> bool:
        """Whether a parenthesis belongs to the word before it: ``contains(``, ``in (``."""
        before = self.tokens[place - 1] if place else None
        return before is not None and before.kind in ("word", "symbol") and before.word not in ("and", "or", "not")


def scope_at(found: Sequence[Token], place: int, root: Field | None) -> tuple[Field | None, bool]:
    """Return where the paths of a test begin that stands at a token, and whether that can be told."""
    opened: list[int] = []
    for index in range(min(place, len(found))):
        token = found[index]
        if token.kind == "mark" and token.text in "([":
            opened.append(index)
        elif token.kind == "mark" and token.text in ")]" and opened:
            opened.pop()
    scope = root
    for bracket in opened:
        if found[bracket].text != "[" or scope is None:
            continue
        index = bracket
        names: list[str] = []
        while index and found[index - 1].kind in ("word", "backquoted") and len(names) <= 20:
            token = found[index - 1]
            names.insert(0, unquote(token.text) if token.kind == "backquoted" else token.text)
            if index < 2 or found[index - 2].text != ".":
                break
            index -= 2
        owner = fitting.find(scope, names) if names else None
        if owner is None or not (owner.field is None or fitting.has_members(owner.field)):
            return None, False
        scope = fitting.scope_of(owner.field)
    return scope, True


def better_hint(problem: Problem, found: Sequence[Token], index: int, root: Field | None) -> str | None:
    """Return a hint that says more than the problem's own.

    Args:
        problem: what is wrong, and where.
        found: the text's lenient tokens.
        index: the number of the token at the place, or how many there are.
        root: the schema's fields, where there is a schema.
    """
    if problem.code in _SETTLED:
        return None
    case = _Case(problem, found, index, root)
    for rule in _RULES:
        hint = rule(case)
        if hint is not None:
            return hint
    return None


def _still_encoded(case: _Case) -> str | None:
    """``title%20eq%20%27x%27``, ``title+eq+'x'`` to ``title eq 'x'``."""
    if case.problem.code not in ("name_needs_quotes", "unexpected_text", "unknown_operator", "bad_number", "bare_word"):
        return None
    if case.text.isspace() or len(case.text) > 4000:
        return None
    decoded = case.text
    if _ENCODED.search(decoded):
        decoded = _decoded(decoded)
    elif "+" not in decoded or " " in re.sub(r"'[^']*'", "", decoded):
        return None
    if " " not in decoded and "+" in decoded:
        decoded = decoded.replace("+", " ")
    return _whole(case, decoded, hints_wording.encoded_hint)


def _decoded(text: str) -> str:
    from urllib.parse import unquote as decode

    for _ in range(3):
        if not _ENCODED.search(text):
            break
        text = decode(text)
    if re.search(r"\+(?:eq|ne|lte?|gte?|le|ge|in|and|or|not|contains|startswith|endswith)\+", text, re.IGNORECASE):
        text = text.replace("+", " ")
    return text


def _foreign_character(case: _Case) -> str | None:
    """U+00A0, U+3000 and other blanks; ``size ≥ 5``."""
    if case.problem.code not in ("bad_name_character", "unexpected_text"):
        return None
    found = case.text[case.problem.span.start : case.problem.span.end]
    is_space = _SPACES.fullmatch(found) is not None
    if not is_space and found not in _SIGNS:
        return None
    text = _SPACES.sub(" ", case.text[:4000])
    for sign, plain in _SIGNS.items():
        text = text.replace(sign, plain)
    if not is_space:
        return _whole(case, text, partial(hints_wording.sign_hint, found))
    return _whole(case, text, partial(hints_wording.space_hint, found)) or hints_wording.space_hint(found, None)


def _whole(case: _Case, text: str, wording: Callable[[str], str]) -> str | None:
    reader = Reader(text, tokens(text), case.root)
    try:
        meant = reader.read_all()
    except Misfit:
        return None
    return wording(meant) if hints_wording.can_be_shown(meant) else None


def _lost_plus(case: _Case) -> str | None:
    """``made gt 2020-08-06T12:24:52 02:00``, whose ``+`` became a blank on the way."""
    start, end = case.problem.span
    match = re.compile(r" ([0-9]{2}:[0-9]{2})(?![0-9:])").match(case.text, end)
    if case.problem.code != "bare_value" or match is None:
        return None
    return hints_wording.lost_plus_hint(f"'{case.text[start:end]}+{match[1]}'")


def hint_of_character(problem: Problem, root: Field | None) -> str | None:
    """Return a hint for a character that stands in a name though it is none of a name: U+3000 before the first word."""
    return _foreign_character(_Case(problem, (), 0, root))


def hint_of_path(problem: Problem, root: Field) -> str | None:
    """Return a hint for a path that no field has: ``size__gte eq 5`` to ``size gte 5``."""
    found = tokens(problem.text)
    index = next((i for i, token in enumerate(found) if token.start >= problem.span.start), len(found))
    return _read(_Case(problem, found, index, root))


def as_filter(name: str, value: str, root: Field) -> str | None:
    """Return the test that a query parameter is meant to be: ``size__gte=5``, ``size[gte]=5``, ``size=gte.5``."""
    text = f"{name[:100]}={value[:500]}"
    found = tokens(text)
    reader = Reader(text, found, root)
    try:
        part = reader.read(0)
        test = part.text if part.end == len(found) else None
    except Misfit:
        test = None
    try:
        test = test or fitting.write(root, name.split("."), "eq", ["'" + value.replace("'", "''") + "'"])
    except Misfit:
        return None
    return test if hints_wording.can_be_shown(test) else None


def _other_spelling(case: _Case) -> str | None:
    """Every spelling that `Reader` knows: ``title isnt 'x'`` to ``use ne: title ne 'x'``."""
    return _read(case)


def _misspelled(case: _Case) -> str | None:
    """``title eqq 'x'`` to ``use eq: title eq 'x'``."""
    return _read(case, misspelled=True) if case.problem.code == "unknown_operator" else None


def _read(case: _Case, *, misspelled: bool = False) -> str | None:
    refusal: str | None = None
    for start in case.starts():
        scope, known = scope_at(case.tokens, start, case.root)
        if not known:
            continue
        reader = Reader(case.text, case.tokens, scope, misspelled=misspelled)
        try:
            part = reader.read(start)
        except Misfit as misfit:
            refusal = refusal or misfit.hint
            continue
        if part.end < len(case.tokens) and part.end <= case.index:
            continue
        written = case.text[case.tokens[start].start : case.tokens[part.end - 1].end]
        if not reader.reasons or part.text == written:
            continue
        if case.problem.code in ("unclosed", "unclosed_string"):
            continue
        if set(reader.reasons) <= {"literal"} and _is_enough(case.problem, part.text, case.tokens[start].start):
            return None
        return hints_wording.translated(reader.reasons, part.text, joined=case.problem.code == "unknown_connective")
    own = case.problem.hint or ""
    if case.problem.code == "name_needs_quotes" and (": " in own or own.startswith("write ")):
        return None  # The name is known, and only its spelling is wrong.
    return refusal if case.problem.code in _REFUSED else None


def _is_enough(problem: Problem, meant: str, start: int) -> bool:
    """Whether the problem's own hint leads to what is meant: ``write 'running'``."""
    own = problem.hint or ""
    if not own.startswith("write "):
        return False
    mended = problem.text[start : problem.span.start] + own.removeprefix("write ") + problem.text[problem.span.end :]
    return mended.startswith(meant)


_REFUSED = frozenset(
    {
        "bare_word",
        "unknown_operator",
        "unexpected_text",
        "literal_first",
        "name_needs_quotes",
        "negated_operator",
        "reserved_name",
        "string_only",
        "no_members",
        "missing_operator",
    }
)
"""Errors that a reason why there is no filter explains."""


def _apostrophe(case: _Case) -> str | None:
    """``title doesn't contain 'x'`` to ``not title contains 'x'``."""
    text = re.sub(r"(?i:\b(is|are|was|does|do|did|has)n['’]t\b)", r"\1 not", case.text[:4000])
    if text == case.text[:4000]:
        return None
    reader = Reader(text, tokens(text), case.root)
    try:
        meant = reader.read_all()
    except Misfit as misfit:
        return misfit.hint
    return hints_wording.translated(reader.reasons, meant)


def _more_than_a_filter(case: _Case) -> str | None:
    """``filter=size gt 5``, ``where size gt 5``, ``size gt 5 order by title``, ``size gt 5;`` to ``size gt 5``."""
    text = case.text[:4000]
    match = _LEADING.match(text)
    start = match.end() if match else 0
    match = _TRAILING.search(text, start)
    text = text[start : match.start() if match else len(text)].rstrip(" \t\r\n;,")
    if not text or text == case.text[:4000].strip():
        return None
    return _whole(case, text, hints_wording.alone_hint)


_LEADING = re.compile(r"\s*(?:\?|(?:select\b[^']*?\s)?where\b|\??\$?filter\s*[=:]|having\b|q\s*=)\s*", re.IGNORECASE)
_TRAILING = re.compile(
    r"\s(?:order\s*by|sort\s*by|group\s*by|limit|offset|skip|top)\s[^']*$"
    r"|&(?:\$?orderby|limit|skip|include|count)=[^']*$",
    re.IGNORECASE,
)


def _arithmetic(case: _Case) -> str | None:
    """``size add 5 gt 7``, ``size + 5 gt 7``, ``size gt 5 + 2``."""
    if case.problem.code not in ("text_after_end", "unexpected_text", "unknown_operator"):
        return None
    if case.index == 0 or case.index >= len(case.tokens):
        return None
    at = case.tokens[case.index]
    following = case.tokens[case.index + 1] if case.index + 1 < len(case.tokens) else None
    is_sum = at.text in ("+", "-", "*", "/", "%") or at.word in ("add", "sub", "mul", "div", "mod")
    is_signed = at.kind == "number" and at.text[0] in "+-" and case.problem.code == "text_after_end"
    number = following is not None and following.kind in ("number", "word")
    return hints_wording.arithmetic_hint() if is_signed or (is_sum and number) else None


def _operator_alone(case: _Case) -> str | None:
    """The operator of a test that cannot be told: ``isnt`` to ``use ne``."""
    if case.problem.code != "unknown_operator" or ": " in (case.problem.hint or ""):
        return None
    found = re.sub(r"[\s_-]", "", case.text[slice(*case.problem.span)][:80].lower())
    what = meaning(found)
    if what is None:
        return None
    operator = what.operator
    if what.negated:
        operator = {"eq": "ne", "ne": "eq", "in": "not in", "null": "not null", "not null": "null"}.get(operator, "")
    return hints_wording.operator_hint(operator)


def _placeholder(case: _Case) -> str | None:
    """``size eq @p``, ``size eq ?``, ``size eq {p}``."""
    if case.problem.code != "unexpected_text" or case.index == 0 or case.index >= len(case.tokens):
        return None
    before = case.tokens[case.index - 1].word
    is_placeholder = case.tokens[case.index].text in ("@", "?", ":", "$", "{", "%", "#")
    return hints_wording.placeholder_hint() if is_placeholder and before in errors.OPERATORS else None


_RULES: tuple[Callable[[_Case], str | None], ...] = (
    _still_encoded,
    _foreign_character,
    _lost_plus,
    _apostrophe,
    _other_spelling,
    _misspelled,
    _more_than_a_filter,
    _arithmetic,
    _placeholder,
    _operator_alone,
)
