"""The classes of errors (SPEC §7). `astra_filter.wording` has their sentences.

They have one base class, a `ValueError`. A mistake in a request is a `Problem`: a code and a span. A `FilterError`
holds the problems of one filter, a `QueryError` those of a whole list request. A mistake of the server's own code, in a
schema, an argument or a row, is a `SchemaError` or a `StorageError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from astra_filter import problem as documents
from astra_filter.language.operators import Operator
from astra_filter.language.span import Span, line_and_column, underline, visible

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OPERATORS = tuple(operator.value for operator in Operator)
"""The operators by their canonical spelling."""


class Problem(NamedTuple):
    """One mistake in a text that a client sent."""

    code: str
    """Stable, for programs: ``unknown_field``."""
    message: str
    """One line, for people, without the place."""
    text: str
    """The source text."""
    span: Span
    """The place in ``text``."""
    expected: tuple[str, ...] = ()
    """What may stand there, if that is a short list."""
    hint: str | None = None
    """How to correct it, where that can be told."""
    parameter: str = "filter"
    """The query parameter that ``text`` is the value of."""

    @property
    def line(self) -> int:
        """1-based."""
        return line_and_column(self.text, self.span.start)[0]

    @property
    def column(self) -> int:
        """1-based, in code points."""
        return line_and_column(self.text, self.span.start)[1]

    def render(self) -> str:
        """Return message, underlined place, what was expected and hint, over several lines (SPEC §7)."""
        lines = [self.message, underline(self.text, self.span)]
        if self.hint is not None:
            lines.append("hint: " + self.hint)
        elif self.expected:
            lines.append("expected: " + ", ".join(self.expected))
        return "\n".join(lines)

    def entry(self) -> dict[str, Any]:
        """Return the entry of ``invalidParams`` in a 400 document (SPEC §1), with code and span beside the reason."""
        reason = self.message
        if self.hint is not None:
            reason += "; " + self.hint
        elif self.expected:
            reason += "; expected: " + ", ".join(self.expected)
        start, end = self.span
        return {"name": visible(self.parameter), "reason": reason, "code": self.code, "start": start, "end": end}


class AstraFilterError(ValueError):
    """The base of every error this library raises."""

    code: str

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.args, self.__dict__))


def _rebuild(cls: type[AstraFilterError], args: tuple[object, ...], state: dict[str, object]) -> AstraFilterError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class RequestError(AstraFilterError):
    """A request has a mistake. ``problems`` holds at least one.

    Problems may be given as what finds them: most of the work of a refusal is to word it, and to look for what was
    meant. It is done when somebody first reads the error.
    """

    problems: tuple[Problem, ...]

    def __init__(self, problems: Sequence[Problem] | Callable[[], Sequence[Problem]]) -> None:
        if callable(problems):
            self._find = problems
        else:
            self._tell(problems)

    def _tell(self, problems: Sequence[Problem]) -> None:
        """Put what the problems say into the attributes."""
        raise NotImplementedError

    def _told(self) -> None:
        find = self.__dict__.get("_find")
        if find is not None:
            self._tell(find())
            # Two threads may both have found them; the same ones.
            self.__dict__.pop("_find", None)

    def __getattr__(self, name: str) -> Any:
        if "_find" in self.__dict__ and not name.startswith("_"):
            self._told()
            return getattr(self, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

    @property
    def args(self) -> tuple[Any, ...]:  # The base class has it as an attribute of C.
        """The message, as of every exception."""
        self._told()
        return ValueError.args.__get__(self)  # type: ignore[attr-defined, no-any-return]

    @args.setter
    def args(self, args: tuple[Any, ...]) -> None:
        ValueError.args.__set__(self, args)  # type: ignore[attr-defined]

    def __str__(self) -> str:
        self._told()
        return super().__str__()

    def __repr__(self) -> str:
        self._told()
        return super().__repr__()

    def __reduce__(self) -> tuple[object, ...]:
        self._told()
        return super().__reduce__()

    def problem(self, *, base_url: str = documents.BASE_URL, correlation_id: str | None = None) -> dict[str, Any]:
        """Return the 400 document of SPEC §1, an entry for each problem; arguments as in `astra_filter.problem`."""
        entries = [problem.entry() for problem in self.problems]
        return documents.invalid_parameters(entries, base_url=base_url, correlation_id=correlation_id)


class FilterError(RequestError):
    """A text that is not a filter, or not one for this schema. ``problems`` holds at least one, in source order.

    A syntax error stops at the first; the check against a schema reports up to 20. The attributes ``code``,
    ``message``, ``text``, ``span``, ``line``, ``column``, ``expected`` and ``hint`` are those of the first problem.
    """

    def _tell(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        AstraFilterError.__init__(self, first.code, "\n\n".join(problem.render() for problem in self.problems))
        self.message = first.message
        self.text = first.text
        self.span = first.span
        self.line = first.line
        self.column = first.column
        self.expected = first.expected
        self.hint = first.hint


class QueryError(RequestError):
    """A list request with mistakes. ``problems`` holds at least one; each names its query parameter."""

    def _tell(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [f"{visible(problem.parameter)}: {problem.render()}" for problem in self.problems]
        AstraFilterError.__init__(self, self.problems[0].code, "\n\n".join(shown))


class SchemaError(AstraFilterError):
    """A schema that contradicts itself, or a wrong argument of the server's own code."""


class StorageError(AstraFilterError):
    """A row that cannot be stored or read, or a thing that a dialect cannot do."""


class MissingExtraError(AstraFilterError, ImportError):
    """A part of the library was imported without the packages it needs; the message names the extra."""


class LiteralError(AstraFilterError):
    """A literal that is not a value of its field's type. `check` adds the place and makes a `Problem` of it."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(code, message)
        self.message = message
        self.hint = hint
