"""Linked data that is made to cost much, by name, as large as it may be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import combinations
from random import Random
from typing import Any

from tests.service import JSON, JSON_LD, N_QUADS, N_TRIPLES, TRIG, TURTLE

NAME = "https://schema.org/name"
LARGEST = 1_048_576


def filled(begin: str, part: str, end: str, size: int = LARGEST) -> str:
    """`part` as often as there is room for it."""
    return begin + part * ((size - len((begin + end).encode())) // len(part.encode())) + end


def deep(levels: int) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = {NAME: [value]}
    return value


def chained(terms: int, suffix: str) -> dict[str, str]:
    """Each term a prefix of the next."""
    return {"t0": "http://x/", **{f"t{n}": f"t{n - 1}:{suffix}/" for n in range(1, terms)}}


def backwards(context: dict[str, str]) -> dict[str, str]:
    """Each term before its prefix: to define one is to define them all, one in another."""
    return dict(reversed(context.items()))


def clique(size: int) -> list[dict[str, Any]]:
    """Blank nodes that all refer to all others, which makes canonical forms expensive (TH-05)."""
    return [
        {"@id": f"_:b{n}", "http://x/p": [{"@id": f"_:b{m}"} for m in range(size) if m != n]}
        for n in range(size)
    ]


def used(context: Any, terms: int, key: str = "p:{}") -> dict[str, Any]:
    return {"@context": context, **{key.format(n): "x" for n in range(terms)}}


# What is JSON: each as a value, to be written as JSON-LD.
VALUES: dict[str, Callable[[], Any]] = {
    "33 levels": lambda: deep(33),
    "15 levels": lambda: deep(15),
    "a long IRI behind a short term": lambda: used({"p": "http://x/" + "y" * 100_000 + "/"}, 200),
    "a long prefix": lambda: used({"p": "http://x/" + "y" * 1_900 + "/"}, 3_900),
    "a long vocabulary": lambda: used({"@vocab": "http://x/" + "y" * 1_900 + "/"}, 3_900, "k{}"),
    "a vocabulary made longer": lambda: used(
        [{"@vocab": "http://x/"}, *[{"@vocab": "y" * 1_900}] * 30], 3_900, "k{}"
    ),
    "a long term": lambda: used({"p": f"http://{'y' * 1_900}/"}, 3_900, "p"),
    "a chain of short terms": lambda: used(chained(150, "y"), 10, "t149:{}"),
    "a chain of long terms": lambda: used(chained(150, "y" * 1_900), 3_000, "t149:{}"),
    "a chain of many terms": lambda: used(chained(1_000, "y" * 900), 10),
    "a chain of terms backwards": lambda: used(backwards(chained(1_000, "y")), 10),
    "a circle of terms": lambda: used({"a": "b:x", "b": "a:x"}, 10, "a:{}"),
    "many terms": lambda: used({f"t{n}": f"http://x/{n}" for n in range(990)}, 3_000, "t{}"),
    "too many terms": lambda: used({f"t{n}": f"http://x/{n}" for n in range(30_000)}, 10, "t{}"),
    "many contexts": lambda: {"@context": [{f"t{n}": "http://x/"} for n in range(30)], "http://x/p": "x"},
    "too many contexts": lambda: {"@context": [{}] * 100_000, NAME: "x"},
    "contexts in nodes": lambda: [
        {"@context": {f"t{n}": "http://x/" for n in range(30)}, NAME: ["x"] * 100} for _ in range(30)
    ],
    "a context in each node": lambda: [{"@context": {"t": "http://x/"}, "t": "x"} for _ in range(3_000)],
    "a context in nodes below many terms": lambda: {
        "@context": {f"t{n}": f"http://x/{n}" for n in range(900)},
        "http://x/p": [{"@context": {"t": "http://x/"}, "t": "x"} for _ in range(30)],
    },
    "many keys": lambda: {f"http://x/{n}": n for n in range(3_990)},
    "many keys of one property": lambda: used({f"t{n}": NAME for n in range(990)}, 990, "t{}"),
    "many values": lambda: {NAME: ["x"] * 3_900},
    "many types": lambda: {"@type": [f"http://x/{n}" for n in range(3_900)], NAME: "x"},
    "many types that are long": lambda: {"@type": [f"http://x/{'y' * 240}{n}" for n in range(3_900)]},
    "many indexed values": lambda: {
        "@context": {"n": {"@id": NAME, "@container": "@index"}},
        "n": {f"i{n}": "x" for n in range(3_900)},
    },
    "many languages": lambda: {
        "@context": {"n": {"@id": NAME, "@container": "@language"}},
        "n": {f"i{n}": "x" for n in range(3_900)},
    },
    "many identifiers": lambda: {
        "@context": {"n": {"@id": NAME, "@container": "@id"}},
        "n": {f"i{n}": {NAME: "x"} for n in range(1_900)},
    },
    "many graphs": lambda: {
        "@context": {"n": {"@id": NAME, "@container": ["@graph", "@id"]}},
        "n": {f"i{n}": {NAME: "x"} for n in range(1_900)},
    },
    "many nests": lambda: {"@context": {"n": "@nest"}, "n": [{NAME: "x"} for _ in range(1_900)]},
    "many reversed": lambda: {"@reverse": {NAME: [{"@id": f"http://x/{n}"} for n in range(1_900)]}},
    "many included": lambda: {"@included": [{"@id": f"http://x/{n}", NAME: "x"} for n in range(1_200)]},
    "many lists": lambda: {NAME: [{"@list": ["x", "y"]} for _ in range(900)]},
    "a clique": lambda: clique(60),
    "a large clique": lambda: clique(150),
    "many unnamed nodes": lambda: [{NAME: [{"@value": "x"}]} for _ in range(9_999)],
    "many empty nodes": lambda: [{} for _ in range(LARGEST // 4)],
    "many empty arrays": lambda: [[] for _ in range(LARGEST // 4)],
    "many numbers": lambda: {"name": [1] * (LARGEST // 3)},
    "many statements": lambda: [{NAME: [{"@value": str(n)} for n in range(9_990)]}],
    "too many statements": lambda: [{NAME: [{"@value": "x"}] * 11_000}],
    "many nodes that are expanded": lambda: [
        {"@id": f"http://x/{n}", "http://x/p": [{"@value": str(m)} for m in range(9)]} for n in range(1_000)
    ],
    "one long string": lambda: {NAME: "x" * (LARGEST - 100)},
    "one long string of escapes": lambda: {NAME: "\0" * (LARGEST // 6 - 100)},
    "strings that are no text": lambda: {NAME: ["\ufffe"] * 3_900},
    "a long key": lambda: {"http://x/" + "y" * (LARGEST - 100): "x"},
    "a long identifier": lambda: {"@id": "http://x/" + "y" * (LARGEST - 100), NAME: "x"},
    "a long relative identifier": lambda: {"@id": "../" * (LARGEST // 3 - 100), NAME: "x"},
    "many relative identifiers": lambda: {NAME: [{"@id": "../" * 80} for _ in range(1_900)]},
}
# What is not: by its media type.
TEXTS: dict[str, tuple[str, Callable[[], str]]] = {
    "900 nested lists": (TURTLE, lambda: f"<> <{NAME}> {'( ' * 900}{') ' * 900}."),
    "lists nested without end": (TURTLE, lambda: filled(f"<> <{NAME}> ", "(", "")),
    "nodes nested without end": (TURTLE, lambda: filled(f"<> <{NAME}> ", "[ <p> ", "")),
    "nodes nested behind comments": (TURTLE, lambda: filled(f"<> <{NAME}> ", '[ <p> # "\n', "")),
    "triples in triples": (
        N_TRIPLES,
        lambda: filled("_:a <http://x/p> ", "<<( <http://x/a> <http://x/b> ", ""),
    ),
    "triples in triples behind an escape": (TURTLE, lambda: filled("<> a x:a\\# ", "<<(<a><b>", "")),
    "triples in triples between quotes": (TURTLE, lambda: filled("<> <p> '\"", "<<(<a><b>", "\"'.")),
    "annotations in annotations": (TURTLE, lambda: filled("<> <p> 1 ", "{| <p> 1 ", "")),
    "many annotations": (TURTLE, lambda: filled("<> <p> 1 {| <p> 1 |}", ", 1 {| <p> 1 |}", ".")),
    "many reifiers": (TURTLE, lambda: filled("<> <p> 1 ~ ", "~ _:a ", ".")),
    "many numbers": (TURTLE, lambda: filled("<> <p> 1", ",1", ".")),
    "many nodes": (TURTLE, lambda: filled("<> <p> []", ",[]", ".")),
    "many empty lists": (TURTLE, lambda: filled("<> <p> ()", ",()", ".")),
    "one long list": (TURTLE, lambda: filled("<> <p> (", "1 ", ").")),
    "a long prefix": (
        TURTLE,
        lambda: filled(f"@prefix p: <http://x/{'y' * 100_000}> . <> p:x p:y", ",p:x", "."),
    ),
    "a prefix of the longest": (
        TURTLE,
        lambda: filled(f"@prefix p: <http://x/{'y' * 7_900}> . <> p:x p:y", ",p:x", "."),
    ),
    "a long base": (TURTLE, lambda: filled(f"@base <http://x/{'y' * 7_900}/> . <> <x> <y>", ",<x>", ".")),
    "many prefixes": (TURTLE, lambda: "".join(f"@prefix p{n}: <http://x/{n}> .\n" for n in range(30_000))),
    "many dots": (TURTLE, lambda: filled("<> <p> <", "../", ">.")),
    "one long string": (TURTLE, lambda: filled(f'<> <{NAME}> """', "x", '""".')),
    "one long string of escapes": (TURTLE, lambda: filled(f'<> <{NAME}> "', "\\u0000", '".')),
    "quotes without end": (TURTLE, lambda: filled("<> <p> ", '"""\\', "")),
    "quotes in quotes": (TURTLE, lambda: filled("<> <p> ", "'\"", "")),
    "comments alone": (TURTLE, lambda: filled("", "#\n", "")),
    "brackets that close": (TURTLE, lambda: filled("", ")", "")),
    "statements cut short": (TURTLE, lambda: filled("", "<> <p> 1 . ", "<")),
    "many graphs": (N_QUADS, lambda: "".join(f"<a:a> <a:a> <a:a> <a:{n}> .\n" for n in range(40_000))),
    "many graphs without a name": (TRIG, lambda: filled("", "[]{<><p>1}", "")),
    "one graph": (TRIG, lambda: filled("<g> {", "<> <p> 1 . ", "}")),
    "a clique": (
        N_TRIPLES,
        lambda: "".join(f"_:b{a} <a:p> _:b{b} .\n" for a, b in combinations(range(140), 2)),
    ),
    "a large clique": (
        N_TRIPLES,
        lambda: "".join(f"_:b{a} <a:p> _:b{b} .\n" for a, b in combinations(range(300), 2)),
    ),
    "a chain of nodes": (N_TRIPLES, lambda: "".join(f"_:b{n} <a:p> _:b{n + 1} .\n" for n in range(9_990))),
    "many subjects": (N_TRIPLES, lambda: "".join(f"<a:{n}> <a:p> <a:o> .\n" for n in range(9_990))),
    "long tags": (N_TRIPLES, lambda: filled('_:a <a:p> "x"@en', "-abcdefgh", " .")),
}


def documents() -> Iterator[tuple[str, str, bytes]]:
    """A name, a media type and the content."""
    for name, make in VALUES.items():
        for media_type in (JSON_LD, JSON):
            yield (
                f"{media_type}: {name}",
                media_type,
                json.dumps(make(), ensure_ascii=False).encode("utf-8", "surrogatepass"),
            )
    for name, (media_type, write) in TEXTS.items():
        yield f"{media_type}: {name}", media_type, write().encode()


def scrambled(random: Random, size: int) -> str:
    """What looks like Turtle to nobody: its punctuation alone."""
    return "".join(random.choices(list("\"'<>()[]{}\\#|.,;:@ \nab_"), k=size))
