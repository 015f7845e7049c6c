"""The command line, run as people run it."""

from __future__ import annotations

import json
import re
import socket
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest

from tests.commands import free_port, run, served
from tests.security.issuing import Signer, ed_key
from tests.service import JSON

GOOD = [
    {
        "organization": {"name": f"School {n}"},
        "instance": {"name": f" School {n} ", "handle": f"school-{'ab'[n]}"},
    }
    for n in range(2)
]
NAME_RULE = (
    "A name has no white space at either end, no control characters and no characters that override the "
    "direction of text."
)
RESERVED = "The handle is reserved. Choose another one."
NO_JSON = (
    "Send one JSON document in UTF-8; expecting property name enclosed in double quotes at line 1, column 2."
)
BAD = {"organization": {"name": "Bad\u0093"}, "instance": {"name": "x", "handle": "www"}}


def listed(base: str, token: str, path: str = "/api/organizations") -> dict[str, object]:
    headers = {"Authorization": f"Bearer {token}", "Accept": JSON}
    body: dict[str, object] = httpx.get(f"{base}{path}?itemsPerPage=100", headers=headers).json()
    return body


def token(folder: Path, *arguments: str) -> str:
    done = run(folder, "token", *(arguments or ("--sub", "owner", "--email", "owner@acme.example")))
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_it_says_which_version_it_is(tmp_path: Path) -> None:
    said = run(tmp_path, "--version")
    assert (said.returncode, said.stdout) == (0, f"{version('instance-registry')}\n")


def test_migrating_makes_the_database_once(tmp_path: Path) -> None:
    first, second = run(tmp_path, "migrate"), run(tmp_path, "migrate")
    assert (first.returncode, second.returncode) == (0, 0)
    assert "0001_tables" in first.stdout
    assert "nothing" in second.stdout
    assert (tmp_path / "data/registry.sqlite3").exists()


def test_a_database_that_is_behind_stops_what_needs_it_and_names_the_command(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_text("")
    serve = ("serve", "--port", str(free_port()))
    for arguments in (serve, ("sample",), ("import", str(file), "--owner", "a@b.example")):
        done = run(tmp_path, *arguments)
        assert done.returncode == 1
        assert "instance-registry migrate" in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REGISTRY_PUBLIC_URL", "ftp://x"),
        ("REGISTRY_DATABASE_URL", "mysql://x"),
        ("REGISTRY_DATABASE_URL", f"sqlite://{__file__}"),
        ("REGISTRY_DATABASE_URL", "postgres://127.0.0.1/x?sslmode=zz"),
        ("REGISTRY_MAX_CONTENT_LENGTH", "much"),
        ("REGISTRY_AUDIENCE", ""),
        ("REGISTRY_COLOUR", "red"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(tmp_path: Path, name: str, value: str) -> None:
    done = run(tmp_path, "migrate", **{name: value})
    assert (done.returncode, done.stdout) == (2, "")
    assert name in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_database_that_cannot_be_reached_is_one_line(tmp_path: Path) -> None:
    address = f"postgres://127.0.0.1:{free_port()}/nothing"
    done = run(tmp_path, "migrate", REGISTRY_DATABASE_URL=address)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_cannot_be_used_and_a_value_that_is_none_are_told_in_words(folder: Path) -> None:
    (folder / "all.nq.part").mkdir()
    done = run(folder, "export", "all.nq")
    assert (done.returncode, done.stderr) == (1, "all.nq.part: Is a directory.\n")
    for command in ("export", "get"):
        done = run(folder, command, "x", "--format", "foo")
        assert done.returncode == 2
        assert "Invalid value for '--format': 'foo' is not one of" in done.stderr


def test_a_port_that_is_taken_is_one_line_before_anything_is_done(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = run(tmp_path, "serve", "--sample", "--port", str(taken.getsockname()[1]))
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()


def test_the_sample_is_added_once_and_has_an_owner(folder: Path) -> None:
    first, second = run(folder, "sample"), run(folder, "sample")
    assert first.stdout.startswith("Added 5 ")
    assert second.stdout.startswith("Added 0 ")
    with served(folder) as (base, *_):
        owned = listed(base, token(folder))
        assert isinstance(owned["totalItems"], int)
        assert owned["totalItems"] >= 2
        instances = listed(base, token(folder), "/api/instances")
        assert isinstance(instances["totalItems"], int)
        assert instances["totalItems"] > owned["totalItems"]


def test_a_token_is_printed_alone_and_says_what_was_asked_for(folder: Path) -> None:
    done = run(
        folder, "token", "--sub", "ada", "--email", "a@b.example", "--name", "Ada",
        "--scope", "registry:read registry:read-all", "--lifetime", "60",
    )  # fmt: skip
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+\n", done.stdout)
    for wrong in (
        ("--scope", "everything"), ("--lifetime", "0"), ("--lifetime", "86401"), ("--sub", "x" * 256),
    ):  # fmt: skip
        arguments = ["token", "--sub", "ada", "--email", "a@b.example", *wrong]
        assert run(folder, *arguments).returncode == 2


@pytest.mark.parametrize("email", ["", "nobody", "a b@c.example", "a@b@c.example", f"{'a' * 320}@b.example"])
def test_a_token_has_no_e_mail_that_the_service_would_show_nobody(folder: Path, email: str) -> None:
    done = run(folder, "token", "--sub", "ada", "--email", email)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Invalid value for --email" in done.stderr


def test_an_import_takes_good_lines_once_and_names_the_bad_ones(folder: Path) -> None:
    file = folder / "lines.ndjson"
    unknown = {**GOOD[1], "country": "PL", "organization": {"name": "School 1", "web": "x"}}
    lines = [json.dumps(GOOD[0]), "", json.dumps(unknown), json.dumps(BAD), "{", '"x"', json.dumps(GOOD[0])]
    file.write_text("\n".join(lines))
    first = run(folder, "import", str(file), "--owner", "owner@acme.example")
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines() == [
        "organization.web (first in line 3) is unknown to the registry and was left out.",
        "country (first in line 3) is unknown to the registry and was left out.",
        f"Line 4 was left out: organization.name: {NAME_RULE} instance.handle: {RESERVED}",
        f"Line 5 was left out: {NO_JSON}",
        "Line 6 was left out: The line must be an object with organization and instance.",
        "6 lines: 2 imported, 1 there already, 3 bad.",
    ]
    second = run(folder, "import", str(file), "--owner", "owner@acme.example")
    assert second.stdout.splitlines()[-1] == "6 lines: 0 imported, 3 there already, 3 bad."
    with served(folder) as (base, *_):
        owned = listed(base, token(folder))
        assert isinstance(owned["member"], list)
        assert {member["name"] for member in owned["member"]} == {"School 0", "School 1"}
        instances = listed(base, token(folder), "/api/instances")["member"]
        assert isinstance(instances, list)
        assert {member["name"] for member in instances} == {"School 0", "School 1"}
        stranger = token(folder, "--sub", "x", "--email", "x@acme.example")
        assert listed(base, stranger)["totalItems"] == 0


def test_an_import_for_a_known_partner_is_seen_at_once(folder: Path) -> None:
    run(folder, "sample")
    file = folder / "lines.ndjson"
    file.write_text(json.dumps(GOOD[0]))
    done = run(folder, "import", str(file), "--owner", "OWNER@acme.example")
    assert done.stdout.splitlines() == ["1 lines: 1 imported, 0 there already, 0 bad."]
    with served(folder) as (base, *_):
        assert "School 0" in str(listed(base, token(folder)))
    for wrong in ("nobody", "@x.example", "a@b\x07.example"):
        assert run(folder, "import", str(file), "--owner", wrong).returncode == 2


def test_the_contract_is_shown(tmp_path: Path) -> None:
    shown = run(tmp_path, "contract").stdout
    for word in ("InstanceCollection", "Rename the instance", "PATCH", "handle-taken", "409", "owner"):
        assert word in shown


def test_serving_with_the_sample_says_where_to_look_and_what_to_do_first(tmp_path: Path) -> None:
    with served(tmp_path, "--sample") as server:
        base, said = server.base, server.said()
        printed = re.search(r"export TOKEN=(\S+)", said)
        assert printed is not None
        assert f"{base}/api " in said
        body = listed(base, printed[1])
        assert isinstance(body["totalItems"], int)
        assert body["totalItems"] >= 2
        entry = httpx.get(f"{base}/api").json()
        assert entry["@id"] == f"{base}/api"
        assert "TOKEN" not in httpx.get(f"{base}/api").text


def test_several_workers_answer_with_one_key(tmp_path: Path) -> None:
    with served(tmp_path, "--sample", "--workers", "2") as (base, *_):
        mine = token(tmp_path)
        answers = {str(listed(base, mine)["totalItems"]) for _ in range(20)}
        assert answers == {"3"}
        documents = {httpx.get(f"{base}/api/docs").content for _ in range(20)}
        assert len(documents) == 1


def test_with_an_issuer_the_local_one_is_off(tmp_path: Path) -> None:
    """Its welcome has no token, its key is not made, and asking for a token is a wrong setting."""
    signer = Signer("https://idp.example", ed_key(), "EdDSA", None)
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [signer.jwk]}))
    setting = json.dumps([{"issuer": signer.iss, "jwks": "keys.json"}])
    with served(tmp_path, "--sample", "--workers", "2", REGISTRY_ISSUERS=setting) as server:
        assert f"{server.base}/api " in server.said()
        assert "TOKEN" not in server.said()
        assert listed(server.base, signer.token())["totalItems"] == 0
    assert not (tmp_path / "data/local-issuer.pem").exists()
    asked = run(tmp_path, "token", "--sub", "x", "--email", "x@acme.example", REGISTRY_ISSUERS=setting)
    assert (asked.returncode, asked.stdout) == (2, "")
    assert "local issuer is off" in asked.stderr
    assert len(asked.stderr.splitlines()) == 1


@pytest.mark.parametrize("content", [None, "{", '{"keys": []}'])
def test_a_key_file_that_cannot_be_used_is_a_wrong_setting(folder: Path, content: str | None) -> None:
    if content is not None:
        (folder / "keys.json").write_text(content)
    (folder / "issuers.json").write_text('[{"issuer": "https://idp.example", "jwks": "keys.json"}]')
    done = run(folder, "serve", "--port", str(free_port()), REGISTRY_ISSUERS="issuers.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert "REGISTRY_ISSUERS: keys.json" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_why_a_database_does_not_answer_is_told_to_who_runs_it(folder: Path) -> None:
    url = f"postgres://nobody@127.0.0.1:{free_port()}/registry"
    for command in ("migrate", "doctor"):
        told = run(folder, command, REGISTRY_DATABASE_URL=url)
        assert re.search(
            r"cannot be reached at the moment; try again\. \(.*(refused|Connect).*\)",
            told.stdout + told.stderr,
        )


@pytest.mark.parametrize("command", ["migrate", "export", "doctor"])
def test_a_damaged_database_is_told_in_words(folder: Path, command: str) -> None:
    whole = (folder / "data" / "registry.sqlite3").read_bytes()
    damaged = folder / "damaged.sqlite3"
    damaged.write_bytes(whole[: len(whole) // 8192 * 4096])
    told = run(folder, command, REGISTRY_DATABASE_URL=f"sqlite://{damaged}")
    assert told.returncode in (1, 2)
    assert "is damaged; put a backup in its place." in told.stdout + told.stderr
    assert "Traceback" not in told.stderr
