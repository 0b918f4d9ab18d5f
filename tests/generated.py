"""Compares generated code with the source that is shown of it."""

from __future__ import annotations

import linecache
from types import CodeType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from nested(each)


def assert_is_its_source(code: CodeType) -> None:
    """Code that was made of nodes is what its source compiles to, line by line."""
    source = "".join(linecache.getlines(code.co_filename))
    shown = {(each.co_name, each.co_firstlineno): each for each in nested(compile(source, "shown", "exec"))}
    for each in nested(code):
        same = shown[each.co_name, each.co_firstlineno]
        assert same.co_code == each.co_code
        assert plain_constants(same) == plain_constants(each)
        assert list(same.co_lines()) == list(each.co_lines())


def plain_constants(code: CodeType) -> list[object]:
    return [constant for constant in code.co_consts if not isinstance(constant, CodeType)]
