"""Another Hydra API: of books, with prefixed keys, its context inline, and no word in common with ours."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.explorer.files import PAGE_POLICY, asset_documents, page

Node = dict[str, Any]
# Which nobody is asked for: the page speaks to its own service only.
FOREIGN_CONTEXT = "https://elsewhere.example/context.jsonld"
CONTEXT: Node = {
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "dc": "http://purl.org/dc/terms/",
    "v": "/about#",
    "dc:issued": {"@type": "xsd:date"},
    "v:shelf": {"@type": "@id"},
    "v:author": {"@type": "@id"},
    "hydra:first": {"@type": "@id"},
    "hydra:next": {"@type": "@id"},
    "hydra:property": {"@type": "@id"},
}
RANGES = {"v:lent": "xsd:boolean", "v:pages": "xsd:integer"}
LABELS = {"dc:title": "title", "v:lent": "lent", "v:pages": "pages", "v:tag": "tags", "v:author": "author"}
CREATE = {"@id": "v:add", "@type": "hydra:Operation", "hydra:method": "POST", "hydra:title": "Add a book"}
CHANGE = {
    "@id": "v:edit",
    "@type": "hydra:Operation",
    "hydra:method": "PATCH",
    "hydra:title": "Edit the book",
}
REPLACE = {"@type": "hydra:Operation", "hydra:method": "PUT", "hydra:title": "Replace the book"}
EXPECTS = {"hydra:expects": {"@id": "v:Book"}}
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
ON_A_PAGE = 2


def supported(key: str) -> Node:
    stands_for: Node = {"@id": key, "@type": "rdf:Property", "rdfs:label": LABELS[key]}
    if key in RANGES:
        stands_for["rdfs:range"] = {"@id": RANGES[key]}
    return {
        "@type": "hydra:SupportedProperty",
        "hydra:title": key,
        "hydra:description": f"What is said by {key}.",
        "hydra:property": stands_for,
        "hydra:required": key == "dc:title",
        "hydra:readable": True,
        "hydra:writeable": True,
    }


class Library:
    """`says_operations` is whether the data tell what can be done, or the documentation alone; `further` is
    what else is said of every book, and `sent` what came of forms."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.context = [FOREIGN_CONTEXT, {**CONTEXT, "v": f"{base}/about#"}]
        self.books = {"/shelf/1": "Middlemarch", "/shelf/2": "Emma"}
        self.further: Node = {}
        self.says_operations = True
        self.sent: list[Any] = []

    def answer(self, path: str, query: dict[str, list[str]]) -> Node | None:
        if path == "/start":
            return {"@id": "/start", "@type": "v:Library", "dc:title": "The library", "v:shelf": "/shelf"}
        if path == "/about":
            return self.documentation()
        if path == "/shelf":
            return self.shelf(query) | self.offered(CREATE)
        if path in self.books:
            return self.book(path) | self.offered(CHANGE, REPLACE)
        return None

    def offered(self, *operations: Node) -> Node:
        return {"hydra:operation": [it | EXPECTS for it in operations]} if self.says_operations else {}

    def shelf(self, query: dict[str, list[str]]) -> Node:
        number = int(query.get("page", ["1"])[0])
        wanted = [it for it, title in self.books.items() if query.get("title", [""])[0] in title]
        begin = (number - 1) * ON_A_PAGE
        view = {
            "@id": f"/shelf?page={number}",
            "@type": "hydra:PartialCollectionView",
            "hydra:first": "/shelf",
        }
        if len(wanted) > begin + ON_A_PAGE:
            view["hydra:next"] = f"/shelf?page={number + 1}"
        mapping = {
            "@type": "hydra:IriTemplateMapping",
            "hydra:variable": "title",
            "hydra:property": "dc:title",
        }
        return {
            "@id": "/shelf",
            "@type": ["hydra:Collection", "v:Shelf"],
            "hydra:member": [self.book(it) for it in wanted[begin : begin + ON_A_PAGE]],
            "hydra:totalItems": len(wanted),
            "hydra:view": view,
            "hydra:search": {"hydra:template": "/shelf{?title}", "hydra:mapping": [mapping]},
        }

    def book(self, path: str) -> Node:
        said = {"@id": path, "@type": "v:Book", "dc:title": self.books[path], "dc:issued": "1871-12-01"}
        return said | self.further

    def tag(self, path: str) -> str:
        return f'"{sha256(self.books[path].encode()).hexdigest()[:8]}"'

    def documentation(self) -> Node:
        shelf: Node = {"@id": "v:shelf", "@type": "hydra:Link", "rdfs:label": "shelf"}
        shelf["rdfs:range"] = {"@id": "hydra:Collection"}
        shelf["hydra:supportedOperation"] = [CREATE | EXPECTS]
        classes = [
            self.documented("Book", [supported(it) for it in LABELS], [CHANGE | EXPECTS, REPLACE | EXPECTS]),
            self.documented("Shelf"),
            self.documented("Library", [{"hydra:title": "v:shelf", "hydra:property": shelf}]),
        ]
        about = {"@id": "/about", "@type": "hydra:ApiDocumentation", "hydra:title": "Books"}
        return {**about, "hydra:entrypoint": {"@id": "/start"}, "hydra:supportedClass": classes}

    def documented(
        self, name: str, properties: list[Node] | None = None, operations: list[Node] | None = None
    ) -> Node:
        return {
            "@id": f"v:{name}",
            "@type": "hydra:Class",
            "hydra:title": name,
            "hydra:supportedProperty": properties or [],
            "hydra:supportedOperation": operations or [],
        }


class Handler(BaseHTTPRequestHandler):
    library: Library

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        files = asset_documents()
        if path in files:
            self.send(200, TYPES[path[path.rindex(".") :]], files[path].variant("").content)
        elif "html" in self.headers.get("Accept", ""):
            self.send(200, "text/html", page(self.library.base).variant("text/html").content)
        elif self.headers.get("Accept") != "application/ld+json":
            self.send(406, "text/plain", b"")
        else:
            self.tell(self.path)

    def do_POST(self) -> None:
        path = f"/shelf/{len(self.library.books) + 1}"
        self.library.books[path] = self.read()["dc:title"]
        self.tell(path, 201, Location=path)

    def do_PATCH(self) -> None:
        content = self.read()
        if self.headers["If-Match"] != self.library.tag(self.path):
            problem = {"@type": "hydra:Error", "title": "Changed meanwhile", "status": 412}
            self.send(412, "application/problem+json", json.dumps(problem).encode())
            return
        self.library.books[self.path] = content.get("dc:title", self.library.books[self.path])
        self.tell(self.path)

    def do_PUT(self) -> None:
        self.do_PATCH()

    def do_HEAD(self) -> None:
        self.do_GET()

    def read(self) -> Any:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.library.sent.append(content)
        return content

    def tell(self, path: str, status: int = 200, **fields: str) -> None:
        node = self.library.answer(urlsplit(path).path, parse_qs(urlsplit(path).query))
        told = node or {"@type": "hydra:Error", "title": "There is no such book", "status": 404}
        content = json.dumps({"@context": self.library.context, **told}).encode()
        rel = "http://www.w3.org/ns/hydra/core#apiDocumentation"
        fields |= {"Link": f'<{self.library.base}/about>; rel="{rel}", </start>; rel="up"'}
        if path in self.library.books:
            fields["ETag"] = self.library.tag(path)
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
    # What is looked at for the end of serving ten times a second.
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Handler.library
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
