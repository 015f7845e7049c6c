"""Another Hydra API: of books, with prefixed keys, its context inline, and no word in common with ours."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from app.explorer.files import PAGE_POLICY, asset_documents, page

CONTEXT: dict[str, Any] = {
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dc": "http://purl.org/dc/terms/",
    "v": "/about#",
    "dc:issued": {"@type": "xsd:date"},
    "v:shelf": {"@type": "@id"},
}
TITLE = {
    "@type": "hydra:SupportedProperty",
    "hydra:title": "dc:title",
    "hydra:description": "What stands on the cover.",
    "hydra:property": {"@id": "dc:title", "@type": "rdf:Property", "rdfs:label": "title"},
    "hydra:required": True,
    "hydra:readable": True,
    "hydra:writeable": True,
}
CREATE = {"@id": "v:add", "@type": "hydra:Operation", "hydra:method": "POST", "hydra:title": "Add a book"}
CHANGE = {
    "@id": "v:edit",
    "@type": "hydra:Operation",
    "hydra:method": "PATCH",
    "hydra:title": "Edit the book",
}
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class Library:
    def __init__(self, base: str) -> None:
        self.base = base
        self.context = {**CONTEXT, "v": f"{base}/about#"}
        self.books = {"/shelf/1": "Middlemarch", "/shelf/2": "Emma"}

    def answer(self, path: str) -> dict[str, Any] | None:
        if path == "/start":
            return {"@id": "/start", "@type": "v:Library", "dc:title": "The library", "v:shelf": "/shelf"}
        if path == "/about":
            return self.documentation()
        if path == "/shelf":
            members = [self.book(it) for it in self.books]
            found = {"@id": "/shelf", "@type": ["hydra:Collection", "v:Shelf"], "hydra:member": members}
            offered = [{**CREATE, "hydra:expects": {"@id": "v:Book"}}]
            return {**found, "hydra:totalItems": len(members), "hydra:operation": offered}
        if path in self.books:
            return {**self.book(path), "hydra:operation": [{**CHANGE, "hydra:expects": {"@id": "v:Book"}}]}
        return None

    def book(self, path: str) -> dict[str, Any]:
        return {"@id": path, "@type": "v:Book", "dc:title": self.books[path], "dc:issued": "1871-12-01"}

    def documentation(self) -> dict[str, Any]:
        classes = [
            {
                "@id": "v:Book",
                "@type": "hydra:Class",
                "hydra:title": "Book",
                "hydra:supportedProperty": [TITLE],
            },
            {"@id": "v:Shelf", "@type": "hydra:Class", "hydra:title": "Shelf"},
            {"@id": "v:Library", "@type": "hydra:Class", "hydra:title": "Library"},
        ]
        about = {"@id": "/about", "@type": "hydra:ApiDocumentation", "hydra:title": "Books"}
        return {**about, "hydra:entrypoint": {"@id": "/start"}, "hydra:supportedClass": classes}


class Handler(BaseHTTPRequestHandler):
    library: Library

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        files = asset_documents()
        if path in files:
            self.send(200, TYPES[path[path.rindex(".") :]], files[path].variant("").content)
        elif "html" in self.headers.get("Accept", ""):
            self.send(200, "text/html", page(self.library.base).variant("text/html").content)
        else:
            self.tell(self.library.answer(path))

    def do_POST(self) -> None:
        path = f"/shelf/{len(self.library.books) + 1}"
        self.library.books[path] = self.sent()["dc:title"]
        self.tell(self.library.answer(path), 201, Location=path)

    def do_PATCH(self) -> None:
        self.library.books[self.path] = self.sent()["dc:title"]
        self.tell(self.library.answer(self.path))

    def do_HEAD(self) -> None:
        self.do_GET()

    def sent(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def tell(self, node: dict[str, Any] | None, status: int = 200, **fields: str) -> None:
        told = node or {"@type": "hydra:Error", "title": "There is no such book", "status": 404}
        content = json.dumps({"@context": self.library.context, **told}).encode()
        rel = "http://www.w3.org/ns/hydra/core#apiDocumentation"
        fields |= {"Link": f'<{self.library.base}/about>; rel="{rel}", </start>; rel="up"'}
        self.send(status if node else 404, "application/ld+json", content, **fields)

    def send(self, status: int, type_: str, content: bytes, **fields: str) -> None:
        self.send_response(status)
        told = {"Content-Type": type_, "Content-Security-Policy": PAGE_POLICY, **fields}
        for name, value in {**told, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def library() -> Iterator[Library]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.library = Library(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield Handler.library
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
