"""The town's own OpenID Connect providers, and its registration there: one for residents, one for staff.

A JSON column each: a table would cost something in thousands of towns without a provider. The secret is sealed, is
never shown again, and is not in the trail.
"""

from dataclasses import dataclass, replace
from functools import partial

from django.db import transaction
from django.utils.translation import gettext as _

from shared_apps.accounts.errors import NoOtherWayIn, ProviderNotProven
from shared_apps.accounts.models import Account
from shared_apps.accounts.services import refuse_impersonator
from shared_apps.accounts.signing_in.identities import unlink_staff_identity, unlinked_staff
from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.signing_in.openid.discovery import Registration, is_franceconnect, is_proconnect
from shared_apps.audit import services as audit
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.services import show
from tenants.current import current_town
from toolkit.secrecy.sealing import Unreadable, seal, unseal

DEFAULT_LABELS = {Audience.RESIDENTS: "FranceConnect", Audience.STAFF: "ProConnect"}
_COLUMNS = {Audience.RESIDENTS: "identity_provider", Audience.STAFF: "staff_identity_provider"}


@dataclass(frozen=True)
class IdentityProvider:
    """The settings. People see the provider only when it is `offered`.

    `required`, of staff only: they sign in with it, and no longer with a password.
    """

    issuer: str = ""
    client_id: str = ""
    sealed: str = ""
    label: str = DEFAULT_LABELS[Audience.RESIDENTS]
    enabled: bool = False
    required: bool = False
    audience: Audience = Audience.RESIDENTS

    @property
    def is_offered(self) -> bool:
        return self.enabled and bool(self.issuer and self.client_id and self.secret)

    @property
    def is_required(self) -> bool:
        return self.required and self.is_offered

    @property
    def is_franceconnect(self) -> bool:
        return is_franceconnect(self.issuer)

    @property
    def is_proconnect(self) -> bool:
        return is_proconnect(self.issuer)

    def opens(self, account: Account) -> bool:
        """Whether the account is linked to a person of this provider."""
        return bool(account.identity_subject) and account.identity_issuer == self.issuer

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
        return Registration(self.issuer, self.client_id, self.secret, self.audience)


def provider_of(townhall: TownHall, audience: Audience = Audience.RESIDENTS) -> IdentityProvider:
    """The provider of that row for `audience`."""
    known = set(IdentityProvider.__dataclass_fields__) - {"audience"}
    kept = {key: value for key, value in getattr(townhall, _COLUMNS[audience]).items() if key in known}
    return IdentityProvider(**{"label": DEFAULT_LABELS[audience], **kept}, audience=audience)


@transaction.atomic
def change_identity_provider(
    *,
    actor: audit.Actor,
    issuer: str,
    client_id: str,
    secret: str,
    label: str,
    enabled: bool,
    required: bool = False,
    audience: Audience = Audience.RESIDENTS,
) -> IdentityProvider:
    """Write the settings. An empty `secret` keeps the present one, which is never sent to another issuer.

    The trail records everything but the secret. Raises NotWhileImpersonating when an operator in somebody's place
    changes how staff sign in, and ProviderNotProven when `required` would lock somebody out.
    """
    if audience is Audience.STAFF and isinstance(actor, Account):
        refuse_impersonator(actor)
    townhall = TownHall.objects.select_for_update(no_key=True).get(pk=1)
    old = provider_of(townhall, audience)
    new = IdentityProvider(
        issuer=issuer,
        client_id=client_id,
        sealed=seal(secret) if secret else old.sealed_for(issuer),
        label=label or DEFAULT_LABELS[audience],
        enabled=enabled,
        required=required,
        audience=audience,
    )
    _lock_nobody_out(old, new)
    if new != old:
        _write(townhall, new)
        _record(actor, old, new, secret_changed=bool(secret))
    return new


def _lock_nobody_out(old: IdentityProvider, new: IdentityProvider) -> None:
    """Raises ProviderNotProven: `required` is for settings that serve already, once the whole team has come in by
    them. Another issuer or client knows the team under other names.
    """
    if not new.required:
        return
    if not new.is_offered or (new.issuer, new.client_id) != (old.issuer, old.client_id):
        raise ProviderNotProven
    missing = [] if old.required else unlinked_staff(new.issuer)
    if missing:
        names = ", ".join(account.called for account in missing)
        raise ProviderNotProven(_("Pas encore : tous ne sont pas reliés (%(names)s).") % {"names": names})


@transaction.atomic
def allow_staff_passwords(*, actor: audit.Actor, reason: str) -> bool:
    """The provider of staff is gone, or knows nobody any more: passwords serve again. False when they did.

    For the operator, who says why. Raises NotWhileImpersonating.
    """
    if isinstance(actor, Account):
        refuse_impersonator(actor)
    townhall = TownHall.objects.select_for_update(no_key=True).get(pk=1)
    old = provider_of(townhall, Audience.STAFF)
    if not old.required:
        return False
    new = replace(old, required=False)
    _write(townhall, new)
    _record(actor, old, new, reason=reason)
    return True


@transaction.atomic
def leave_provider(*, actor: Account) -> None:
    """A member of staff unlinks their account. Twice changes nothing.

    Raises NoOtherWayIn without a password, or where the town's staff have no other way; NotWhileImpersonating.
    """
    provider = provider_of(TownHall.objects.select_for_update(no_key=True).get(pk=1), Audience.STAFF)
    if provider.is_required:
        sentence = _("Dans votre commune, les agents se connectent seulement avec %(label)s : ce lien reste.")
        raise NoOtherWayIn(sentence % {"label": provider.label})
    unlink_staff_identity(actor=actor, label=provider.label)


def _record(actor: audit.Actor, old: IdentityProvider, new: IdentityProvider, **more: object) -> None:
    before, after = _words(old), {**_words(new), **more}
    if new.audience is Audience.STAFF:
        audit.record("townhall.staff_identity_provider_changed", actor=actor, old=before, new=after)
    else:
        audit.record("townhall.identity_provider_changed", actor=actor, old=before, new=after)


def forget_secret() -> None:
    """Remove the secrets from a copy of a town: they belong to the original. Uses the caller's transaction."""
    townhall = TownHall.objects.select_for_update(no_key=True).filter(pk=1).first()
    for audience, column in _COLUMNS.items():
        if townhall is not None and getattr(townhall, column):
            old = provider_of(townhall, audience)
            _write(townhall, IdentityProvider(old.issuer, old.client_id, label=old.label, audience=audience))


def _write(townhall: TownHall, new: IdentityProvider) -> None:
    column = _COLUMNS[new.audience]
    setattr(townhall, column, {name: value for name, value in vars(new).items() if name != "audience"})
    townhall.save(update_fields=[column])
    transaction.on_commit(partial(show, current_town()))


def _words(one: IdentityProvider) -> dict[str, object]:
    hidden = {"sealed", "audience"} | ({"required"} if one.audience is Audience.RESIDENTS else set())
    return {name: value for name, value in vars(one).items() if name not in hidden}
