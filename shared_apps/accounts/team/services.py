"""The only writers of the staff of a town, apart from what each does with their own account.

Every act locks the managers first, in one order: of two managers who remove each other at the same time, one is
refused, and a town never loses its last manager.
"""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from shared_apps.accounts import errors
from shared_apps.accounts.mails.invitation import INVITATION, INVITATION_LIFE
from shared_apps.accounts.models import STAFF_ROLES, Account, Link, LinkPurpose, Passkey, Role, SecondFactor
from shared_apps.accounts.services import ask_link, make_token, refuse_impersonator
from shared_apps.accounts.team.queries import active_managers
from shared_apps.accounts.team.states import MemberState, state_of
from shared_apps.audit import services as audit
from shared_apps.mail import services as mail
from shared_apps.mail.notifying import notify
from toolkit import emails
from toolkit.words import current_language

NOWHERE = "removed.invalid"  # RFC 2606: no message can be delivered there
OFTEN = timedelta(minutes=1)  # a second click within a minute sends no second message
Actor = Account | str


@transaction.atomic
def invite(*, actor: Actor, email: str, role: Role, name: str = "", reason: str = "") -> Account:
    """Make the account of a new member and send the invitation; to somebody who is invited already, send it again.

    `actor` is a manager of the town, or the trail's name of an operator or of the portal. `reason` is for the trail.
    Raises emails.BadAddress, errors.ResidentsAddress, errors.AlreadyMember, ValueError for a role that is not of
    staff, and the errors of `_check_actor`.
    """
    _check_role(role)
    _lock_managers(actor)
    email, name = emails.normalise(email), _one_line(name)
    member = _find_or_create(email, role, name)
    if member.role not in STAFF_ROLES:
        raise errors.ResidentsAddress
    if state_of(member) != MemberState.INVITED:
        raise errors.AlreadyMember
    changed = {"name": name or member.name, "role": role.value}
    is_same = changed == {"name": member.name, "role": member.role}
    if not is_same:
        member.name, member.role = changed["name"], role
        member.save(update_fields=["name", "role"])
    _send_invitation(
        actor, member, told_already=is_same, facts={**changed, "reason": reason} if reason else changed
    )
    return member


def _find_or_create(email: str, role: Role, name: str) -> Account:
    """The account of that address, locked; of two simultaneous calls, one creates it."""
    of_address = Account.objects.select_for_update(no_key=True).filter(email=email)
    found = of_address.first()
    if found is not None:
        return found
    account = Account(email=email, role=role, name=name)
    account.set_unusable_password()
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError:
        return of_address.get()
    return account


@transaction.atomic
def invite_again(*, actor: Actor, member: Account) -> None:
    """« Renvoyer l'invitation »: a new link; the earlier one dies. Raises errors.NotInvited, or as `_check_actor`."""
    _lock_managers(actor)
    locked = _lock(member)
    if state_of(locked) != MemberState.INVITED:
        raise errors.NotInvited
    _send_invitation(actor, locked, told_already=True, facts={"name": locked.name, "role": locked.role})


def _send_invitation(actor: Actor, member: Account, *, told_already: bool, facts: dict[str, str]) -> None:
    """Replace the member's link and queue the message; nothing when the same one left within `OFTEN`."""
    mine = Link.objects.filter(account=member, purpose=LinkPurpose.TEAM)
    present = timezone.now()
    if told_already and mine.filter(used_at=None, requested_at__gt=present - OFTEN).exists():
        return
    is_first = not mine.exists()
    _kill_links(member)
    inviter = actor if isinstance(actor, Account) else None
    link = ask_link(
        purpose=LinkPurpose.TEAM, email=member.email, account=member, about=inviter.uuid if inviter else None
    )
    token = make_token(link=link, life=INVITATION_LIFE)
    said = INVITATION.about(
        token=token,
        name=member.name,
        inviter=inviter.called if inviter else "",
        role=Role(member.role),
        until=timezone.localdate(link.expires_at),
    )
    notify(said, to=member.email, language=current_language())
    verb = "member.invited" if is_first else "member.invited_again"
    audit.record(verb, actor=actor, obj=member.audit_name, new={**facts, "address": member.email})


@transaction.atomic
def change_member(*, actor: Actor, member: Account, name: str, role: Role) -> None:
    """Change what a member is called and may do. Writes nothing when nothing changes.

    Raises errors.OwnRole for one's own role, errors.LastManager, errors.HasLeft, or as `invite`.
    """
    _check_role(role)
    _lock_managers(actor)
    locked, name = _lock(member), _one_line(name)
    if locked.removed_at is not None:
        raise errors.HasLeft
    old = {"name": locked.name, "role": locked.role}
    new = {"name": name, "role": role.value}
    changed = {key for key in old if old[key] != new[key]}
    if "role" in changed:
        _refuse_own(actor, locked, errors.OwnRole)
        _keep_a_manager(locked)
    if changed:
        locked.name, locked.role = name, role
        locked.save(update_fields=["name", "role"])
        audit.record(
            "member.changed",
            actor=actor,
            obj=locked.audit_name,
            old={key: old[key] for key in changed},
            new={key: new[key] for key in changed},
        )


@transaction.atomic
def change_own_name(*, actor: Account, name: str) -> None:
    """Change what one is called. Writes nothing when nothing changes. Raises NotWhileImpersonating."""
    refuse_impersonator(actor)
    locked, name = _lock(actor), _one_line(name)
    if locked.name == name:
        return
    old, locked.name = locked.name, name
    locked.save(update_fields=["name"])
    audit.record("member.changed", actor=actor, obj=locked.audit_name, old={"name": old}, new={"name": name})


@transaction.atomic
def suspend(*, actor: Actor, member: Account) -> None:
    """Close the account of an active member for a while: sessions end at once, links die. Twice changes nothing.

    Raises errors.OwnAccount, errors.LastManager, errors.NotActive, or as `_check_actor`.
    """
    _lock_managers(actor)
    locked = _lock(member)
    state = state_of(locked)
    if state == MemberState.SUSPENDED:
        return
    if state != MemberState.ACTIVE:
        raise errors.NotActive
    _refuse_own(actor, locked, errors.OwnAccount)
    _keep_a_manager(locked)
    locked.is_active = False
    locked.end_sessions()
    locked.save(update_fields=["is_active", "sign_outs", "devices"])
    _kill_links(locked)
    _record_state("member.suspended", actor, locked, state)


@transaction.atomic
def resume(*, actor: Actor, member: Account) -> None:
    """Open a suspended account again, with the password that it had. Twice changes nothing.

    Raises errors.HasLeft, or as `_check_actor`.
    """
    _lock_managers(actor)
    locked = _lock(member)
    state = state_of(locked)
    if state == MemberState.REMOVED:
        raise errors.HasLeft
    if state != MemberState.SUSPENDED:
        return
    locked.is_active = True
    locked.save(update_fields=["is_active"])
    _record_state("member.resumed", actor, locked, state)


@transaction.atomic
def remove(*, actor: Actor, member: Account) -> None:
    """Close the account for good, or withdraw an invitation. Twice changes nothing.

    The row stays, with the name, for the trail. Its address is free: it can be invited again, or be a resident's.
    Raises errors.OwnAccount, errors.LastManager, or as `_check_actor`.
    """
    _lock_managers(actor)
    locked = _lock(member)
    state = state_of(locked)
    if state == MemberState.REMOVED:
        return
    _refuse_own(actor, locked, errors.OwnAccount)
    _keep_a_manager(locked)
    _kill_links(locked)
    SecondFactor.objects.filter(account=locked).delete()
    Passkey.objects.filter(account=locked).delete()
    locked.name = locked.called[:80]
    locked.email = f"{locked.uuid}@{NOWHERE}"
    locked.set_unusable_password()
    locked.end_sessions()
    locked.is_active, locked.removed_at, locked.second_factor_at = False, timezone.now(), None
    locked.identity_issuer = locked.identity_subject = ""
    locked.save()
    _record_state("member.removed", actor, locked, state)


def _lock_managers(actor: Actor) -> None:
    """Lock every active manager, then check the actor."""
    managers = Account.objects.select_for_update(no_key=True).filter(role=Role.MANAGER, is_active=True)
    locked = {manager.pk for manager in managers.order_by("pk").only("pk")}
    _check_actor(actor, locked)


def _check_role(role: Role) -> None:
    if role not in STAFF_ROLES:
        raise ValueError(f"{role} is not a role of staff")


def _check_actor(actor: Actor, managers: set[int]) -> None:
    """Raises NotWhileImpersonating for an operator in somebody's place, NotAManager for who is no manager any more."""
    if isinstance(actor, Account):
        refuse_impersonator(actor)
        if actor.pk not in managers:
            raise errors.NotAManager


def _lock(member: Account) -> Account:
    return Account.objects.select_for_update(no_key=True).get(pk=member.pk, role__in=STAFF_ROLES)


def _refuse_own(actor: Actor, member: Account, error: type[errors.AccountError]) -> None:
    if isinstance(actor, Account) and actor.pk == member.pk:
        raise error


def _keep_a_manager(member: Account) -> None:
    """Raises LastManager when nobody else could manage the town. The managers are locked."""
    if active_managers() == {member.pk}:
        raise errors.LastManager


def _kill_links(member: Account) -> None:
    """Use up every link of the account, and drop an invitation that has not left yet."""
    Link.objects.filter(account=member, used_at=None).update(used_at=timezone.now())
    mail.drop_waiting(kinds=[INVITATION.kind], to=[member.email])


def _record_state(verb: str, actor: Actor, member: Account, before: MemberState) -> None:
    old, new = {"state": before.value}, {"state": state_of(member).value}
    audit.record(verb, actor=actor, obj=member.audit_name, old=old, new=new)


def _one_line(name: str) -> str:
    return " ".join(name.split())[:80]
