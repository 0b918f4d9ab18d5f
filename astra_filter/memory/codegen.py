"""Python code from templates: what the generators of predicates and of items share.

A template is a fixed text of Python, in which names in capitals are holes, and so is the attribute ``ATTRIBUTE``. It is
parsed once. To fill it is to copy its nodes and to put other nodes in the holes, so no text from outside can ever
become code: the name of a member gets in as a constant, or as an attribute where `is_attribute` allows it, and what
depends on the data as an argument of the generated ``factory``.

    >>> is_text = Expression("type(VALUE) is str and len(VALUE) == LENGTH")
    >>> source_of(Statements("return TEST")(TEST=is_text(VALUE="name", LENGTH=constant(36))))
    'return type(name) is str and len(name) == 36'

Generated code can be read: `inspect.getsource` shows it, and so do tracebacks. Its source is written only when
somebody asks for it. Therefore each node is given the line on which `ast.unparse` will write it.
"""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from itertools import count
from keyword import iskeyword
from types import CodeType
from typing import Any, TypeAlias, TypeVar, cast
from weakref import finalize

Code: TypeAlias = Callable[[int], ast.expr]
"""A filled expression: makes its nodes for the line on which it will stand."""
Block: TypeAlias = "list[Callable[[Lines], list[ast.stmt]]]"
"""Filled statements: each makes its nodes for the lines that come next."""
Names: TypeAlias = tuple[str, ...]
Part: TypeAlias = "str | Code | Names | Block"
"""What a hole takes: a name, an expression, names (of parameters, of the elements of a tuple), or statements."""
Parts: TypeAlias = "dict[str, Part | ast.expr]"
"""What is in the holes of a template, by name; the parts of an expression may be nodes already."""
N = TypeVar("N", bound=ast.AST)
_MOST_LINES = 8
"""Lines for which the same nodes are kept: a condition stands on one, and most code has few lines."""


class Expression:
    """A template of one expression, such as ``VALUE == LITERAL``."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _make(self) -> Callable[[Parts, int], ast.expr]:
        return cast("Callable[[Parts, int], ast.expr]", _copier(ast.parse(self._text, mode="eval").body))

    def __call__(self, **parts: str | Code) -> Code:
        """Fill the holes; each part is given by the name of its hole."""
        return partial(self._fill, parts)

    def _fill(self, parts: dict[str, str | Code], line: int) -> ast.expr:
        # The parts come first, as the code may be nested deeply: so Python's stack grows by this function only.
        nodes: Parts = {}
        for hole, part in parts.items():
            nodes[hole] = part if isinstance(part, str) else part(line)
        return self._make(nodes, line)


class Statements:
    """A template of statements. A hole that is a statement takes a block."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _makers(self) -> list[Callable[[Parts, Lines], list[ast.stmt]]]:
        return [_statement_copier(statement) for statement in ast.parse(self._text).body]

    def __call__(self, **parts: Part) -> Block:
        """Fill the holes; each part is given by the name of its hole."""
        return [partial(make, cast("Parts", parts)) for make in self._makers]


def constant(value: Any) -> Code:
    """Return a constant: a number, a `str`, a `bool` or a tuple of such, and of no class of its own."""
    return lambda line: _placed(ast.Constant(value), line)


def all_of(operands: Sequence[Code]) -> Code:
    """Join two expressions or more by ``and``."""
    return partial(_joined, ast.And(), operands)


def any_of(operands: Sequence[Code]) -> Code:
    """Join two expressions or more by ``or``."""
    return partial(_joined, ast.Or(), operands)


def _joined(operator: ast.boolop, operands: Sequence[Code], line: int) -> ast.expr:
    values = []
    for operand in operands:  # In a comprehension the stack would grow by two.
        values.append(operand(line))  # noqa: PERF401
    return _placed(ast.BoolOp(operator, values), line)


# From filled templates to functions ----------------------------------------------------------------------------------

_file_numbers = count(1)


def compile_factory(
    kind: str, block: Block, again: Callable[[], Block], names: dict[str, object], longest_lived: str
) -> Callable[..., Any]:
    """Compile code that defines a function ``factory``, and return that function.

    Args:
        kind: what the code is for; it stands in the file name.
        block: the code.
        again: returns the same code once more, when somebody asks for its source. It must not refer to the function
            or to what keeps it, or neither would ever go.
        names: everything that the code can name. It must have an empty ``__builtins__``.
        longest_lived: the function inside ``factory`` that lives as long as any other of them. The source is
            forgotten when it goes.
    """
    assert names["__builtins__"] == {}  # noqa: S101  # Were they missing, `exec` would add all of them.
    # `linecache` finds no source for a name that ends in a bracket too. Coverage tools skip what begins with one.
    filename = f"<astra_filter {kind} {next(_file_numbers)}>.py"
    defined: dict[str, Callable[..., Any]] = {}
    exec(compile(_module(block), filename, "exec"), names, defined)  # noqa: S102  # Made of the templates only.
    factory = defined["factory"]
    inner = {code.co_name: code for code in factory.__code__.co_consts if isinstance(code, CodeType)}
    linecache.cache[filename] = (partial(_shown, again),)
    finalize(inner[longest_lived], linecache.cache.pop, filename, None).atexit = False
    return factory


def _shown(again: Callable[[], Block]) -> str | None:
    """Return the source for `linecache`, None where there is none to show."""
    try:
        return source_of(again())
    except RecursionError:  # `ast.unparse` takes much of Python's stack, and a traceback must come out in any case.
        return None


def source_of(block: Block) -> str:
    """Return the source of statements."""
    return ast.unparse(_module(block))


def _module(block: Block) -> ast.Module:
    return ast.Module(_made(block, Lines()), [])


# From templates to nodes ---------------------------------------------------------------------------------------------


class Lines:
    """Counts the lines that `ast.unparse` will write."""

    __slots__ = ("number",)

    def __init__(self) -> None:
        self.number = 0

    def begin(self, statement: type[ast.AST]) -> int:
        """Return the line of the next statement."""
        # An empty line comes before a function, but not at the beginning.
        self.number += 2 if statement is ast.FunctionDef and self.number else 1
        return self.number


def _placed(node: N, line: int) -> N:
    """Put a node on a line, in no column: there are no columns before the source is written."""
    place = cast("ast.expr", node)
    place.lineno = place.end_lineno = line
    place.col_offset = place.end_col_offset = -1
    return node


def _made(block: Iterable[Callable[[Lines], list[ast.stmt]]], lines: Lines) -> list[ast.stmt]:
    return [statement for make in block for statement in make(lines)]


def _copier(field: object) -> Callable[[Parts, int], Any]:
    """Return what copies a field of a node, with parts in its holes: a node, a list, or a value that can be shared."""
    match field:
        case ast.Name(id=name, ctx=context):
            return _name_copier(name, context)
        case ast.Attribute(value=owner, attr="ATTRIBUTE", ctx=context):
            return _attribute_copier(_copier(owner), context)
        case ast.arguments(args=[ast.arg(arg=hole)]) if hole.isupper():
            return partial(_parameters, hole)
        case ast.expr() | ast.keyword() | ast.comprehension() | ast.arguments() | ast.arg():
            return _node_copier(field)
        case list():
            copiers = [_copier(each) for each in field]
            return lambda parts, line: [copy(parts, line) for copy in copiers]
        case _:
            return lambda _parts, _line: field


def _node_copier(node: ast.AST) -> Callable[[Parts, int], ast.AST]:
    cls = type(node)
    copiers = [_copier(getattr(node, name, None)) for name in node._fields]
    if not cls._attributes:  # Nodes that have no place.
        return lambda parts, line: cls(*[copy(parts, line) for copy in copiers])

    def make(parts: Parts, line: int) -> ast.AST:
        values = []
        for copy in copiers:
            values.append(copy(parts, line))  # noqa: PERF401
        return _placed(cls(*values), line)

    return make if _has_hole(node) else _kept_by_line(make)


def _has_hole(node: ast.AST) -> bool:
    return any(
        (isinstance(each, ast.Name) and each.id.isupper())
        or (isinstance(each, ast.Attribute) and each.attr == "ATTRIBUTE")
        or (isinstance(each, ast.arg) and each.arg.isupper())
        for each in ast.walk(node)
    )


def _kept_by_line(make: Callable[[Parts, int], ast.AST]) -> Callable[[Parts, int], ast.AST]:
    """Make what has no holes once for a line: nobody changes nodes, so code may hold one at many places."""
    kept: dict[int, ast.AST] = {}

    def copy(parts: Parts, line: int) -> ast.AST:
        node = kept.get(line)
        if node is None:
            if len(kept) >= _MOST_LINES:
                kept.clear()
            node = kept[line] = make(parts, line)
        return node

    return copy


def _name_copier(name: str, context: ast.expr_context) -> Callable[[Parts, int], ast.expr]:
    if not name.isupper():
        return cast(
            "Callable[[Parts, int], ast.expr]",
            _kept_by_line(lambda _parts, line: _placed(ast.Name(name, context), line)),
        )

    def fill(parts: Parts, line: int) -> ast.expr:
        part = parts[name]
        if isinstance(part, str):
            return _placed(ast.Name(part, context), line)
        if isinstance(part, tuple):
            return _placed(ast.Tuple([_placed(ast.Name(each, context), line) for each in part], context), line)
        return part if isinstance(part, ast.expr) else cast("Code", part)(line)

    return fill


def _attribute_copier(
    copy: Callable[[Parts, int], ast.expr], context: ast.expr_context
) -> Callable[[Parts, int], ast.expr]:
    return lambda parts, line: _placed(ast.Attribute(copy(parts, line), cast("str", parts["ATTRIBUTE"]), context), line)


def is_attribute(name: str) -> bool:
    """Whether code may reach a member as an attribute: none of the interpreter's own, and one that Python can spell."""
    return name.isascii() and name.isidentifier() and not name.startswith("__") and not iskeyword(name)


def _parameters(hole: str, parts: Parts, line: int) -> ast.arguments:
    parameters = [_placed(ast.arg(name), line) for name in cast("Names", parts[hole])]
    return ast.arguments([], parameters, None, [], [], None, [])


def _statement_copier(node: ast.stmt | ast.excepthandler) -> Callable[[Parts, Lines], list[Any]]:
    """Return what copies a statement, with parts in its holes; in place of one that is a hole, a block."""
    match node:
        case ast.Expr(value=ast.Name(id=hole)) if hole.isupper():
            return lambda parts, lines: _made(cast("Block", parts[hole]), lines)
        case ast.FunctionDef(name=hole) if hole.isupper():
            named = {"name": hole}
        case _:
            named = {}
    cls = type(node)
    copiers: list[tuple[bool, Callable[[Parts, Any], Any]]] = []
    for name in node._fields:
        field = getattr(node, name, None)
        if name in named:
            copiers.append((False, lambda parts, _line: parts[named["name"]]))
        elif isinstance(field, list) and field and isinstance(field[0], (ast.stmt, ast.excepthandler)):
            # `else` and `finally` have lines of their own; `elif` is one with its `if`.
            is_elif = cls is ast.If and len(field) == 1 and isinstance(field[0], ast.If)
            own_line = name in {"orelse", "finalbody"} and not is_elif
            copiers.append((True, _block_copier(field, own_line=own_line)))
        else:
            copiers.append((False, _copier(field)))

    def copy(parts: Parts, lines: Lines) -> list[Any]:
        line = lines.begin(cls)
        # The fields of a statement come in the order in which they are written.
        return [_placed(cls(*[copy(parts, lines if is_block else line) for is_block, copy in copiers]), line)]

    return copy


def _block_copier(nodes: Sequence[ast.stmt], *, own_line: bool) -> Callable[[Parts, Lines], list[Any]]:
    makers = [_statement_copier(node) for node in nodes]

    def copy(parts: Parts, lines: Lines) -> list[Any]:
        if own_line:
            lines.number += 1
        return [statement for make in makers for statement in make(parts, lines)]

    return copy
