"""What keeps published contexts as they are: from release 1.0.0 on the digests of their files are pinned."""

from __future__ import annotations

import re
from collections.abc import Mapping

from packaging.version import InvalidVersion, Version
from rdflib.namespace import OWL
from rdflib.term import URIRef

from app.contract.faults import ContractFault
from app.contract.sources import CONTEXTS_FOLDER, Sources

FIRST_RELEASE = Version("1.0.0")
# As `sha256sum` writes and checks it.
PINS = f"{CONTEXTS_FOLDER}/SHA256SUMS"
_PIN = re.compile(r"([0-9a-f]{64})  ([^/\s]+)")


def is_released(sources: Sources) -> bool:
    """Whether what is published stays as it is. Raises `ContractFault` for a version that is none."""
    ontology = URIRef(f"{sources.base}/vocab")
    version = sources.graph.value(ontology, OWL.versionInfo)
    try:
        return Version(str(version)) >= FIRST_RELEASE
    except InvalidVersion as error:
        raise sources.fault(ontology, f"owl:versionInfo is {version}, which is not a version") from error


def check_pins(sources: Sources) -> None:
    """Raises `ContractFault` for a published context that was changed, is gone, or is not pinned."""
    if not is_released(sources):
        return
    pins = _read(sources)
    for name in sorted({*pins, *sources.contexts}):
        context = sources.contexts.get(name)
        if context is None:
            raise _fault(name, "it was published, and is gone")
        if name not in pins:
            raise _fault(name, f"{PINS} does not pin it: instance-registry contract --pin does")
        if pins[name] != context.written:
            raise _fault(
                name, f"it was published with other bytes (see {PINS}): what is new is a new version"
            )


def pin(sources: Sources) -> None:
    """Write the digests of all contexts; after the first release only of those that have none yet."""
    digests = {name: context.written for name, context in sources.contexts.items()}
    pins = {**digests, **(_read(sources) if is_released(sources) else {})}
    lines = [f"{digest}  {name}\n" for name, digest in sorted(pins.items())]
    (sources.root / PINS).write_text("".join(lines), "utf-8")


def _read(sources: Sources) -> Mapping[str, str]:
    """Digests by the names of files; none where there is no file yet."""
    path = sources.root / PINS
    pins = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines() if path.exists() else (), 1):
        match = _PIN.fullmatch(line)
        if match is None:
            raise ContractFault(PINS, f"line {number}", "it is not a SHA-256 digest and the name of a file")
        pins[match[2]] = match[1]
    return pins


def _fault(name: str, fault: str) -> ContractFault:
    return ContractFault(f"{CONTEXTS_FOLDER}/{name}", "@context", fault)
