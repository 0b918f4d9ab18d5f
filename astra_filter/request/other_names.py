"""What other APIs call the parameters of a list request; imported to explain errors only."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from astra_filter.errors import RequestError
from astra_filter.language.names import nearest, path_text
from astra_filter.request.parameters import NAMES
from astra_filter.syntax.hints import as_filter
from astra_filter.wording import request as wording

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from astra_filter.meaning.declaration import Declaration
    from astra_filter.meaning.leaves import Leaf
    from astra_filter.meaning.shapes import Shapes

_NAMES = {
    "orderBy": "sort sorts sortby sorting sortorder sortfield sortkey order ordering orderby orderfield",
    "skip": "offset start from begin first_result firstresult startat startfrom skipcount rowoffset",
    "limit": "pagesize perpage top take max maxresults maxitems results resultsperpage itemsperpage size num rows n "
    "pagelimit maxcount maxpagesize batchsize limitto pagecount",
    "page": "page pagenumber pageno pageindex pagenum p currentpage",
    "startindex": "startindex",
    "include": "fields select columns attributes only projection fieldset field selectfields includefields props "
    "properties fl",
    "continue": "cursor after pagetoken token nexttoken nextpagetoken nextpage next startingafter startafter marker "
    "continuation continuationtoken continuetoken bookmark scrollid skiptoken aftercursor resumetoken "
    "exclusivestartkey",
    "back": "before endingbefore previous prev prevpage previouspage endbefore beforecursor",
    "filter": "q query where filters condition predicate fq criteria expression rsql fiql odatafilter filterby "
    "filterexpr filterexpression",
    "count": "total includetotal withcount totalcount inlinecount counttotal includecount withtotal showtotal gettotal",
}
_BY_WORD = {word.replace("_", ""): name for name, words in _NAMES.items() for word in words.split()}
_DIRECTIONS = {
    **dict.fromkeys(("desc", "descending", "-1", "reverse", "reversed", "dsc", "descend"), True),
    **dict.fromkeys(("asc", "ascending", "1", "+1", "ascend"), False),
}
_MARKS = r"(?:[\s:.|;=_/~]+|\s*-\s*)"
_DIRECTION = "|".join(re.escape(word) for word in sorted(_DIRECTIONS, key=len, reverse=True))
_FORMS = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        r"(?P<minus>[-!~])(?P<name>.+)",
        rf"(?P<name>.+?){_MARKS}(?P<word>{_DIRECTION})(?P<nulls>\s+nulls\s+(?:first|last))?",
        rf"(?P<name>.+?)\((?P<word>{_DIRECTION})\)",
        rf"(?P<word>{_DIRECTION})\s*[(:.\s]\s*(?P<name>[^()]+?)\s*\)?",
        r"\+?(?P<name>.+)",
    )
)
"""``-name``; ``name:desc``; ``name(desc)``; ``desc(name)``; ``"name"``."""


def known_parameter(name: str) -> str | None:
    """Return what a parameter is called here, by the name that another API gives it."""
    return _BY_WORD.get(re.sub(r"[$_\-.\[\] ]", "", name[:40].lower()))


def sort_key(piece: str, leaves: Mapping[tuple[str, ...], Leaf]) -> str | None:
    """Return a sort key as ``orderBy`` has it, given in another spelling: ``name desc`` for ``-name``."""
    piece = piece.strip(" \t\r\n")
    if not piece or len(piece) > 200:
        return None
    for form in _FORMS:
        match = form.fullmatch(piece)
        if match is None:
            continue
        parts = match.groupdict()
        name = parts["name"].strip(" \t\r\n\"'`[]{}()").replace("/", ".").casefold()
        down = bool(parts.get("minus")) or _DIRECTIONS.get((parts.get("word") or "asc").lower(), False)
        nulls = (parts.get("nulls") or "").lower().split()
        if nulls and (nulls[-1] == "last") is not down:
            return None  # Nulls are the smallest values.
        for path, leaf in leaves.items():
            if leaf.sortable and name in (".".join(path).casefold(), path_text(path).casefold()):
                return path_text(path) + (" desc" if down else "")
    return None


def piece_at(text: str, place: int) -> str:
    """Return what stands between the commas around a place."""
    start = text.rfind(",", 0, place) + 1
    end = text.find(",", place)
    return text[start : len(text) if end < 0 else end]


def order_text(text: str, leaves: Mapping[tuple[str, ...], Leaf]) -> str | None:
    """Return a whole order in another spelling as ``orderBy`` has it; None where one of its keys cannot be told."""
    pieces = text.split(",")
    keys = [sort_key(piece, leaves) for piece in pieces[:10]]
    return None if len(pieces) > 10 or None in keys else ", ".join([key for key in keys if key is not None])


def include_text(text: str, paths: Iterable[tuple[str, ...]]) -> str | None:
    """Return a whole list of fields in another spelling as ``include`` has it."""
    known = {".".join(path).casefold(): path_text(path) for path in paths}
    pieces = re.split(r"[,;|\s]+", text[:500].strip(" []\"'()"))
    found = [known.get(piece.strip("\"'`").replace("/", ".").casefold()) for piece in pieces]
    return None if None in found or len(set(found)) < len(found) else ",".join([name for name in found if name])


def other_name(declaration: Declaration, shapes: Shapes, name: str, value: str) -> str | None:
    """Return a hint for a parameter in the words of another API: ``sort=-name``, ``size__gte=5``, ``fields=id``."""
    near = nearest(name, NAMES)
    if near and near[0].casefold() == name.casefold():
        return None
    test = as_filter(name, value, declaration.root)
    if test is not None:
        return wording.field_as_parameter(test)
    meant = known_parameter(name)
    if meant is None:
        return None
    example = None
    if meant == "orderBy":
        example = order_text(value, declaration.leaves)
    elif meant == "include":
        example = include_text(value, [path for path, leaf in declaration.leaves.items() if leaf.returnable])
    elif meant == "filter":
        example = _filter(value, shapes, declaration)
    elif meant == "count" and value.lower() in ("true", "1", "yes", "allpages"):
        example = "true"
    elif meant in ("limit", "skip") and value.isascii() and value.isdigit() and len(value) < 10:
        example = None if meant == "limit" and not int(value) else str(int(value))
    return wording.other_name(meant, example)


def _filter(value: str, shapes: Shapes, declaration: Declaration) -> str | None:
    """Return the value of what is ``filter`` elsewhere, where it is a filter."""
    try:
        shapes.compile(value, declaration.limits)
    except RequestError:
        return None
    return value
