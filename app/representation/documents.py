"""Documents that do not change while the service runs: each form is made once, when it is first asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from app.contract.contract import Contract
from app.protocol.conditions import entity_tag
from app.protocol.links import Link
from app.representation.forms import HTML, JSON
from app.representation.nodes import NodeObject, dump, plain
from app.representation.writing import Writer


@dataclass(frozen=True)
class Variant:
    """The bytes of a document in one form, and their entity tag."""

    content: bytes
    tag: str


@dataclass(frozen=True)
class Document:
    """`write` gives the bytes of a form; `types` are the IRIs of what it is, where that is a node object.

    `context` is the address of the context that makes its JSON linked data, where one does. `lasting` says
    that it may be kept, `frozen` that it may be kept for ever, `kept` in which other way. `links` and
    `fields` come with it; `policy` is what its page may do, where that is more than others may.
    """

    write: Callable[[str], bytes]
    types: Sequence[str] = ()
    context: str | None = None
    lasting: bool = True
    frozen: bool = False
    kept: str | None = None
    links: tuple[Link, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    policy: str | None = None

    @cached_property
    def _variants(self) -> dict[str, Variant]:
        return {}

    @cached_property
    def _making(self) -> dict[tuple[asyncio.AbstractEventLoop, str], asyncio.Task[Variant]]:
        return {}

    async def prepare(self, form: str) -> None:
        """What is not made yet is made in a thread, once for all who ask for it meanwhile: some takes longer
        than others should wait."""
        if form in self._variants:
            return
        place = asyncio.get_running_loop(), form
        making = self._making.get(place)
        if making is None:
            making = self._making[place] = asyncio.create_task(asyncio.to_thread(self.variant, form))
            making.add_done_callback(lambda _: self._making.pop(place))
        # Who goes away takes nothing from the others.
        await asyncio.shield(making)

    def variant(self, form: str) -> Variant:
        found = self._variants.get(form)
        if found is None:
            content = self.write(form)
            found = self._variants[form] = Variant(content, entity_tag(content, form=form))
        return found


def graph_document(writer: Writer, node: NodeObject, page: Callable[[], bytes] | None = None) -> Document:
    """What the contract says. Its JSON keeps the IRIs, for a term without its IRI says nothing. Where there
    is a `page`, it says the same to people."""

    def write(form: str) -> bytes:
        if form == HTML and page is not None:
            return page()
        return dump(_without_context(node)) if form == JSON else writer.write(node, form)

    return Document(write, writer.types(node), writer.context)


def data_document(contract: Contract, writer: Writer, node: NodeObject) -> Document:
    """Data that no request changes."""

    def write(form: str) -> bytes:
        return dump(plain(contract, node)) if form == JSON else writer.write(node, form)

    return Document(write, writer.types(node), writer.context)


def json_document(value: Mapping[str, Any]) -> Document:
    """What is JSON and nothing else."""
    content = dump(value)
    return Document(lambda _form: content)


def passing_document(value: Mapping[str, Any]) -> Document:
    """What is JSON and nothing else, and true for the moment."""
    return replace(json_document(value), lasting=False)


def context_document(content: bytes, *, frozen: bool) -> Document:
    """A context is JSON-LD, and JSON to those who do not know JSON-LD."""
    return Document(lambda _form: content, frozen=frozen)


def linkset_document(value: Mapping[str, Any], links: tuple[Link, ...]) -> Document:
    """A set of links (RFC 9264), which is JSON to those who do not know it."""
    return replace(json_document(value), links=links)


def text_document(text: str) -> Document:
    """What is text and nothing else."""
    content = text.encode()
    return Document(lambda _form: content)


def _without_context(node: Mapping[str, Any]) -> NodeObject:
    return {key: value for key, value in node.items() if key != "@context"}
