"""Parts of sentences that several stages share."""

from __future__ import annotations

from astra_filter.language.span import visible


def quoted(text: str) -> str:
    """Return ``text`` as a string literal of the language, fit for a message."""
    return "'" + visible(text.replace("'", "''"), 60) + "'"


def named(found: str) -> str:
    return "'" + visible(found, 40) + "'"


def article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeio" else f"a {noun}"


def looks_like_number(text: str) -> bool:
    return text.isascii() and text.lstrip("-")[:1].isdigit() and text.strip("-.0123456789eE+") == ""
