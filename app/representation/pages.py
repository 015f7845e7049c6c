"""Pages for people, from templates: no script, and one style sheet inside, which their policy names by its
hash."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

# Everything that a value brings along is text (STANDARDS.md SH-03).
_TEMPLATES = Environment(
    loader=PackageLoader("app.representation"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@lru_cache(maxsize=1)
def _style() -> str:
    return (files("app.representation") / "templates/style.css").read_text("utf-8")


def page(template: str, values: Mapping[str, object]) -> bytes:
    style = Markup(_style())  # noqa: S704 - a file of this package
    return _TEMPLATES.get_template(template).render(**values, style=style).encode("utf-8")


@lru_cache(maxsize=1)
def page_policy() -> str:
    """The Content-Security-Policy of every page: its own style sheet, and nothing else at all."""
    digest = base64.b64encode(hashlib.sha256(_style().encode("utf-8")).digest()).decode("ascii")
    others = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return f"default-src 'none'; style-src 'sha256-{digest}'; {others}"
