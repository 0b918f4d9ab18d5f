"""The hints of the check: what was meant, as a test or a literal that the schema accepts. Imported for errors only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.errors import LiteralError, Problem
from astra_filter.fields import Array
from astra_filter.syntax import fitting
from astra_filter.syntax.hints import hint_of_path
from astra_filter.wording import check as wording
from astra_filter.wording import hints as hints_wording

if TYPE_CHECKING:
    from collections.abc import Callable

    from astra_filter.fields import Field
    from astra_filter.language.operators import Kind

_LONGEST_INSTANT = 60


def other_spelling(problem: Problem, root: Field) -> Problem:
    """Show what an operator or a function behind a field's name means: ``size__gte``, ``made.year``."""
    hint = hint_of_path(problem, root)
    return problem if hint is None else problem._replace(hint=hint)


def other_operator(problem: Problem, scope: Field, names: tuple[str, ...], literal: str) -> Problem:
    """Show what is meant by an operator that a field does not allow: ``tags contains 'a'``, ``kind in 'Red'``."""
    word = problem.text[slice(*problem.span)].lower()
    found = fitting.find(scope, names)
    if word == "in":
        operator, reason = "in", "list in"
    elif word == "contains" and found is not None and isinstance(found.field, Array):
        operator, reason = "eq", "has"
    else:
        return problem
    try:
        test = fitting.write(scope, names, operator, [literal])
    except fitting.Misfit:
        return problem
    return problem._replace(hint=hints_wording.translated([reason], test))


def other_literal(problem: Problem, field: Field, kind: Kind) -> Problem:
    """Show a literal of the wrong kind as the field takes it: ``'5'`` for ``5``, an instant for a number."""
    try:
        literal = fitting.fit(field, problem.text[slice(*problem.span)].lower())
    except fitting.Misfit as misfit:
        return problem if misfit.hint is None else problem._replace(hint=misfit.hint)
    hint = wording.other_literal_hint(literal, kind.value)
    return problem if hint is None else problem._replace(hint=hint)


def mended_instant(coercion: Callable[[str], object], literal: str) -> str | None:
    """Return a timestamp as it was meant, where the ``+`` of its offset was lost on the way."""
    if len(literal) > _LONGEST_INSTANT:
        return None
    for candidate in fitting.mended_instants(literal):
        try:
            coercion(candidate)
        except LiteralError:
            continue
        return candidate
    return None
