"""Near names: what a misspelt name was probably meant to be, however many names are declared (SPEC §7)."""

from __future__ import annotations

import random
from difflib import get_close_matches
from time import process_time

import pytest

from astra_filter import FilterError, QueryError, Schema, fields
from astra_filter.language.names import nearest

WORDS = ["storage", "volume", "snapshot", "backup", "cluster", "account", "created", "metadata", "label", "policy"]


def many_names(count: int) -> list[str]:
    numbers = random.Random(7)
    names: set[str] = set()
    while len(names) < count:
        names.add(numbers.choice(WORDS) + numbers.choice(WORDS).title() + str(numbers.randrange(40)))
    return sorted(names)


NAMES = many_names(500)


def misspelt(name: str, numbers: random.Random) -> str:
    place = numbers.randrange(len(name) - 1)
    return numbers.choice(
        [
            name[:place] + name[place + 1 :],
            name[:place] + "x" + name[place:],
            name[:place] + "x" + name[place + 1 :],
            name[:place] + name[place + 1] + name[place] + name[place + 2 :],
            name.upper(),
            name + "s",
        ]
    )


def test_one_of_many_names_is_found():
    """As `difflib` finds it, which looks at each of them."""
    numbers = random.Random(3)
    same = 0
    for _ in range(200):
        word = misspelt(numbers.choice(NAMES), numbers)
        folded = {name.casefold(): name for name in NAMES}
        expected = [folded[found] for found in get_close_matches(word.casefold(), folded, 1)]
        same += nearest(word, NAMES) == expected
    assert same >= 190


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("nmae", ["id", "name", "state"], ["name"]),
        ("NAME", ["id", "name", "state"], ["name"]),
        ("Straße", ["strasse", *NAMES], ["strasse"]),
        ("zzz", NAMES, []),
        ("", NAMES, []),
        ("x", [], []),
        ("nmae", ["name", "Name"], ["name"]),
        ("nmae", ["name", "Name", *NAMES], ["name"]),
    ],
)
def test_nearest(word: str, known: list[str], expected: list[str]):
    assert nearest(word, known) == expected


def refusal(schema: Schema, parameters: object) -> tuple[float, QueryError]:
    """Return the least processor time that a refusal takes, and the error."""
    best = float("inf")
    for _ in range(7):
        began = process_time()
        try:
            schema.query(parameters)  # type: ignore[arg-type]
        except QueryError as error:
            best = min(best, process_time() - began)
            caught = error
    return best, caught


def test_refusals_do_not_wait_for_near_names():
    """Ten filters of twenty misspelt names each took 1.6 s on a schema of 500 fields; twenty problems are shown."""
    few = Schema({"id": fields.Integer(), **{name: fields.Integer() for name in NAMES[:10]}}, key="id")
    many = Schema({"id": fields.Integer(), **{name: fields.Integer() for name in NAMES}}, key="id")
    numbers = random.Random(5)
    parameters = [
        ("filter", " and ".join(f"{misspelt(numbers.choice(NAMES), numbers)}q eq 1" for _ in range(20)))
        for _ in range(10)
    ]
    parameters += [
        ("include", ",".join(misspelt(name, numbers) for name in NAMES[:100])),
        ("orderBy", ",".join(misspelt(name, numbers) for name in NAMES[:8])),
        *[(f"filtr{number}", "x") for number in range(30)],
    ]
    for given in (parameters, parameters[:10], parameters[10:11], parameters[11:12]):
        here, _ = refusal(few, given)
        there, error = refusal(many, given)
        assert len(error.problems) <= 20
        assert there < 4 * here + 0.001, (there, here)


def test_a_request_reports_twenty_problems_at_most():
    schema = Schema({"id": fields.Integer()}, key="id")
    filters = [("filter", " or ".join(f"a{number}{place} eq 1" for place in range(9))) for number in range(4)]
    names = ("include", ",".join(f"b{place}" for place in range(30)))
    with pytest.raises(QueryError) as caught:
        schema.query([*filters, names])
    assert [problem.parameter for problem in caught.value.problems] == ["filter"] * 20
    with pytest.raises(QueryError) as caught:
        schema.query([filters[0], names, ("orderBy", names[1][:20])])
    assert [problem.parameter for problem in caught.value.problems] == ["filter"] * 9 + ["include"] * 11
    with pytest.raises(FilterError) as refused:
        schema.compile(" or ".join(text for _, text in filters))
    assert len(refused.value.problems) == 20
