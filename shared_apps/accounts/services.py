"""The only writers of accounts."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from django.contrib.auth import authenticate
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Link, LinkPurpose, Role
from shared_apps.accounts.passwords.rule import PasswordRule
from shared_apps.accounts.throttling import known_browsers, limits, throttle
from shared_apps.audit import services as audit
from shared_apps.mail import notices
from toolkit import emails
from toolkit.secrecy import secrets
from toolkit.words import current_language

LINK_LIFE = timedelta(hours=24)


def check_credentials(*, email: str, password: str, ip: str, browser: str = "") -> Account:
    """The account of a right address and password. Raises WrongCredentials, TooManyTries or TooBusy.

    `browser`: the browser's cookie (accounts.throttling.known_browsers).
    """
    who = emails.sought(email)
    with throttle.take(*_tries_of(who, ip, browser)) as tries:
        account = authenticate(username=who, password=password)
        if not isinstance(account, Account):
            raise errors.WrongCredentials
        tries.succeed()
    return account


def _tries_of(who: str, ip: str, browser: str) -> list[throttle.Taken]:
    account = Account.objects.filter(email=who).first() if browser else None
    known = known_browsers.name_of(browser, account) if account else ""
    return [(limits.KNOWN_BROWSER, known)] if known else [(limits.PLACE, ip), (limits.PASSWORD, who)]


def check_own_password(*, actor: Account, password: str) -> Account:
    """Check the current password of somebody who is signed in; return the account as it is now.

    Raises WrongPassword, TooManyTries, TooBusy, or NotWhileImpersonating.
    """
    refuse_impersonator(actor)
    with throttle.take((limits.OWN_PASSWORD, str(actor.uuid))) as tries:
        account = Account.objects.get(pk=actor.pk)
        if not account.check_password(password):
            raise errors.WrongPassword
        tries.succeed()
    return account


def create_account(
    *,
    actor: audit.Actor,
    email: str,
    role: Role,
    password: str | None = None,
    language: str = "",
    name: str = "",
) -> Account:
    """A new account; with a password it is active at once. Raises AddressTaken, emails.BadAddress."""
    account = Account(email=email, role=role, language=language, name=name)
    account.set_password(password)
    if password is not None:
        account.activated_at = timezone.now()
    try:
        with transaction.atomic():
            account.save()
            audit.record("account.created", actor=actor, obj=account.audit_name, new={"role": role})
    except IntegrityError:
        raise errors.AddressTaken from None
    return account


def ask_link(
    *, purpose: LinkPurpose, email: str, account: Account | None = None, about: UUID | None = None
) -> Link:
    """Note that somebody asked for a `?LIEN=`. The write is the same for known and unknown addresses.

    Raises emails.BadAddress.
    """
    return Link.objects.create(
        purpose=purpose,
        email=email,
        account=account,
        about=about,
        language=current_language(),
    )


def make_token(*, link: Link, life: timedelta = LINK_LIFE) -> str:
    """Give `link` its token, once, and return it; only its hash is kept. Call inside a transaction."""
    token = secrets.new_lien()
    link.token_hash = secrets.fingerprint(token)
    link.handled_at = timezone.now()
    link.expires_at = link.handled_at + life
    link.save(update_fields=["token_hash", "handled_at", "expires_at", "account"])
    return token


def close_link(*, link: Link) -> None:
    """Mark the request as handled without a message: the address is unknown."""
    link.handled_at = timezone.now()
    link.save(update_fields=["handled_at"])


def find_link(token: str, *, lock: bool = False) -> Link:
    """The live link of `token`. Does not use it up.

    Raises LinkUnknown, LinkUsed, LinkExpired, or TeamInvitationDead for an invitation to the staff.
    """
    if not secrets.looks_like_lien(token):
        raise errors.LinkUnknown
    links = Link.objects.select_for_update(of=("self",)) if lock else Link.objects.all()
    link = links.select_related("account").filter(token_hash=secrets.fingerprint(token)).first()
    if link is None:
        raise errors.LinkUnknown
    is_over = link.expires_at is None or link.expires_at <= timezone.now()
    if link.purpose == LinkPurpose.TEAM and (link.used_at or is_over):
        raise errors.TeamInvitationDead(_why_dead(link))
    invites = link.purpose == LinkPurpose.SHARE
    if link.used_at:
        raise errors.InvitationUsed if invites else errors.LinkUsed
    if is_over:
        raise errors.InvitationOver if invites else errors.LinkExpired
    return link


def _why_dead(link: Link) -> str:
    """What to tell whoever opens an invitation to the staff that does not work any more, and what they can do."""
    member = link.account
    if member is None or member.removed_at is not None:
        return _("Cette invitation a été annulée.")
    if member.activated_at is not None:
        return _("Cette invitation a déjà servi : connectez-vous avec votre adresse et votre mot de passe.")
    if link.used_at:
        return _("Une invitation plus récente vous a été envoyée : ouvrez le dernier message reçu.")
    inviter = Account.objects.filter(uuid=link.about).first() if link.about else None
    if inviter is None:
        return _(
            "Cette invitation n'est plus valable. Demandez-en une autre à l'exploitant de la plateforme."
        )
    return _("Cette invitation n'est plus valable. Demandez à %(name)s d'en envoyer une autre.") % {
        "name": inviter.called
    }


def lock_link(token: str, *purposes: LinkPurpose) -> tuple[Link, Account]:
    """The live link of `token`, which must be one of `purposes`, and its account, both locked.

    The account is locked first: using up one link voids others, and two such transactions must not
    wait for each other. Raises as `find_link`.
    """
    link = find_link(token)
    if link.account is None or link.purpose not in purposes:
        raise errors.LinkUnknown
    account = Account.objects.select_for_update().filter(pk=link.account.pk, erased_at=None).first()
    if account is None:
        raise errors.LinkUnknown
    return find_link(token, lock=True), account


@transaction.atomic
def set_password_from_link(*, token: str, password: str, rule: PasswordRule) -> Account:
    """Use up an activation or reset link, and set the password. Raises the link errors, WeakPassword.

    The link of an access request may activate an account too, but cannot change the password of an active one:
    LinkUnknown. So is a link of a closed account, and one that would activate staff: they join with their invitation
    (accounts.team).
    """
    link, account = lock_link(token, LinkPurpose.ACTIVATION, LinkPurpose.RESET, LinkPurpose.ACCESS_REQUEST)
    if link.purpose == LinkPurpose.ACCESS_REQUEST and account.activated_at is not None:
        raise errors.LinkUnknown
    if not account.is_active or (account.is_town_staff and account.activated_at is None):
        raise errors.LinkUnknown
    rule.check(password, email=account.email)
    account.set_password(password)
    account.activated_at = account.activated_at or timezone.now()
    account.devices = {}  # a new password ends every session
    account.language = account.language or current_language()
    account.save(update_fields=["password", "activated_at", "devices", "language"])
    use_up(link)
    Link.objects.filter(
        account=account, used_at=None, purpose__in=[LinkPurpose.ACTIVATION, LinkPurpose.RESET]
    ).update(used_at=timezone.now())
    verb = "account.password_reset" if link.purpose == LinkPurpose.RESET else "account.activated"
    audit.record(verb, actor=account, obj=account.audit_name)
    throttle.clear(limits.PASSWORD, account.email)
    throttle.clear(limits.OWN_PASSWORD, str(account.uuid))
    return account


@transaction.atomic
def activate_account(*, account: Account, password: str, rule: PasswordRule) -> bool:
    """Set the first password of an account whose address was proven without an activation link.

    False, and no change, when it was active already: this must not replace a password. Raises WeakPassword.
    """
    locked = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    if locked.activated_at is not None:
        return False
    rule.check(password, email=locked.email)
    locked.set_password(password)
    locked.activated_at = timezone.now()
    locked.save(update_fields=["password", "activated_at"])
    Link.objects.filter(account=locked, used_at=None, purpose=LinkPurpose.ACTIVATION).update(
        used_at=timezone.now()
    )
    audit.record("account.activated", actor=locked, obj=locked.audit_name)
    return True


def change_password(
    *, actor: Account, current: str, new: str, rule: PasswordRule, device: str = ""
) -> Account:
    """Change one's own password. Only the session of `device` stays open (accounts.sessions.devices).

    Raises WrongPassword when `current` is not it, TooManyTries, WeakPassword or TooBusy.
    Raises NotWhileImpersonating for an operator in somebody's place.
    """
    checked = check_own_password(actor=actor, password=current)
    rule.check(new, email=checked.email)
    made = make_password(new)
    with transaction.atomic():
        return _replace_password(checked, made, device)


def _replace_password(checked: Account, made: str, device: str) -> Account:
    account = Account.objects.select_for_update().get(pk=checked.pk)
    if account.password != checked.password:  # changed elsewhere since it was checked
        raise errors.WrongPassword
    account.password = made
    account.devices = {key: one for key, one in account.devices.items() if key == device}
    account.save(update_fields=["password", "devices"])
    audit.record("account.password_changed", actor=account, obj=account.audit_name)
    return account


@transaction.atomic
def choose_notices(*, actor: Account, wanted: Collection[str], among: Collection[str]) -> None:
    """Choose messages (docs/manual.md, M14): of the kinds `among`, receive the `wanted` ones only.

    Raises NotWhileImpersonating for an operator in somebody's place.
    """
    refuse_impersonator(actor)
    account = Account.objects.select_for_update(no_key=True).get(pk=actor.pk)
    kept = {kind for kind in account.refused if kind not in among}
    _write_refused(account, kept | {kind for kind in among if kind not in wanted}, actor=actor)


@transaction.atomic
def refuse_notices(*, actor: audit.Actor, account: Account, kinds: Collection[str]) -> None:
    """« Ne plus recevoir ces messages »: add these kinds to the refused ones. Twice changes nothing."""
    locked = Account.objects.select_for_update(no_key=True).get(pk=account.pk)
    _write_refused(locked, {*locked.refused, *kinds}, actor=actor)


def _write_refused(account: Account, refused: Collection[str], *, actor: audit.Actor) -> None:
    new = [choice.name for choice in notices.choices() if choice.name in refused]
    old = account.refused_alerts
    if old == new:
        return
    account.refused_alerts = new
    account.save(update_fields=["refused_alerts"])
    audit.record(
        "account.alerts_chosen",
        actor=actor,
        obj=account.audit_name,
        old={"refused": old},
        new={"refused": new},
    )


@transaction.atomic
def choose_language(*, actor: Account, language: str) -> None:
    """Choose the language of the portal and of its messages. Raises NotWhileImpersonating."""
    refuse_impersonator(actor)
    if actor.language == language:
        return
    Account.objects.filter(pk=actor.pk).update(language=language)
    old, new = {"language": actor.language}, {"language": language}
    audit.record("account.language_chosen", actor=actor, obj=actor.audit_name, old=old, new=new)
    actor.language = language


def refuse_impersonator(actor: Account | None) -> None:
    """Guard what only the person may do (password, address, second factor). Raises NotWhileImpersonating."""
    if actor is not None and actor.impersonated_by is not None:
        raise errors.NotWhileImpersonating


def use_up(link: Link) -> None:
    """Mark the link as used."""
    link.used_at = timezone.now()
    link.save(update_fields=["used_at"])
