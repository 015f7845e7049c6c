"""The Content-Security-Policy that an answer has to have."""

from __future__ import annotations

import httpx

from app.addresses import REFERENCE
from app.explorer.files import PAGE_POLICY
from app.openapi.reference_page import policy as reference_policy
from app.representation.forms import HTML
from app.representation.pages import page_policy
from tests.service import BASE

NOTHING_RUNS = "default-src 'none'; frame-ancestors 'none'"
AT_REFERENCE = f'<{BASE}{REFERENCE}>; rel="canonical"'


def policies(answer: httpx.Response) -> set[str]:
    """The explorer's, the reference's, that of pages without scripts, or that of what is no page; several
    where there is no content to tell them by."""
    pages = {PAGE_POLICY, page_policy(), reference_policy(BASE)}
    if answer.status_code == 304:
        return {NOTHING_RUNS, *pages}
    if answer.headers.get("Content-Type") != HTML:
        return {NOTHING_RUNS}
    if AT_REFERENCE in answer.headers["Link"]:
        return {reference_policy(BASE)}
    if not answer.content:
        return pages
    return {PAGE_POLICY if b"/explorer/" in answer.content else page_policy()}
