"""Nodes of PostgreSQL's parse trees, and the features that each one shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Feature = tuple[str, str]
Fields = Mapping[str, Any]

# Nodes that say nothing of what is asked beyond what is below them.
PLAIN = frozenset(
    (
        *("A_Const", "A_Indices", "A_Star", "Alias", "AlterTableCmd", "Boolean", "CaseWhen", "ColumnDef"),
        *(
            "ColumnRef",
            "DefElem",
            "Float",
            "FunctionParameter",
            "IndexElem",
            "InferClause",
            "Integer",
            "List",
        ),
        *("ObjectWithArgs", "ParamRef", "ResTarget", "RoleSpec", "RowExpr", "SortBy", "String"),
    )
)
# Fields of SELECT and the like that are there only where the clause is.
OF_FIELDS = {
    "groupClause": "GROUP BY",
    "havingClause": "HAVING",
    "distinctClause": "DISTINCT",
    "limitOffset": "OFFSET",
    "sortClause": "ORDER BY",
    "windowClause": "WINDOW",
    "returningList": "RETURNING",
}


def _select(it: Fields) -> Iterator[Feature]:
    if "limitCount" in it:
        yield "clause", "WITH TIES" if it["limitOption"] == "LIMIT_OPTION_WITH_TIES" else "LIMIT"
    if any(it.get("distinctClause", [])):
        yield "clause", "DISTINCT ON"
    if it.get("op", "SETOP_NONE") != "SETOP_NONE":
        yield "clause", words(it["op"], "SETOP_") + (" ALL" if it.get("all") else "")


def _with(it: Fields) -> Iterator[Feature]:
    yield "clause", "WITH RECURSIVE" if it.get("recursive") else "WITH"


def _common(it: Fields) -> Iterator[Feature]:
    if it["ctematerialized"] == "CTEMaterializeAlways":
        yield "clause", "AS MATERIALIZED"
    kinds = (node.removesuffix("Stmt").upper() for node in it["ctequery"])
    yield from (("clause", f"{kind} in WITH") for kind in kinds if kind != "SELECT")


def _update(it: Fields) -> Iterator[Feature]:
    if "fromClause" in it or "usingClause" in it:
        yield "clause", "UPDATE or DELETE of a join"


def _insert(it: Fields) -> Iterator[Feature]:
    if "valuesLists" not in it.get("selectStmt", {}).get("SelectStmt", {}):
        yield "clause", "INSERT … SELECT"


def _join(it: Fields) -> Iterator[Feature]:
    bare = it["jointype"] == "JOIN_INNER" and "quals" not in it and "usingClause" not in it
    yield "join", "CROSS" if bare else words(it["jointype"], "JOIN_")
    if "usingClause" in it:
        yield "join", "USING"


def _from_function(it: Fields) -> Iterator[Feature]:
    yield "clause", "function in FROM"


def _from_select(it: Fields) -> Iterator[Feature]:
    yield "clause", "LATERAL" if it.get("lateral") else "SELECT in FROM"


def _table(it: Fields) -> Iterator[Feature]:
    name = it.get("relname", "")
    if it.get("schemaname") in ("pg_catalog", "information_schema") or name.startswith("pg_"):
        yield "catalogue", name


def _lock(it: Fields) -> Iterator[Feature]:
    strength = {"LCS_FORUPDATE": "UPDATE", "LCS_FORNOKEYUPDATE": "NO KEY UPDATE"}
    strength |= {"LCS_FORSHARE": "SHARE", "LCS_FORKEYSHARE": "KEY SHARE"}
    yield "lock", f"FOR {strength[it['strength']]}"
    if it["waitPolicy"] != "LockWaitBlock":
        yield "lock", {"LockWaitSkip": "SKIP LOCKED", "LockWaitError": "NOWAIT"}[it["waitPolicy"]]


def _subselect(it: Fields) -> Iterator[Feature]:
    names = {"EXISTS": "EXISTS (SELECT …)", "ANY": "IN (SELECT …)", "EXPR": "(SELECT …) as a value"}
    kind = it["subLinkType"].removesuffix("_SUBLINK")
    yield "expression", names.get(kind, kind)


def _expression(it: Fields) -> Iterator[Feature]:
    kind = it["kind"].removeprefix("AEXPR_")
    if kind == "OP":
        yield "operator", _name(it["name"])
        if "RowExpr" in it.get("lexpr", {}):
            yield "expression", "(a, b) < (c, d)"
    else:
        yield "expression", words(kind)


def _function(it: Fields) -> Iterator[Feature]:
    name = _name(it["funcname"])
    yield ("expression", "ESCAPE") if name == "like_escape" else ("function", name)
    for field, name in (
        ("over", "OVER"),
        ("agg_filter", "FILTER"),
        ("agg_order", "ORDER BY in an aggregate"),
        ("agg_distinct", "DISTINCT in an aggregate"),
    ):
        if field in it:
            yield "clause", name


def _order(it: Fields) -> Iterator[Feature]:
    if it["sortby_nulls"] != "SORTBY_NULLS_DEFAULT":
        yield "clause", words(it["sortby_nulls"], "SORTBY_")


def _column(it: Fields) -> Iterator[Feature]:
    names = [field.get("String", {}).get("sval") for field in it["fields"]]
    if len(names) > 1 and names[0] in ("new", "old"):
        yield "expression", "NEW or OLD without brackets"
    if names[-1] in ("ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"):
        yield "expression", f"column {names[-1]}"


def _type(it: Fields) -> Iterator[Feature]:
    name = _name(it["names"])
    yield "type", f"{name}[]" if "arrayBounds" in it else name


def _collate(it: Fields) -> Iterator[Feature]:
    yield "expression", f'COLLATE "{_name(it["collname"])}"'


def _boolean(it: Fields) -> Iterator[Feature]:
    yield "expression", it["boolop"].removesuffix("_EXPR")


def _null(it: Fields) -> Iterator[Feature]:
    yield "expression", "IS NULL" if it["nulltesttype"] == "IS_NULL" else "IS NOT NULL"


def _named(kind: str, name: str) -> Callable[[Fields], Iterator[Feature]]:
    def of(it: Fields) -> Iterator[Feature]:
        yield kind, name

    return of


_REFERENCE_ACTIONS = {"a": "NO ACTION", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


def _constraint(it: Fields) -> Iterator[Feature]:
    kind = words(it["contype"], "CONSTR_")
    if kind == "FOREIGN":
        yield "constraint", f"REFERENCES … ON DELETE {_REFERENCE_ACTIONS[it.get('fk_del_action', 'a')]}"
        if it.get("fk_upd_action", "a") != "a":
            yield "constraint", f"REFERENCES … ON UPDATE {_REFERENCE_ACTIONS[it['fk_upd_action']]}"
    else:
        yield "constraint", {"PRIMARY": "PRIMARY KEY", "NOTNULL": "NOT NULL"}.get(kind, kind)
    for field, name in (("deferrable", "DEFERRABLE"), ("nulls_not_distinct", "NULLS NOT DISTINCT")):
        if it.get(field):
            yield "constraint", name


def _index(it: Fields) -> Iterator[Feature]:
    yield "index", it["accessMethod"]
    parts = [part["IndexElem"] for part in it["indexParams"]]
    for there, name in (
        (it.get("unique"), "UNIQUE"),
        ("whereClause" in it, "of some rows (WHERE)"),
        (it.get("concurrent"), "CONCURRENTLY"),
        (it.get("if_not_exists"), "IF NOT EXISTS"),
        (len(parts) > 1, "of several columns"),
        (len(parts) > 1 and it["accessMethod"] == "gin", "gin of several columns"),
        (any("expr" in part for part in parts), "of an expression"),
        ("indexIncludingParams" in it, "INCLUDE"),
    ):
        if there:
            yield "index", name
    yield from (("index", _name(part["opclass"])) for part in parts if "opclass" in part)


# Bits of PostgreSQL's trigger.h.
_TRIGGER_EVENTS = {4: "INSERT", 8: "DELETE", 16: "UPDATE", 32: "TRUNCATE"}


def _trigger(it: Fields) -> Iterator[Feature]:
    when = {2: "BEFORE", 64: "INSTEAD OF"}.get(it.get("timing", 0), "AFTER")
    each = "ROW" if it.get("row") else "STATEMENT"
    for bit, event in _TRIGGER_EVENTS.items():
        if it["events"] & bit:
            columns = " OF columns" if event == "UPDATE" and "columns" in it else ""
            yield "trigger", f"{when} {event}{columns}, FOR EACH {each}"
    for field, name in (
        ("args", "with arguments"),
        ("whenClause", "WHEN"),
        ("isconstraint", "CONSTRAINT"),
        ("replace", "OR REPLACE"),
        ("transitionRels", "REFERENCING"),
    ):
        if field in it:
            yield "trigger", name


def _function_made(it: Fields) -> Iterator[Feature]:
    """But for its body."""
    if it.get("replace"):
        yield "function", "OR REPLACE"
    options = (option["DefElem"]["defname"] for option in it["options"])
    yield from (("function", f"with {name}") for name in options if name not in ("language", "as"))


def _part(it: Fields) -> Iterator[Feature]:
    yield from (("expression", "(a).b" if "String" in step else "subscript") for step in it["indirection"])


OF_NODES: Mapping[str, Callable[[Fields], Iterator[Feature]]] = {
    "SelectStmt": _select,
    "selectStmt": _select,
    "larg": _select,
    "rarg": _select,
    "WithClause": _with,
    "withClause": _with,
    "CommonTableExpr": _common,
    "UpdateStmt": _update,
    "InsertStmt": _insert,
    "DeleteStmt": _update,
    "JoinExpr": _join,
    "RangeFunction": _from_function,
    "RangeSubselect": _from_select,
    "RangeVar": _table,
    "relation": _table,
    "LockingClause": _lock,
    "SubLink": _subselect,
    "A_Expr": _expression,
    "FuncCall": _function,
    "TypeName": _type,
    "typeName": _type,
    "CollateClause": _collate,
    "collClause": _collate,
    "BoolExpr": _boolean,
    "NullTest": _null,
    "CaseExpr": _named("expression", "CASE"),
    "CoalesceExpr": _named("function", "coalesce"),
    "MinMaxExpr": _named("function", "greatest or least"),
    "TypeCast": _named("expression", "CAST"),
    "A_ArrayExpr": _named("expression", "ARRAY"),
    "A_Indirection": _part,
    "ColumnRef": _column,
    "SortBy": _order,
    "CreateFunctionStmt": _function_made,
    "Constraint": _constraint,
    "IndexStmt": _index,
    "CreateTrigStmt": _trigger,
}


def _name(parts: list[Any]) -> str:
    """Without the schema in which PostgreSQL's own things are."""
    names = [part["String"]["sval"] for part in parts]
    return ".".join(names[1:] if names[0] == "pg_catalog" else names)


def words(constant: str, prefix: str = "", instead: str = "") -> str:
    """`SETOP_UNION` as `UNION`; a name of PostgreSQL's source that ends in CamelCase as words."""
    rest = constant.removeprefix(prefix)
    if rest.isupper():
        return instead + rest.replace("_", " ")
    return "".join(f" {letter}" if letter.isupper() else letter for letter in rest).strip().upper()
