"""The tasks in a database: SQLite or PostgreSQL, one table for all accounts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from sqlalchemy import create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import QueuePool

from astra_filter.errors import StorageError
from astra_filter.fields import String
from astra_filter.language.values import is_text
from astra_filter.schema import Schema
from astra_filter.server.bounds import Bounds
from astra_filter.server.statements import Call, Cancelled, Statements
from astra_filter.server.tasks import MEMBERS, TASK, account_of
from astra_filter.sql import SQL, prepare_sqlite
from astra_filter.sql.dialects import find_dialect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import TypeVar

    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine import URL

    from astra_filter.query import ListQuery, Page

    T = TypeVar("T")

IN_MEMORY = "sqlite://"
TABLE = "tasks"
ACCOUNT = "account_id"

_BATCH = 500
_CONNECTIONS = 40
"""As many as Starlette has threads for."""
_STATEMENTS = 4
"""Statements that a connection keeps."""
_LOCK = 0x61737472615F66
"""Names the advisory lock under which a table is filled."""


_NO_URL = "this is no database URL: write sqlite:///FILE or postgresql://USER@HOST/DATABASE"


class StoreError(Exception):
    """The database, or what should be put into it, cannot be used; the message is for who starts the server."""


class Store:
    """The table of tasks.

    Args:
        url: ``sqlite://`` for a database in memory, ``sqlite:///FILE``, ``postgresql://USER@HOST/DATABASE``.
        bounds: how long statements, locks and connections may take.

    Raises:
        StoreError: another database, no URL, or a database that does not answer.
    """

    def __init__(self, url: str = IN_MEMORY, bounds: Bounds = Bounds()) -> None:  # noqa: B008  # It never changes.
        self._engine, self.dialect = _engine(url, bounds)
        # Answers whether the database is there while all connections of the pool are taken.
        self._probe = _pool(self._engine.url, bounds, 1)
        self._statements = Statements(bounds.statement_timeout)
        placeholder = "?" if self.dialect == "sqlite" else "%s"
        self._where = f'"{ACCOUNT}" = {placeholder}'
        self._any = f'SELECT 1 FROM "{TABLE}" WHERE {self._where} LIMIT 1'
        self._placeholder = placeholder
        # A database in memory lasts as long as some connection to it.
        self._keeper = self._engine.connect() if self._engine.url.query.get("mode") == "memory" else None

    def fill(self, initial: Iterable[dict[str, Any]], more: Iterable[dict[str, Any]]) -> int:
        """Make the table if there is none, all in one transaction.

        Args:
            initial: the tasks of a new table.
            more: tasks for a table old or new; those it has already stay as they are.

        Returns:
            How many tasks were put in.

        Raises:
            StoreError: a task or the table is not as it should be.
        """
        try:
            with self._engine.connect() as connection, _transaction(connection):
                added = 0
                if not inspect(connection).has_table(TABLE):
                    connection.exec_driver_sql(_STORED.create_table(TABLE, self.dialect))
                    connection.exec_driver_sql(TASK.create_index(TABLE, self.dialect, leading=(ACCOUNT,)))
                    added = self._insert(connection, initial)
                added += self._insert(connection, more)
            self.page(TASK.query("limit=1"), "")  # An old table may be one of something else.
        except DBAPIError as error:
            raise _unusable(error.orig) from None
        return added

    def _insert(self, connection: Connection, tasks: Iterable[dict[str, Any]]) -> int:
        added = 0
        batch: list[tuple[Any, ...]] = []
        names: tuple[str, ...] = ()

        def flush() -> int:
            if not batch:
                return 0
            columns = ", ".join(map(find_dialect(self.dialect).identifier, names))
            values = ", ".join([self._placeholder] * len(names))
            statement = f'INSERT INTO "{TABLE}" ({columns}) VALUES ({values}) ON CONFLICT ("id") DO NOTHING'
            count = connection.exec_driver_sql(statement, batch).rowcount
            batch.clear()
            return count

        for number, task in enumerate(tasks, 1):
            account = account_of(task)
            if account is None:
                raise StoreError(f"task {number}: its resourceURI names no account")
            try:
                row = _STORED.to_row({**task, ACCOUNT: account}, self.dialect)
            except StorageError as error:
                raise StoreError(f"task {number}: {error}") from None
            names = tuple(row)
            batch.append(tuple(row.values()))
            if len(batch) == _BATCH:
                added += flush()
        return added + flush()

    def page(self, query: ListQuery, account: str, call: Call | None = None) -> Page:
        """Answer a list request with the tasks of an account.

        Args:
            query: the request.
            account: whose tasks there are.
            call: whose wait it is; `cancel` ends it.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database does not answer, or not in time.
            Cancelled: the call was cancelled, or the server stops.
        """
        where = SQL(self._where, (account,))
        statement = query.sql(TABLE, self.dialect, where=where)
        counting = query.count_sql(TABLE, self.dialect, where=where) if query.count else None

        def read(connection: Connection) -> Page:
            total = None if counting is None else connection.exec_driver_sql(*counting).scalar_one()
            return query.page_from_rows(connection.exec_driver_sql(*statement).all(), total=total)

        return self._read(read, call)

    def has(self, account: str) -> bool:
        """Whether an account has tasks."""
        # A database may raise for text that it cannot hold.
        return is_text(account) and self._read(
            lambda connection: connection.exec_driver_sql(self._any, (account,)).first() is not None
        )

    def ping(self) -> None:
        """Ask the database for anything, over a connection that nothing else uses.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: it does not answer.
        """
        with self._probe.connect() as connection:
            connection.exec_driver_sql(self._any, ("",)).all()

    def cancel(self, call: Call) -> None:
        """End what a call waits for."""
        self._statements.cancel(call)

    def stop(self) -> None:
        """End all statements, and begin no others."""
        self._statements.stop()

    def _read(self, read: Callable[[Connection], T], call: Call | None = None) -> T:
        call = call or Call()
        try:
            with self._engine.connect() as connection, self._statements.run(connection, call):
                return read(connection)
        except DBAPIError as error:
            if call.cancelled:
                raise Cancelled from None
            if not error.connection_invalidated:
                raise
        # The database was started again since the connection was made: the pool makes new ones, and reading is safe.
        with self._engine.connect() as connection, self._statements.run(connection, call):
            return read(connection)

    def close(self) -> None:
        """Close all connections."""
        if self._keeper is not None:
            self._keeper.close()
        self._statements.close()
        self._engine.dispose()
        self._probe.dispose()


_STORED = Schema({ACCOUNT: String(max_length=255), **MEMBERS}, key=TASK.key, binary=True)
"""What the table holds: the account beside the task, out of reach of any request."""


def _unusable(reason: object) -> StoreError:
    return StoreError(f"this database cannot be used: {reason}")


def _engine(text: str, bounds: Bounds) -> tuple[Engine, str]:
    if not is_text(text):
        raise StoreError(_NO_URL)
    try:
        engine, name = _described(text, bounds)
        engine.connect().close()  # Only a connection reads the whole URL.
    except (ArgumentError, NoSuchModuleError, ValueError, TypeError):
        raise StoreError(_NO_URL) from None
    except ImportError as error:
        raise _unusable(error) from None
    except DBAPIError as error:
        raise _unusable(error.orig) from None
    except StorageError as error:
        raise _unusable(error) from None
    return engine, name


def _described(text: str, bounds: Bounds) -> tuple[Engine, str]:
    url = make_url(text)
    name = url.get_backend_name()
    if name == "sqlite":
        if url.database in (None, "", ":memory:"):
            # Shared by the connections of this store, and by no other.
            url = url.set(database=f"file:{uuid4()}", query={"mode": "memory", "cache": "shared", "uri": "true"})
    elif name == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    else:
        raise StoreError(f"{name} is not served from, but sqlite and postgresql are")
    return _pool(url, bounds, _CONNECTIONS), name


def _pool(url: URL, bounds: Bounds, size: int) -> Engine:
    """Return so many connections, made when they are asked for."""
    sqlite = url.get_backend_name() == "sqlite"
    # The driver keeps the last statements, each with its plan; a caller chooses how long they are.
    options: dict[str, Any] = {
        "check_same_thread": False,
        "cached_statements": _STATEMENTS,
        "timeout": bounds.lock_timeout,
    }
    if not sqlite:
        options = {"connect_timeout": bounds.connect_timeout}
    options = {name: value for name, value in options.items() if name not in url.query}
    engine = create_engine(
        url,
        # A request only reads, one statement each; no transaction, no round trips for one.
        isolation_level="AUTOCOMMIT",
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,
        connect_args=options,
    )
    if sqlite:
        event.listen(engine, "connect", lambda connection, _: TASK.check_connection(connection, "sqlite"))
        event.listen(engine, "connect", lambda connection, _: prepare_sqlite(connection))
    else:
        settings = {
            "statement_timeout": f"{bounds.statement_timeout * 1000:.0f}",
            "lock_timeout": f"{bounds.lock_timeout * 1000:.0f}",
            # It would compile what callers write, for longer than that takes to run.
            "jit": "off",
        }

        def prepare(connection: Any, _: object) -> None:
            connection.prepared_max = _STATEMENTS
            for name, value in settings.items():
                connection.execute("SELECT set_config(%s, %s, false)", (name, value))
            TASK.check_connection(connection, "postgresql")
            connection.commit()

        event.listen(engine, "connect", prepare)
    return engine


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    """A transaction that no other server fills the table beside."""
    sqlite = connection.dialect.name == "sqlite"
    connection.exec_driver_sql("BEGIN IMMEDIATE" if sqlite else "BEGIN")
    try:
        if not sqlite:
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK")
        raise
    connection.exec_driver_sql("COMMIT")
