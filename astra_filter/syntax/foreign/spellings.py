"""The operators of other languages, and what each is called here; imported to explain errors only.

Words are looked up without blanks, underscores and case, so that ``greater than``, ``greater_than`` and ``greaterThan``
are one entry. To know one more spelling, add it to a line of `_WORDS`.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Meaning(NamedTuple):
    """What a spelling says: an operator, its opposite where ``negated``, and whether the case of letters is ignored.

    Beside the operators of the language, ``operator`` is one of: ``null`` (true where there is no value), ``not null``,
    ``empty`` (null, or text without characters), ``between``, ``outside``, ``like``, ``glob``, ``similar``,
    ``regex``, ``has`` (of an array an element, of a text a part), ``any`` and ``all`` (``has``, with a list).
    """

    operator: str
    negated: bool = False
    folded: bool = False


_SYMBOLS = {
    "=": "eq", "==": "eq", "===": "eq", "!=": "ne", "!==": "ne", "<>": "ne", "<=>": "eq", "=!": "ne", "~=": "ne",
    "^=": "ne", "/=": "ne", "<": "lt", "<=": "lte", "=<": "lte", ">": "gt", ">=": "gte", "=>": "gte", ":": "eq",
    ":=": "eq", ":>": "gt", ":>=": "gte", ":<": "lt", ":<=": "lte", ":!": "ne", ":!=": "ne", ":=<": "lte",
    ":=>": "gte", "@>": "has",
    "lt=": "lte", "gt=": "gte", "=lt": "lte", "=gt": "gte", "eq=": "eq", "ne=": "ne", "lte=": "lte", "gte=": "gte",
    "=eq": "eq", "=ne": "ne", "=gte": "gte", "=lte": "lte", "≥": "gte", "⩾": "gte", "≤": "lte", "⩽": "lte", "≠": "ne",
    "＝": "eq", "＜": "lt", "＞": "gt", "∈": "in",
}  # fmt: skip
_WORDS = {
    "eq": "eq equal equals equalto equalsto equaled same sameas exact exactly identical identicalto is",
    "ne": "ne neq notequal notequals notequalto unequal unequalto differs differsfrom different differentfrom "
    "distinct distinctfrom otherthan noteq isnt arent isnot nequal doesntequal doesnotequal",
    "lt": "lt less lessthan lower lowerthan smaller smallerthan before earlier earlierthan below under fewer "
    "fewerthan",
    "lte": "lte le lteq leq lessequal lessequals lessorequal lessorequals lessorequalto lessthanorequal "
    "lessthanorequals lessthanorequalto lessthanequal lessthanequals lessthanequalto atmost nomorethan "
    "nogreaterthan nolaterthan onorbefore beforeoron lowerorequal loe beforeorequal beforeorat",
    "gt": "gt greater greaterthan more morethan bigger biggerthan larger largerthan higher higherthan after later "
    "laterthan above over exceeds",
    "gte": "gte ge gteq geq greaterequal greaterequals greaterorequal greaterorequals greaterorequalto "
    "greaterthanorequal greaterthanorequals greaterthanorequalto greaterthanequal greaterthanequals "
    "greaterthanequalto atleast nolessthan nofewerthan noearlierthan since onorafter afteroron goe "
    "afterorequal afterorat moreorequal morethanorequal morethanorequalto",
    "in": "in oneof isin among within inside anyone isoneof inlist inset member memberof elementof belongsto",
    "not in": "nin notin noneof out isnotin notoneof notwithin notamong isnotoneof",
    "contains": "contains contain containing containstext containsstring substring substringof partof co hassubstring "
    "containssubstring",
    "startswith": "startswith start starts startwith startingwith begin begins beginswith beginwith beginningwith "
    "prefix prefixed prefixedwith hasprefix sw sws bw leftmatch",
    "endswith": "endswith end ends endwith endingwith finisheswith suffix suffixed suffixedwith hassuffix ew ews",
    "has": "has have having includes include including arraycontains hasitem haselement hasmember",
    "any": "any anyof hasany hasanyof containsany containsanyof containsoneof includesany overlaps overlap "
    "overlapping intersects ov arraycontainsany hassome containssome inany",
    "all": "all allof hasall hasallof containsall containsallof includesall hasevery containseach haseach "
    "arraycontainsall",
    "null": "null none nil missing absent unset undefined nothing isnull isnil isnone "
    "ismissing isundefined notexists doesnotexist notpresent notdefined nonexistent notset isabsent",
    "not null": "exists exist existing pr present ispresent defined isdefined set isset notnull nonnull "
    "notnil notnone notmissing hasvalue hasavalue isnotnull notundefined",
    "empty": "empty blank isempty isblank",
    "not empty": "notempty notblank isnotempty isnotblank nonempty",
    "between": "between inrange isbetween withinrange bt btw",
    "outside": "outside notbetween notinrange outsideof",
    "like": "like islike",
    "not like": "notlike unlike nlike",
    "glob": "glob wildcard wild fnmatch",
    "similar": "similarto similar",
    "regex": "regexp rlike regex regexmatch matches match matching matchesregex regexplike matchesregexp imatch",
}  # fmt: skip
_FOLDED = {
    "ilike": "like", "notilike": "not like", "icontains": "contains", "istartswith": "startswith", "nilike": "not like",
    "iendswith": "endswith", "iexact": "eq", "ieq": "eq", "ine": "ne", "iregex": "regex", "iequals": "eq", "iin": "in",
    "equalsignorecase": "eq", "containsignorecase": "contains", "containsi": "contains", "eqi": "eq",
    "imatches": "regex", "startswithi": "startswith", "endswithi": "endswith", "equalsi": "eq",
}  # fmt: skip
_REGEX = {"~": (False, False), "=~": (False, False), "~*": (False, True), "!~": (True, False), "!~*": (True, True)}
"""``operator: (negated, folded)``."""


def _meaning(name: str, *, folded: bool = False) -> Meaning:
    negated = name.startswith("not ")
    name = name.removeprefix("not ")
    return Meaning("in" if name == "not in" else name, negated, folded)


MEANINGS: dict[str, Meaning] = {
    **{symbol: _meaning(name) for symbol, name in _SYMBOLS.items()},
    **{word: _meaning(name) for name, words in _WORDS.items() for word in words.split()},
    **{word: _meaning(name, folded=True) for word, name in _FOLDED.items()},
    **{symbol: Meaning("regex", negated, folded) for symbol, (negated, folded) in _REGEX.items()},
}
CONNECTIVES = {
    "and": "and", "or": "or", "&&": "and", "&": "and", "||": "or", "|": "or", ";": "and", ",": "and", "but": "and",
    "plus": "and", "und": "and", "oder": "or", "et": "and", "ou": "or", "∧": "and", "∨": "or", "xor": "xor",
    "nor": "nor", "nand": "nand",
}  # fmt: skip
"""What joins tests elsewhere. The last three have no word here, and are written out."""
CASTS = frozenset(
    {
        "date", "datetime", "timestamp", "time", "datetimeoffset", "todate", "todatetime", "totimestamp", "isodate",
        "parsedatetime", "objectid", "uuid", "guid", "touuid", "string", "str", "text", "char", "varchar", "int",
        "integer", "number", "numberlong", "numberint", "numberdecimal", "decimal", "float", "double", "long", "bigint",
        "boolean", "bool", "enum", "binary", "duration", "geography", "timestamptz", "edmguid", "edmdatetime", "n", "e",
        "b", "x", "literal", "value",
    }
)  # fmt: skip
"""Words before a value that only name its type: ``datetime'…'``, ``DATE '…'``, ``ISODate("…")``."""

_NEGATIONS = re.compile(r"(?:is|are|was|were|does|do|did|should|must|be|has|have)*(?:not|(?<=[sedo])nt)(?:be|a|to)?")


def meaning(key: str) -> Meaning | None:
    """Return what a spelling says, given in lower case without blanks: ``isgreaterthan``, ``doesnotcontain``."""
    if not key or len(key) > 40:
        return None
    found = MEANINGS.get(key)
    if found is not None:
        return found
    match = _NEGATIONS.match(key)
    if match is not None:
        rest = MEANINGS.get(key[match.end() :]) or (Meaning("eq") if match.end() == len(key) else None)
        if rest is not None:
            return rest._replace(negated=not rest.negated)
    for prefix in ("is", "are", "was", "does", "be", "isa", "hasa", "must", "mustbe", "shouldbe"):
        if key.startswith(prefix) and key[len(prefix) :] in MEANINGS:
            return MEANINGS[key[len(prefix) :]]
    return None
