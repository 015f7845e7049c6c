"""Fields as they go out: nothing in them can end them early."""

from __future__ import annotations

import pytest

from app.protocol.outgoing import CLOSE, Outgoing, behind


@pytest.mark.parametrize("octets", [b"a\r\nb: c", b"a\nb", b"a\rb", b"a\0b", b"a\x7fb"])
def test_what_would_end_a_field_is_refused(octets: bytes) -> None:
    for field in ((b"location", octets), (octets, b"x")):
        with pytest.raises(RuntimeError, match="would end it"):
            Outgoing([field])
        with pytest.raises(RuntimeError, match="would end it"):
            behind([field], Outgoing([]))


def test_fields_are_what_they_are_written_as() -> None:
    others = Outgoing([(b"etag", b'"1"'), (b"vary", "\u00e9".encode("latin-1"))])
    fields = behind([(b"x-request-id", b"7")], others)
    assert fields == [(b"x-request-id", b"7"), *others]
    assert fields.lines == b'x-request-id: 7\r\netag: "1"\r\nvary: \xe9\r\n'
    assert not fields.closes
    assert behind([(b"x-request-id", b"7")], Outgoing([CLOSE])).closes
    assert behind([CLOSE], others).closes
