"""The command ``serve``: the reference server. Needs the extra ``server`` too."""

from __future__ import annotations

import sys
from pathlib import Path
from secrets import token_urlsafe
from typing import Annotated

import typer

from astra_filter.cli import messages, reading
from astra_filter.cli.progress import Progress
from astra_filter.cli.sources import Format, Options, Resource
from astra_filter.errors import MissingExtraError
from astra_filter.language.values import is_text


def serve(
    database: Annotated[
        str,
        typer.Option(
            metavar="URL",
            envvar="ASTRA_FILTER_DATABASE",
            help="sqlite:///FILE or postgresql://USER@HOST/DATABASE; default: SQLite in memory.",
        ),
    ] = "sqlite://",
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help="Tasks to put in: JSON, JSON lines or CSV; - for standard input.")
    ] = None,
    token: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOKEN=ACCOUNT",
            envvar="ASTRA_FILTER_TOKENS",
            help="A bearer token and the account it is for; may be given again. Default: one is made up and shown.",
        ),
    ] = None,
    token_file: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Bearer tokens, each on a line as --token has it: no process list shows them."
        ),
    ] = None,
    generate: Annotated[
        int, typer.Option(metavar="N", min=0, help="How many made-up tasks to put in for each account with a token.")
    ] = 0,
    secret: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            envvar="ASTRA_FILTER_SECRET",
            help="Authenticates continue tokens; default: one that lasts as long as the server.",
        ),
    ] = None,
    old_secret: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="A secret of before, whose tokens are still taken; may be given again."),
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 8000,
    grace: Annotated[int, typer.Option(metavar="SECONDS", min=0, help="For requests under way when it stops.")] = 10,
    statement_timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="How long a statement of a request may run.")
    ] = 30,
    lock_timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="How long it may wait for a lock.")
    ] = 5,
    connect_timeout: Annotated[
        int, typer.Option(metavar="SECONDS", min=2, help="How long a connection to PostgreSQL may take.")
    ] = 5,
    head_timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="How long the head of a request may take.")
    ] = 10,
    connections: Annotated[int, typer.Option(metavar="N", min=1, help="Clients that may be connected.")] = 1000,
    requests_per_second: Annotated[
        float, typer.Option(metavar="N", min=0.1, help="Requests of one bearer token, on the average.")
    ] = 200,
    concurrent: Annotated[
        int, typer.Option(metavar="N", min=1, help="Requests of one bearer token that are answered at a time.")
    ] = 32,
    trusted_proxy: Annotated[
        list[str] | None, typer.Option(metavar="ADDRESS", help="Whose X-Forwarded-For is believed; default: nobody's.")
    ] = None,
    metrics: Annotated[bool, typer.Option("--metrics", help="Serve /metrics, to whoever asks.")] = False,
) -> None:
    """Serve the list operation for tasks over HTTP."""
    try:
        from astra_filter import server
    except MissingExtraError as error:
        raise messages.InputError(f"astra-filter: {error}") from None

    secrets = [*([] if secret is None else [secret]), *(old_secret or ())]
    for each in secrets:
        if not is_text(each):
            raise messages.secret_not_text()
        if not each:
            raise messages.empty_secret()
    accounts = _accounts([*(token or ()), *_lines(token_file)])
    if not accounts:
        made = token_urlsafe()
        accounts[made] = server.EXAMPLE_ACCOUNT
        url = f"http://{host}:{port}/accounts/{server.EXAMPLE_ACCOUNT}/core/v1/tasks"
        sys.stderr.write(f"curl -H 'Authorization: Bearer {made}' {url}\n")
    tasks: list[Resource] = []
    if data is not None:
        progress = Progress()
        with reading.open_source(data, Options(), progress) as source:
            if source.format is Format.SQLITE:
                raise messages.database_as_data(source.name)
            tasks = reading.load(source, server.MEMBERS)
        progress.stop()
    try:
        server.serve(
            database=database,
            tasks=tasks,
            accounts=accounts,
            generate=generate,
            secrets=([token_urlsafe()] if secret is None else []) + secrets,
            host=host,
            port=port,
            bounds=server.Bounds(
                grace=grace,
                statement_timeout=statement_timeout,
                lock_timeout=lock_timeout,
                connect_timeout=connect_timeout,
                head_timeout=head_timeout,
                connections=connections,
                requests_per_second=requests_per_second,
                burst=max(1, round(2 * requests_per_second)),
                concurrent=concurrent,
                trusted_proxies=",".join(trusted_proxy or ()),
                metrics=metrics,
            ),
        )
    except server.StoreError as error:
        raise messages.InputError(str(error)) from None


def _lines(file: str | None) -> list[str]:
    """The lines of a file that are not empty."""
    if file is None:
        return []
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise messages.unreadable_token_file(file, error) from None
    return [line for line in text.splitlines() if line]


def _accounts(tokens: list[str]) -> dict[str, str]:
    """The account of each token."""
    accounts: dict[str, str] = {}
    for entry in tokens:
        name, _, account = entry.rpartition("=")
        if not name or not account or not is_text(entry) or accounts.setdefault(name, account) != account:
            raise messages.bad_token_option()
        if "/" in account:
            raise messages.bad_account()
    return accounts
