"""A parsed filter: what the parser makes of a text, and the printer a text of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astra_filter.language.records import Record
from astra_filter.syntax.printer import canonical

if TYPE_CHECKING:
    from astra_filter.syntax.nodes import Literal, Node


class Syntax(Record):
    """A parsed filter: its shape, and the literal of each slot. ``str()`` of it is the canonical text (SPEC §2)."""

    __slots__ = ()

    root: Node
    literals: tuple[Literal, ...]

    def __str__(self) -> str:
        return canonical(self.root, self.literals)
