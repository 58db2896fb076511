"""Passkeys: sign in with the fingerprint, face or code of one's own device. For residents and staff.

Operators have none: they sign in with a password, then a code (accounts.signing_in.second_factor).

A passkey needs the device to verify the person (`webauthn`), so it counts as both a possession and a fingerprint or
code: a member of staff who signs in with one has passed both steps (accounts.sessions.steps). After a password it is
the second step.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shared_apps.accounts import errors
from shared_apps.accounts.mails.own_account import STAFF_KEY_ADDED, STAFF_KEY_REMOVED
from shared_apps.accounts.models import Account, Passkey, Role
from shared_apps.accounts.services import refuse_impersonator
from shared_apps.accounts.sessions import recent
from shared_apps.accounts.signing_in import challenges, second_factor, webauthn
from shared_apps.accounts.signing_in.challenges import Purpose
from shared_apps.accounts.signing_in.webauthn import NewKey, Place
from shared_apps.accounts.throttling import limits, throttle
from shared_apps.audit import services as audit
from shared_apps.mail.notifying import notify
from tenants.current import current_town
from tenants.hosts import registry
from toolkit import browsers

MOST = 10  # keys of one account
ASKED = throttle.Limit("key-asked", 100)  # challenges per IP address: each may create a session
LONGEST_NAME = 60


def place_of(request: HttpRequest) -> Place:
    """The host of the request's page; a town may have several."""
    host = request.get_host().lower()
    return Place(host=registry.host_name(host), origin=f"{settings.PUBLIC_SCHEME}://{host}")


def keys_of(account: Account) -> QuerySet[Passkey]:
    """All keys of the account, for any host, oldest first."""
    return Passkey.objects.filter(account=account).order_by("id")


def key_of(account: Account, public_id: UUID) -> Passkey:
    """One key of the account. Raises Passkey.DoesNotExist, also for another account's key."""
    return Passkey.objects.get(account=account, uuid=public_id)


def ask_to_add(*, actor: Account, place: Place, session: SessionBase) -> dict[str, Any]:
    """The options with which the browser makes a key, soon after signing in.

    Raises NotWhileImpersonating, SignInTooOld, TooManyKeys, or NewKeyRefused for an operator.
    """
    refuse_impersonator(actor)
    _check_can_have_one_more(actor)
    if not recent.is_recent(session, recent.JUST_NOW):
        raise errors.SignInTooOld
    return webauthn.creation_options(
        place=place,
        town=current_town().name,
        handle=actor.uuid.bytes,
        email=actor.email,
        known=[bytes(key.credential_id) for key in keys_of(actor).filter(rp_id=place.host)],
        challenge=challenges.give(session, Purpose.ADD),
    )


def read_new_key(*, place: Place, session: SessionBase, answer: str) -> NewKey:
    """Check the key that the browser made. Uses up the challenge, even on refusal. Raises NewKeyRefused."""
    try:
        challenge = challenges.take(session, Purpose.ADD)
        return webauthn.check_registration(place=place, challenge=challenge, answer=answer)
    except webauthn.Refused as error:
        raise errors.NewKeyRefused from error
    except errors.ChallengeGone as error:
        raise errors.NewKeyRefused(str(error)) from None


@transaction.atomic
def add_key(*, actor: Account, place: Place, new: NewKey, user_agent: str) -> Passkey:
    """Store the key, named after the browser. Raises NotWhileImpersonating, TooManyKeys or NewKeyRefused.

    It is a second factor: the first one ends a member of staff's sessions (second_factor.note_enrolled).
    """
    refuse_impersonator(actor)
    account = Account.objects.select_for_update().get(pk=actor.pk)
    _check_can_have_one_more(account)
    key = Passkey(
        account=account,
        rp_id=place.host,
        credential_id=new.credential_id,
        public_key=new.public_key,
        sign_count=new.sign_count,
        name=_guessed_name(user_agent),
    )
    try:
        with transaction.atomic():
            key.save()
    except IntegrityError:  # another account has this id (WebAuthn §7.1, step 26)
        raise errors.NewKeyRefused from None
    second_factor.note_enrolled(actor)
    audit.record("account.passkey_added", actor=actor, obj=actor.audit_name, new={"key": str(key.uuid)})
    return key


@transaction.atomic
def rename_key(*, actor: Account, key: Passkey, name: str) -> None:
    """Rename a key. Raises NotWhileImpersonating."""
    refuse_impersonator(actor)
    name = " ".join(name.split())[:LONGEST_NAME]
    if not name or name == key.name:
        return
    Passkey.objects.filter(pk=key.pk).update(name=name)
    audit.record("account.passkey_renamed", actor=actor, obj=actor.audit_name, new={"key": str(key.uuid)})


@transaction.atomic
def add_staff_key(*, actor: Account, place: Place, new: NewKey, user_agent: str) -> list[str]:
    """The same for staff, whose address is told. Returns the recovery codes, shown once, if they had none.

    Raises as `add_key`.
    """
    key = add_key(actor=actor, place=place, new=new, user_agent=user_agent)
    notify(STAFF_KEY_ADDED.about(name=key.name), to=actor.email, language=actor.reads)
    return second_factor.first_recovery_codes(actor)


@transaction.atomic
def remove_staff_key(*, actor: Account, key: Passkey, must_keep_one: bool) -> bool:
    """The same as `remove_key` for staff, whose address is told. Raises LastFactor or NotWhileImpersonating."""
    found = remove_key(actor=actor, key=key, must_keep_one=must_keep_one)
    if found:
        notify(STAFF_KEY_REMOVED.about(name=key.name), to=actor.email, language=actor.reads)
    return found


@transaction.atomic
def remove_key(*, actor: Account, key: Passkey, must_keep_one: bool = False) -> bool:
    """Remove a key. Returns whether it existed.

    `must_keep_one`: this account may not be without a second factor. Raises LastFactor then, or NotWhileImpersonating.
    """
    refuse_impersonator(actor)
    account = Account.objects.select_for_update().get(pk=actor.pk)
    found, _per_model = Passkey.objects.filter(pk=key.pk).delete()
    if found:
        second_factor.note_removed(account, must_keep_one=must_keep_one)
        audit.record("account.passkey_removed", actor=actor, obj=actor.audit_name, old={"key": str(key.uuid)})
    return bool(found)


def ask_to_sign_in(*, place: Place, session: SessionBase, ip: str) -> dict[str, Any]:
    """The options with which the browser offers this host's keys; the same for everybody. Raises TooManyTries."""
    throttle.take((ASKED, ip))
    return webauthn.request_options(place=place, challenge=challenges.give(session, Purpose.SIGN_IN))


def sign_in(*, place: Place, session: SessionBase, answer: str, ip: str) -> Account:
    """The account whose key signed this session's challenge, now used up. Raises KeyRefused or TooManyTries."""
    with throttle.take((limits.PLACE, ip)) as tries:
        try:
            account = _signed_in(place, challenges.take(session, Purpose.SIGN_IN), answer)
        except webauthn.Refused as error:
            raise errors.KeyRefused from error
        tries.succeed()
    return account


def ask_second_step(*, place: Place, session: SessionBase, ip: str) -> dict[str, Any]:
    """The same options, after a first step. The challenge works for the second step only. Raises TooManyTries."""
    throttle.take((ASKED, ip))
    return webauthn.request_options(place=place, challenge=challenges.give(session, Purpose.SECOND_STEP))


def check_second_step(*, account: Account, place: Place, session: SessionBase, answer: str, ip: str) -> None:
    """The answer must be of a key of `account`. Raises KeyRefused or TooManyTries."""
    with throttle.take((limits.PLACE, ip)) as tries:
        try:
            found = _signed_in(place, challenges.take(session, Purpose.SECOND_STEP), answer)
        except webauthn.Refused as error:
            raise errors.KeyRefused from error
        if found.pk != account.pk:
            raise errors.KeyRefused
        tries.succeed()


def has_key_here(account: Account, place: Place) -> bool:
    """Whether the account has a key that works on this host."""
    return Passkey.objects.filter(account=account, rp_id=place.host).exists()


def _signed_in(place: Place, challenge: bytes, answer: str) -> Account:
    assertion = webauthn.read_assertion(answer)
    with transaction.atomic():
        found = Passkey.objects.select_for_update(of=("self",)).select_related("account")
        key = found.filter(credential_id=assertion.credential_id, rp_id=place.host).first()
        if key is None or assertion.user_handle != key.account.uuid.bytes or not _may_have_keys(key.account):
            raise errors.KeyRefused
        webauthn.check_assertion(
            place=place, challenge=challenge, public_key=bytes(key.public_key), assertion=assertion
        )
        went_back = assertion.sign_count <= key.sign_count and (assertion.sign_count or key.sign_count)
        if went_back:  # the key was copied: somebody else may use it (WebAuthn §6.1.1)
            audit.record(
                "account.passkey_refused",
                actor=key.account,
                obj=key.account.audit_name,
                old={"key": str(key.uuid), "sign_count": key.sign_count},
                new={"sign_count": assertion.sign_count},
            )
        else:
            key.sign_count, key.last_used_at = assertion.sign_count, timezone.now()
            key.save(update_fields=["sign_count", "last_used_at"])
    if went_back:
        raise errors.KeyRefused
    return key.account


def _may_have_keys(account: Account) -> bool:
    return account.is_active and account.role != Role.OPERATOR


def _check_can_have_one_more(account: Account) -> None:
    if not _may_have_keys(account):
        raise errors.NewKeyRefused
    if keys_of(account).count() >= MOST:
        raise errors.TooManyKeys(
            ngettext(
                "Vous avez déjà %(n)d clé d'accès, ce qui est le plus possible : retirez-la d'abord.",
                "Vous avez déjà %(n)d clés d'accès, ce qui est le plus possible : retirez-en une d'abord.",
                MOST,
            )
            % {"n": MOST}
        )


def _guessed_name(user_agent: str) -> str:
    """« Chrome sur Windows »."""
    browser, system = browsers.fold(user_agent)
    if browser and system:
        return _("%(browser)s sur %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Clé d'accès")
