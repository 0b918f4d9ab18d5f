"""The command ``serve``: the reference server. Needs the extra ``server`` too."""

from __future__ import annotations

import sys
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
    host: Annotated[str, typer.Option(help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 for any that is free.")] = 8000,
) -> None:
    """Serve the list operation for tasks over HTTP."""
    try:
        from astra_filter import server
    except MissingExtraError as error:
        raise messages.InputError(f"astra-filter: {error}") from None

    if secret is not None and not is_text(secret):
        raise messages.secret_not_text()
    accounts = _accounts(token or [])
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
            secret=secret,
            host=host,
            port=port,
        )
    except server.StoreError as error:
        raise messages.InputError(str(error)) from None


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
