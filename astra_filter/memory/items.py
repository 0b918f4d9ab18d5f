"""The items of pages, by generated code: one function for whole resources, and one for each path of an ``include``.

What is returned is known before any data is, so that the checks of SPEC §4.6 are code without loops over fields. Each
value has a fast branch for the canonical form, which tables and JSON mostly hold, and the field's own method for
whatever else there is.

The code is made of the templates below, fixed texts in which names in capitals stand for nodes. Names of fields come in
as constants; no text is ever pasted into code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from functools import partial
from sys import float_info
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast

from astra_filter.fields import MAX_INTEGER, MIN_INTEGER, Array, Field, Object, Open
from astra_filter.language.values import at, is_canonical_uuid, member
from astra_filter.request.field_lists import chain

if TYPE_CHECKING:
    from astra_filter.language.operators import TypeName
    from astra_filter.meaning.declaration import Declaration
    from astra_filter.request.include import Path

T = TypeVar("T")
Write: TypeAlias = Callable[[Any], Any]
"""From what holds a resource to its item."""
Code: TypeAlias = list[ast.stmt]
Sink: TypeAlias = Callable[[ast.expr], ast.stmt]
"""Makes the statement that puts a value where it belongs."""
Part: TypeAlias = "str | ast.expr | Code"
"""What stands where a template has a name in capitals: a name, an expression, statements."""


def of_resources(declaration: Declaration, include: tuple[Path, ...] | None) -> Write:
    """Return what makes the items of resources, mappings or objects; a list of what is at the paths of ``include``."""
    if include is None:
        return _of_resource(declaration, ())
    writers = [_of_resource(declaration, path) for path in include]
    return lambda resource: [write(resource) for write in writers]


def _of_resource(declaration: Declaration, path: Path) -> Write:
    if isinstance(declaration.root, Open):
        # It has no members to check, and no end of paths to keep code for.
        return partial(at, path=path)
    return declaration.memo.made(("write", path), Generator().generate, declaration.root, path)


class Generator:
    """Writes the function. Its argument ``source`` has the resource, and ``value`` is what is being written."""

    def __init__(self) -> None:
        self._functions: Code = []
        self._names = dict(_GLOBALS)
        self._count = 0

    def generate(self, root: Object | Open, path: Path) -> Write:
        """Return the function that writes what is at a path, None where that is null."""
        fields = [root, *chain(root, path)]
        body = self.place(path, fields[-1], ast.Return, nullable=any(field.nullable for field in fields))
        function = fill("def write(source):\n    BODY", BODY=[*self.head(), *body])
        module = ast.fix_missing_locations(ast.Module([*self._functions, *function], []))
        exec(compile(module, "<items>", "exec"), self._names)  # noqa: S102  # Made of the templates only.
        return cast("Write", self._names["write"])

    def head(self) -> Code:
        """Return what the function begins with."""
        return []

    def place(self, path: Path, field: Field, sink: Sink, *, nullable: bool) -> Code:
        """Write what a resource has at a path; here of one in memory, a mapping or an object.

        Args:
            path: the members to step through.
            field: the field there.
            sink: takes what is written, unless it is null.
            nullable: an object with nothing in it is null.
        """
        return [*fill("value = source"), *steps_to(path), *self.value(field, sink, nullable=nullable)]

    def value(self, field: Field, sink: Sink, *, nullable: bool) -> Code:
        """Write ``value``; arguments as in `place`."""
        if isinstance(field, Object):
            return self._object(field, sink, nullable=nullable)
        if isinstance(field, Array):
            return fill(_ARRAY, READ=self.constant(field.read), PUT=[sink(self._elements(field.items))])
        read = self.constant(_output(field))
        test, form = _canonical(field)
        return fill(_SCALAR, TEST=test, PUT=[sink(form)], READ=read, PUT_READ=[sink(_name("value"))])

    def members(self, field: Object, sink: Sink, write: Callable[[str, Field, Sink], Code], *, nullable: bool) -> Code:
        """Write an object, each member of which ``write`` writes; other arguments as in `place`."""
        item = self.new("item")
        body = fill("ITEM = {}", ITEM=item)
        for name, member_field in field.members.items():
            if member_field.returnable:
                body += write(name, member_field, _assign(item, name))
        put = [sink(_name(item))]
        return body + (fill("if ITEM:\n    PUT", ITEM=item, PUT=put) if nullable else put)

    def _object(self, field: Object, sink: Sink, *, nullable: bool) -> Code:
        """Write an object whose members are those of ``value``."""
        get = self.new("get")

        def write(name: str, inner: Field, sink: Sink) -> Code:
            value = fill("value = GET(NAME)", GET=get, NAME=ast.Constant(name))
            return value + self.value(inner, sink, nullable=inner.nullable)

        return fill(_GET, GET=get) + self.members(field, sink, write, nullable=nullable)

    def _elements(self, items: Field) -> ast.expr:
        """Return the list of what the elements of ``value`` are written as."""
        if not isinstance(items, Object):
            test, form = _canonical(items)
            read = self.constant(_output(items))
            return _expression(_SCALARS, TEST=test, FORM=form, READ=read)
        # A function of its own, as Python nests no more than twenty loops.
        name = self.new("write")
        body = self._object(items, _append, nullable=False)
        self._functions += fill(_OBJECTS, WRITE=name, READ=self.constant(items.read), BODY=body)
        return _expression("WRITE(value)", WRITE=name)

    def new(self, kind: str) -> str:
        """Return a name that nothing has yet."""
        self._count += 1
        return f"{kind}{self._count}"

    def constant(self, value: object) -> str:
        """Return the name of a value that the code uses."""
        name = self.new("constant")
        self._names[name] = value
        return name


def steps_to(path: Path) -> Code:
    """Replace ``value`` by what it has at a path."""
    return [step for name in path for step in fill(_STEP, NAME=ast.Constant(name))]


# Templates -----------------------------------------------------------------------------------------------------------

_STEP = "value = value.get(NAME) if type(value) is dict else member(value, NAME)"
_GET = "GET = value.get if type(value) is dict else getter(value)"
_SCALAR = """
if TEST:
    PUT
elif value is not None:
    value = READ(value)
    if value is not None:
        PUT_READ
"""
_SCALARS = "[FORM if TEST else READ(value) for value in value]"
_ARRAY = """
if type(value) is not list:
    value = READ(value)
if value is not None:
    PUT
"""
_OBJECTS = """
def WRITE(values):
    items = []
    for value in values:
        if type(value) is dict or READ(value) is not None:
            BODY
        else:
            items.append(None)
    return items
"""

_CANONICAL: Mapping[TypeName, tuple[str, str]] = {
    "string": ("type(value) is str", "value"),
    "enum": ("type(value) is str", "value"),
    "boolean": ("type(value) is bool", "value"),
    "integer": ("type(value) is int and least <= value <= most", "value"),
    # Databases do not tell -0.0 from 0.0, nor does any order.
    "number": ("type(value) is float and lowest <= value <= highest", "value + 0.0"),
    "uuid": ("type(value) is str and is_uuid(value)", "value"),
    "timestamp": ("type(value) is str and is_timestamp(value)", "value"),
    "date": ("False", "value"),
    "any": ("False", "value"),
}
"""For each type, when ``value`` is known to be in canonical form, and what it is then written as."""

_GLOBALS: dict[str, object] = {
    "__builtins__": {},
    **{kind.__name__: kind for kind in (type, str, bool, int, float, list, dict)},
    "member": member,
    "getter": lambda owner: partial(member, owner),
    "least": MIN_INTEGER,
    "most": MAX_INTEGER,
    "lowest": -float_info.max,
    "highest": float_info.max,
    "is_uuid": is_canonical_uuid,
    # Of most days, that is: which of the others there are is the calendar's business.
    "is_timestamp": re.compile(
        r"(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
        r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z"
    ).fullmatch,
}
"""Everything that the code can name. It has no builtins."""


def _canonical(field: Field) -> tuple[ast.expr, ast.expr]:
    test, form = _CANONICAL[field.type]
    return _expression(test), _expression(form)


def _output(field: Field) -> Callable[[object], Any]:
    # Most types have canonical values that JSON can hold as they are.
    return field.read if type(field).json is Field.json else field.output


def _assign(item: str, name: str) -> Sink:
    return lambda value: ast.Assign([ast.Subscript(_name(item), ast.Constant(name), ast.Store())], value)


def _append(value: ast.expr) -> ast.stmt:
    return ast.Expr(_expression("items.append(VALUE)", VALUE=value))


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def fill(template: str, **parts: Part) -> Code:
    """Return the statements of a template, with parts in the places of their names."""
    module = _Filler(parts).visit(ast.parse(template))
    return cast("Code", module.body)


def _expression(template: str, **parts: Part) -> ast.expr:
    return cast("ast.expr", _Filler(parts).visit(ast.parse(template, mode="eval").body))


class _Filler(ast.NodeTransformer):
    def __init__(self, parts: Mapping[str, Part]) -> None:
        self._parts = parts

    def visit_Expr(self, statement: ast.Expr) -> Any:
        if isinstance(statement.value, ast.Name) and isinstance(found := self._parts[statement.value.id], list):
            return found
        return self.generic_visit(statement)

    def visit_FunctionDef(self, function: ast.FunctionDef) -> Any:
        function.name = cast("str", self._parts.get(function.name, function.name))
        return self.generic_visit(function)

    def visit_Name(self, name: ast.Name) -> Any:
        part = self._parts.get(name.id, name.id)
        return ast.Name(part, name.ctx) if isinstance(part, str) else part
