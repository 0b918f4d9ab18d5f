"""Checked tree to Python: one factory per shape, which makes the functions `matches` and `select` from the values.

The code is made of the templates below (`astra_filter.memory.codegen`). What depends on the literals comes in as
arguments of the factory, so that the code is compiled once per shape. Of ``state eq 'running'`` the code is

    def factory(literal1):

        def matches(scope):
            if type(scope) is not dict and type(scope) is not View:
                return objects.matches(scope)
            return value1 == literal1 if type((value1 := scope.get('state'))) is str else value1 is not None and (read1 := read_enum(value1)) is not None and (read1 == literal1)

        def select(resources):
            ...
        return (matches, select)

Each test has a fast branch for a value of the type that JSON gives its field, others for what drivers and typed code
hand over (`datetime`, `UUID`, members of enumerations), and falls back on the field's own `read` for whatever else the
data holds (SPEC §4.6, §4.7).

Resources that are objects have a factory of their own, made when the first one comes. It reaches members as
attributes: ``scope.state``. Whatever is no plain object there, or raises, takes the careful way through a `View`.
"""  # noqa: E501  # The generated line is as long.

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from sys import float_info
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, assert_never

from astra_filter import fields
from astra_filter.language.values import TAKES_HOUR_24, TIMESTAMP_LENGTH
from astra_filter.meaning.conditions import AllOf, AnyOf, Compare, Condition, In, IsNull, Some
from astra_filter.memory.codegen import (
    Expression,
    Statements,
    all_of,
    any_of,
    compile_factory,
    constant,
    is_attribute,
)
from astra_filter.memory.comparisons import holds, in_range, is_ordering
from astra_filter.memory.runtime import NAMES, Objects, decimal_class

if TYPE_CHECKING:
    from datetime import datetime

    from astra_filter.fields import Field
    from astra_filter.meaning.conditions import Ref
    from astra_filter.memo import Memo
    from astra_filter.memory.codegen import Block, Code, Part

Matches: TypeAlias = Callable[[object], bool]
Select: TypeAlias = Callable[[Iterable[object]], list[object]]
_FromValues: TypeAlias = Callable[[Sequence[object]], object]


class Predicate(NamedTuple):
    """The generated code of one shape."""

    factory: Callable[..., tuple[Matches, Select]]
    arguments: tuple[_FromValues, ...]
    """What each argument of the factory is, as a function of the filter's values."""

    def bind(self, values: Sequence[object], *first: object) -> tuple[Matches, Select]:
        """Return ``matches`` and ``select`` for a filter's canonical values, and what comes before these."""
        return self.factory(*first, *[argument(values) for argument in self.arguments])


def functions(condition: Condition, values: Sequence[object], memo: Memo) -> tuple[Matches, Select]:
    """Return ``matches`` and ``select`` of a filter.

    Args:
        condition: what it means.
        values: its canonical values.
        memo: keeps the code of its shape.
    """

    def of_objects() -> tuple[Matches, Select]:
        return memo.made("objects", generate_for_objects, condition).bind(values, matches)

    matches, select = memo.made("predicate", generate, condition).bind(values, Objects(of_objects))
    return matches, select


def generate(condition: Condition) -> Predicate:
    """Generate the code of a checked condition."""
    generator = _Generator()
    block = generator.write(condition)
    factory = compile_factory("predicate", block, lambda: _Generator().write(condition), NAMES, "matches")
    return Predicate(factory, tuple(generator.arguments))


def generate_for_objects(condition: Condition) -> Predicate:
    """Generate the code of a checked condition for resources that are objects."""
    generator = _Generator()
    block = generator.write_for_objects(condition)
    again = lambda: _Generator().write_for_objects(condition)  # noqa: E731
    factory = compile_factory("objects", block, again, NAMES, "matches")
    return Predicate(factory, tuple(generator.arguments))


# Templates -----------------------------------------------------------------------------------------------------------
# Beside each stands what it makes of a part of a filter. ``scope`` is what has the members: a variable with a method
# ``get``. In the loop of ``select`` it is ``resource``, which is taken for a `dict`.

_FACTORY = Statements("""
def factory(LITERALS):
    LOOPS
    def matches(scope):
        if type(scope) is not dict and type(scope) is not View:
            return objects.matches(scope)
        return CONDITION
    def select(resources):
        if type(resources) is list:
            selected = []
            append = selected.append
            rest = iter(resources)
            while True:
                try:
                    for resource in rest:
                        if QUICK_CONDITION:
                            append(resource)
                    return selected
                except Exception:
                    if type(resource) is not dict:
                        return selected + objects.select([resource, *rest])
                    if matches(resource):
                        append(resource)
        return [resource for resource in resources if matches(resource)]
    return matches, select
""")
# The quick loop raises where a resource is no `dict`, and where one holds a timestamp with a day that its month does
# not have. What raises is a test, never the iteration of a list.

_OBJECT_FACTORY = Statements("""
def factory(LITERALS):
    LOOPS
    def matches(scope):
        if type(scope) in plain_objects:
            try:
                return CONDITION
            except Exception:
                pass
        return careful(view(scope))
    def select(resources):
        selected = []
        append = selected.append
        rest = iter(resources)
        while True:
            try:
                for resource in rest:
                    if type(resource) in plain_objects:
                        if QUICK_CONDITION:
                            append(resource)
                    elif careful(resource if type(resource) is dict else view(resource)):
                        append(resource)
                return selected
            except Exception:
                if careful(view(resource)):
                    append(resource)
    return matches, select
""")
# ``careful`` is the function `matches` of the other factory.

# not size eq 1 -> not (value1 == literal1 if …)
_NOT = Expression("not TEST")

# A member of a scope, a member of that member.
# state -> scope.get('state')
_MEMBER = Expression("SCOPE.get(NAME)")
# state -> get(resource, 'state'), which raises a TypeError where the resource is no dict
_PLAIN_MEMBER = Expression("get(resource, NAME)")
# owner.name -> (inner1 if type(inner1 := scope.get('owner')) is dict else view(inner1)).get('name')
_INNER_MEMBER = Expression("(INNER if type(INNER := OWNER) is dict else view(INNER)).get(NAME)")
# Of an object: scope.state
_ATTRIBUTE = Expression("SCOPE.ATTRIBUTE")
# The same of a member whose name Python cannot spell, such as `created-by`, or must not reach, such as `__class__`.
_OTHER_ATTRIBUTE = Expression("member(SCOPE, NAME)")
# A member of a value inside an object, and of an element of an array there. Each may be anything.
_MEMBER_OF_ANY = Expression(
    "INNER.get(NAME) if type(INNER := OWNER) is dict"
    " else INNER.ATTRIBUTE if type(INNER) in plain_objects else member(INNER, NAME)"
)
_OTHER_MEMBER_OF_ANY = Expression("INNER.get(NAME) if type(INNER := OWNER) is dict else member(INNER, NAME)")
# labels.env eq 'a' -> inner1.get(key1) if type(inner1 := scope.get('labels')) is dict else entry(inner1, key1)
_ENTRY = Expression("INNER.get(KEY) if type(INNER := MAP) is dict else entry(INNER, KEY)")
# Gives a resource or an element a method `get`, if it has none of a `dict`.
_AS_SCOPE = Statements("""
if type(SCOPE) is not dict:
    SCOPE = view(SCOPE)
""")
_WITH_GET = Expression("SCOPE if type(SCOPE) is dict else view(SCOPE)")

_LOOP = Statements("""
def LOOP(array):
    for ELEMENT in ELEMENTS:
        AS_SCOPE
        if TEST:
            return True
    return False
""")
"""A function that looks for an element. Of ``tags eq 'a'``, which calls ``loop1(scope.get('tags'))``:

    def loop1(array):
        for element1 in array if type(array) is list else read_array(array) or ():
            if value1 == literal1 if type((value1 := element1)) is str else …:
                return True
        return False

Before the test of ``disks[size gt 5]`` stands ``if type(element1) is not dict: element1 = view(element1)``.
"""
_CALL_LOOP = Expression("LOOP(ARGUMENT)")
# What is no array has no elements.
_ELEMENTS = Expression("array if type(array) is list else read_array(array) or ()")
# In an open schema: disks[size gt 5] -> open_elements(array, ('disks',)); there `array` is the scope.
_OPEN_ELEMENTS = Expression("open_elements(array, PATH)")
# In an open schema: owner.name eq 'a' -> open_values(array, ('owner', 'name'), elements=True)
_OPEN_VALUES = Expression("open_values(array, PATH, elements=ELEMENTS)")

# name eq null -> (value1 := scope.get('name')) is None or (type(value1) is not str and read_string(value1) is None)
_IS_NULL = Expression("(X := VALUE) is None or (type(X) is not OWN and READ(X) is None)")
# size eq null -> (value1 := scope.get('size')) is None or read_integer(value1) is None
_IS_NULL_OR_UNREADABLE = Expression("(X := VALUE) is None or READ(X) is None")
# In an open schema, in the loop of `owner.name eq null`: element1 is None
_IS_NONE = Expression("VALUE is None")

# state eq 'a' -> value1 == literal1 if type(value1 := scope.get('state')) is str else …
_TEST = Expression("FAST if FITS else SLOW")
# … value1 is not None and (read1 := read_string(value1)) is not None and read1 == literal1
_SLOW = Expression("X is not None and (READ_X := READ(X)) is not None and HOLDS")
# The same where exceptions are caught, with a branch for members of enumerations.
_TEXT_SLOW = Expression(
    "X is not None and (type(READ_X := X._value_ if type(X) in plain_enums else None) is str"
    " or (READ_X := READ(X)) is not None) and HOLDS"
)
# id eq '12345678-…' -> uuid_number(value1) == literal2 if type(value1) is Uuid else …
_UUID_SLOW = Expression("HAS_NUMBER if type(X) is Uuid else SLOW")
_NUMBER_OF = Expression("uuid_number(X)")
# As in `uuid_number`, but that its exception is caught elsewhere.
_QUICK_NUMBER_OF = Expression("X.int")
# startTime lt '2020-08-06T00:00:00Z' -> value1 < literal1 if (zone1 := value1.tzinfo if type(value1) is datetime …
# In one zone, Python compares what a calendar and a clock show. Without a zone, it is UTC.
_INSTANT_SLOW = Expression(
    "HOLDS if (ZONE := X.tzinfo if type(X) is datetime else X) is utc"
    " else NAIVE if ZONE is None and X is not None else SLOW"
)
# day lt '2020-08-06' -> value1 < literal1 if type(value1) is date else …
_DATE_SLOW = Expression("HOLDS if type(X) is date else SLOW")
# price gt 1.5 -> (value1 := scope.get('price')) is not None and (read1 := reader1(value1)) is not None and …
_READ_TEST = Expression("(X := VALUE) is not None and (READ_X := READ(X)) is not None and HOLDS")
# percentDone gte 5 -> value1 >= literal1 if kind1 is int and -2**53 <= value1 <= 2**53 else …
# An integer that a double holds exactly compares as one.
_NUMBER_SLOW = Expression("EXACT if KIND is int and LEAST <= X <= MOST else SLOW")

# When the fast branch is taken; an integer is of a type of its own, whatever is equal to it:
# size gt 5 -> type(value1 := scope.get('size')) is int
_IS_TYPE = Expression("type(X := VALUE) is TYPE")
# percentDone gt 5 -> (kind1 := type(value1 := scope.get('percentDone'))) is float
_IS_FLOAT = Expression("(KIND := type(X := VALUE)) is float")
# day lt '2020-08-06' -> type(value1 := scope.get('day')) is str and len(value1) == 10
# id eq '12345678-…' -> type(value1 := scope.get('id')) is str and len(value1) == 36
_IS_TEXT_OF = Expression("type(X := VALUE) is str and len(X) == LENGTH")
# startTime lt '2020-08-06T00:00:00Z' -> is str and len(value1) == 27 and value1[-1] == 'Z' and value1[10] == 'T'
_IS_STORED_TIMESTAMP = Expression("type(X := VALUE) is str and len(X) == LENGTH and X[-1] == 'Z' and X[10] == 'T'")
# id eq '12345678-…' -> value1.lower() == literal1
_LOWER = Expression("X.lower()")

# day lt '2020-08-06' -> value1 < literal1 and read_date(value1) is not None
_READABLE_DATE = Expression("TEST and read_date(X) is not None")
# In the loop, where only what passes is read, to see that it has no more digits than declared:
# price gt 1.5 -> value2 > literal1 and reader1(value2) is not None if type(value2 := get(resource, 'price')) is kind1
_READABLE = Expression("TEST and READ(X) is not None")
# startTime lt '2020-08-06T00:00:00Z' -> value1 < literal1 and usual_instant(value1) is not None
_READABLE_INSTANT = Expression("TEST and usual_instant(X) is not None")
# As in `usual_instant`, but that its ValueError has the loop given up.
_QUICK_INSTANT = Expression(
    r"TEST and X[4:20:3] == '--T::.' and '\0' not in X and X[11:13] != '24' and fromisoformat(X) is not None"
    if TAKES_HOUR_24
    else r"TEST and X[4:20:3] == '--T::.' and '\0' not in X and fromisoformat(X) is not None"
)

_PLAIN = "resource"
_RESOURCES = ("scope", _PLAIN)
_EXACT = 2**53
"""All integers up to this are doubles."""


def _same(value: object) -> object:
    return value


def _naive(value: datetime) -> datetime:
    return value.replace(tzinfo=None)


def _number(value: str) -> int:
    return int(value.replace("-", ""), 16)


class _Generator:
    """Writes the code of one condition; afterwards ``arguments`` tells what the factory takes."""

    def __init__(self) -> None:
        self.arguments: list[_FromValues] = []
        self._literals: dict[tuple[int, object], str] = {}
        self._functions: Block = []
        self._loops: dict[int, str] = {}
        self._counts: dict[str, int] = {}
        self._quick = False  # Whether what is being written may raise.
        self._of_objects = False  # Whether resources are objects.

    def write(self, condition: Condition) -> Block:
        """Write the code for resources that are dictionaries."""
        test = self._condition(condition, "scope")
        self._quick = True
        quick_test = self._condition(condition, _PLAIN)
        return _FACTORY(
            LITERALS=("objects", *self._literals.values()),
            LOOPS=self._functions,
            CONDITION=test,
            QUICK_CONDITION=quick_test,
        )

    def write_for_objects(self, condition: Condition) -> Block:
        """Write the code for resources that are objects."""
        self._quick = self._of_objects = True
        test = self._condition(condition, "scope")
        quick_test = self._condition(condition, _PLAIN)
        return _OBJECT_FACTORY(
            LITERALS=("careful", *self._literals.values()),
            LOOPS=self._functions,
            CONDITION=test,
            QUICK_CONDITION=quick_test,
        )

    # Conditions. ``scope`` is the name of a scope; for a scalar element, that of the element itself.

    def _condition(self, condition: Condition, scope: str) -> Code:
        match condition:
            case AllOf(operands):
                return all_of([self._condition(operand, scope) for operand in operands])
            case AnyOf(operands):
                return any_of([self._condition(operand, scope) for operand in operands])
            case Some(negated=negated):
                test = self._some(condition, scope)
            case In(slots=(), negated=negated):
                return constant(negated)
            case IsNull(ref, negated) | Compare(ref, negated=negated) | In(ref, negated=negated):
                test = self._open(condition, scope) if ref.open else self._test(condition, self._value(ref, scope))
            case _:
                assert_never(condition)
        return _NOT(TEST=test) if negated else test

    def _some(self, condition: Some, scope: str) -> Code:
        ref = condition.ref
        argument = self._as_scope(scope) if ref.open else self._get(ref.path, scope)
        loop = self._loops.get(id(condition))
        if loop is None:
            element = self._new("element")
            elements = _OPEN_ELEMENTS(PATH=constant(ref.path)) if ref.open else _ELEMENTS()
            is_scalar = self._of_objects or _is_scalar_test(condition.condition)
            before = [] if is_scalar else _AS_SCOPE(SCOPE=element)
            test = self._condition(condition.condition, element)
            loop = self._loop(condition, ELEMENT=element, ELEMENTS=elements, AS_SCOPE=before, TEST=test)
        return _CALL_LOOP(LOOP=loop, ARGUMENT=argument)

    def _open(self, condition: IsNull | Compare | In, scope: str) -> Code:
        """A test on an open path, which may lead through arrays that only the data knows of."""
        loop = self._loops.get(id(condition))
        if loop is None:
            element = self._new("element")
            is_null = isinstance(condition, IsNull)
            elements = _OPEN_VALUES(PATH=constant(condition.ref.path), ELEMENTS=constant(not is_null))
            test = _IS_NONE(VALUE=element) if is_null else self._test(condition, element)
            loop = self._loop(condition, ELEMENT=element, ELEMENTS=elements, AS_SCOPE=[], TEST=test)
        return _CALL_LOOP(LOOP=loop, ARGUMENT=self._as_scope(scope))

    def _loop(self, condition: Condition, **parts: Part) -> str:
        """Put a loop that may return True into a function of its own, once for each condition; return its name."""
        loop = self._loops[id(condition)] = self._new("loop")
        self._functions += _LOOP(LOOP=loop, **parts)
        return loop

    # Values and tests

    def _value(self, ref: Ref, scope: str) -> str | Code:
        """Write what a path leads to, or behind a map its entry under a key, which is an argument of the factory."""
        value, slot = self._get(ref.path, scope), ref.key
        if slot is None:
            return value
        key = self._argument((slot, "key"), lambda values: values[slot], "key")
        return _ENTRY(INNER=self._new("inner"), MAP=value, KEY=key)

    def _get(self, path: Sequence[str], scope: str) -> str | Code:
        value: str | Code = scope
        for index, name in enumerate(path):
            if self._of_objects:
                value = self._of_any(value, name, is_resource=value in _RESOURCES)
            elif index:
                value = _INNER_MEMBER(INNER=self._new("inner"), OWNER=value, NAME=constant(name))
            elif scope == _PLAIN:
                value = _PLAIN_MEMBER(NAME=constant(name))
            else:
                value = _MEMBER(SCOPE=scope, NAME=constant(name))
        return value

    def _of_any(self, owner: str | Code, name: str, *, is_resource: bool) -> Code:
        spelled = is_attribute(name)
        if is_resource and isinstance(owner, str):
            if spelled:
                return _ATTRIBUTE(SCOPE=owner, ATTRIBUTE=name)
            return _OTHER_ATTRIBUTE(SCOPE=owner, NAME=constant(name))
        inner = self._new("inner")
        if spelled:
            return _MEMBER_OF_ANY(INNER=inner, OWNER=owner, NAME=constant(name), ATTRIBUTE=name)
        return _OTHER_MEMBER_OF_ANY(INNER=inner, OWNER=owner, NAME=constant(name))

    def _as_scope(self, scope: str) -> str | Code:
        """Return what has a method ``get`` in place of a resource or an element."""
        return _WITH_GET(SCOPE=scope) if self._of_objects or scope == _PLAIN else scope

    def _test(self, condition: IsNull | Compare | In, value: str | Code) -> Code:
        field = condition.ref.field
        x = self._new("value")
        if isinstance(condition, IsNull):
            return self._is_null(field, x, value)
        read_x = self._new("read")
        literal = self._literal(condition)
        fast = holds(condition, x, literal)
        read, read_holds = self._reader(field), holds(condition, read_x, literal)
        slow = _SLOW(X=x, READ_X=read_x, READ=read, HOLDS=read_holds)
        match field.type:
            case "string" | "enum":
                fits = _IS_TYPE(X=x, VALUE=value, TYPE="str")
                if self._quick:
                    slow = _TEXT_SLOW(X=x, READ_X=read_x, READ=read, HOLDS=read_holds)
            case "boolean":
                fits = _IS_TYPE(X=x, VALUE=value, TYPE="bool")
            case "integer":
                fits = _IS_TYPE(X=x, VALUE=value, TYPE="int")
                fast = in_range(condition, x, literal, fields.MIN_INTEGER, fields.MAX_INTEGER)
            case "number":
                kind = self._new("kind")
                fits = _IS_FLOAT(KIND=kind, X=x, VALUE=value)
                fast = in_range(condition, x, literal, -float_info.max, float_info.max)
                least, most, exact = constant(-_EXACT), constant(_EXACT), holds(condition, x, literal)
                slow = _NUMBER_SLOW(EXACT=exact, KIND=kind, LEAST=least, X=x, MOST=most, SLOW=slow)
            case "decimal":
                if not self._quick:
                    return _READ_TEST(X=x, VALUE=value, READ_X=read_x, READ=read, HOLDS=read_holds)
                kind = self._argument((0, "decimal"), lambda _: decimal_class(), "kind")
                fits, fast = _IS_TYPE(X=x, VALUE=value, TYPE=kind), _READABLE(TEST=fast, READ=read, X=x)
            case "uuid":
                # Of 36 characters, only the grouped form is a UUID.
                fits = _IS_TEXT_OF(X=x, VALUE=value, LENGTH=constant(36))
                fast = holds(condition, _LOWER(X=x), literal)
                number = (_QUICK_NUMBER_OF if self._quick else _NUMBER_OF)(X=x)
                has_number = holds(condition, number, self._literal(condition, _number))
                slow = _UUID_SLOW(HAS_NUMBER=has_number, X=x, SLOW=slow)
            case "timestamp":
                # Of 27 characters with `T` and `Z` there, only text in storage form is a timestamp.
                fits = _IS_STORED_TIMESTAMP(X=x, VALUE=value, LENGTH=constant(TIMESTAMP_LENGTH))
                slow = _INSTANT_SLOW(
                    HOLDS=fast,
                    ZONE=self._new("zone"),
                    X=x,
                    NAIVE=holds(condition, x, self._literal(condition, _naive)),
                    SLOW=slow,
                )
                fast = self._as_text(condition, x, _QUICK_INSTANT if self._quick else _READABLE_INSTANT)
            case "date":
                fits = _IS_TEXT_OF(X=x, VALUE=value, LENGTH=constant(10))
                slow = _DATE_SLOW(HOLDS=fast, X=x, SLOW=slow)
                fast = self._as_text(condition, x, _READABLE_DATE)
            case "array" | "object" | "map" | "any":
                raise AssertionError(field)
            case _:
                assert_never(field.type)
        return _TEST(FAST=fast, FITS=fits, SLOW=slow)

    def _is_null(self, field: Field, x: str, value: str | Code) -> Code:
        match field.type:
            case "string" | "enum":
                own = "str"
            case "boolean":
                own = "bool"
            case "array":
                own = "list"
            case "integer" | "number" | "decimal" | "uuid" | "timestamp" | "date":
                return _IS_NULL_OR_UNREADABLE(X=x, VALUE=value, READ=self._reader(field))
            case "object" | "map" | "any":
                raise AssertionError(field)
            case _:
                assert_never(field.type)
        return _IS_NULL(X=x, VALUE=value, OWN=own, READ=self._reader(field))

    def _as_text(self, condition: Compare | In, x: str, readable: Expression) -> Code:
        """Compare text in storage form, whose order is the values' own, and read only what passes, to see it is one."""
        test = holds(condition, x, self._literal(condition, condition.ref.field.json))
        return readable(TEST=test, X=x) if is_ordering(condition) else test

    def _literal(self, condition: Compare | In, form: Callable[[Any], object] = _same) -> str:
        """Return the argument of the factory that is the condition's literal, or set of literals, in a given form."""
        argument: _FromValues
        match condition:
            case In(slots=slots):
                argument = lambda values: frozenset([form(values[slot]) for slot in slots])  # noqa: E731
            case Compare(slot=slot):
                argument = lambda values: form(values[slot])  # noqa: E731
        return self._argument((id(condition), form), argument, "literal")

    def _reader(self, field: Field) -> str:
        """Return the name of the function that reads a field's values: one for each type, or the field's own."""
        if isinstance(field, fields.Decimal):
            return self._argument((id(field), "read"), lambda _: field.read, "reader")
        return f"read_{field.type}"

    def _argument(self, key: tuple[int, object], argument: _FromValues, kind: str) -> str:
        """Return the name of an argument of the factory, which is made anew for a new key."""
        if key not in self._literals:
            self._literals[key] = self._new(kind)
            self.arguments.append(argument)
        return self._literals[key]

    def _new(self, kind: str) -> str:
        """Return a name that nothing has yet."""
        number = self._counts[kind] = self._counts.get(kind, 0) + 1
        return f"{kind}{number}"


def _is_scalar_test(condition: Condition) -> bool:
    """Whether a condition on an element looks at the element itself, not at its members."""
    match condition:
        case AllOf(operands) | AnyOf(operands):
            return _is_scalar_test(operands[0])
        case _:
            return not condition.ref.path
