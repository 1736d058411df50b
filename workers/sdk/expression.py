"""The small language that chooses rows: `age > 40 and sex == "Female"`, `note is missing`, `lower(city) in ("bern", "basel")`.

Pure and safe: text becomes a tree, the tree becomes pyarrow.compute calls; nothing is ever evaluated as Python. Grammar:

    condition   and, or, not, ( … )
    comparison  == != < <= > >=      x in (1, 2)      x not in ("a", "b")      x is missing      x is not missing
    values      40   -1.5e3   "text"   'text'   true   false   column   `column with spaces`
    arithmetic  + - * / %
    functions   contains(x, "part")  startswith(x, "part")  endswith(x, "part")  lower(x)  upper(x)  length(x)  abs(x)  round(x)

A comparison with a missing value is neither true nor false; a row is chosen only where the whole is true. Times are compared with
text in ISO 8601 (`day >= "2024-05-01"`), in UTC. Errors say what is wrong, what would be right and at which character.
It refuses attribute access, calls of anything not listed, chained comparisons, and expressions of more than 4,000 characters.
"""

from __future__ import annotations

import datetime
import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Sort = Literal["number", "text", "boolean", "datetime"]
LONGEST = 4_000
DEEPEST = 60
ARITHMETIC_MOST = 200
SORTS: dict[str, Sort] = {"integer": "number", "number": "number", "boolean": "boolean", "datetime": "datetime"}
NAMES: dict[Sort, str] = {"number": "a number", "text": "text", "boolean": "true or false", "datetime": "a time"}
FUNCTIONS: dict[str, tuple[tuple[Sort, ...], Sort]] = {
    "contains": (("text", "text"), "boolean"),
    "startswith": (("text", "text"), "boolean"),
    "endswith": (("text", "text"), "boolean"),
    "lower": (("text",), "text"),
    "upper": (("text",), "text"),
    "length": (("text",), "number"),
    "abs": (("number",), "number"),
    "round": (("number",), "number"),
}
KEYWORDS = frozenset({"and", "or", "not", "in", "is", "missing", "true", "false"})
COMPARISONS = {"==": "equal", "!=": "not_equal", "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal"}
ARITHMETIC = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "%": "mod"}
_TOKEN = re.compile(
    r"""\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<quoted>`[^`]+`)"""
    r"""|(?P<name>[^\W\d]\w*)|(?P<sign>==|!=|<=|>=|[<>()+\-*/%,]))""",
    re.DOTALL,
)


class ExpressionError(ValueError):
    """The expression is not right. `position` is the character (from 0) it is about; `expected` says what would be right."""

    def __init__(self, message: str, position: int, expected: str = "") -> None:
        super().__init__(f"{message} (at character {position + 1})" + (f"; {expected}" if expected else ""))
        self.message, self.position, self.expected = message, position, expected


@dataclass(frozen=True)
class Token:
    kind: str
    value: str
    at: int


@dataclass(frozen=True)
class Node:
    """`kind`: literal, column, compare, in, missing, and, or, not, arithmetic, minus, call. `value` is what the kind needs."""

    kind: str
    at: int
    value: Any = None
    parts: tuple[Node, ...] = ()


class Expression:
    """A parsed expression."""

    def __init__(self, text: str, root: Node) -> None:
        self.text, self.root = text, root

    @property
    def columns(self) -> list[str]:
        """The columns it names, in the order in which it names them."""
        found: dict[str, None] = {}

        def look(node: Node) -> None:
            if node.kind == "column":
                found[node.value] = None
            for part in node.parts:
                look(part)

        look(self.root)
        return list(found)

    def check(self, columns: Mapping[str, str]) -> None:
        """Raises ExpressionError unless it is a condition over `columns` (name → column type: integer, number, boolean, …)."""
        sort = _sort_of(self.root, columns)
        if sort != "boolean":
            raise ExpressionError(f"this is {NAMES[sort]}, not a condition", self.root.at, 'compare it: `age > 40`, `city == "Bern"`')

    def mask(self, table: Any, columns: Mapping[str, str] | None = None) -> Any:
        """For an Arrow table (or record batch): a boolean array, true where the expression is. Checks first."""
        import pyarrow as pa
        import pyarrow.compute as pc

        known = dict(columns) if columns is not None else {f.name: _arrow_type(f.type) for f in table.schema}
        self.check(known)
        found = _value(self.root, table, known)
        if isinstance(found, pa.Scalar):
            found = pa.array([found.as_py()] * table.num_rows, pa.bool_())
        if isinstance(found, pa.ChunkedArray):
            found = found.combine_chunks()
        return pc.fill_null(found, False)


def parse(text: str) -> Expression:
    """The expression `text` says; raises ExpressionError."""
    if len(text) > LONGEST:
        raise ExpressionError(f"the expression has {len(text)} characters", LONGEST, f"at most {LONGEST} are read")
    parser = _Parser(_tokens(text), len(text))
    if not parser.tokens:
        raise ExpressionError("the expression is empty", 0, 'write a condition such as `age > 40 and city == "Bern"`')
    if (many := [t for t in parser.tokens if t.value in ARITHMETIC and t.kind == "sign"])[ARITHMETIC_MOST:]:
        raise ExpressionError("there is too much arithmetic", many[ARITHMETIC_MOST].at, f"at most {ARITHMETIC_MOST} of + - * / %")
    root = parser.either()
    if (left := parser.peek()) is not None:
        raise ExpressionError(f"“{left.value}” is not expected here", left.at, "join conditions with `and` or `or`")
    return Expression(text, root)


def _tokens(text: str) -> list[Token]:
    tokens, at = [], 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            wrong = text[at]
            hint = {"=": "use == to compare", "&": "use `and`", "|": "use `or`", "!": "use `not` or !=", "`": "close the name with `"}.get(
                wrong, ""
            )
            raise ExpressionError("this text is not closed" if wrong in "\"'" else f"“{wrong}” means nothing here", at, hint)
        kind = str(match.lastgroup)
        tokens.append(Token(kind, match.group(kind), match.start(kind)))
        at = match.end()
    return tokens


class _Parser:
    """Recursive descent; one method is one level of binding."""

    def __init__(self, tokens: list[Token], end: int) -> None:
        self.tokens, self.end, self.place, self.depth = tokens, end, 0, 0

    def peek(self) -> Token | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def accept(self, *values: str) -> Token | None:
        """The next token if it is one of these words (in any case) or signs."""
        token = self.peek()
        if token is not None and token.kind in ("name", "sign") and token.value.lower() in values:
            self.place += 1
            return token
        return None

    def need(self, value: str, why: str) -> Token:
        token = self.accept(value)
        if token is None:
            here = self.peek()
            raise ExpressionError(f"“{value}” is missing {why}", here.at if here else self.end)
        return token

    def either(self) -> Node:
        self.depth += 1
        if self.depth > DEEPEST:
            raise ExpressionError("there are too many brackets inside each other", self.tokens[self.place].at if self.peek() else self.end)
        parts = [self.both()]
        while self.accept("or"):
            parts.append(self.both())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else Node("or", parts[0].at, None, tuple(parts))

    def both(self) -> Node:
        parts = [self.negation()]
        while self.accept("and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else Node("and", parts[0].at, None, tuple(parts))

    def negation(self) -> Node:
        count, first = 0, None
        while token := self.accept("not"):
            count, first = count + 1, first or token
        inner = self.comparison()
        return Node("not", first.at, None, (inner,)) if first is not None and count % 2 else inner

    def comparison(self) -> Node:
        left = self.sum()
        if token := self.accept(*COMPARISONS):
            node = Node("compare", token.at, token.value, (left, self.sum()))
            if again := self.accept(*COMPARISONS):
                raise ExpressionError("comparisons cannot be chained", again.at, "write `1 < x and x < 5`")
            return node
        if token := self.accept("is"):
            negative = self.accept("not") is not None
            self.need("missing", "after `is`")
            node = Node("missing", token.at, None, (left,))
            return Node("not", token.at, None, (node,)) if negative else node
        place = self.place
        negative = self.accept("not") is not None
        if token := self.accept("in"):
            self.need("(", "after `in`")
            values = [self.sum()]
            while self.accept(","):
                values.append(self.sum())
            self.need(")", "after the list of values")
            node = Node("in", token.at, None, (left, *values))
            return Node("not", token.at, None, (node,)) if negative else node
        self.place = place
        return left

    def sum(self) -> Node:
        node = self.product()
        while token := self.accept("+", "-"):
            node = Node("arithmetic", token.at, token.value, (node, self.product()))
        return node

    def product(self) -> Node:
        node = self.sign()
        while token := self.accept("*", "/", "%"):
            node = Node("arithmetic", token.at, token.value, (node, self.sign()))
        return node

    def sign(self) -> Node:
        count, first = 0, None
        while token := self.accept("-"):
            count, first = count + 1, first or token
        inner = self.primary()
        if first is None or count % 2 == 0:
            return inner
        if inner.kind == "literal" and isinstance(inner.value, int | float) and not isinstance(inner.value, bool):
            return Node("literal", first.at, -inner.value)
        return Node("minus", first.at, None, (inner,))

    def primary(self) -> Node:
        token = self.peek()
        if token is None:
            raise ExpressionError("the expression ends too early", self.end, "a value or a column comes here")
        self.place += 1
        if token.kind == "number":
            return Node("literal", token.at, int(token.value) if token.value.isdecimal() else float(token.value))
        if token.kind == "text":
            return Node(
                "literal", token.at, re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), token.value[1:-1], flags=re.DOTALL)
            )
        if token.kind == "quoted":
            return Node("column", token.at, token.value[1:-1])
        if token.value == "(":
            inner = self.either()
            self.need(")", f"for the bracket opened at character {token.at + 1}")
            return inner
        if token.kind == "name":
            word = token.value.lower()
            if word in ("true", "false"):
                return Node("literal", token.at, word == "true")
            if self.accept("("):
                return self.call(token, word)
            if word not in KEYWORDS:
                return Node("column", token.at, token.value)
        raise ExpressionError(f"“{token.value}” is not expected here", token.at, "a value or a column comes here")

    def call(self, token: Token, word: str) -> Node:
        if word not in FUNCTIONS:
            close = difflib.get_close_matches(word, FUNCTIONS, 1)
            what = f"did you mean `{close[0]}`?" if close else "there are " + ", ".join(FUNCTIONS)
            raise ExpressionError(f"there is no function “{token.value}”", token.at, what)
        arguments: list[Node] = []
        if not self.accept(")"):
            arguments.append(self.either())
            while self.accept(","):
                arguments.append(self.either())
            self.need(")", f"after the arguments of {word}")
        if len(arguments) != len(FUNCTIONS[word][0]):
            raise ExpressionError(f"{word} takes {len(FUNCTIONS[word][0])} value(s), not {len(arguments)}", token.at)
        return Node("call", token.at, word, tuple(arguments))


def _sort_of(node: Node, columns: Mapping[str, str]) -> Sort:
    """What the node gives; raises where something does not fit."""
    if node.kind == "literal":
        return "boolean" if isinstance(node.value, bool) else "text" if isinstance(node.value, str) else "number"
    if node.kind == "column":
        if node.value not in columns:
            close = difflib.get_close_matches(node.value, columns, 1, 0.5)
            what = f"did you mean {_written(close[0])}?" if close else "there are " + ", ".join(_written(c) for c in list(columns)[:10])
            raise ExpressionError(f"there is no column “{node.value}”", node.at, what)
        return SORTS.get(columns[node.value], "text")
    sorts = [_sort_of(part, columns) for part in node.parts]
    if node.kind in ("and", "or", "not"):
        for part, sort in zip(node.parts, sorts, strict=True):
            _must(part, sort, "boolean", "compare it: `age > 40`")
        return "boolean"
    if node.kind in ("arithmetic", "minus"):
        for part, sort in zip(node.parts, sorts, strict=True):
            _must(part, sort, "number", "arithmetic is for numbers")
        return "number"
    if node.kind == "call":
        wanted, gives = FUNCTIONS[node.value]
        for part, sort, want in zip(node.parts, sorts, wanted, strict=True):
            _must(part, sort, want, f"{node.value} takes {NAMES[want]}")
        if len(wanted) == 2 and node.parts[1].kind != "literal":
            raise ExpressionError(f"the second value of {node.value} must be text in quotes", node.parts[1].at)
        return gives
    if node.kind in ("compare", "in"):
        first = node.parts[0]
        for part, sort in zip(node.parts[1:], sorts[1:], strict=True):
            _comparable(first, sorts[0], part, sort)
            if node.kind == "in" and part.kind != "literal":
                raise ExpressionError("the list after `in` holds plain values", part.at, "numbers, or text in quotes")
    return "boolean"


def _must(node: Node, sort: Sort, want: Sort, hint: str) -> None:
    if sort != want:
        raise ExpressionError(f"this is {NAMES[sort]}, not {NAMES[want]}", node.at, hint)


def _comparable(a: Node, sort_a: Sort, b: Node, sort_b: Sort) -> None:
    if sort_a == sort_b:
        return
    for time, sort, other in ((sort_a, sort_b, b), (sort_b, sort_a, a)):
        if time == "datetime" and sort == "text" and other.kind == "literal":
            _time(other)
            return
    hint = "put text in quotes, and numbers without" if {sort_a, sort_b} == {"text", "number"} else ""
    raise ExpressionError(f"{NAMES[sort_a]} cannot be compared with {NAMES[sort_b]}", b.at, hint)


def _time(node: Node) -> datetime.datetime:
    try:
        found = datetime.datetime.fromisoformat(node.value)
    except ValueError:
        raise ExpressionError(f"“{node.value}” is not a time", node.at, 'write it as "2024-05-01" or "2024-05-01T13:30:00"') from None
    return found.astimezone(datetime.UTC).replace(tzinfo=None) if found.tzinfo else found


def _value(node: Node, table: Any, columns: Mapping[str, str]) -> Any:
    """The node's Arrow array (or scalar) over the table; `_sort_of` has accepted it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if node.kind == "literal":
        return pa.scalar(float(node.value) if isinstance(node.value, int) and abs(node.value) >= 2**63 else node.value)
    if node.kind == "column":
        return _column(table.column(node.value), SORTS.get(columns[node.value], "text"))
    if node.kind in ("compare", "in"):
        timed = _sort_of(node.parts[0], columns) == "datetime" or (
            node.kind == "compare" and _sort_of(node.parts[1], columns) == "datetime"
        )

        def one(part: Node) -> Any:
            return pa.scalar(_time(part), pa.timestamp("us")) if timed and part.kind == "literal" else _value(part, table, columns)

        if node.kind == "compare":
            left, right = one(node.parts[0]), one(node.parts[1])
            return getattr(pc, COMPARISONS[node.value])(left, right)
        left = one(node.parts[0])
        return _any("or_kleene", [pc.equal(left, one(part)) for part in node.parts[1:]])
    parts = [_value(part, table, columns) for part in node.parts]
    if node.kind == "missing":
        return pc.is_null(parts[0], nan_is_null=_sort_of(node.parts[0], columns) == "number")
    if node.kind in ("and", "or"):
        return _any(f"{node.kind}_kleene", parts)
    if node.kind == "not":
        return pc.invert(parts[0])
    if node.kind == "minus":
        return pc.negate(pc.cast(parts[0], pa.float64()))
    if node.kind == "arithmetic":
        a, b = (pc.cast(part, pa.float64(), safe=False) for part in parts)
        if node.value == "%":
            return pc.subtract(a, pc.multiply(b, pc.floor(pc.divide(a, b))))
        return getattr(pc, ARITHMETIC[node.value])(a, b)
    if node.value in ("contains", "startswith", "endswith"):
        name = {"contains": "match_substring", "startswith": "starts_with", "endswith": "ends_with"}[node.value]
        return getattr(pc, name)(parts[0], pattern=node.parts[1].value)
    name = {"lower": "utf8_lower", "upper": "utf8_upper", "length": "utf8_length", "abs": "abs", "round": "round"}[node.value]
    return getattr(pc, name)(parts[0])


def _column(column: Any, sort: Sort) -> Any:
    """A column in the one Arrow type its sort is compared in."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = pc.cast(column, kind.value_type), kind.value_type
    if sort == "datetime" and kind != pa.timestamp("us"):
        return pc.cast(column, pa.timestamp("us"), safe=False)
    if sort == "text" and not pa.types.is_string(kind):
        return pc.cast(column, pa.string())
    return column


def _any(function: str, parts: Sequence[Any]) -> Any:
    import pyarrow.compute as pc

    found = parts[0]
    for part in parts[1:]:
        found = getattr(pc, function)(found, part)
    return found


def _arrow_type(kind: Any) -> str:
    import pyarrow.types as t

    if t.is_boolean(kind):
        return "boolean"
    if t.is_integer(kind) or t.is_floating(kind) or t.is_decimal(kind):
        return "number"
    return "datetime" if t.is_timestamp(kind) or t.is_date(kind) else "text"


def _written(name: str) -> str:
    return name if re.fullmatch(r"[^\W\d]\w*", name) and name.lower() not in KEYWORDS else f"`{name}`"
