"""What a statement asks of a database that speaks PostgreSQL's SQL, as PostgreSQL's own parser reads it.

A feature is a kind and a name: `("lock", "FOR NO KEY UPDATE")`, `("function", "lower")`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson
from pglast.parser import parse_plpgsql_json, parse_sql_json

from tests.storage.sql_nodes import OF_FIELDS, OF_NODES, PLAIN, Feature, Fields, words


def features(sql: str) -> set[Feature]:
    """Of all that the text holds; raises pglast's `ParseError` for what PostgreSQL could not read."""
    tree = orjson.loads(parse_sql_json(sql))
    found: set[Feature] = set()
    for statement in tree["stmts"]:
        [(node, fields)] = statement["stmt"].items()
        found.add(("statement", _statement(node, fields)))
        found |= set(OF_NODES[node](fields)) if node in OF_NODES else set()
        found |= set(_walk(fields))
        if node in ("CreateFunctionStmt", "DoStmt"):
            found |= set(_routine(orjson.loads(parse_plpgsql_json(sql))))
    return found


def _walk(value: Any) -> Iterator[Feature]:
    """Of everything below; a node is a dictionary whose one key, its name, begins with a capital letter."""
    if isinstance(value, list):
        for item in value:
            yield from _walk(item)
    elif isinstance(value, dict):
        for name, below in value.items():
            if name in OF_NODES and isinstance(below, dict):
                yield from OF_NODES[name](below)
            elif name == "onConflictClause":
                yield "clause", f"ON CONFLICT {words(below['action'], 'ONCONFLICT_', 'DO ')}"
            elif name == "returningClause":
                yield "clause", "RETURNING"
            elif name in OF_FIELDS:
                yield "clause", OF_FIELDS[name]
            elif name[0].isupper() and name not in PLAIN and not name.endswith("Stmt"):
                yield "construct", name
            yield from _walk(below)


def parts(sql: str) -> set[str]:
    """Every field of every node that the text has, and which of a few values it has: whatever `features` has
    no name for is among them."""
    return set(_parts("", orjson.loads(parse_sql_json(sql))["stmts"]))


def _parts(node: str, value: Any) -> Iterator[str]:
    for item in value if isinstance(value, list) else []:
        yield from _parts(node, item)
    for name, below in value.items() if isinstance(value, dict) else []:
        if name not in _PLACES:
            of_few = isinstance(below, bool) or (isinstance(below, str) and _OF_FEW.fullmatch(below))
            if name[0].islower() and node:
                yield f"{node}.{name}" + (f" = {below}" if of_few and not name.endswith(_NAMED) else "")
            yield from _parts(name, below)


# Where something stands in the text; and what is named by whoever wrote it.
_PLACES = {"location", "stmt_len", "arg_location", "list_start", "list_end", "jumble_args"}
_NAMED = ("name", "val")
_OF_FEW = re.compile(r"[A-Z][A-Za-z]*(?:_[A-Z]+)+|[A-Z][a-z]+(?:[A-Z][A-Za-z]+)+|[a-z]")


def _statement(node: str, it: Fields) -> str:
    """As people say it."""
    if node == "TransactionStmt":
        return words(it["kind"], "TRANS_STMT_") + _level(it.get("options", []))
    if node == "AlterTableStmt":
        return "ALTER TABLE " + ", ".join(
            sorted({words(command["AlterTableCmd"]["subtype"], "AT_") for command in it["cmds"]})
        )
    if node in ("VariableSetStmt", "VariableShowStmt"):
        local = " LOCAL" if it.get("is_local") else ""
        level = _level(it["args"]) if it.get("name") == "TRANSACTION" else ""
        return f"{'SET' if node == 'VariableSetStmt' else 'SHOW'}{local} {it.get('name', 'ALL')}{level}"
    if node == "CreateExtensionStmt":
        return f"CREATE EXTENSION {it['extname']}"
    if node == "DropStmt":
        return f"DROP {words(it['removeType'], 'OBJECT_')}{' CASCADE' * (it['behavior'] == 'DROP_CASCADE')}"
    name = node.removesuffix("Stmt")
    return {"Create": "CREATE TABLE", "Index": "CREATE INDEX", "CreateTrig": "CREATE TRIGGER"}.get(
        name, {"CreateFunction": "CREATE FUNCTION", "Comment": "COMMENT"}.get(name, name.upper())
    )


def _level(options: list[Any]) -> str:
    """Of isolation, and whatever else a transaction is told to be."""
    told = ((option["DefElem"]["defname"], option["DefElem"]["arg"]["A_Const"]) for option in options)
    return "".join(f" {value['sval']['sval'].upper() if 'sval' in value else name}" for name, value in told)


# PLpgSQL_raise_option_type of PostgreSQL's plpgsql.h.
_RAISE_OPTIONS = (
    "ERRCODE",
    "MESSAGE",
    "DETAIL",
    "HINT",
    "COLUMN",
    "CONSTRAINT",
    "DATATYPE",
    "TABLE",
    "SCHEMA",
)


def _routine(value: Any) -> Iterator[Feature]:
    """Of a function's body: its kinds of statements, what it looks at, and the SQL in it."""
    for item in value if isinstance(value, list) else []:
        yield from _routine(item)
    for name, below in value.items() if isinstance(value, dict) else []:
        if name.startswith("PLpgSQL_stmt_"):
            yield "PL/pgSQL", name.removeprefix("PLpgSQL_stmt_").upper()
        elif name == "PLpgSQL_exception":
            yield "PL/pgSQL", "EXCEPTION WHEN"
        elif name == "PLpgSQL_raise_option":
            yield "PL/pgSQL", f"RAISE USING {_RAISE_OPTIONS[below['opt_type']]}"
        elif name == "PLpgSQL_expr":
            yield from _embedded(below["query"], whole=below["parseMode"] == 0)
        yield from _routine(below)


def _embedded(sql: str, *, whole: bool) -> Iterator[Feature]:
    """Of SQL within a function; what is no whole statement is a SELECT without the word."""
    yield from (("PL/pgSQL", word) for word in re.findall(r"\b(?:TG_\w+|NEW|OLD|FOUND)\b", sql.upper()))
    yield from features(sql) if whole else features(f"SELECT {sql}") - {("statement", "SELECT")}
