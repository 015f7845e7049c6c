"""The bearer token of a request (RFC 6750 section 2.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.problems import Problem

_MAX_LENGTH = 8_192
_CREDENTIALS = re.compile(r"(?i:Bearer) +([A-Za-z0-9\-._~+/]++=*+)")


def bearer_token(authorization: Sequence[str]) -> str | None:
    """The token in the request's Authorization field, of which `authorization` holds all lines.

    None for a request without the field. Raises invalid-parameter for several lines, because it is not
    for the service to choose, and not-authenticated for anything but `Bearer` and a token.
    """
    if not authorization:
        return None
    if len(authorization) > 1:
        raise Problem(
            "invalid-parameter",
            "Send one Authorization field.",
            headers=(("WWW-Authenticate", 'Bearer error="invalid_request"'),),
        )
    credentials = _CREDENTIALS.fullmatch(authorization[0].strip(" \t"))
    if credentials is None or len(credentials[1]) > _MAX_LENGTH:
        raise Problem(
            "not-authenticated",
            "Send a valid access token: Authorization: Bearer <token>.",
            headers=(("WWW-Authenticate", 'Bearer error="invalid_token"'),),
        ) from ValueError(f"not Bearer and a token of at most {_MAX_LENGTH} octets")
    return credentials[1]
