"""``continue``: the token that holds the place where a page ended (SPEC §6)."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from hmac import compare_digest, digest
from math import inf
from typing import TYPE_CHECKING, Any

from astra_filter.fields import Enum, String
from astra_filter.language.values import is_text
from astra_filter.syntax.printer import canonical
from astra_filter.wording import request as wording

if TYPE_CHECKING:
    from collections.abc import Collection

    from astra_filter.meaning.leaves import Leaf
    from astra_filter.meaning.shapes import Bound
    from astra_filter.request.order import Order

_TOKEN = re.compile(r"[A-Za-z0-9_-]+")
_VERSION = b"\1"
_TAG_LENGTH = sha256().digest_size
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_LONGEST_SCALAR = 40
"""Characters of JSON that a value other than text can take: a UUID and its quotes, with some to spare."""
_LONGEST_CHARACTER = 6
"""Bytes of JSON that one character of text can take: ``\\u0001``."""


class Tokens:
    """Makes and reads the ``continue`` tokens of one request.

    A token is URL-safe base64 of a version, a tag and the sort values of the last row as JSON. The tag is the
    HMAC-SHA256 (RFC 2104) of the values and of the request: filter, order and scope. Without a secret its key is empty:
    a damaged token and one of another request are still refused, but anybody can make a token.

    Args:
        order: the order the rows are in.
        bound: the filter, of which the canonical text counts; None without one.
        scope: what else the token is bound to, such as the account.
        secrets: the server's; the first makes tokens, and those of all are taken. none for tokens that are not
            authenticated.
        max_length: the characters that a token may have (SPEC §8).
    """

    __slots__ = ("_bound", "_max_length", "_order", "_secrets", "scope")

    def __init__(
        self, order: Order, bound: Bound | None, scope: str, secrets: tuple[bytes, ...], max_length: int
    ) -> None:
        self.scope = scope
        self._order = order
        self._bound = bound
        self._secrets = secrets or (b"",)
        self._max_length = max_length

    def write(self, values: tuple[Any, ...]) -> str:
        """Return the token for the row that has these canonical sort values.

        Raises:
            StorageError: the token would be too long, or a value is text that no database can hold.
        """
        stored = []
        for value, (leaf, _) in zip(values, self._order.keys, strict=True):
            if isinstance(value, str) and not is_text(value):
                raise wording.unstorable_in_token(".".join(leaf.path))
            stored.append(None if value is None else leaf.field.json(value))
        payload = _encode(stored).encode()
        token = urlsafe_b64encode(_VERSION + self._tag(payload) + payload).rstrip(b"=").decode()
        if len(token) > self._max_length:
            lengths = [len(value.encode()) if isinstance(value, str) else 0 for value in stored]
            longest = self._order.keys[lengths.index(max(lengths))]
            raise wording.token_too_long(".".join(longest.leaf.path), self._max_length)
        return token

    def read(self, token: str) -> tuple[Any, ...] | None:
        """Return the canonical sort values in a token, or None when the token is not one of this request."""
        if len(token) > self._max_length or _TOKEN.fullmatch(token) is None:
            return None
        try:
            data = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except ValueError:  # A length that base64 never has.
            return None
        start = len(_VERSION) + _TAG_LENGTH
        tag, payload = data[len(_VERSION) : start], data[start:]
        # The last character has unused bits; only one of its spellings is taken.
        one_spelling = urlsafe_b64encode(data).rstrip(b"=").decode() == token
        if data[: len(_VERSION)] != _VERSION or not one_spelling:
            return None
        if not any(compare_digest(tag, self._tag(payload, secret)) for secret in self._secrets):
            return None
        try:
            stored = json.loads(payload.decode())
        except (ValueError, RecursionError):
            return None
        keys = self._order.keys
        if not isinstance(stored, list) or len(stored) != len(keys):
            return None
        values = [_typed(value, leaf) for value, (leaf, _) in zip(stored, keys, strict=True)]
        return None if _Bad in values else tuple(values)

    def _tag(self, payload: bytes, secret: bytes | None = None) -> bytes:
        bound = self._bound
        filter_text = None if bound is None else canonical(bound.root, bound.literals)
        context = json.dumps([filter_text, self._order.text, self.scope])
        return digest(self._secrets[0] if secret is None else secret, context.encode() + b"\n" + payload, "sha256")


class _Bad:
    """Marks a value in a token that its field cannot have."""


def _typed(stored: Any, leaf: Leaf) -> Any:
    if stored is None:
        return None
    field = leaf.field
    value = field.read(stored)
    # Only what `Tokens.write` writes: no other spelling of a timestamp, no 1.0 or true for 1.
    if value is None or type(field.json(value)) is not type(stored) or field.json(value) != stored:
        return _Bad
    return value if not isinstance(value, str) or is_text(value) else _Bad


def check_token_length(leaves: Collection[Leaf], key: str, order_keys: int, max_length: int) -> None:
    """Check that the token of every row fits, as long as the row's values keep to their declarations.

    Args:
        leaves: the leaves of the schema, of which the sortable ones count.
        key: the schema's key field.
        order_keys: the sort keys that a request may have (SPEC §8).
        max_length: the characters that a token may have (SPEC §8).

    Raises:
        SchemaError: sortable strings have no ``max_length``, or too large ones.
    """
    lengths = {leaf.path: _longest(leaf) for leaf in leaves if leaf.sortable and leaf.path != (key,)}
    worst = sorted(lengths, key=lambda path: lengths[path], reverse=True)[:order_keys]
    unique = next(leaf for leaf in leaves if leaf.path == (key,))
    payload = len("[]") + sum(lengths[path] + 1 for path in worst) + _longest(unique)
    if (len(_VERSION) + _TAG_LENGTH + payload) * 4 / 3 + 1 > max_length:
        texts = [leaf for leaf in leaves if isinstance(leaf.field, String) and leaf.path in (*worst, unique.path)]
        raise wording.unbounded_tokens([".".join(leaf.path) for leaf in texts], max_length)


def _longest(leaf: Leaf) -> float:
    """Return the bytes of JSON that the largest declared value of a field takes."""
    field = leaf.field
    if isinstance(field, Enum):
        return max(map(len, field.values)) * _LONGEST_CHARACTER + len('""')
    if isinstance(field, String):
        return (field.max_length or inf) * _LONGEST_CHARACTER + len('""')
    return _LONGEST_SCALAR
