"""Fields as they go out: nothing in them can end them early."""

from __future__ import annotations

import pytest

from app.protocol.outgoing import CLOSE, GAP, Frame, behind, numbered, outgoing


@pytest.mark.parametrize("octets", [b"a\r\nb: c", b"a\nb", b"a\rb", b"a\0b", b"a\x7fb"])
def test_what_would_end_a_field_is_refused(octets: bytes) -> None:
    for name, value in ((b"location", octets), (octets, b"x")):
        with pytest.raises(RuntimeError, match="would end it"):
            outgoing([(name, value)])
        with pytest.raises(RuntimeError, match="would end it"):
            behind([(name.decode("latin-1"), value.decode("latin-1"))], outgoing([]))


def test_what_has_no_octets_of_its_own_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        behind([("Location", "\u20ac")], outgoing([]))


def test_fields_are_what_they_are_written_as() -> None:
    others = outgoing([(b"etag", b'"1"'), (b"vary", "\u00e9".encode("latin-1"))])
    fields = numbered("7", behind([("X-Name", "\u00fc")], others))
    for _ in range(2):
        assert [*fields] == [(b"x-request-id", b"7"), (b"x-name", b"\xfc"), *others]
    assert fields.lines == b'x-request-id: 7\r\nx-name: \xfc\r\netag: "1"\r\nvary: \xe9\r\n'
    assert not fields.closes


def test_whoever_tells_that_the_connection_ends_is_heard() -> None:
    nothing, closing = outgoing([]), [("Connection", "close")]
    assert outgoing([CLOSE]).closes
    assert behind(closing, nothing).closes
    assert numbered("7", behind(closing, nothing)).closes
    assert not behind([("X-Note", "connection: close")], nothing).closes


def test_a_frame_tells_what_is_filled_in_as_if_it_had_been_written_with_it() -> None:
    others = outgoing([(b"vary", b"accept")])
    frame = Frame([("Link", GAP), ("X-Share", "100% of %s"), ("ETag", GAP)], others)
    for link, tag in (("<a>", '"1"'), ("%s\xfc%d", "")):
        fields = [("Link", link), ("X-Share", "100% of %s"), ("ETag", tag)]
        assert frame.filled(link, tag).lines == behind(fields, others).lines
        assert [*frame.filled(link, tag)] == [*behind(fields, others)]
    for end in ("a\r\nb: c", "a\nb", "a\0"):
        with pytest.raises(RuntimeError, match="would end it"):
            frame.filled(end, "")
    with pytest.raises(UnicodeEncodeError):
        frame.filled("\u20ac", "")
