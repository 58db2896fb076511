"""An operator acts for a while in the place of a member of staff, and the town sees it.

The console makes a ticket in the town's schema; it is valid one minute and used once, at the town's host. The session
that it opens ends after `LENGTH`, puts both names in the trail, and is listed for the town's managers.
Call these functions in the town.
"""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Impersonation, Role
from shared_apps.audit import services as audit
from tenants.current import current_town, registry
from toolkit.secrecy import secrets

TICKET_LIFE = timedelta(seconds=60)
LENGTH = timedelta(minutes=30)
SHORTEST_REASON = 10
SESSION_MARK = "impersonation"


def ask(*, operator: Account, account: Account, reason: str) -> str:
    """Make a ticket for the current town's host, to act as `account`. Raises CannotImpersonate with the reason."""
    reason = " ".join(reason.split())
    if not (operator.is_active and operator.role == Role.OPERATOR):
        raise errors.CannotImpersonate(_("Seul un exploitant actif peut intervenir à la place d'un agent."))
    if not (account.is_active and account.is_town_staff):
        raise errors.CannotImpersonate(
            _("On n'intervient qu'à la place d'un agent actif, jamais d'un usager.")
        )
    if len(reason) < SHORTEST_REASON:
        raise errors.CannotImpersonate(
            _("Écrivez pourquoi vous intervenez (au moins 10 caractères) : la commune le lira.")
        )
    token = secrets.new_lien()
    with transaction.atomic():
        row = Impersonation.objects.create(
            account=account,
            operator=operator.uuid,
            operator_email=operator.email,
            reason=reason[:500],
            ticket_hash=secrets.fingerprint(token),
            expires_at=timezone.now() + TICKET_LIFE,
        )
        audit.record("impersonation.asked", actor=_operator(row), obj=account.audit_name, new=_words(row))
    return _signer().sign(token)


def find(ticket: str) -> Impersonation:
    """The row of a valid ticket; does not use it up. Raises TicketRefused."""
    try:
        token = _signer().unsign(ticket)
    except BadSignature:
        raise errors.TicketRefused from None
    row = (
        Impersonation.objects.select_related("account")
        .filter(ticket_hash=secrets.fingerprint(token), started_at=None, expires_at__gt=timezone.now())
        .first()
    )
    if row is None or not (row.account.is_active and row.account.is_town_staff):
        raise errors.TicketRefused
    if not _has_operator(row):
        raise errors.TicketRefused
    return row


def _has_operator(row: Impersonation) -> bool:
    with registry():
        return Account.objects.filter(uuid=row.operator, role=Role.OPERATOR, is_active=True).exists()


def start(*, ticket: str) -> Impersonation:
    """Use the ticket up. Raises TicketRefused; of two simultaneous calls, one wins."""
    row = find(ticket)
    with transaction.atomic():
        locked = (
            Impersonation.objects.select_for_update(of=("self",)).select_related("account").get(pk=row.pk)
        )
        if locked.started_at is not None:
            raise errors.TicketRefused
        locked.started_at = timezone.now()
        locked.until = locked.started_at + LENGTH
        locked.save(update_fields=["started_at", "until"])
        audit.record(
            "impersonation.started",
            actor=_operator(locked),
            obj=locked.account.audit_name,
            new={**_words(locked), "until": locked.until.isoformat()},
        )
    return locked


def running(public_id: str) -> Impersonation | None:
    """The session's impersonation; None when its time is over, it was ended, or its operator is gone."""
    row = Impersonation.objects.filter(uuid=UUID(public_id), ended_at=None, until__gt=timezone.now()).first()
    return row if row and _has_operator(row) else None


@transaction.atomic
def end(*, impersonation: Impersonation) -> None:
    """« Terminer »: end the impersonation. Twice changes nothing."""
    locked = (
        Impersonation.objects.select_for_update(of=("self",))
        .select_related("account")
        .get(pk=impersonation.pk)
    )
    if locked.ended_at is None:
        locked.ended_at = timezone.now()
        locked.save(update_fields=["ended_at"])
        audit.record("impersonation.ended", actor=_operator(locked), obj=locked.account.audit_name)


def signed_out(user: object, **_: object) -> None:
    """« Se déconnecter »: end the impersonation too."""
    row = getattr(user, "impersonated_by", None)
    if row is not None:
        end(impersonation=row)


def _signer() -> Signer:
    return Signer(salt=f"impersonation:{current_town().uuid}")


def _operator(row: Impersonation) -> str:
    return f"operator:{row.operator}"


def _words(row: Impersonation) -> Mapping[str, object]:
    return {"operator": row.operator_email, "person": row.account.email, "reason": row.reason}
