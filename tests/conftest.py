"""Fixtures for tests that need databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from databases.backends import BACKENDS, SERVERS, Unreachable, backend_params, unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from databases.backends import Backend

_opened: dict[str, Backend | Unreachable] = {}


SLOW_FOLDERS = frozenset({"adapters", "attack", "databases", "property", "server"})
SLOW_MODULES = frozenset(
    {
        *("test_cli", "test_cli_files", "test_cli_lsp", "test_cli_repl", "test_cli_sqlite", "test_playground"),
        *("test_codegen", "test_docs", "test_hints", "test_memo", "test_prove_endpoint", "test_reference"),
        *("test_completion", "test_explanations", "test_fuzz", "test_storage_names", "test_where", "test_maps"),
        *("test_testing", "test_threads", "test_travel"),
    }
)
"""What starts processes, measures memory or tries thousands of cases: the fast subset leaves these modules out."""


@pytest.hookimpl(tryfirst=True)  # Before pytest itself chooses by mark.
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use the fixture of a server. Parameters of fixtures bring the mark themselves.

    Tests that take `request` may ask for the fixture by a name that is a parameter of theirs.
    """
    for item in items:
        if item.path.parent.name in SLOW_FOLDERS or item.path.stem in SLOW_MODULES:
            item.add_marker(pytest.mark.slow)
        used = set(getattr(item, "fixturenames", ()))
        if "request" in used and hasattr(item, "callspec"):
            used |= {value for value in item.callspec.params.values() if isinstance(value, str)}
        if not SERVERS.isdisjoint(used):
            item.add_marker(pytest.mark.database)


def _open(name: str) -> Backend:
    """Return the connection of a backend, one for all tests; skip where it cannot be reached, but in CI fail."""
    if name not in _opened:
        try:
            _opened[name] = BACKENDS[name]()
        except Unreachable as error:
            _opened[name] = error
    backend = _opened[name]
    if isinstance(backend, Unreachable):
        unreachable(name, backend)
    return backend


@pytest.fixture(scope="session", autouse=True)
def _close_backends() -> Iterator[None]:
    yield
    for backend in _opened.values():
        if not isinstance(backend, Unreachable):
            backend.close()
    _opened.clear()


@pytest.fixture(scope="session")
def reach() -> Callable[[str], Backend]:
    """What gives the connection of a backend by its name, for fixtures of wider scope than a test."""
    return _open


@pytest.fixture(params=backend_params(BACKENDS))
def backend(request: pytest.FixtureRequest) -> Backend:
    """Each database in turn."""
    return _open(request.param)


@pytest.fixture
def sqlite() -> Backend:
    return _open("sqlite")


@pytest.fixture
def postgresql() -> Backend:
    return _open("postgresql")


@pytest.fixture
def mysql() -> Backend:
    return _open("mysql")


@pytest.fixture
def duckdb() -> Backend:
    return _open("duckdb")
