"""The project's tasks, each in an environment of its own: ``nox -l`` lists them, ``nox -s fast`` runs one.

Without ``-s`` those run that a change needs before it is sent: lint, types, and the fast subset of the tests.
Arguments after ``--`` go to the command of the task, as in ``nox -s tests-3.12 -- tests/test_where.py -k sqlite``.
"""

from __future__ import annotations

from typing import NamedTuple

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["lint", "types", "fast"]
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = False  # A contributor need not have every version of Python.

PYTHONS = nox.project.python_versions(nox.project.load_toml("pyproject.toml"))
"""The versions that the classifiers in pyproject.toml name."""

NO_SERVERS = {
    "ASTRA_FILTER_POSTGRES_URL": "postgresql://postgres@127.0.0.1:1/postgres",
    "ASTRA_FILTER_MYSQL_URL": "mysql://root@127.0.0.1:1/test",
    "CI": "true",
}
"""Addresses at which no server listens; and CI, where a test that cannot reach its database fails.

So a test that needs a server, but lacks the mark `database`, fails in the fast subset even where servers run.
"""


class LongRun(NamedTuple):
    """A check that takes minutes or hours."""

    extra: str
    command: tuple[str, ...]


LONG_RUNS = {
    "soak": LongRun("test", ("tests/soak.py", "--pairs", "200000", "--processes", "2")),
    "fuzz": LongRun("fuzz", ("tests/fuzz/run.py", "--runs", "5000000")),
    "mutation": LongRun("mutation", ("tests/mutation/run.py",)),
}


EXTRAS = ("cli", "django", "pydantic", "sqlalchemy", "testing", "starlette", "fastapi", "flask", "server")
EXTRAS_TESTS = (
    "tests/adapters",
    "tests/server/test_server.py",
    "tests/test_cli.py",
    "tests/test_pydantic.py",
    "tests/test_testing.py",
)
"""The tests of the code that needs other packages."""


def lowest(*extras: str) -> list[str]:
    """Return the requirements of extras, each pinned to the lowest version that it allows."""
    project = nox.project.load_toml("pyproject.toml")["project"]
    wanted = [*project["dependencies"], *(need for extra in extras for need in project["optional-dependencies"][extra])]
    return [need.replace(">=", "==") for need in wanted if not need.startswith("astra-filter[")]


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format with ruff."""
    session.install("ruff>=0.9")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types with mypy, as each supported Python sees them."""
    session.install("--editable", ".[dev]")
    for version in PYTHONS:
        session.run("mypy", "--python-version", version, *session.posargs)


@nox.session
def fast(session: nox.Session) -> None:
    """Run the tests that are quick and need no database server."""
    session.install("--editable", ".[test]")
    session.run(
        "pytest",
        "--quiet",
        "-p",
        "no:schemathesis",
        "-m",
        "not slow and not database",
        *session.posargs,
        env=NO_SERVERS,
    )


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run all tests on each supported Python; what needs a server that cannot be reached is skipped."""
    session.install("--editable", ".[test]")
    session.run("pytest", "--quiet", *session.posargs)


@nox.session(python=PYTHONS[0])
def floors(session: nox.Session) -> None:
    """Run the tests of the extras with the lowest versions that pyproject.toml allows, all of them together."""
    session.install("--editable", ".[test]")
    session.install(*lowest(*EXTRAS))
    session.run("pytest", "--quiet", *(session.posargs or EXTRAS_TESTS))


@nox.session(python=PYTHONS[-1])
def newest(session: nox.Session) -> None:
    """Run the tests of the extras with the newest versions that there are, pre-releases included."""
    session.install("--upgrade", "--pre", "--editable", ".[test]")
    session.run("pytest", "--quiet", *(session.posargs or EXTRAS_TESTS))


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into ``site/``; a warning is an error."""
    session.install("--editable", ".[docs]")
    session.run("mkdocs", "build", "--strict", *session.posargs, env={"NO_MKDOCS_2_WARNING": "1"})


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure the library beside its peers and beside code written by hand."""
    session.install("--editable", ".[bench]")
    session.run("python", "-m", "benchmarks.run", *session.posargs)


@nox.session
@nox.parametrize("run", list(LONG_RUNS), ids=list(LONG_RUNS))
def long(session: nox.Session, run: str) -> None:
    """Run the soak tests, the fuzzer or the mutation tests; the first needs both database servers."""
    session.install("--editable", f".[{LONG_RUNS[run].extra}]")
    session.run("python", *LONG_RUNS[run].command, *session.posargs)
