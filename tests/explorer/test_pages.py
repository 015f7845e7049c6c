"""What people get at every address, without a browser: one page, which tells nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import CycleError
from importlib.resources import files

import httpx
import pytest

from app.addresses import REFERENCE_FILES
from app.exchange import Resource
from app.explorer.files import PAGE_POLICY, SCRIPT, assets, modules, page, version
from app.explorer.joining import joined
from app.routes import FILES, ROUTES
from tests.service import BASE, JSON_LD, PROBLEM, Service, World
from tests.test_sweep import BROWSER, check_common, concrete

pytestmark = pytest.mark.anyio

HTML = "text/html"
EXPLORED = [route for route in ROUTES if route.explored]
NOT_EXPLORED = [route for route in ROUTES if not route.explored and HTML not in route.offers]
TYPES = {
    "scripts": "text/javascript;charset=utf-8",
    "styles": "text/css;charset=utf-8",
    "images": "image/svg+xml",
}
PATHS = [f"/explorer/{version()}/{name}" for name in assets()]


@pytest.fixture(scope="module")
def service(on_sqlite: tuple[Service, World]) -> Service:
    return on_sqlite[0]


@pytest.fixture(scope="module")
def world(on_sqlite: tuple[Service, World]) -> World:
    return on_sqlite[1]


@pytest.fixture(scope="module")
async def shell(service: Service) -> bytes:
    return (await service.as_(None).get("/api", headers={"Accept": HTML})).content


GETS_B = "import { b } from './b.js'\n"
# Words of English, of HTTP and of JSON-LD that happen to be parts of paths or names of classes as well.
COMMON_WORDS = {
    "collection": {"members"},
    "http": {"Authorization"},
    "json_ld": {"contexts"},
    "main": {"Problem"},
    "raw": {"Problem"},
}


def code(script: str) -> str:
    """Without its comments, of which each begins a line or stands after two spaces."""
    return re.sub(r"/\*\*.*?\*/|(?:^|  )// .*?$", "", script, flags=re.DOTALL | re.MULTILINE)


def ids(route: Resource) -> str:
    return route.path


@pytest.mark.parametrize("route", EXPLORED, ids=ids)
async def test_a_browser_gets_the_same_page_at_every_address_whoever_asks(
    service: Service, world: World, shell: bytes, route: Resource
) -> None:
    path = concrete(route, world)
    for client in (service.as_(None), service.as_("owner"), service.as_("stranger")):
        answer = await client.get(path, headers={"Accept": BROWSER})
        check_common(answer)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, HTML)
        assert answer.content == shell
        assert answer.headers["Content-Security-Policy"] == PAGE_POLICY
        assert answer.headers["Vary"] == "Accept, Accept-Encoding"
        assert answer.headers["Cache-Control"] == "public, no-cache"
    known = {"Accept": BROWSER, "If-None-Match": answer.headers["ETag"]}
    assert (await service.as_(None).get(path, headers=known)).status_code == 304
    head = await service.as_(None).head(path, headers={"Accept": BROWSER, "Accept-Encoding": "identity"})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(shell))


@pytest.mark.parametrize("route", EXPLORED, ids=ids)
async def test_who_does_not_prefer_a_page_gets_the_data_as_before(
    service: Service, world: World, route: Resource
) -> None:
    """docs/clients.md H1, H7."""
    client, path = service.as_("owner"), concrete(route, world)
    request = httpx.Request("GET", BASE + path, headers={"Authorization": client.headers["Authorization"]})
    usual = await client.send(request)
    assert HTML not in usual.headers.get("Content-Type", "")
    assert "Accept" in usual.headers["Vary"].split(", ")
    for accept in ("*/*", f"{HTML}, {JSON_LD}", f"{HTML};q=0.9, */*", f"{HTML};q=0.8, {JSON_LD};q=0.9"):
        answer = await client.get(path, headers={"Accept": accept})
        assert (answer.status_code, answer.content) == (usual.status_code, usual.content)


@pytest.mark.parametrize("route", NOT_EXPLORED, ids=ids)
async def test_what_is_for_machines_alone_has_no_page(
    service: Service, world: World, route: Resource
) -> None:
    answer = await service.as_(None).get(concrete(route, world), headers={"Accept": BROWSER})
    assert answer.headers.get("Content-Type") != HTML


async def test_the_page_tells_nothing_of_what_is_there(service: Service, world: World, shell: bytes) -> None:
    for path in (world.shop, world.absent, world.deleted_shop, world.globex_shop):
        answer = await service.as_("owner").get(path, headers={"Accept": HTML})
        assert (answer.status_code, answer.content) == (200, shell)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nothing", 404), ("/api/instances/1", 404), ("/problems/no-such-type", 404)],
)
async def test_a_problem_that_a_browser_meets_is_a_page_too(
    service: Service, shell: bytes, path: str, status: int
) -> None:
    answer = await service.as_(None).get(path, headers={"Accept": BROWSER})
    check_common(answer)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, HTML)
    assert answer.content == shell
    assert (answer.headers["Cache-Control"], answer.headers["Vary"]) == ("no-store", "Accept")
    assert f"{BASE}/problems/not-found" in answer.headers["Link"]


async def test_a_bad_token_is_refused_by_the_page_as_well(service: Service) -> None:
    fields = {"Accept": BROWSER, "Authorization": "Bearer nonsense"}
    answer = await service.as_(None).get("/api", headers=fields)
    assert (answer.status_code, answer.headers["Content-Type"]) == (401, HTML)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


async def test_only_who_reads_gets_a_page(service: Service, world: World) -> None:
    for method in ("DELETE", "PATCH", "POST"):
        answer = await service.as_(None).request(method, world.shop, headers={"Accept": BROWSER})
        assert answer.headers["Content-Type"] == PROBLEM


async def test_an_address_of_one_form_keeps_to_it(service: Service) -> None:
    answer = await service.as_(None).get("/api/docs.ttl", headers={"Accept": BROWSER})
    assert answer.headers["Content-Type"] == "text/turtle"


@pytest.mark.parametrize("path", PATHS)
async def test_every_file_has_its_type_and_is_kept_for_ever(service: Service, path: str) -> None:
    folder = path.split("/")[3]
    answer = await service.as_(None).get(path, headers={"Accept": "text/css,*/*;q=0.1"})
    check_common(answer)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, TYPES[folder])
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.content == assets()[path.split("/", 3)[3]]
    known = {"If-None-Match": answer.headers["ETag"]}
    assert (await service.as_(None).get(path, headers=known)).status_code == 304
    other = path.replace(version(), "0" * 16)
    assert (await service.as_(None).get(other)).status_code == 404


async def test_the_page_loads_the_files_that_there_are_and_nothing_else(shell: bytes) -> None:
    text = shell.decode()
    loaded = set(re.findall(r'(?:href|src)="(/[^"]+)"', text))
    assert loaded == set(PATHS)
    assert not re.search(r"<style|<script>|\son[a-z]+=|\sstyle=", text)
    assert len(FILES) - len(REFERENCE_FILES) == len(TYPES)


def test_no_file_names_another_host() -> None:
    """But as the name of a word: IRIs of vocabularies are compared and never asked for."""
    named = re.compile(rb"https?://([a-z0-9.-]+)")
    words = {b"www.w3.org", b"schema.org", b"purl.org", b"xmlns.com"}
    found = {host for content in assets().values() for host in named.findall(content)}
    assert found <= words
    texts = {name: source.encode() for name, source in modules().items()}
    texts |= {name: content for name, content in assets().items() if name != SCRIPT}
    assert {name for name, content in texts.items() if named.search(content)} <= {
        "terms", "documentation", "dom", "images/icon.svg",
    }  # fmt: skip


def test_scripts_never_make_markup_of_text() -> None:
    for name, content in assets().items():
        assert not re.search(
            rb"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", content
        ), name
        assert not re.search(rb"document\.cookie|localStorage", content), name
        assert not re.search(rb"@import|url\(", content) or not name.endswith(".css"), name


async def test_the_explorer_knows_no_path_and_no_class_of_this_service(service: Service) -> None:
    """DESIGN: it draws from the data and the documentation alone."""
    segments = {part for route in ROUTES for part in route.path.split("/") if part and "{" not in part}
    described = (await service.as_(None).get("/api/docs")).json()["supportedClass"]
    classes = {re.split("[#/:]", it["@id"])[-1] for it in described}
    assert {"Instance", "OrganizationCollection"} < classes
    words = "|".join(map(re.escape, sorted(segments | classes | {"registry", "handle"})))
    named = re.compile(rf"(?<![\w@-])(?:{words})(?![\w-])")
    assert named.findall("`${base}/api/x` + 'https://x.example/vocab#Instance'") == [
        "api",
        "vocab",
        "Instance",
    ]
    sources = {name: code(source) for name, source in modules().items()}
    sources["page.html"] = (files("app.explorer") / "page.html").read_text("utf-8")
    assert {
        name: set(found) for name, text in sources.items() if (found := named.findall(text))
    } == COMMON_WORDS
    assert not [name for name, text in sources.items() if re.search(rf"[/#](?:{words})(?![\w-])", text)]


def test_the_page_is_found_below_the_path_of_the_public_address() -> None:
    content = page("https://registry.example/below").variant(HTML).content.decode()
    assert f'src="/below/explorer/{version()}/{SCRIPT}"' in content
    assert 'data-base="https://registry.example/below"' in content
    assert "data-sign-in" not in content


def test_modules_are_joined_into_one_that_does_the_same() -> None:
    """Each is run once, after those that it imports."""
    main = "import { twice } from './sums.js'\n\nconst n = 4\ntwice(n)\n"
    sums = "const n = 2\nexport const half = 0.5\nexport function twice(it) { return it * n }\n"
    assert joined({"main": main, "sums": sums}) == (
        "const of_sums = (() => {\nconst n = 2\nconst half = 0.5\nfunction twice(it) { return it * n }\n\n"
        "return { half, twice }\n})()\n"
        "const of_main = (() => {\nconst { twice } = of_sums\n\nconst n = 4\ntwice(n)\n\nreturn {  }\n})()\n"
    )


@pytest.mark.parametrize(
    ("modules", "error"),
    [
        (
            {"a": GETS_B + "export const a = 1\n", "b": "import { a } from './a.js'\nexport const b = 1\n"},
            CycleError,
        ),
        ({"a": GETS_B}, ValueError),
        ({"a": GETS_B, "b": "const b = 1\n"}, ValueError),
        ({"a": "import { b as c } from './b.js'\n", "b": ""}, ValueError),
        ({"a": "import './b.js'\n", "b": ""}, ValueError),
        ({"a": "export default 1\n"}, ValueError),
        ({"a": "export let b = 1\n"}, ValueError),
    ],
    ids=[
        "each other",
        "what is not there",
        "what is not exported",
        "by another name",
        "for its effects",
        "default",
        "what may change",
    ],
)
def test_what_could_not_be_joined_is_noticed(modules: Mapping[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        joined(modules)
