"""The vocabulary and the problem types as pages for people: whole, safe, and readable by everybody."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path
from urllib.parse import urldefrag

import httpx
import pytest

from app.contract.contract import load_contract
from app.contract.publication import Publication
from app.contract.sources import ROOT
from app.representation.class_picture import Box, class_picture
from app.representation.vocabulary_page import problem_page, problems_page, vocabulary_page
from tests.markup import EMPTY, Page, read
from tests.promises import CONTRACT
from tests.service import BASE, JSON_LD, TURTLE, Service, World
from tests.test_sweep import BROWSER, check_common

pytestmark = pytest.mark.anyio

HTML = "text/html"
VOCAB = f"{BASE}/vocab#"
PAGES = ("/vocab", "/problems", "/problems/gone", "/problems/conflict")
# Elements of a page and of a picture: whatever else were there would come from a value.
KNOWN = EMPTY | {
    *("html", "head", "title", "style", "body", "header", "nav", "main", "section", "article", "footer"),
    *("a", "p", "h1", "h2", "h3", "h4", "div", "span", "code", "details", "summary", "figure", "figcaption"),
    *("dl", "dt", "dd", "ol", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"),
    *("svg", "desc", "g", "text"),
}
SCRIPT = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;<!--"


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
async def pages(service: Service) -> dict[str, Page]:
    client = service.as_(None)
    return {path: read((await client.get(path, headers={"Accept": HTML})).content) for path in PAGES}


@pytest.mark.parametrize("path", PAGES)
async def test_who_asks_as_browsers_do_gets_the_page(service: Service, path: str) -> None:
    client = service.as_(None)
    answer = await client.get(path, headers={"Accept": BROWSER})
    check_common(answer)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, HTML)
    assert answer.headers["Vary"] == "Accept, Accept-Encoding"
    assert answer.headers["ETag"].startswith('"')
    assert f'<{BASE}{path}.jsonld>; rel="alternate"; type="{JSON_LD}"' in answer.headers["Link"]
    linked = await client.get(f"{path}.jsonld")
    assert (linked.status_code, linked.headers["Content-Type"]) == (200, JSON_LD)
    again = await client.get(path, headers={"Accept": HTML, "If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("accept", ["*/*", None, f"{HTML};q=0.5, */*;q=0.5", "text/*", f"{HTML}, {JSON_LD}"])
async def test_who_does_not_prefer_a_page_gets_a_graph(
    service: Service, path: str, accept: str | None
) -> None:
    """docs/clients.md H1."""
    request = httpx.Request("GET", f"{BASE}{path}", headers={"Accept": accept} if accept else {})
    answer = await service.as_(None).send(request)
    assert answer.headers["Content-Type"] == (TURTLE if accept == "text/*" else JSON_LD)


async def test_every_term_has_exactly_one_place(pages: dict[str, Page]) -> None:
    anchors = pages["/vocab"].anchors
    assert [name for name, count in anchors.items() if count > 1] == []
    subjects = {str(it) for it in CONTRACT.sources.graph.subjects()}
    terms = {iri.removeprefix(VOCAB) for iri in subjects if iri.startswith(VOCAB)}
    assert len(terms) > 200
    assert terms - set(anchors) == set()


async def test_the_page_says_what_each_term_means(pages: dict[str, Page]) -> None:
    """All labels, comments and statuses of the graph are on it, as text."""
    text = re.sub(r"\s+", " ", pages["/vocab"].all("body")[0].text)
    graph = CONTRACT.sources.graph
    for subject in graph.subjects():
        if str(subject).startswith(VOCAB):
            for predicate, value in graph.predicate_objects(subject):
                if str(predicate).rpartition("#")[2].rpartition("/")[2] in (
                    "label",
                    "comment",
                    "description",
                ):
                    assert re.sub(r"\s+", " ", str(value)) in text, subject
    for problem in CONTRACT.problems.values():
        assert f"{problem.status} {problem.title}" in text
        assert problem.description in text


async def test_every_link_leads_somewhere(service: Service, pages: dict[str, Page]) -> None:
    client = service.as_(None)
    found = 0
    for page in pages.values():
        for link in page.all("a", "link"):
            address = str(link.attributes["href"])
            found += 1
            if address.startswith("#"):
                assert address[1:] in page.anchors
            elif address.startswith(f"{BASE}/"):
                target = urldefrag(address)
                media_type = link.attributes.get("type")
                answer = await client.get(target.url, headers={"Accept": media_type or f"{HTML}, */*;q=0.1"})
                assert answer.status_code == 200, address
                assert media_type in (None, answer.headers["Content-Type"])
                assert not target.fragment or target.fragment in pages["/vocab"].anchors
            else:
                assert address.startswith(("http://", "https://"))
                assert link.attributes["rel"] == "noopener noreferrer"
    assert found > 500


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_runs_nothing_and_loads_nothing(service: Service, path: str) -> None:
    """SH-03: its own style sheet, known by its hash, is all that a browser may use."""
    answer = await service.as_(None).get(path, headers={"Accept": HTML})
    page = read(answer.content)
    [style] = page.all("style")
    digest = base64.b64encode(hashlib.sha256(style.text.encode()).digest()).decode()
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert f"style-src 'sha256-{digest}'" in policy
    assert {"default-src 'none'", "frame-ancestors 'none'", "form-action 'none'"} <= set(policy)
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "url(" not in style.text
    assert "@import" not in style.text
    assert {it.name for it in page.elements} <= KNOWN
    for element in page.elements:
        assert not [it for it in element.attributes if it.startswith("on") or it in ("style", "src")]
    assert page.comments == []


async def test_whatever_a_value_brings_along_is_text(tmp_path: Path, pages: dict[str, Page]) -> None:
    """A contract with markup in a label, a comment, a key, a pattern and a problem type, and in a setting."""
    for folder in ("vocab", "contexts"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    written = SCRIPT.replace('"', '\\"')
    for file, before in (
        ("Instance.ttl", 'rdfs:label "handle'),
        ("Instance.ttl", 'rdfs:label "Instance'),
        ("Instance.ttl", 'rdfs:comment "Instances, a page at a time.'),
        ("Instance.ttl", 'hydra:title "Rename the instance'),
        ("Instance.ttl", 'sh:message "A handle'),
        ("Member.ttl", 'sh:in ( "owner'),
        ("documentation.ttl", 'dcterms:title "Instance registry'),
        ("documentation.ttl", 'hydra:title "OK'),
        ("problems.ttl", 'hydra:title "Gone'),
        ("problems.ttl", 'hydra:description "The resource was deleted.'),
    ):
        path = tmp_path / "vocab" / file
        text = path.read_text("utf-8")
        assert before in text
        path.write_text(text.replace(before, f"{before} {written}"), "utf-8")
    said = Publication("https://licence.example/%22%3E'x", "javascript:alert(1)", "https://x.example/'/onx=")
    contract = load_contract(BASE, tmp_path, said)
    made = {
        "/vocab": vocabulary_page(contract),
        "/problems": problems_page(contract),
        "/problems/gone": problem_page(contract, contract.problems["gone"]),
    }
    for path_, content in made.items():
        page, usual = read(content), pages[path_]
        assert page.all("body")[0].text.count(SCRIPT) >= 1
        # The licence and those who made and publish it are the only elements more.
        more = Counter(it.name for it in page.elements) - Counter(it.name for it in usual.elements)
        assert set(more) <= {"div", "dt", "dd", "a"}
        assert {it.name for it in page.elements} <= KNOWN
        assert page.comments == []
        names = {name for it in usual.elements for name in it.attributes}
        assert {name for it in page.elements for name in it.attributes} <= names
        for link in page.all("a"):
            assert str(link.attributes["href"]).startswith(("http://", "https://", "#"))


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_for_everybody(pages: dict[str, Page], path: str) -> None:
    """SH-06, as far as it can be read off the page."""
    page = pages[path]
    assert page.all("html")[0].attributes["lang"] == "en"
    assert page.all("title")[0].text.strip()
    [description] = [it for it in page.all("meta") if it.attributes.get("name") == "description"]
    assert description.attributes["content"]
    levels = [int(it.name[1]) for it in page.all("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    for landmark in ("header", "main"):
        assert len(page.all(landmark)) == 1
    [first, *_] = [it for it in page.all("a") if "body" in it.parents]
    assert str(first.attributes["href"])[1:] in page.anchors
    assert all(it.text.strip() for it in page.all("a", "h1", "h2", "h3", "h4", "summary", "th", "dt"))
    for element in page.elements:
        named = str(element.attributes.get("aria-labelledby") or "")
        assert all(name in page.anchors for name in named.split())
        if element.attributes.get("tabindex") is not None:
            assert (element.attributes["role"], element.attributes["tabindex"]) == ("region", "0")
            assert element.attributes["aria-label"]
        assert "a" not in element.parents or element.name != "a"


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


async def test_text_stands_out_from_its_ground_in_the_light_and_in_the_dark(pages: dict[str, Page]) -> None:
    """WCAG 2.2, 1.4.3: every colour of text on every ground, 4.5 to 1."""
    style = pages["/vocab"].all("style")[0].text
    schemes = [
        dict(re.findall(r"--(\w+): (#\w{6});", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    ]
    assert len(schemes) == 2
    for scheme in schemes:
        for ink in ("text", "muted", "accent"):
            for ground in ("ground", "raised", "soft", "code"):
                light, dark = sorted((luminance(scheme[ink]), luminance(scheme[ground])), reverse=True)
                assert (light + 0.05) / (dark + 0.05) >= 4.5, (ink, ground)
    assert "prefers-reduced-motion" in style
    assert ":focus-visible" in style
    assert not re.search(r"outline:\s*(0|none)", style)


async def test_the_picture_shows_every_link_between_classes(pages: dict[str, Page]) -> None:
    page = pages["/vocab"]
    [picture] = page.all("svg")
    assert picture.attributes["role"] == "img"
    inside = [it for it in page.elements if "svg" in it.parents]
    assert [it.name for it in inside[:2]] == ["title", "desc"]
    assert not [it for it in inside if it.name == "a"]
    texts = [it.text.strip() for it in inside if it.name == "text"]
    for class_name in (
        "Entrypoint",
        "Organization",
        "Instance",
        "Member",
        "Partner",
        "Authorization",
        "Transfer",
    ):
        assert class_name in texts
        for key, property_ in CONTRACT.classes[class_name].properties.items():
            to_ours = CONTRACT.ranges.get(property_.iri.rpartition("#")[2]) in CONTRACT.classes
            assert not to_ours or key in texts, key


def overlap(one: Box, other: Box) -> bool:
    apart = one.x + one.width <= other.x or other.x + other.width <= one.x
    return not (apart or one.y + one.height <= other.y or other.y + other.height <= one.y)


def points(path: str) -> list[tuple[float, float]]:
    """Along a curve from its start to its end."""
    x1, y1, x2, y2, x3, y3, x4, y4 = map(float, re.findall(r"-?[\d.]+", path))
    steps = [n / 40 for n in range(1, 40)]
    return [
        (
            (1 - t) ** 3 * x1 + 3 * (1 - t) ** 2 * t * x2 + 3 * (1 - t) * t**2 * x3 + t**3 * x4,
            (1 - t) ** 3 * y1 + 3 * (1 - t) ** 2 * t * y2 + 3 * (1 - t) * t**2 * y3 + t**3 * y4,
        )
        for t in steps
    ]


async def test_no_box_of_the_picture_hides_another_and_no_line_runs_through_one() -> None:
    picture = class_picture(CONTRACT)
    assert len(picture.boxes) > 8
    for n, box in enumerate(picture.boxes):
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= picture.width
        assert box.y + box.height <= picture.height
        assert not [it.name for it in picture.boxes[:n] if overlap(box, it)]
        for line in picture.lines:
            if not line.inherits:
                through = [
                    (x, y)
                    for x, y in points(line.path)
                    if box.x < x < box.x + box.width and box.y < y < box.y + box.height
                ]
                assert through == [], box.name


async def test_the_pages_are_the_same_in_every_process() -> None:
    again = load_contract(BASE)
    assert vocabulary_page(again) == vocabulary_page(CONTRACT)
    assert problems_page(again) == problems_page(CONTRACT)
