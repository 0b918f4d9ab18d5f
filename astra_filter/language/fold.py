"""The one way in which case is ignored (SPEC §4.9): code point by code point, whatever stands around it.

Full case folding would need what no database has: ``ß`` would equal ``ss``. The lower case of each letter alone is what
SQLite can be given and PostgreSQL, MariaDB and DuckDB have, for all letters of Unicode 14.
"""

from __future__ import annotations

from typing import Any

FOLD_FUNCTION = "astra_fold"
"""The name of `fold` in SQLite, which has none of its own for letters beyond ASCII."""


def fold(text: str) -> str:
    """Return text by which what differs in case only is equal: as long as it was, each code point folded alone."""
    if text.isascii():
        return text.lower()
    # `str.lower` makes two code points of one of these, and writes a sigma at the end of a word differently.
    return text.replace("\u0130", "i").lower().replace("\u03c2", "\u03c3")


def fold_value(value: Any) -> Any:
    """Return what the function of SQLite gives: folded text, and any other value as it is."""
    return fold(value) if isinstance(value, str) else value
