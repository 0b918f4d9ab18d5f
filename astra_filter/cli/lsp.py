"""The command ``lsp``: a language server for documents that are one filter each. Needs the extra ``lsp``.

It tells editors what is wrong, what may come next, what a field is, and the canonical text, as its format.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from astra_filter.cli import messages
from astra_filter.errors import FilterError
from astra_filter.language.names import path_text

try:
    from lsprotocol import types
    from pygls.lsp.server import LanguageServer
except ModuleNotFoundError as error:
    raise messages.missing_lsp(error) from None

if TYPE_CHECKING:
    from astra_filter.schema import Schema

_PATH = re.compile(r"(?:[\w.]|`(?:[^`]|``)*`)+")
_KINDS = {
    "field": types.CompletionItemKind.Field,
    "operator": types.CompletionItemKind.Operator,
    "keyword": types.CompletionItemKind.Keyword,
    "value": types.CompletionItemKind.EnumMember,
    "literal": types.CompletionItemKind.Value,
    "mark": types.CompletionItemKind.Text,
}


def position(text: str, offset: int) -> types.Position:
    """Return the position of an offset: a line, and UTF-16 units in it."""
    start = text.rfind("\n", 0, offset) + 1
    return types.Position(
        text.count("\n", 0, offset), len(text[start:offset].encode("utf-16-le", "surrogatepass")) // 2
    )


def offset(text: str, place: types.Position) -> int:
    """Return the offset of a position; that of the end of the line where it lies behind it."""
    lines = text.split("\n")
    if place.line >= len(lines):
        return len(text)
    before = sum(len(line) + 1 for line in lines[: place.line])
    units = 0
    for number, character in enumerate(lines[place.line]):
        if units >= place.character:
            return before + number
        units += 2 if ord(character) > 0xFFFF else 1
    return before + len(lines[place.line])


def diagnostics(schema: Schema, text: str) -> list[types.Diagnostic]:
    """Return what is wrong with a filter; nothing with a blank document."""
    if not text.strip():
        return []
    try:
        schema.compile(text)
    except FilterError as error:
        return [
            types.Diagnostic(
                types.Range(position(text, problem.span.start), position(text, problem.span.end)),
                problem.message + (f"\nhint: {problem.hint}" if problem.hint else ""),
                severity=types.DiagnosticSeverity.Error,
                code=problem.code,
                source="astra-filter",
            )
            for problem in error.problems
        ]
    return []


def completions(schema: Schema, text: str, place: types.Position) -> list[types.CompletionItem]:
    """Return what may come next."""
    return [
        types.CompletionItem(
            candidate.insert,
            kind=_KINDS[candidate.kind],
            detail=candidate.detail or candidate.kind,
            sort_text=f"{number:04}",
            text_edit=types.TextEdit(
                types.Range(position(text, candidate.span.start), position(text, candidate.span.end)), candidate.insert
            ),
        )
        for number, candidate in enumerate(schema.complete(text, offset(text, place)))
    ]


def hover(schema: Schema, text: str, place: types.Position) -> types.Hover | None:
    """Return what the field under the cursor is."""
    at = offset(text, place)
    for match in _PATH.finditer(text):
        if match.start() <= at <= match.end():
            for path, leaf in schema.leaves.items():
                if path_text(path) == match[0]:
                    words = f"{match[0]}: {leaf.field.type}{', may be null' if leaf.nullable else ''}"
                    about = f"\n\n{leaf.field.description}" if leaf.field.description else ""
                    span = types.Range(position(text, match.start()), position(text, match.end()))
                    return types.Hover(types.MarkupContent(types.MarkupKind.PlainText, words + about), span)
    return None


def formatting(schema: Schema, text: str) -> list[types.TextEdit]:
    """Return the edit that makes the canonical text; none where there is nothing to change, or no filter."""
    try:
        canonical = str(schema.compile(text)) + "\n"
    except FilterError:
        return []
    if canonical == text:
        return []
    return [types.TextEdit(types.Range(types.Position(0, 0), position(text, len(text))), canonical)]


def make_server(schema: Schema) -> LanguageServer:
    """Return the language server for filters of a schema."""
    server = LanguageServer("astra-filter", "1")

    def text_of(uri: str) -> str:
        source: str = server.workspace.get_text_document(uri).source
        return source

    def publish(uri: str) -> None:
        found = diagnostics(schema, text_of(uri))
        server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found))

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(parameters: types.DidOpenTextDocumentParams) -> None:
        publish(parameters.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(parameters: types.DidChangeTextDocumentParams) -> None:
        publish(parameters.text_document.uri)

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[" ", ".", "(", "[", "'"])
    )
    def completed(parameters: types.CompletionParams) -> list[types.CompletionItem]:
        return completions(schema, text_of(parameters.text_document.uri), parameters.position)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hovered(parameters: types.HoverParams) -> types.Hover | None:
        return hover(schema, text_of(parameters.text_document.uri), parameters.position)

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatted(parameters: types.DocumentFormattingParams) -> list[types.TextEdit]:
        return formatting(schema, text_of(parameters.text_document.uri))

    del opened, changed, completed, hovered, formatted  # The server has them.
    return server
