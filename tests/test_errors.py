"""Rendered errors, whole (SPEC §7)."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from astra_filter import AstraFilterError, FilterError, Schema, fields, parse

if TYPE_CHECKING:
    from collections.abc import Callable

TASK = Schema(
    {
        "id": fields.Uuid(),
        "name": fields.String(),
        "state": fields.Enum("pending", "running"),
        "percentDone": fields.Number(nullable=True),
        "done": fields.Boolean(),
        "startTime": fields.Timestamp(nullable=True),
        "tags": fields.Array(fields.String()),
        "metadata": fields.Object({"labels": fields.Array(fields.Object({"name": fields.String()}))}),
    },
    key="id",
)


@pytest.mark.parametrize(
    "rendered",
    [
        """\
unknown operator '=='
    state == 'running'
          ^^
hint: use eq: state eq 'running'""",
        """\
unknown field 'stat'
    stat eq 'running'
    ^^^^
hint: did you mean state?""",
        """\
'runing' is not one of the field's values
    state eq 'runing'
             ^^^^^^^^
hint: did you mean 'running'? values: 'pending', 'running'""",
        """\
'startTime' is a field; fields cannot be compared with each other
    name eq startTime
            ^^^^^^^^^
hint: if you mean the text, write 'startTime'""",
        """\
name is never null
    name is not null
         ^^^^^^^^^^^
hint: leave the test out""",
        """\
unknown operator 'is not'
    percentDone is not null
                ^^^^^^^^^^^
hint: use ne: percentDone ne null""",
        """\
'2020-08-06T12:24:52' has no offset from UTC
    startTime lt '2020-08-06T12:24:52'
                 ^^^^^^^^^^^^^^^^^^^^^
hint: for UTC write '2020-08-06T12:24:52Z'""",
        """\
percentDone is a number, not a string
    percentDone gt '20'
                   ^^^^
hint: write it without quotes: 20""",
        """\
done is a boolean, not a string
    done eq 'True'
            ^^^^^^
hint: write it without quotes: true""",
        """\
'lt' is not allowed on state, an enum
    state lt 'running'
          ^^
hint: allowed: eq, ne, in""",
        """\
metadata is an object, which no operator takes
    metadata eq 'x'
    ^^^^^^^^
hint: test one of its members: metadata.labels[name eq 'a']""",
        """\
metadata.labels is an array of objects, which only eq null and ne null take
    metadata.labels eq 'x'
    ^^^^^^^^^^^^^^^
hint: test one of their members: metadata.labels[name eq 'a']""",
        """\
the elements of tags have no members; brackets take arrays of objects
    tags[name eq 'x']
    ^^^^
hint: test the array itself: tags eq 'a'""",
        """\
name is a string and has no members
    name.first eq 'x'
         ^^^^^""",
        """\
a value belongs after 'eq'
    name eq )
            ^
expected: string, number, true, false, null""",
    ],
)
def test_rendering(rendered):
    text = rendered.split("\n")[1].strip()
    with pytest.raises(FilterError) as caught:
        TASK.compile(text)
    assert str(caught.value) == rendered


def test_the_check_reports_everything_in_source_order():
    text = "stat eq 1 and state eq 'x' and name gt null"
    with pytest.raises(FilterError) as caught:
        TASK.compile(text)
    error = caught.value
    assert [problem.code for problem in error.problems] == ["unknown_field", "undeclared_value", "null_with_operator"]
    assert [text[slice(*problem.span)] for problem in error.problems] == ["stat", "'x'", "null"]
    assert str(error) == "\n\n".join(problem.render() for problem in error.problems)


def test_at_most_twenty_problems():
    with pytest.raises(FilterError) as caught:
        TASK.compile(" or ".join(f"x{i} eq 1 or state eq 'y{i}'" for i in range(50)))
    assert len(caught.value.problems) == 20


def test_a_syntax_error_stops_at_the_first():
    with pytest.raises(FilterError) as caught:
        TASK.compile("stat == 1 and state = 2")
    assert [problem.code for problem in caught.value.problems] == ["unknown_operator"]


def test_attributes_are_those_of_the_first_problem():
    with pytest.raises(FilterError) as caught:
        parse("a eq 1 and\n  b = 2")
    error = caught.value
    assert isinstance(error, AstraFilterError)
    assert isinstance(error, ValueError)
    assert (error.code, error.line, error.column) == ("unknown_operator", 2, 5)
    assert error.span == (15, 16)
    assert error.text[slice(*error.span)] == "="
    assert "eq" in error.expected
    assert error.hint == "use eq: b eq 2"
    assert error.__cause__ is None
    assert error.__context__ is None


def test_errors_can_be_copied_and_pickled():
    with pytest.raises(FilterError) as caught:
        parse("a = 1")
    for same in (copy.copy(caught.value), pickle.loads(pickle.dumps(caught.value))):  # noqa: S301
        assert type(same) is FilterError
        assert str(same) == str(caught.value)
        assert same.problems == caught.value.problems
        assert same.code == caught.value.code


def test_a_filter_is_a_str():
    with pytest.raises(AstraFilterError, match="a filter is a str, not NoneType"):
        TASK.compile(None)


# What is told when it is read -----------------------------------------------------------------------------------------

REFUSED = [
    "size == 5",
    "siz eq 5",
    "size eq 'a'",
    "size eq",
    "\N{IDEOGRAPHIC SPACE}size eq 5",
    "size eq 99999999999999999999",
]


def refused(text: str) -> FilterError:
    with pytest.raises(FilterError) as caught:
        Schema({"size": fields.Integer()}).compile(text)
    return caught.value


@pytest.mark.parametrize("text", REFUSED)
@pytest.mark.parametrize(
    "read",
    [
        str,
        repr,
        lambda error: error.args,
        lambda error: error.problems,
        lambda error: error.code,
        lambda error: error.hint,
        lambda error: error.line,
        lambda error: error.problem(),
        lambda error: "".join(traceback.format_exception_only(error)),
        lambda error: vars(copy.copy(error)),
        lambda error: str(pickle.loads(pickle.dumps(error))),  # noqa: S301
    ],
)
def test_an_error_tells_the_same_whatever_is_read_first(read: Callable[[FilterError], object], text: str) -> None:
    first, again = refused(text), refused(text)
    assert str(again)
    assert read(first) == read(again)
    assert vars(first) == vars(again)
    assert first.args == again.args == (str(again),)


def test_an_unread_error_has_no_more_attributes() -> None:
    error = refused("size == 5")
    assert not hasattr(error, "_other")
    assert not hasattr(error, "other")
    assert hasattr(error, "hint")
    with pytest.raises(AttributeError, match="'FilterError' object has no attribute 'other'"):
        error.other  # noqa: B018


def test_many_threads_read_one_error() -> None:
    for text in REFUSED:
        error = refused(text)
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda _: (str(error), error.code, error.hint), range(16))) == {  # noqa: B023
                (str(refused(text)), refused(text).code, refused(text).hint)
            }


def test_nothing_is_explained_before_somebody_reads_it() -> None:
    program = (
        "import sys\n"
        "from astra_filter import FilterError, Schema, fields\n"
        "schema = Schema({'size': fields.Integer()})\n"
        "for text in ('size == 5', 'siz eq 5'):\n"
        "    try:\n"
        "        schema.compile(text)\n"
        "    except FilterError as error:\n"
        "        assert not {'lark', 'difflib', 'astra_filter.syntax.diagnosis'} & sys.modules.keys()\n"
        "        assert error.code in ('unknown_operator', 'unknown_field')\n"
        "        sys.modules.pop('difflib', None), sys.modules.pop('lark', None)\n"
        "        sys.modules.pop('astra_filter.syntax.diagnosis', None)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
