"""The town's own OpenID Connect provider (FranceConnect for most), and the town's registration there.

A JSON column: a table would cost something in thousands of towns without a provider. The secret is sealed, is
never shown again, and is not in the trail.
"""

from dataclasses import dataclass
from functools import partial

from django.db import transaction

from shared_apps.accounts.signing_in.openid.discovery import Registration, is_franceconnect
from shared_apps.audit import services as audit
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.services import show
from tenants.current import current_town
from toolkit.secrecy.sealing import Unreadable, seal, unseal

DEFAULT_LABEL = "FranceConnect"


@dataclass(frozen=True)
class IdentityProvider:
    """The settings. Residents see the provider only when it is `offered`."""

    issuer: str = ""
    client_id: str = ""
    sealed: str = ""
    label: str = DEFAULT_LABEL
    enabled: bool = False

    @property
    def is_offered(self) -> bool:
        return self.enabled and bool(self.issuer and self.client_id and self.secret)

    @property
    def is_franceconnect(self) -> bool:
        return is_franceconnect(self.issuer)

    @property
    def secret(self) -> str:
        """The secret; empty when there is none, or when another platform sealed it."""
        try:
            return unseal(self.sealed) if self.sealed else ""
        except Unreadable:
            return ""

    def sealed_for(self, issuer: str) -> str:
        """The sealed secret, if `issuer` is the one it was given for."""
        return self.sealed if issuer == self.issuer else ""

    @property
    def registration(self) -> Registration:
        return Registration(self.issuer, self.client_id, self.secret)


def provider_of(townhall: TownHall) -> IdentityProvider:
    """The provider of that row."""
    known = IdentityProvider.__dataclass_fields__
    return IdentityProvider(
        **{key: value for key, value in townhall.identity_provider.items() if key in known}
    )


@transaction.atomic
def change_identity_provider(
    *, actor: audit.Actor, issuer: str, client_id: str, secret: str, label: str, enabled: bool
) -> IdentityProvider:
    """Write the settings. An empty `secret` keeps the present one, which is never sent to another issuer.

    The trail records everything but the secret.
    """
    townhall = TownHall.objects.select_for_update(no_key=True).get(pk=1)
    old = provider_of(townhall)
    new = IdentityProvider(
        issuer=issuer,
        client_id=client_id,
        sealed=seal(secret) if secret else old.sealed_for(issuer),
        label=label or DEFAULT_LABEL,
        enabled=enabled,
    )
    if new != old:
        _write(townhall, new)
        audit.record(
            "townhall.identity_provider_changed",
            actor=actor,
            old=_words(old),
            new={**_words(new), "secret_changed": bool(secret)},
        )
    return new


def forget_secret() -> None:
    """Remove the secret from a copy of a town: it belongs to the original. Uses the caller's transaction."""
    townhall = TownHall.objects.select_for_update(no_key=True).filter(pk=1).first()
    if townhall is not None and townhall.identity_provider:
        old = provider_of(townhall)
        _write(townhall, IdentityProvider(old.issuer, old.client_id, label=old.label))


def _write(townhall: TownHall, new: IdentityProvider) -> None:
    townhall.identity_provider = dict(vars(new))
    townhall.save(update_fields=["identity_provider"])
    transaction.on_commit(partial(show, current_town()))


def _words(one: IdentityProvider) -> dict[str, object]:
    return {name: value for name, value in vars(one).items() if name != "sealed"}
