"""Content codings."""

from __future__ import annotations

import gzip

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from app.protocol.codings import CODINGS, encode, negotiate_coding


@pytest.mark.parametrize(
    ("lines", "coding"),
    [
        ([], None),
        ([""], None),
        (["identity"], None),
        (["gzip"], "gzip"),
        (["x-gzip"], "gzip"),
        (["GZIP"], "gzip"),
        (["zstd"], "zstd"),
        (["gzip, deflate, br, zstd"], "zstd"),
        (["gzip", "zstd;q=0.5"], "gzip"),
        (["gzip;q=0.5, zstd;q=1"], "zstd"),
        (["gzip;q=0"], None),
        (["gzip;q=0, *"], "zstd"),
        (["*"], "zstd"),
        (["*;q=0"], None),
        (["*;q=0, gzip"], "gzip"),
        (["identity;q=0, br"], None),
        (["identity;q=1, gzip;q=0.5"], None),
        (["identity;q=0.5, gzip;q=1"], "gzip"),
        (["br, deflate"], None),
        (["gzip;q=2"], None),
        (["gzip;level=9"], None),
        (["gzip ; Q=0.8 , zstd ;q=0.1"], "gzip"),
        ([",,, gzip"], "gzip"),
    ],
)
def test_the_coding_is_the_one_that_the_client_prefers(lines: list[str], coding: str | None) -> None:
    """CN-23."""
    assert negotiate_coding(lines) == coding


@given(st.lists(st.text(max_size=60), max_size=3))
def test_whatever_is_accepted_there_is_an_answer(lines: list[str]) -> None:
    assert negotiate_coding(lines) in (None, *CODINGS)


@given(st.binary(max_size=5_000))
def test_what_is_coded_can_be_read_by_others(content: bytes) -> None:
    assert gzip.decompress(encode(content, "gzip")) == content
    assert zstandard.ZstdDecompressor().decompress(encode(content, "zstd")) == content
    assert encode(content, "gzip") == encode(content, "gzip")


def test_there_are_no_other_codings() -> None:
    with pytest.raises(ValueError, match="br is not one of zstd, gzip"):
        encode(b"", "br")
