"""The budgets of SPEC §8: how much a request may ask for."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Upper bounds, each inclusive; all are counts of at least 1.

    The first four bound all ``filter`` parameters of one request taken together.
    """

    text_length: int = 8192
    """Characters of filter text."""
    tests: int = 200
    """Tests (comparisons, lists, text operators)."""
    literals: int = 2000
    """Literals, items of lists included."""
    nesting: int = 32
    """Parentheses, brackets and ``not`` open at one place; above `MOST_NESTING`, that."""
    list_items: int = 1000
    """Items of one ``in`` list."""
    filters: int = 10
    """``filter`` parameters in one request."""
    include_names: int = 100
    """Names in ``include``."""
    order_keys: int = 8
    """Sort keys in ``orderBy``."""
    token_length: int = 8192
    """Characters of a ``continue`` token."""


DEFAULT_LIMITS = Limits()

MOST_NESTING = 100
"""Trees are walked by recursion, and the caller needs some of Python's stack too."""

MOST_PROBLEMS = 20
"""Problems that are reported of one filter or of one list request (SPEC §7); no more are looked for."""
