"""The public address, and whether the contract loads there."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.checks.check import Check, failed, ok, warning
from app.contract.check import check_contract
from app.contract.contract import load_contract
from app.contract.faults import ContractFault
from app.settings import Settings, is_loopback


def public_address(settings: Settings) -> Check:
    """Plain http is for what does not leave the machine."""
    url = urlsplit(settings.public_url)
    name, host = "public address", url.hostname or ""
    if url.scheme == "https" or is_loopback(host):
        return ok(name, settings.public_url)
    return warning(
        name,
        f"{settings.public_url}: tokens would go over the network in clear text.",
        "Put a proxy with TLS before the service, and set REGISTRY_PUBLIC_URL to its https address.",
    )


def contract(settings: Settings) -> Check:
    name = "contract"
    try:
        loaded = load_contract(settings.public_url)
        check_contract(loaded)
    except (ContractFault, OSError) as error:
        return failed(name, str(error), "Install the release anew: vocab/ and contexts/ come with it.")
    return ok(name, f"{len(loaded.classes)} classes, {len(loaded.operations)} operations")
