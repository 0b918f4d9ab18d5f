"""Checked tree to Python: one factory per shape, which makes the functions `matches` and `select` from the values.

The functions are generated as `ast` nodes; no text is ever pasted into code. What depends on the literals comes in as
arguments of the factory, so that the code is compiled once per shape.

Each test has a fast branch for a value of the type that JSON gives its field, and falls back on the field's own
`read` for whatever else the data holds (SPEC §4.6, §4.7).
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, assert_never

from astra_filter import fields
from astra_filter.language.operators import Operator
from astra_filter.language.values import TAKES_HOUR_24, TIMESTAMP_LENGTH, member, unwrap, usual_instant
from astra_filter.meaning.conditions import AllOf, AnyOf, Compare, Condition, In, IsNull, Some

if TYPE_CHECKING:
    from astra_filter.fields import Field

Matches: TypeAlias = Callable[[object], bool]
Select: TypeAlias = Callable[[Iterable[object]], list[object]]
_Constant: TypeAlias = Callable[[Sequence[object]], object]


class Predicate(NamedTuple):
    """The generated code of one shape."""

    factory: Callable[..., tuple[Matches, Select]]
    constants: tuple[_Constant, ...]
    """What each argument of the factory is, as a function of the filter's values."""

    def bind(self, values: Sequence[object]) -> tuple[Matches, Select]:
        """Return ``matches`` and ``select`` for a filter's canonical values."""
        return self.factory(*[constant(values) for constant in self.constants])


def generate(condition: Condition) -> Predicate:
    """Generate the code of a checked condition."""
    return _Generator().run(condition)


class _View:
    """Gives a resource that is not a plain `dict` the one method of it that the generated code calls."""

    __slots__ = ("_owner",)

    def __init__(self, owner: object) -> None:
        self._owner = owner

    def get(self, name: str) -> object:
        return member(self._owner, name)


def _open_values(owner: _View | dict[str, object], path: Sequence[str], *, elements: bool) -> list[object]:
    """Return what an open path leads to: one value, or one for each element of the arrays on the way.

    Args:
        owner: the resource, or an element, as a scope: what has a method ``get``.
        path: the members to step through, at least one.
        elements: an array at the end of the path stands for its elements.
    """
    values = [owner.get(path[0])]
    for name in path[1:]:
        values = [member(value, name) for value in _spread(values)]
    return _spread(values) if elements else [unwrap(value) for value in values]


def _spread(values: Iterable[object]) -> list[object]:
    spread: list[object] = []
    for value in values:
        kind = type(value)
        elements = None if kind is dict or kind is str else _read_array(value)
        if elements is None:
            spread.append(value)
        else:
            spread.extend(elements)
    return spread


def _open_elements(owner: _View | dict[str, object], path: Sequence[str]) -> list[object]:
    """Return the elements of the array that an open path leads to; a value that is no array has none."""
    values = _open_values(owner, path, elements=False)
    return [element for value in values for element in _read_array(value) or ()]


_read_array = fields.Array(fields.String()).read
_EXACT = 2**53
_TYPES: dict[str, Field] = {
    "string": fields.String(),
    "enum": fields.Enum(""),
    "uuid": fields.Uuid(),
    "integer": fields.Integer(),
    "number": fields.Number(),
    "boolean": fields.Boolean(),
    "timestamp": fields.Timestamp(),
    "date": fields.Date(),
    "array": fields.Array(fields.String()),
}
# Everything the generated code can name. It has no builtins.
_GLOBALS: dict[str, object] = {
    "__builtins__": {},
    "type": type,
    "len": len,
    "dict": dict,
    "list": list,
    "str": str,
    "int": int,
    "float": float,
    "bool": bool,
    "get": dict.get,
    "TypeError": TypeError,
    "ValueError": ValueError,
    "fromisoformat": datetime.fromisoformat,
    "usual_instant": usual_instant,
    "view": _View,
    "open_values": _open_values,
    "open_elements": _open_elements,
    **{f"read_{name}": field.read for name, field in _TYPES.items()},
}


# Short names for the nodes the code is made of.


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _call(function: ast.expr | str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(_name(function) if isinstance(function, str) else function, list(arguments), [])


def _method(owner: ast.expr, name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Attribute(owner, name, ast.Load()), list(arguments), [])


def _compare(left: ast.expr, *steps: tuple[ast.cmpop, ast.expr]) -> ast.expr:
    return ast.Compare(left, [operator for operator, _ in steps], [right for _, right in steps])


def _is(left: ast.expr, right: ast.expr) -> ast.expr:
    return _compare(left, (ast.Is(), right))


def _is_not(left: ast.expr, right: ast.expr) -> ast.expr:
    return _compare(left, (ast.IsNot(), right))


def _and(*operands: ast.expr) -> ast.expr:
    return ast.BoolOp(ast.And(), list(operands))


def _or(*operands: ast.expr) -> ast.expr:
    return ast.BoolOp(ast.Or(), list(operands))


def _not(operand: ast.expr) -> ast.expr:
    return ast.UnaryOp(ast.Not(), operand)


def _set(name: str, value: ast.expr) -> ast.expr:
    return ast.NamedExpr(ast.Name(name, ast.Store()), value)


def _type_is(value: ast.expr, type_name: str) -> ast.expr:
    return _is(_call("type", value), _name(type_name))


_NONE = ast.Constant(None)


def _function(name: str, arguments: Sequence[str], body: list[ast.stmt]) -> ast.stmt:
    taken = ast.arguments([], [ast.arg(argument) for argument in arguments], None, [], [], None, [])
    if sys.version_info >= (3, 12):
        return ast.FunctionDef(name, taken, body, [], type_params=[])
    return ast.FunctionDef(name, taken, body, [])


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


_COMPARISONS: dict[Operator, type[ast.cmpop]] = {
    Operator.EQ: ast.Eq,
    Operator.LT: ast.Lt,
    Operator.LTE: ast.LtE,
    Operator.GT: ast.Gt,
    Operator.GTE: ast.GtE,
}


def _same(value: object) -> object:
    return value


class _Generator:
    def __init__(self) -> None:
        self._constants: list[_Constant] = []
        self._numbers: dict[tuple[int, object], int] = {}
        self._functions: list[ast.stmt] = []
        self._loops: dict[int, str] = {}
        self._temporaries = 0
        self._quick = False  # Whether what is written is the loop that may be given up.

    def run(self, condition: Condition) -> Predicate:
        matches = _function("matches", ["scope"], [*_scoped("scope"), ast.Return(self._condition(condition, "scope"))])
        append = ast.Expr(_call("append", _name("resource")))
        self._quick = True
        each = ast.For(
            target=ast.Name("resource", ast.Store()),
            iter=_name("resources"),
            body=[ast.If(self._condition(condition, _PLAIN), [append], [])],
            orelse=[],
        )
        # Not all of them are a `dict`; or a timestamp has a day that its month has not.
        given_up = ast.Tuple([_name("TypeError"), _name("ValueError")], ast.Load())
        quick: list[ast.stmt] = [
            _assign("selected", ast.List([], ast.Load())),
            _assign("append", ast.Attribute(_name("selected"), "append", ast.Load())),
            ast.Try(
                body=[each, ast.Return(_name("selected"))],
                handlers=[ast.ExceptHandler(given_up, None, [ast.Pass()])],
                orelse=[],
                finalbody=[],
            ),
        ]
        loop = ast.comprehension(
            ast.Name("resource", ast.Store()), _name("resources"), [_call("matches", _name("resource"))], 0
        )
        select = _function(
            "select",
            ["resources"],
            [
                # What is no list may not be gone through twice.
                ast.If(_type_is(_name("resources"), "list"), quick, []),
                ast.Return(ast.ListComp(_name("resource"), [loop])),
            ],
        )
        result = ast.Return(ast.Tuple([_name("matches"), _name("select")], ast.Load()))
        constants = [f"k{number}" for number in range(len(self._constants))]
        factory = _function("factory", constants, [*self._functions, matches, select, result])
        module = ast.fix_missing_locations(ast.Module([factory], []))
        namespace: dict[str, object] = {}
        exec(compile(module, "<filter>", "exec"), _GLOBALS, namespace)  # noqa: S102  # Made of nodes above only.
        return Predicate(namespace["factory"], tuple(self._constants))  # type: ignore[arg-type]

    # Conditions. ``scope`` names a variable with a method ``get``, or for a scalar element the element itself; `_PLAIN`
    # is a resource taken for a `dict`.

    def _condition(self, condition: Condition, scope: str) -> ast.expr:
        match condition:
            case AllOf(operands):
                return _and(*[self._condition(operand, scope) for operand in operands])
            case AnyOf(operands):
                return _or(*[self._condition(operand, scope) for operand in operands])
            case Some(negated=negated):
                test = self._some(condition, scope)
            case IsNull(ref, negated) | Compare(ref, negated=negated) | In(ref, negated=negated):
                test = self._open(condition, scope) if ref.open else self._test(condition, self._get(ref.path, scope))
            case _:
                assert_never(condition)
        return _not(test) if negated else test

    def _some(self, condition: Some, scope: str) -> ast.expr:
        ref = condition.ref
        argument = _scope_of(scope) if ref.open else self._get(ref.path, scope)
        name = self._loops.get(id(condition))
        if name is not None:
            return _call(name, argument)
        element = self._temporary()
        items: ast.expr
        if ref.open:
            items = _call("open_elements", _name("array"), _path(ref.path))
        else:
            # Whatever is no array has no elements.
            empty = ast.Tuple([], ast.Load())
            read = _or(_call("read_array", _name("array")), empty)
            items = ast.IfExp(_type_is(_name("array"), "list"), _name("array"), read)
        body = [] if _is_scalar_test(condition.condition) else _scoped(element)
        test = self._condition(condition.condition, element)
        return _call(self._loop(condition, element, items, test, body), argument)

    def _open(self, condition: IsNull | Compare | In, scope: str) -> ast.expr:
        """A test on an open path, which may lead through arrays that only the data knows of."""
        name = self._loops.get(id(condition))
        if name is None:
            value = self._temporary()
            elements = not isinstance(condition, IsNull)
            flag = ast.keyword("elements", ast.Constant(elements))
            items = ast.Call(_name("open_values"), [_name("array"), _path(condition.ref.path)], [flag])
            test = _is(_name(value), _NONE) if isinstance(condition, IsNull) else self._test(condition, _name(value))
            name = self._loop(condition, value, items, test, [])
        return _call(name, _scope_of(scope))

    def _loop(
        self, condition: Condition, variable: str, items: ast.expr, test: ast.expr, before: list[ast.stmt]
    ) -> str:
        """Put a loop that may return True into a function of its own, once for each condition; return its name."""
        name = self._loops[id(condition)] = self._temporary()
        body = [*before, ast.If(test, [ast.Return(ast.Constant(True))], [])]
        loop = ast.For(target=ast.Name(variable, ast.Store()), iter=items, body=body, orelse=[])
        self._functions.append(_function(name, ["array"], [loop, ast.Return(ast.Constant(False))]))
        return name

    # Values and tests

    def _get(self, path: Sequence[str], scope: str) -> ast.expr:
        value: ast.expr = _name(scope)
        for index, name in enumerate(path):
            if index:
                inner = self._temporary()
                is_dict = _is(_call("type", _set(inner, value)), _name("dict"))
                value = ast.IfExp(is_dict, _name(inner), _call("view", _name(inner)))
            elif scope == _PLAIN:
                value = _call("get", value, ast.Constant(name))  # Raises a TypeError if it is none.
                continue
            value = _method(value, "get", ast.Constant(name))
        return value

    def _test(self, condition: IsNull | Compare | In, value: ast.expr) -> ast.expr:
        """Write ``fast(x) if type(x := value) is T else x is not None and slow(read(x))``."""
        field = condition.ref.field
        x = self._temporary()
        first = _set(x, value)
        if isinstance(condition, IsNull):
            return self._is_null(field, x, first)
        read = f"read_{field.type}"
        y = self._temporary()
        slow = _and(
            _is_not(_name(x), _NONE),
            _is_not(_set(y, _call(read, _name(x))), _NONE),
            self._holds(condition, _name(y), self._constant(condition)),
        )
        match field.type:
            case "string" | "enum":
                fits = _is(_call("type", first), _name("str"))
                fast = self._holds(condition, _name(x), self._constant(condition))
            case "boolean":
                fits = _is(_call("type", first), _name("bool"))
                fast = self._holds(condition, _name(x), self._constant(condition))
            case "integer":
                fits = _is(_call("type", first), _name("int"))
                fast = self._in_range(condition, x, fields.MIN_INTEGER, fields.MAX_INTEGER)
            case "number":
                kind = self._temporary()
                exact = _compare(ast.Constant(-_EXACT), (ast.LtE(), _name(x)), (ast.LtE(), ast.Constant(_EXACT)))
                constant = self._constant(condition)
                # An integer that a double holds exactly compares as one.
                slow = ast.IfExp(
                    _and(_is(_name(kind), _name("int")), exact), self._holds(condition, _name(x), constant), slow
                )
                fits = _is(_set(kind, _call("type", first)), _name("float"))
                fast = self._in_range(condition, x, -sys.float_info.max, sys.float_info.max)
            case "uuid":
                # Of 36 characters, only the grouped form is a UUID.
                fits = self._is_text_of(first, x, 36)
                fast = self._holds(condition, _method(_name(x), "lower"), self._constant(condition))
            case "timestamp":
                # Of 27 characters with `T` and `Z` there, only text in storage form is a timestamp.
                fits = _and(
                    self._is_text_of(first, x, TIMESTAMP_LENGTH),
                    _compare(_item(x, -1), (ast.Eq(), ast.Constant("Z"))),
                    _compare(_item(x, 10), (ast.Eq(), ast.Constant("T"))),
                )
                fast = self._as_text(condition, x, field)
            case "date":
                fits = self._is_text_of(first, x, 10)
                fast = self._as_text(condition, x, field)
            case _:
                raise AssertionError(field.type)
        return ast.IfExp(fits, fast, slow)

    def _is_null(self, field: Field, x: str, first: ast.expr) -> ast.expr:
        none = _is(first, _NONE)
        unreadable = _is(_call(f"read_{field.type}", _name(x)), _NONE)
        own = {"string": "str", "enum": "str", "boolean": "bool", "array": "list"}.get(field.type)
        if own is None:
            return _or(none, unreadable)
        return _or(none, _and(_is_not(_call("type", _name(x)), _name(own)), unreadable))

    def _holds(self, condition: Compare | In, value: ast.expr, constant: ast.expr) -> ast.expr:
        if isinstance(condition, In):
            return _compare(value, (ast.In(), constant))
        match condition.operator:
            case Operator.CONTAINS:
                return _compare(constant, (ast.In(), value))
            case Operator.STARTSWITH:
                return _method(value, "startswith", constant)
            case Operator.ENDSWITH:
                return _method(value, "endswith", constant)
            case operator:
                return _compare(value, (_COMPARISONS[operator](), constant))

    def _in_range(self, condition: Compare | In, x: str, low: float, high: float) -> ast.expr:
        """A value outside the type's range counts as null: an infinity, an integer of more than 64 bits."""
        constant = self._constant(condition)
        match condition:
            case Compare(operator=Operator.GT | Operator.GTE as operator):
                mirrored = ast.Lt() if operator is Operator.GT else ast.LtE()
                return _compare(constant, (mirrored, _name(x)), (ast.LtE(), ast.Constant(high)))
            case Compare(operator=Operator.LT | Operator.LTE as operator):
                return _compare(ast.Constant(low), (ast.LtE(), _name(x)), (_COMPARISONS[operator](), constant))
            case _:
                return self._holds(condition, _name(x), constant)

    def _as_text(self, condition: Compare | In, x: str, field: Field) -> ast.expr:
        """Compare text in storage form, whose order is the values' own, and read only what passes, to see it is one."""
        constant = self._constant(condition, field.json)
        test = self._holds(condition, _name(x), constant)
        if isinstance(condition, In) or condition.operator is Operator.EQ:
            return test
        if field.type == "date":
            return _and(test, _is_not(_call("read_date", _name(x)), _NONE))
        if not self._quick:
            return _and(test, _is_not(_call("usual_instant", _name(x)), _NONE))
        # As in `usual_instant`, but that its ValueError has the loop given up.
        marks = ast.Subscript(_name(x), ast.Slice(ast.Constant(4), ast.Constant(20), ast.Constant(3)), ast.Load())
        checks = [
            test,
            _compare(marks, (ast.Eq(), ast.Constant("--T::."))),
            _compare(ast.Constant("\0"), (ast.NotIn(), _name(x))),
        ]
        if TAKES_HOUR_24:
            hour = ast.Subscript(_name(x), ast.Slice(ast.Constant(11), ast.Constant(13)), ast.Load())
            checks.append(_compare(hour, (ast.NotEq(), ast.Constant("24"))))
        return _and(*checks, _is_not(_call("fromisoformat", _name(x)), _NONE))

    def _is_text_of(self, first: ast.expr, x: str, length: int) -> ast.expr:
        return _and(
            _is(_call("type", first), _name("str")),
            _compare(_call("len", _name(x)), (ast.Eq(), ast.Constant(length))),
        )

    def _constant(self, condition: Compare | In, form: Callable[[object], object] = _same) -> ast.expr:
        """Add an argument to the factory: the condition's literal, or set of literals, in a form of its own."""
        key = (id(condition), form)
        if key not in self._numbers:
            constant: _Constant
            match condition:
                case In(slots=slots):
                    constant = lambda values: frozenset([form(values[slot]) for slot in slots])  # noqa: E731
                case Compare(slot=slot):
                    constant = lambda values: form(values[slot])  # noqa: E731
            self._numbers[key] = len(self._constants)
            self._constants.append(constant)
        return _name(f"k{self._numbers[key]}")

    def _temporary(self) -> str:
        self._temporaries += 1
        return f"t{self._temporaries}"


_PLAIN = "resource"


def _scoped(variable: str) -> list[ast.stmt]:
    """Give a variable a method ``get`` if it has none of a `dict`."""
    is_dict = _type_is(_name(variable), "dict")
    return [ast.If(_not(is_dict), [_assign(variable, _call("view", _name(variable)))], [])]


def _scope_of(scope: str) -> ast.expr:
    if scope != _PLAIN:
        return _name(scope)
    return ast.IfExp(_type_is(_name(scope), "dict"), _name(scope), _call("view", _name(scope)))


def _item(variable: str, index: int) -> ast.expr:
    return ast.Subscript(_name(variable), ast.Constant(index), ast.Load())


def _path(path: Sequence[str]) -> ast.expr:
    return ast.Tuple([ast.Constant(name) for name in path], ast.Load())


def _is_scalar_test(condition: Condition) -> bool:
    """Whether a condition on an element looks at the element itself, not at its members."""
    match condition:
        case AllOf(operands) | AnyOf(operands):
            return _is_scalar_test(operands[0])
        case _:
            return not condition.ref.path
