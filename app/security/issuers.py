"""The issuers whose tokens count: those that are configured, or the local one where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING

from app.security.key_file import KeyFile
from app.security.keys import Key, find_key
from app.security.local_issuer import local_issuer
from app.security.tokens import Issuer
from app.settings import IssuerSetting, Settings, WrongSetting

if TYPE_CHECKING:  # an HTTP client takes a tenth of a second to load: only where there is something to fetch
    from app.security.fetched_keys import FetchedKeys


class ConfiguredIssuer:
    """Another service that makes tokens, known by its key set."""

    def __init__(self, iss: str, audience: str | None, keys: KeyFile | FetchedKeys) -> None:
        self.iss = iss
        self.audience = audience
        self._keys = keys

    def tended(self) -> AbstractAsyncContextManager[None]:
        return self._keys.tended()

    def holds(self, key: Key) -> bool:
        return key in self._keys.known()

    async def key(self, key_id: str | None, algorithm: str) -> Key | None:
        """A key that is not known may be new. Raises `unavailable` where no set is known."""
        known = find_key(self._keys.known(), key_id, algorithm)
        return known or find_key(await self._keys.renewed(), key_id, algorithm)


def trusted_issuers(settings: Settings) -> Sequence[Issuer]:
    """Raises `WrongSetting` for a key file that cannot be used, and what `local_issuer` raises."""
    if not settings.issuers:
        return [local_issuer(settings.data_dir)]
    return [ConfiguredIssuer(issuer.issuer, issuer.audience, _keys(issuer)) for issuer in settings.issuers]


def _keys(issuer: IssuerSetting) -> KeyFile | FetchedKeys:
    if not isinstance(issuer.jwks, Path):
        from app.security.fetched_keys import FetchedKeys

        return FetchedKeys(issuer.jwks, issuer.algorithms)
    try:
        file = KeyFile(issuer.jwks, issuer.algorithms)
    except OSError as error:
        raise WrongSetting(f"REGISTRY_ISSUERS: {issuer.jwks} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise WrongSetting(f"REGISTRY_ISSUERS: {issuer.jwks} is not a JWK set: {error}.") from error
    if not file.known():
        wanted = ", ".join(issuer.algorithms)
        raise WrongSetting(f"REGISTRY_ISSUERS: {issuer.jwks} holds no public key for {wanted}.")
    return file
