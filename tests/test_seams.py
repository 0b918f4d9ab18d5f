"""The closed sets of the library (operators, field types, dialects): whoever adds a member is told what it lacks.

The type checker names each ``match`` that must treat the new member. Here is what it cannot see: tables, grammar, pages.
"""

from __future__ import annotations

import copy
import inspect
import pickle
import pydoc
import random
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields as dataclass_fields
from importlib import import_module
from pathlib import Path
from typing import Any, get_args

import pytest
from cases import FOLDER
from databases.backends import BACKENDS
from rooms import FILES
from schemas import SCHEMAS

from astra_filter import FilterError, Schema, SchemaError, StorageError, fields
from astra_filter.adapters import _sqlalchemy_sql
from astra_filter.builder import field
from astra_filter.cli import commands
from astra_filter.errors import OPERATORS
from astra_filter.fields import AnyField, Field
from astra_filter.language import names
from astra_filter.language.operators import (
    EQUALITY,
    FOLDED,
    LISTS,
    ORDER,
    TEXT,
    Kind,
    Operator,
    ScalarName,
    TypeName,
    exact,
    spellings,
)
from astra_filter.sql import DIALECTS
from astra_filter.sql.dialects.base import JSON_STORAGE, Dialect, DialectName, Feature
from astra_filter.syntax import lalr_tables
from astra_filter.syntax.parser import parse
from astra_filter.testing import generate

ROOT = Path(__file__).parent.parent
SCALARS = set(get_args(ScalarName))
CLASSES: tuple[type[Field], ...] = get_args(AnyField)
PLAIN: Mapping[str, Field] = {
    "string": fields.String(),
    "enum": fields.Enum("a"),
    "uuid": fields.Uuid(),
    "integer": fields.Integer(),
    "number": fields.Number(),
    "decimal": fields.Decimal(10, 2),
    "boolean": fields.Boolean(),
    "timestamp": fields.Timestamp(),
    "date": fields.Date(),
    "array": fields.Array(fields.String()),
    "object": fields.Object({"a": fields.String()}),
    "map": fields.Map(fields.String()),
    "any": fields.Open(),
}
"""A field of each type."""


# Operators -----------------------------------------------------------------------------------------------------------


def test_every_operator_is_in_a_set() -> None:
    assert set(Operator) == ORDER | TEXT | FOLDED
    assert EQUALITY < ORDER
    assert not ORDER & (TEXT | FOLDED)
    assert {exact(operator) for operator in FOLDED} == TEXT - FOLDED | EQUALITY
    assert [operator.value for operator in Operator] == list(OPERATORS)


@pytest.mark.parametrize("operator", Operator)
def test_every_spelling_is_parsed(operator: Operator) -> None:
    for spelling in spellings(operator):
        literal = "('x')" if operator in LISTS else "'x'"
        canonical = f"a {operator.value} {literal}"
        for word in (spelling, spelling.upper()):
            assert str(parse(f"a {word} {literal}")) == canonical
        if operator in TEXT and spelling == operator.value:
            assert str(parse(f"{spelling}(a, 'x')")) == canonical
        assert str(parse(f"{spelling} eq 1")) == f"{spelling} eq 1"  # A name, too.


@pytest.mark.parametrize("operator", Operator)
def test_every_operator_is_built(operator: Operator) -> None:
    build = getattr(field("a"), "in_" if operator is Operator.IN else operator.value)
    text = f"a {operator.value} " + ("('x')" if operator in LISTS else "'x'")
    assert str(build(["x"] if operator in LISTS else "x")) == text


def test_every_operator_is_generated() -> None:
    numbers = random.Random(1)
    found = [
        generate.filter_text(SCHEMAS["columns"], lambda bound: int(numbers.random() * bound), wild=True)
        for _ in range(2000)
    ]
    for operator in Operator:
        for spelling in spellings(operator):
            assert any(f" {spelling} " in text.lower() for text in found)


@pytest.mark.parametrize("operator", Operator)
def test_every_operator_has_conformance_cases(operator: Operator) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json"))
    assert text.count(f" {operator.value} ") >= 5


@pytest.mark.parametrize("page", ["README.md", "grammar/SPEC.md", "docs/language.md"])
def test_pages_tell_every_operator(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [operator.value for operator in Operator if not re.search(rf"`[^`\n]*\b{operator.value}\b", text)] == []


def test_hints_tell_every_operator() -> None:
    for text, told in (("a lt null", EQUALITY), ("a foo 1", Operator)):
        with pytest.raises(FilterError) as caught:
            Schema({"a": fields.Integer(nullable=True)}).compile(text)
        [problem] = caught.value.problems
        words = re.findall(r"\w+", problem.hint or "")
        assert {operator.value for operator in told} <= set(words)


# Types ---------------------------------------------------------------------------------------------------------------


def subclasses(cls: type[Field]) -> Iterator[type[Field]]:
    for sub in cls.__subclasses__():
        yield sub
        yield from subclasses(sub)


def test_the_classes_are_those_of_the_types() -> None:
    assert [cls.type for cls in CLASSES] == list(get_args(TypeName))
    assert {cls for cls in subclasses(Field) if not cls.__name__.startswith("_")} == set(CLASSES)
    assert {name for name, plain in PLAIN.items() if plain.scalar and name != "any"} == SCALARS
    assert all(type(PLAIN[cls.type]) is cls for cls in CLASSES)


def test_every_type_is_of_an_operator_set() -> None:
    for name in SCALARS:
        assert PLAIN[name].allowed in (EQUALITY, ORDER, ORDER | TEXT | FOLDED)
        assert PLAIN[name].kind is not None


@pytest.mark.parametrize("name", sorted(SCALARS))
def test_every_scalar_has_a_way_of_its_own(name: str) -> None:
    """It reads, writes and, but for text, coerces itself; what another type reads is not enough."""
    cls = type(PLAIN[name])
    assert cls._read is not Field._read
    assert PLAIN[name].read(object()) is None


@pytest.mark.parametrize("name", sorted(SCALARS))
def test_a_literal_of_another_kind_is_told_how_to_be_written(name: str) -> None:
    plain = PLAIN[name]
    wrong = "true" if plain.kind is Kind.STRING else "'x'"
    with pytest.raises(FilterError) as caught:
        Schema({"a": plain}).compile(f"a eq {wrong}")
    [problem] = caught.value.problems
    assert problem.code == "wrong_kind"
    told = "values: 'a'" if name == "enum" else "in single quotes" if plain.kind is Kind.STRING else "without quotes"
    assert told in str(problem.hint)


@pytest.mark.parametrize("page", ["grammar/SPEC.md", "docs/language.md"])
def test_pages_tell_every_type(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [name for name in SCALARS if not re.search(rf"^\|.*\b{name}\b.*\|", text, re.MULTILINE)] == []


@pytest.mark.parametrize("name", sorted(SCALARS))
def test_every_type_has_conformance_cases(name: str) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in FOLDER.glob("*.json"))
    assert f'"type": "{name}"' in text


def test_every_type_is_in_the_schemas_of_the_properties() -> None:
    """So every property, attack and difference to a database is looked for with it."""
    for name in ("columns", "documents"):
        assert {leaf.field.type for leaf in SCHEMAS[name].leaves.values()} >= SCALARS


def tables() -> dict[str, Mapping[str, Any]]:
    """Return the tables of the library whose keys are types of fields, each by its place."""
    found: dict[str, Mapping[str, Any]] = {}
    places = [(module, vars(import_module(module))) for module in FILES if not module.endswith("__main__")]
    places += [
        (f"dialect {name}", {each.name: getattr(record, each.name) for each in dataclass_fields(Dialect)})
        for name, record in DIALECTS.items()
    ]
    for place, members in places:
        for name, value in members.items():
            if issubclass(type(value), Mapping) and len(value) > 1 and set(value) <= set(get_args(TypeName)):
                found[f"{place}.{name}"] = value
    return found


LACKING = {
    # Of a STRICT table only the others have columns that hold nothing else.
    "_STRICT": {"boolean", "date", "decimal", "number", "timestamp", "uuid"},
    # Drivers give the others in their canonical form; how decimals are given depends on their places.
    "_FOREIGN": {"date", "decimal", "enum", "integer", "number", "string", "timestamp"},
    # How a decimal is stored depends on its digits: ``Dialect.decimal``.
    "columns": {"decimal"},
    "JSON_STORAGE": {"decimal"},
    # An enum's examples are its own values; a boolean is offered as both of its literals.
    "_EXAMPLES": {"enum"},
    "astra_filter.meaning.completion._EXAMPLES": {"enum", "boolean"},
    # Values of the others need a closer look, whatever their Python type.
    "_QUICK": {"date", "decimal", "integer", "timestamp", "uuid"},
}
"""The types that a table lacks on purpose, by its name; by its place where tables share a name."""


def test_every_table_by_type_is_complete() -> None:
    found = tables()
    assert {name: lacking for name, table in found.items() if (lacking := SCALARS - set(table))} == {
        name: lacking for name in found if (lacking := LACKING.get(name, LACKING.get(name.rpartition(".")[2])))
    }
    assert len(found) > len(LACKING) + len(DIALECTS)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_stores_every_type(name: str) -> None:
    record = DIALECTS[name]  # type: ignore[index]
    assert set(record.columns) == set(JSON_STORAGE) == SCALARS - {"decimal"} | {"array"}
    assert set(record.reads) == {storage.type for storage in JSON_STORAGE.values()}
    assert set(record.least) in (set(), SCALARS)
    assert set(record.returned) <= SCALARS
    assert set(_sqlalchemy_sql._PARAMETERS) == set(record.reads) - {"array"}


def test_fields_of_ones_own_are_refused() -> None:
    with pytest.raises(SchemaError) as caught:
        type("Money", (Field,), {})
    assert caught.value.code == "closed_types"
    assert str(caught.value) == (
        "Money cannot be a field type: those of astra_filter.fields are all there are; "
        "declare a field of the type that the values have in JSON"
    )
    for cls in CLASSES:
        with pytest.raises(SchemaError):
            type("Own", (cls,), {})


def test_the_type_checker_refuses_them_too(tmp_path: Path) -> None:
    """And it says where a ``match`` lacks a type."""
    pytest.importorskip("mypy")
    (tmp_path / "own.py").write_text(
        "from typing import assert_never\n"
        "from astra_filter import fields\n"
        "class Own(fields.String): ...\n"
        "def f(field: fields.AnyField) -> None:\n"
        "    match field:\n"
        f"        case {' | '.join(f'fields.{cls.__name__}()' for cls in CLASSES if cls is not fields.Date)}:\n"
        "            pass\n"
        "        case _:\n"
        "            assert_never(field)\n",
        encoding="utf-8",
    )
    found = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "--no-error-summary",
            "--follow-imports=silent",
            tmp_path / "own.py",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    ).stdout.splitlines()
    assert len(found) == 2
    assert "final" in found[0]
    assert '"Date"; expected "Never"' in found[1]


@pytest.mark.parametrize("name", PLAIN)
def test_fields_are_immutable(name: str) -> None:
    plain = PLAIN[name]
    for attribute in ("nullable", "column", "type", "kind", "allowed", "read", "new"):
        with pytest.raises(AttributeError):
            setattr(plain, attribute, None)
        with pytest.raises(AttributeError):
            delattr(plain, attribute)
    for same in (copy.copy(plain), copy.deepcopy(plain), pickle.loads(pickle.dumps(plain))):  # noqa: S301
        assert same.signature() == plain.signature()
        assert same.description == plain.description
    nullable = fields.changed(plain, nullable=True)
    assert (plain.nullable, nullable.nullable, type(nullable)) == (False, True, type(plain))
    assert fields.changed(nullable, nullable=False).signature() == plain.signature()


def test_help_shows_the_parameters() -> None:
    assert list(inspect.signature(fields.String).parameters) == [
        "max_length", "binary", "folded", "nullable", "operators", "sortable", "returnable", "column", "json_path", "storage", "description",
    ]  # fmt: skip
    assert str(inspect.signature(fields.Enum)).startswith("(*values: ")
    assert str(inspect.signature(fields.Array)).startswith("(items: 'Field', *, nullable: 'bool' = False, ")
    for cls in CLASSES:
        assert {"nullable", "column", "description"} <= set(inspect.signature(cls).parameters)
        assert "options" not in inspect.signature(cls).parameters
    assert "json_path: 'Iterable[str] | None' = None" in pydoc.plain(pydoc.render_doc(fields.String))


def test_the_parameters_are_those_that_are_taken() -> None:
    for cls in CLASSES:
        named = {
            name: parameter.default
            for name, parameter in inspect.signature(cls).parameters.items()
            if parameter.default is not inspect.Parameter.empty
        }
        first = {
            "enum": ("a",),
            "decimal": (10, 2),
            "array": (fields.String(),),
            "object": ({"a": fields.String()},),
            "map": (fields.String(),),
        }.get(cls.type, ())
        assert cls(*first, **named).signature() == PLAIN[cls.type].signature()  # type: ignore[arg-type]


# Dialects ------------------------------------------------------------------------------------------------------------


def test_the_registry_has_the_declared_dialects() -> None:
    assert list(DIALECTS) == list(get_args(DialectName))
    assert all(record.name == name for name, record in DIALECTS.items())
    folder = Path(import_module("astra_filter.sql.dialects").__path__[0])
    assert {path.stem for path in folder.glob("*.py")} == {"__init__", "base", *DIALECTS}


def test_others_take_the_registry_for_their_list() -> None:
    assert [choice.value for choice in commands.DialectName] == list(DIALECTS)
    assert set(BACKENDS) == set(DIALECTS)  # Every dialect is tested on its database.
    drivers = [driver for record in DIALECTS.values() for driver in record.drivers]
    words = [word for record in DIALECTS.values() for word in record.sqlalchemy_names]
    assert all(record.drivers for record in DIALECTS.values())
    assert len(drivers) == len(set(drivers))
    assert len(words) == len(set(words))


@pytest.mark.parametrize("page", ["grammar/SPEC.md", "docs/guides/sql.md"])
def test_pages_tell_every_dialect(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    for name, record in DIALECTS.items():
        row = next(line for line in text.splitlines() if line.startswith(f"| `{name}`"))
        assert all(f"`{style}`" in row for style in record.placeholders)


SCHEMA = Schema(
    {
        "id": fields.Integer(),
        "folded": fields.String(max_length=10),
        "document": fields.Object({"-a": fields.String(), "a-": fields.String()}),
    },
    key="id",
)
ASKED = {
    "ordered index": lambda dialect: SCHEMA.create_index("t", dialect),
    "ordered index of folded text": lambda dialect: SCHEMA.create_index("t", dialect, order_by="folded"),
    "dashed key": lambda dialect: SCHEMA.compile("document.`-a` eq 'x'").sql(dialect),
}
"""What asks a dialect for each feature."""


@pytest.mark.parametrize("feature", get_args(Feature))
@pytest.mark.parametrize("name", DIALECTS)
def test_what_a_dialect_cannot_do_raises_before_there_is_sql(name: str, feature: str) -> None:
    cannot = DIALECTS[name].cannot  # type: ignore[index]
    if any(feature.startswith(lacked) for lacked in cannot):
        with pytest.raises(StorageError):
            ASKED[feature](name)
    else:
        ASKED[feature](name)
    assert set(cannot) <= set(ASKED)


def test_every_feature_is_lacked_by_some_dialect() -> None:
    assert {feature for record in DIALECTS.values() for feature in record.cannot} == set(get_args(Feature))


@pytest.mark.parametrize("name", DIALECTS)
def test_other_dashes_are_reached(name: str) -> None:
    assert "a-" in SCHEMA.compile("document.`a-` eq 'x'").sql(name).text


# Characters ----------------------------------------------------------------------------------------------------------


def test_words_numbers_and_strings_are_those_of_the_grammar() -> None:
    tokens = {
        name: pattern.replace(r"\/", "/").replace("\x7f", r"\x7f") for name, pattern in lalr_tables.TOKENS.items()
    }
    tokens = {
        name: re.sub("[\ud800-\udfff]", lambda found: f"\\u{ord(found[0]):x}", each) for name, each in tokens.items()
    }
    keyword = f"(?!{names.WORD_CHARACTER})"
    assert tokens["NAME"] == f"(?!(?ai:and|or|not|true|false|null){keyword}){names.WORD}"
    assert tokens["NUMBER"] == f"{names.NUMBER}(?!{names.WORD_OR_POINT})"
    assert tokens["STRING"] == f"'{names.STRING_REST}"
    assert tokens["QUOTED_NAME"] == names.QUOTED_NAME
    assert all(each.endswith(keyword) for each in tokens.values() if each.startswith("(?ai:"))
    assert set(re.findall(r"\|?(\w+)", tokens["NAME"].partition("(?ai:")[2].partition(")")[0])) == names.RESERVED


def test_character_classes_stand_once() -> None:
    written = [
        module
        for module, path in FILES.items()
        if any(
            piece in path.read_text(encoding="utf-8") for piece in (r"[^\0-@", r"[^\0-/", r"[^\0-\-", r"[^'\0\ud800")
        )
    ]
    assert set(written) - {"astra_filter.syntax.lalr_tables"} == {"astra_filter.language.names"}
