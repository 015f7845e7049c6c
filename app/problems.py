"""Problem: the only exception that crosses a layer.

Its type is the local name of a problem type in `vocab/problems.ttl`; status and title stand there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Violation:
    """One reason why content was refused.

    `property_path` is the JSON key (empty for the content as a whole), `pointer` a JSON Pointer as a
    URI fragment (`#/name`), `code` a short constant for machines, `message` a sentence for people.
    """

    property_path: str
    message: str
    pointer: str
    code: str


@dataclass(frozen=True)
class Gone:
    """What a tombstone tells: the IRI's path, the class's local name, and when it was deleted."""

    path: str
    former_type: str
    deleted: str


@dataclass(frozen=True)
class Available:
    """A form that could have been asked for: media type, the IRIs of its profile, and an IRI where it is."""

    media_type: str
    profile: Sequence[str]
    address: str


class Problem(Exception):  # noqa: N818 - RFC 9457's own name for it
    """A failure that leaves the service as RFC 9457 problem details.

    `type` is a local name such as `handle-taken`; `detail` says what the client can do about it. `focus` is
    the IRI of what the violations are about, where it has one.
    `headers` are fields that the answer must carry (`Allow`, `WWW-Authenticate`, `Retry-After`).
    """

    def __init__(
        self,
        type: str,  # noqa: A002 - RFC 9457's own name for it
        detail: str,
        *,
        violations: Sequence[Violation] = (),
        focus: str | None = None,
        gone: Gone | None = None,
        available: Sequence[Available] = (),
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(f"{type}: {detail}")
        self.type = type
        self.detail = detail
        self.violations = tuple(violations)
        self.focus = focus
        self.gone = gone
        self.available = tuple(available)
        self.headers = tuple(headers)

    @property
    def with_cause(self) -> str:
        """For who runs the service: with what was said to it, which clients are not told."""
        said = str(self.__cause__ or "").partition("\n")[0]
        return f"{self.detail} ({said})" if said else self.detail
