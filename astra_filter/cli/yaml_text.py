"""YAML to rows: one resource a document, or a document that holds an array of them. It is read whole."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from astra_filter.cli import messages
from astra_filter.cli.json_text import decoded, find_items, kind
from astra_filter.cli.sources import Row
from astra_filter.language.names import NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from astra_filter.cli.sources import Source

_NUMBER = re.compile(NUMBER)
_LONGEST = 4300
"""Of digits that Python converts."""


def documents(text: str, name: str) -> list[Any]:
    """Return the documents of a text of YAML, of the types that JSON has: dates stay text.

    Raises:
        InputError: it is no YAML, or the package that reads YAML is missing.
    """
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise messages.missing_extra(name, error) from None

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # In C where it was built.
        """Takes the words of YAML 1.2 for booleans, numbers and null, as JSON has them; `no` and `12:30` are text."""

        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # As in the base.

    words = {"bool": r"true|True|TRUE|false|False|FALSE", "null": r"null|Null|NULL|~|"}
    Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(f"^(?:{words['bool']})$"), list("tTfF"))
    Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(f"^(?:{words['null']})$"), ["n", "N", "~", ""])
    Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile("^(?:<<)$"), ["<"])
    Loader.add_implicit_resolver("!number", re.compile(f"^(?:{_NUMBER.pattern})$"), list("-0123456789"))

    def number(loader: Any, node: Any) -> float | str:
        text = str(loader.construct_scalar(node))
        if len(text) > _LONGEST:
            return text
        return int(text) if text.lstrip("-").isdigit() else float(text)

    Loader.add_constructor("!number", number)
    try:
        return list(yaml.load_all(text, Loader))  # It is a safe loader.
    except yaml.MarkedYAMLError as error:
        line = None if error.problem_mark is None else error.problem_mark.line + 1
        raise messages.not_yaml(name, line, error.problem or error.context) from None
    except yaml.YAMLError as error:
        raise messages.not_yaml(name, None, error) from None
    except RecursionError:
        raise messages.deep_json(name, None) from None
    except (ValueError, TypeError) as error:  # A key that cannot be one; a tagged scalar that is not what its tag says.
        raise messages.not_yaml(name, None, error) from None


def rows(source: Source) -> Iterator[Row | None]:
    """Yield the rows; as `astra_filter.cli.reading.rows`."""
    found = [each for each in documents(decoded(source.input.all(), source.name, 1), source.name) if each is not None]
    if len(found) == 1:
        path, items = find_items(source, found[0])
        found = [items] if path is None else items
    for number, value in enumerate(found, 1):
        if isinstance(value, dict):
            yield Row({str(name): member for name, member in value.items()})
        else:
            source.passes_over(messages.not_a_resource(source.name, f"item {number}", kind(value)))
