"""Seals: text that a client keeps for us, which it can neither read nor change, nor use anywhere else."""

from __future__ import annotations

import base64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from app.remembered import Remembered

# Of what was given last it is remembered what it says: it is what comes back next.
GIVEN = 1_024


class Seal:
    """AES-SIV (RFC 5297), which needs no random number: the same text is sealed alike each time, so that
    an answer that did not change keeps its entity tag."""

    def __init__(self, key: bytes) -> None:
        """`key` has 64 octets."""
        self._cipher = AESSIV(key)
        self._given: Remembered[tuple[str, bytes], bytes] = Remembered(GIVEN)

    def close(self, text: bytes, place: bytes) -> str:
        """`place` says what it is for; it opens nowhere else."""
        sealed = _encoded(self._cipher.encrypt(text, [place]))
        self._given.keep((sealed, place), text)
        return sealed

    def open(self, sealed: str, place: bytes) -> bytes | None:
        """None for what was not sealed with this key for this place."""
        given = self._given.get((sealed, place))
        return self._opened(sealed, place) if given is None else given

    def _opened(self, sealed: str, place: bytes) -> bytes | None:
        try:
            octets = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
            text = self._cipher.decrypt(octets, [place])
        except (ValueError, InvalidTag):
            return None
        # Base64 may spell the same octets in several ways, of which one was given.
        return text if sealed == _encoded(octets) else None


def _encoded(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
