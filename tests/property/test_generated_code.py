"""The source that is shown of generated code is the code, and names of members are constants or attributes in it."""

from __future__ import annotations

import ast
import linecache
import re
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from generated import assert_is_its_source
from hypothesis import example, given
from hypothesis import strategies as st
from schemas import SCHEMAS

from astra_filter import Schema, fields
from astra_filter.memory import codegen, predicate, runtime
from astra_filter.memory.items import _of_resource
from astra_filter.sql.items import _of_row
from astra_filter.testing import datasets, filters

if TYPE_CHECKING:
    from astra_filter import Filter


EVERY_SCHEMA = pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)


def assert_is_shown(compiled: Filter) -> None:
    made = compiled.template.memo.made("predicate", predicate.generate, compiled.template.condition)
    assert_is_its_source(made.factory.__code__)


@EVERY_SCHEMA
@given(data=st.data())
def test_the_source_of_a_predicate_is_its_code(schema: Schema, data: st.DataObject) -> None:
    assert_is_shown(schema.compile(str(data.draw(filters(schema, data.draw(datasets(schema)))))))


@pytest.mark.parametrize(
    "text", ["a eq null", "not a.b lt -1.5 or a.b in (1, 2)", "c[d.e lt 5 and not f startswith 'a'] and g contains 'a'"]
)
def test_the_source_of_an_open_predicate_is_its_code(text: str) -> None:
    assert_is_shown(Schema.open().compile(text))


@EVERY_SCHEMA
def test_the_source_of_items_is_their_code(schema: Schema) -> None:
    for path in [(), *[leaf.path for leaf in schema.leaves.values() if leaf.returnable]]:
        assert_is_its_source(_of_resource(schema, path).__code__)
        assert_is_its_source(_of_row(schema, path).write.__code__)


@given(name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0`"), min_size=1))
@example(name="'); import os #")
@example(name="\\'")
@example(name="VALUE")
@example(name="\N{RIGHT-TO-LEFT OVERRIDE}'\n")
@example(name="__builtins__")
def test_names_stay_constants(name: str) -> None:
    """A name of a member, whatever is in it, is a constant and nothing else."""
    compiled = Schema.open().compile(f"`{name}` eq 'a'")
    tree = ast.parse("".join(linecache.getlines(compiled.matches.__code__.co_filename)))
    paths = [
        ast.literal_eval(node.args[1]) for node in ast.walk(tree) if isinstance(node, ast.Call) and len(node.args) == 2
    ]
    assert paths == [(name,)]
    own = re.compile(
        r"(literal|value|read|element|loop)\d+|scope|array|resources?|rest|selected|append|matches|select|objects"
    )
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not {each for each in names if not own.fullmatch(each)} - runtime.NAMES.keys()
    assert compiled.matches({name: "a"})
    assert not compiled.matches({name: "b"})


@given(name=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0`"), min_size=1))
@example(name="'); import os #")
@example(name="state")
@example(name="ATTRIBUTE")
@example(name="ﬁ")
@example(name="__class__")
@example(name="None")
def test_only_names_that_python_spells_become_attributes(name: str) -> None:
    """In the code for objects a member's name is an attribute, or a constant and nothing else."""
    compiled = Schema({name: fields.String()}).compile(f"`{name}` eq 'a'")
    made = predicate.generate_for_objects(compiled.template.condition)
    assert_is_its_source(made.factory.__code__)
    tree = ast.parse("".join(linecache.getlines(made.factory.__code__.co_filename)))
    attributes = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    is_attribute = name in attributes
    assert is_attribute == codegen.is_attribute(name)
    assert (name in constants) != is_attribute
    assert set(attributes) <= {name, "append", "_value_"}
    holder = SimpleNamespace(**{name: "a"})
    for _ in range(2):  # The second time, the class is known.
        assert compiled.matches(holder) is not name.startswith("__")
