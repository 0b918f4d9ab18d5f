"""Generated code: what templates become, that it can be read, and that it has no builtins and leaks nothing."""

from __future__ import annotations

import doctest
import gc
import inspect
import linecache
import re
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from generated import assert_is_its_source

from astra_filter import Schema, fields
from astra_filter.memory import codegen, comparisons, items, predicate, runtime
from astra_filter.memory.codegen import Expression, Statements, all_of, any_of, compile_factory, constant, source_of
from astra_filter.memory.items import of_resources
from astra_filter.sql.items import _of_row

if TYPE_CHECKING:
    from collections.abc import Iterator

TASK = {"state": fields.Enum("running", "paused"), "percentDone": fields.Number(), "day": fields.Date(nullable=True)}
NESTED = {
    "id": fields.Integer(),
    "owner": fields.Object({"name": fields.String(nullable=True), "since": fields.Date(nullable=True)}, nullable=True),
    "tags": fields.Array(fields.String()),
    "disks": fields.Array(fields.Object({"size": fields.Integer(), "inner": fields.Object({"id": fields.Uuid()})})),
}


# Templates ----------------------------------------------------------------------------------------------------------


def test_example_of_the_module() -> None:
    assert doctest.testmod(codegen).failed == 0


@pytest.mark.parametrize(
    ("block", "source"),
    [
        (Statements("return A")(A="x"), "return x"),
        (Statements("A = A")(A=("x", "y")), "x, y = (x, y)"),
        (Statements("return not A")(A=all_of([Expression("x")(), Expression("y")()])), "return not (x and y)"),
        (Statements("return not A")(A=any_of([Expression("x")(), Expression("y")()])), "return not (x or y)"),
        (Statements("return A")(A=constant(("a'", -5, -1.5, True))), "return (\"a'\", -5, -1.5, True)"),
        (Statements("return X[0](Y.pop, key=Z)")(X="x", Y="y", Z=constant(None)), "return x[0](y.pop, key=None)"),
        (Statements("return [X for X in Y if X]")(X="x", Y="y"), "return [x for x in y if x]"),
        # A constant in capitals is no hole, nor is an attribute.
        (Statements("return 'A' in x.B")(), "return 'A' in x.B"),
        (Statements("def NAME(ARGS):\n    BODY")(NAME="f", ARGS=("x",), BODY=Statements("x\nreturn x")()), "def f(x):\n    x\n    return x"),
        (Statements("def f(a, b):\n    BODY\n    return a")(BODY=[]), "def f(a, b):\n    return a"),
    ],
)  # fmt: skip
def test_what_templates_become(block: codegen.Block, source: str) -> None:
    assert source_of(block) == source


def test_a_filled_template_can_be_used_twice() -> None:
    test = Expression("X > 1")(X="value")
    assert source_of(Statements("return A and B")(A=test, B=test)) == "return value > 1 and value > 1"


def test_a_hole_without_a_part_is_told() -> None:
    with pytest.raises(KeyError, match="VALUE"):
        source_of(Statements("return VALUE")())


EVERY_STATEMENT = """
def factory(ARGUMENTS):
    def first():
        pass
    value = 1
    def second():
        for x in ():
            if x:
                y = 1
            elif y:
                y = 2
            elif z:
                y = 3
            else:
                y = 4
                if y:
                    y = 5
        else:
            if y:
                y = 6
        try:
            y = 7
        except TypeError:
            y = 8
        except ValueError:
            y = 9
        else:
            y = 10
        finally:
            y = 11
        if y:
            y = 12
        else:
            if x:
                y = 13
            y = 14
    return first
"""


def test_every_statement_has_the_line_of_the_source() -> None:
    def block() -> codegen.Block:
        return Statements(EVERY_STATEMENT)(ARGUMENTS=("a", "b"))

    made = compile_factory("test", block(), block, {"__builtins__": {}}, "first")
    assert_is_its_source(made.__code__)


def test_names_with_builtins_are_refused() -> None:
    block = Statements("def factory():\n    def first():\n        pass")()
    with pytest.raises(AssertionError):
        compile_factory("test", block, lambda: block, {"__builtins__": {"open": open}}, "first")
    with pytest.raises(KeyError):
        compile_factory("test", block, lambda: block, {}, "first")


# The source of generated code ---------------------------------------------------------------------------------------


def test_the_source_of_a_predicate() -> None:
    compiled = Schema(TASK).compile("state eq 'running' and not day gte '2020-08-06'")
    assert inspect.getsource(compiled.matches) == (
        "    def matches(scope):\n"
        "        if type(scope) is not dict and type(scope) is not View:\n"
        "            return objects.matches(scope)\n"
        "        return (value1 == literal1 if type((value1 := scope.get('state'))) is str"
        " else value1 is not None and (read1 := read_enum(value1)) is not None and (read1 == literal1))"
        " and (not (value2 >= literal3 and read_date(value2) is not None"
        " if type((value2 := scope.get('day'))) is str and len(value2) == 10"
        " else value2 >= literal2 if type(value2) is date"
        " else value2 is not None and (read2 := read_date(value2)) is not None and (read2 >= literal2)))\n"
    )
    select = inspect.getsource(compiled._functions[1])
    assert select.startswith("    def select(resources):\n        if type(resources) is list:\n")
    assert "if (value3 == literal1 if type((value3 := get(resource, 'state'))) is str else" in select


def test_the_source_of_items() -> None:
    schema = Schema(NESTED, key="id")
    of_resource = inspect.getsource(of_resources(schema, None))
    assert of_resource.startswith("    def write(source):\n        value = source\n        get1 = value.get if")
    assert "item1['disks'] = write1(value)\n" in of_resource
    of_row = inspect.getsource(_of_row(schema, ()).write)
    assert of_row.startswith("    def write(source):\n        column1, column2, column3, column4 = source\n")


def test_every_example_beside_a_template_is_in_the_code() -> None:
    """The comments of the template modules show code as it is, apart from numbers and what they leave out."""
    fields_ = {
        "state": fields.String(),
        "size": fields.Integer(nullable=True),
        "percentDone": fields.Number(),
        "day": fields.Date(),
        "startTime": fields.Timestamp(),
        "owner": fields.Object({"name": fields.String(nullable=True)}),
        "name": fields.String(nullable=True),
        "tags": fields.Array(fields.String()),
        "disks": fields.Array(fields.Object({"size": fields.Integer()})),
        "id": fields.Uuid(),
        "price": fields.Decimal(5, 2),
        "labels": fields.Map(fields.String()),
    }
    closed, opened = Schema(fields_), Schema.open()
    shown = re.findall(r"# (?:In an open schema: )?([^#\n]+?) -> ([^;\n]+)", inspect.getsource(predicate))
    shown += re.findall(r"([a-z]\w* \w+ [^ ]+) -> ([^;\n]+)", inspect.getsource(comparisons))
    tried = 0
    for text, code in shown:
        if not re.search(r" (eq|gt|gte|lt|contains) |\[", text):
            continue  # A path.
        schema = opened if code.startswith("open_") else closed
        compiled = schema.compile(text.replace("12345678-…", "12345678-1234-1234-1234-123456789abc"))
        source = "".join(linecache.getlines(compiled.matches.__code__.co_filename))
        for piece in code.split("…"):
            assert plain(piece) in plain(source), (text, piece, source)
        tried += 1
    assert tried >= 15


def plain(code: str) -> str:
    """Code without parentheses, and without numbers of names."""
    return re.sub(r"[()]|(?<=[a-z])\d+", "", code.replace("2**53", str(2**53))).strip()


def test_a_traceback_shows_the_line() -> None:
    def failing() -> Iterator[Any]:
        yield {"state": "running"}
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError) as caught:
        Schema(TASK).compile("state eq 'running'").select(failing())
    shown = "".join(traceback.format_exception(caught.value))
    assert re.search(
        r'File "<astra_filter predicate \d+>\.py", line \d+, in (select|<listcomp>)\n'
        r" +return \[resource for resource in resources if matches\(resource\)\]\n",
        shown,
    )


def test_no_source_is_written_before_somebody_asks() -> None:
    matches = Schema(TASK).compile("percentDone gte 5").matches
    filename = matches.__code__.co_filename
    assert len(linecache.cache[filename]) == 1
    inspect.getsource(matches)
    assert len(linecache.cache[filename]) == 4
    linecache.checkcache(filename)
    assert "percentDone" in inspect.getsource(matches)


# What is in reach ---------------------------------------------------------------------------------------------------


def functions() -> list[Any]:
    schema = Schema(NESTED, key="id")
    compiled = schema.compile("owner.name eq 'a' and disks[size gt 5]")
    return [*compiled._functions, of_resources(schema, None), _of_row(schema, ()).write]


def test_generated_code_has_no_builtins() -> None:
    for function in functions():
        assert function.__builtins__ == {}
        assert function.__globals__["__builtins__"] == {}
    assert not {"eval", "exec", "compile", "open", "getattr", "__import__"} & (runtime.NAMES | items._NAMES).keys()


# What is kept -------------------------------------------------------------------------------------------------------


def kept() -> set[str]:
    gc.collect()
    return {filename for filename in linecache.cache if filename.startswith("<astra_filter ")}


@pytest.mark.parametrize("read", [False, True], ids=["unread", "read"])
def test_sources_go_with_their_code(read: bool) -> None:
    before = kept()
    made = functions()
    if read:
        for function in made:
            inspect.getsource(function)
    assert len(kept() - before) == 3  # Both functions of a filter stand in one file.
    del made
    if read:
        del function
    assert kept() <= before


def test_sources_go_with_shapes_that_are_dropped() -> None:
    before = kept()
    schema = Schema({"a": fields.Integer()})
    schema._shapes._entries = 3
    for count in range(1, 11):
        schema.compile(" or ".join(["a eq 1"] * count)).matches({})
    assert len(kept() - before) == 3


@pytest.mark.parametrize("index", [0, 1], ids=["matches", "select"])
def test_a_function_that_is_left_keeps_its_source(index: int) -> None:
    function = Schema(TASK).compile("state eq 'paused'")._functions[index]
    gc.collect()
    assert "state" in inspect.getsource(function)


def deep(levels: int) -> Schema:
    field: fields.Field = fields.Integer()
    for _ in range(levels - 1):
        field = fields.Object({"a": field})
    return Schema({"a": field})


def test_code_nests_as_deeply_as_members_do() -> None:
    """For each level of members Python's stack grows by little, on top of what the caller takes."""
    compiled = deep(60).compile(".".join(["a"] * 60) + " gt 5")

    def after(calls: int) -> bool:
        return after(calls - 1) if calls else compiled.matches({})

    assert not after(500)
    # To write its source takes more of the stack, if not more than there is. Then none is shown, and nothing else happens.
    lines = linecache.getlines(compiled.matches.__code__.co_filename)
    assert not lines or "".join(lines).count(".get('a')") == 60 + 59


def test_the_source_of_deep_members() -> None:
    matches = deep(12).compile(".".join(["a"] * 12) + " gt 5").matches
    assert inspect.getsource(matches).count(".get('a')") == 12
