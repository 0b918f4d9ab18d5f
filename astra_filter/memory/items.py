"""The items of pages, by generated code: one function for whole resources, and one for each path of an ``include``.

What is returned is known before any data is, so that the checks of SPEC §4.6 are code without loops over fields. Each
value has a fast branch for the canonical form, which tables and JSON mostly hold, and the field's own method for
whatever else there is.

The code is made of the templates below (`astra_filter.memory.codegen`). Of the resources
``{"name": String(), "disk": Object({"size": Integer()})}`` it is

    def factory(read1, read2):

        def write(source):
            value = source
            get1 = value.get if type(value) is dict else getter(value)
            item1 = {}
            value = get1('name')
            if type(value) is str:
                item1['name'] = value
            elif value is not None:
                value = read1(value)
                if value is not None:
                    item1['name'] = value
            value = get1('disk')
            get2 = value.get if type(value) is dict else getter(value)
            item2 = {}
            value = get2('size')
            if type(value) is int and least <= value <= most:
                item2['size'] = value
            elif value is not None:
                value = read2(value)
                if value is not None:
                    item2['size'] = value
            item1['disk'] = item2
            return item1
        return write
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from sys import float_info
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never, cast

from astra_filter.fields import MAX_INTEGER, MIN_INTEGER, Array, Field, Map, Object, Open
from astra_filter.language.values import at, entry, is_canonical_uuid, member
from astra_filter.memory.codegen import Block, Code, Expression, Statements, compile_factory, constant
from astra_filter.request.field_lists import chain, map_before_key

if TYPE_CHECKING:
    from astra_filter.meaning.declaration import Declaration
    from astra_filter.request.include import Path

Write: TypeAlias = Callable[[Any], Any]
"""From what holds a resource to its item."""
Put: TypeAlias = "Callable[[str | Code], Block]"
"""Makes the statement that puts a value where it belongs, such as ``item1['name'] = value``."""


def of_resources(declaration: Declaration, include: tuple[Path, ...] | None) -> Write:
    """Return what makes the items of resources, mappings or objects; a list of what is at the paths of ``include``."""
    if include is None:
        return _of_resource(declaration, ())
    writers = [_of_path(declaration, path) for path in include]
    return lambda resource: [write(resource) for write in writers]


def _of_path(declaration: Declaration, path: Path) -> Write:
    field = map_before_key(declaration.root, path)
    if field is None:
        return _of_resource(declaration, path)
    # Keys of maps have no end, so no code is kept for them.
    *steps, key = path
    return lambda resource: entry_of(field, at(resource, steps), key)


def entry_of(field: Map, value: object, key: str) -> Any:
    """Return what a map in the data has under a key, as it is returned."""
    return field.values.output(entry(value, key))


def _of_resource(declaration: Declaration, path: Path) -> Write:
    if isinstance(declaration.root, Open):
        # It has no members to check, and no end of paths to keep code for.
        return partial(at, path=path)
    return declaration.memo.made(("write", path), generate, Generator, declaration.root, path)


def generate(make_generator: Callable[[], Generator], root: Object | Open, path: Path) -> Write:
    """Return the function that writes what is at a path, None where that is null.

    Args:
        make_generator: makes a generator that has written nothing yet. It is kept as long as the function, so it must
            not keep the function itself.
        root: the fields of a resource.
        path: what is written; empty for the whole resource.
    """
    generator = make_generator()
    block = generator.write(root, path)
    factory = compile_factory("item", block, lambda: make_generator().write(root, path), _NAMES, "write")
    return cast("Write", factory(*generator.constants.values()))


class Generator:
    """Writes the code of one function, of resources in memory.

    In that code ``source`` has the resource, and ``value`` is what is being written.
    """

    def __init__(self) -> None:
        self.constants: dict[str, object] = {}
        """The arguments of the factory, by name."""
        self._functions: Block = []
        self._counts: dict[str, int] = {}

    def write(self, root: Object | Open, path: Path) -> Block:
        """Write the code; arguments as in `generate`."""
        fields = [root, *chain(root, path)]
        nullable = any(field.nullable for field in fields)
        body = [*self.head(), *self.place(path, fields[-1], _return, nullable=nullable)]
        return _FACTORY(CONSTANTS=tuple(self.constants), FUNCTIONS=self._functions, BODY=body)

    def head(self) -> Block:
        """Write what the function begins with."""
        return []

    def place(self, path: Path, field: Field, put: Put, *, nullable: bool) -> Block:
        """Write what a resource has at a path; here of one in memory, a mapping or an object.

        Args:
            path: the members to step through.
            field: the field there.
            put: takes what is written, unless it is null.
            nullable: an object with nothing in it is null.
        """
        return [*_START(), *steps_to(path), *self.value(field, put, nullable=nullable)]

    def value(self, field: Field, put: Put, *, nullable: bool) -> Block:
        """Write ``value``; arguments as in `place`."""
        if isinstance(field, Object):
            return self._object(field, put, nullable=nullable)
        if isinstance(field, Map):
            return _MAP(READ=self.constant("read", field.output), PUT=put("value"))
        if isinstance(field, Array):
            return _ARRAY(READ=self.constant("read", field.read), PUT=put(self._elements(field.items)))
        test, form = _canonical(field)
        return _SCALAR(TEST=test, PUT=put(form), READ=self.constant("read", _output(field)), PUT_READ=put("value"))

    def members(self, field: Object, put: Put, write: Callable[[str, Field, Put], Block], *, nullable: bool) -> Block:
        """Write an object, each member of which ``write`` writes; other arguments as in `place`."""
        item = self.new("item")
        block = _ITEM(ITEM=item)
        for name, member_field in field.members.items():
            if member_field.returnable:
                block += write(name, member_field, partial(_put_member, item, name))
        return block + (_PUT_UNLESS_EMPTY(ITEM=item, PUT=put(item)) if nullable else put(item))

    def _object(self, field: Object, put: Put, *, nullable: bool) -> Block:
        """Write an object whose members are those of ``value``."""
        get = self.new("get")

        def write(name: str, inner: Field, put: Put) -> Block:
            return _MEMBER(GET=get, NAME=constant(name)) + self.value(inner, put, nullable=inner.nullable)

        return _GET(GET=get) + self.members(field, put, write, nullable=nullable)

    def _elements(self, items: Field) -> Code:
        """Write the list of what the elements of ``value`` are written as."""
        if not isinstance(items, Object):
            test, form = _canonical(items)
            return _SCALARS(TEST=test, FORM=form, READ=self.constant("read", _output(items)))
        # A function of its own, as Python nests no more than twenty loops.
        name = self.new("write")
        body = self._object(items, _append, nullable=False)
        self._functions += _OBJECTS(WRITE=name, READ=self.constant("read", items.read), BODY=body)
        return _CALL(WRITE=name)

    def new(self, kind: str) -> str:
        """Return a name that nothing has yet."""
        number = self._counts[kind] = self._counts.get(kind, 0) + 1
        return f"{kind}{number}"

    def constant(self, kind: str, value: object) -> str:
        """Return the name of a value that the code uses."""
        name = self.new(kind)
        self.constants[name] = value
        return name


def steps_to(path: Path) -> Block:
    """Replace ``value`` by what it has at a path."""
    return [step for name in path for step in _STEP(NAME=constant(name))]


# Templates -----------------------------------------------------------------------------------------------------------

_FACTORY = Statements("""
def factory(CONSTANTS):
    FUNCTIONS
    def write(source):
        BODY
    return write
""")
_START = Statements("value = source")
# The path disk.size -> value = value.get('disk') if …, value = value.get('size') if …
_STEP = Statements("value = value.get(NAME) if type(value) is dict else member(value, NAME)")
# The beginning of an object, what puts its members, and one of these.
_GET = Statements("GET = value.get if type(value) is dict else getter(value)")
_ITEM = Statements("ITEM = {}")
_MEMBER = Statements("value = GET(NAME)")
# What becomes of what was written: return value; item1['name'] = value; items.append(value)
_RETURN = Statements("return VALUE")
_PUT_MEMBER = Statements("ITEM[NAME] = VALUE")
_APPEND = Statements("items.append(VALUE)")
# An object that is nullable, and has nothing in it: if item2: item1['disk'] = item2
_PUT_UNLESS_EMPTY = Statements("""
if ITEM:
    PUT
""")
# A number: if type(value) is float and lowest <= value <= highest: item1['load'] = value + 0.0, elif …
_SCALAR = Statements("""
if TEST:
    PUT
elif value is not None:
    value = READ(value)
    if value is not None:
        PUT_READ
""")
# An array: PUT is item1['tags'] = [value if type(value) is str else read2(value) for value in value]
_ARRAY = Statements("""
if type(value) is not list:
    value = READ(value)
if value is not None:
    PUT
""")
# A map: value = read2(value), if value is not None: item1['labels'] = value
_MAP = Statements("""
value = READ(value)
if value is not None:
    PUT
""")
_SCALARS = Expression("[FORM if TEST else READ(value) for value in value]")
# An array of objects: PUT of the above is item1['disks'] = write1(value), and beside `write` stands this.
_OBJECTS = Statements("""
def WRITE(values):
    items = []
    for value in values:
        if type(value) is dict or READ(value) is not None:
            BODY
        else:
            items.append(None)
    return items
""")
_CALL = Expression("WRITE(value)")

# When ``value`` is known to be in canonical form.
_IS_TEXT = Expression("type(value) is str")
_IS_BOOLEAN = Expression("type(value) is bool")
_IS_INTEGER = Expression("type(value) is int and least <= value <= most")
_IS_NUMBER = Expression("type(value) is float and lowest <= value <= highest")
_IS_UUID = Expression("type(value) is str and is_uuid(value)")
_IS_TIMESTAMP = Expression("type(value) is str and is_timestamp(value)")
_NEVER = Expression("False")
# What it is then written as. Databases do not tell -0.0 from 0.0, nor does any order.
_AS_IT_IS = Expression("value")
_WITHOUT_SIGN_OF_ZERO = Expression("value + 0.0")


def _canonical(field: Field) -> tuple[Code, Code]:
    """Return when ``value`` is known to be in canonical form, and what it is then written as."""
    match field.type:
        case "string" | "enum":
            return _IS_TEXT(), _AS_IT_IS()
        case "boolean":
            return _IS_BOOLEAN(), _AS_IT_IS()
        case "integer":
            return _IS_INTEGER(), _AS_IT_IS()
        case "number":
            return _IS_NUMBER(), _WITHOUT_SIGN_OF_ZERO()
        case "uuid":
            return _IS_UUID(), _AS_IT_IS()
        case "timestamp":
            return _IS_TIMESTAMP(), _AS_IT_IS()
        case "date" | "decimal" | "any":
            return _NEVER(), _AS_IT_IS()
        case "array" | "object" | "map":
            raise AssertionError(field)
        case _:
            assert_never(field.type)


_NAMES: dict[str, object] = {
    "__builtins__": {},
    "__name__": __name__,
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


def _output(field: Field) -> Callable[[object], Any]:
    # Most types have canonical values that JSON can hold as they are.
    return field.read if type(field).json is Field.json else field.output


def _return(value: str | Code) -> Block:
    return _RETURN(VALUE=value)


def _put_member(item: str, name: str, value: str | Code) -> Block:
    return _PUT_MEMBER(ITEM=item, NAME=constant(name), VALUE=value)


def _append(value: str | Code) -> Block:
    return _APPEND(VALUE=value)
