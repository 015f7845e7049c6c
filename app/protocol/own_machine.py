"""Whether a request comes from this very machine, and from nobody who only seems to sit at it.

A browser here opens pages of strangers too. What one of them sends to a loopback address says so in `Origin`
and `Sec-Fetch-Site`; where its name was made to lead here (DNS rebinding), `Host` still has that name. What a
proxy passes on comes from its machine and not from who asked it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from app.protocol.front_door import is_loopback

# Said by whoever passes a request on (RFC 7239, RFC 9110 section 7.6.3, and usage).
PASSED_ON = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip")

Lines = Callable[[str], Sequence[str]]


def is_from_own_machine(peer: str | None, lines: Lines, *, safe: bool) -> bool:
    """`peer` is the number of who is connected, None where that is not known; `lines` gives all values of a
    field. A request that is not `safe` has to name the page that it comes from, as browsers do."""
    if peer is None or not is_loopback(peer) or any(lines(name) for name in PASSED_ON):
        return False
    hosts = lines("host")
    if len(hosts) != 1 or not _is_loopback_host(hosts[0]):
        return False
    origins, sites = lines("origin"), set(lines("sec-fetch-site"))
    own = [f"http://{hosts[0]}"]
    if safe:
        return [*origins] in ([], own) and sites <= {"same-origin", "none"}
    return [*origins] == own and sites <= {"same-origin"}


def _is_loopback_host(host: str) -> bool:
    try:
        return is_loopback(urlsplit(f"//{host}").hostname or "")
    except ValueError:
        return False
