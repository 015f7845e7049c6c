"""JSON Merge Patch (RFC 7396)."""

from __future__ import annotations

from app.protocol.strict_json import JSON


def merge(target: JSON, patch: JSON) -> JSON:
    """What `target` becomes by `patch`; the arguments stay as they are, parts are shared with the result."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged
