"""What the page of the team reads. The view has checked that the reader is a manager."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from shared_apps.accounts.models import STAFF_ROLES, Account, Link, LinkPurpose, Role
from shared_apps.accounts.team.states import MemberState, state_of


@dataclass(frozen=True)
class Member:
    """A member of staff, with the last invitation that was sent to them."""

    account: Account
    state: MemberState
    invited_at: datetime | None = None
    invited_until: datetime | None = None

    @property
    def role(self) -> Role:
        return Role(self.account.role)

    @property
    def has_left(self) -> bool:
        return self.state == MemberState.REMOVED

    @property
    def is_late(self) -> bool:
        """The invitation has expired and nobody has used it."""
        if self.state != MemberState.INVITED:
            return False
        return self.invited_until is None or self.invited_until <= timezone.now()


def members() -> list[Member]:
    """All staff, removed ones too, by role from the manager down, then by name. Two statements."""
    accounts = list(Account.objects.filter(role__in=STAFF_ROLES))
    rank = list(reversed(STAFF_ROLES))
    accounts.sort(key=lambda one: (rank.index(Role(one.role)), one.called.lower(), one.pk))
    return _with_invitations(accounts)


def member(public_id: UUID) -> Member:
    """One of them. Raises Account.DoesNotExist, also for a resident."""
    return _with_invitations([Account.objects.get(uuid=public_id, role__in=STAFF_ROLES)])[0]


def _with_invitations(accounts: list[Account]) -> list[Member]:
    waiting = [account.pk for account in accounts if state_of(account) == MemberState.INVITED]
    links = Link.objects.filter(purpose=LinkPurpose.TEAM, account__in=waiting, used_at=None).order_by("pk")
    last = {link.account_id: link for link in links}  # at most one is live
    return [
        Member(
            account,
            state_of(account),
            last[account.pk].requested_at if account.pk in last else None,
            last[account.pk].expires_at if account.pk in last else None,
        )
        for account in accounts
    ]


def staff_states() -> list[MemberState]:
    """Where each member of staff stands who has not left. One statement."""
    return [state_of(one) for one in Account.objects.filter(role__in=STAFF_ROLES, removed_at=None)]


def is_last_manager(account: Account) -> bool:
    """Whether the town would have no manager who can sign in without this one."""
    return account.pk in active_managers() and len(active_managers()) == 1


def active_managers() -> set[int]:
    """Keys of the managers who can sign in."""
    return set(_active(Role.MANAGER).values_list("pk", flat=True))


def managers_called(most: int) -> list[str]:
    """What colleagues call the managers who can sign in, `most` of them, by name. One statement."""
    return sorted(one.called for one in _active(Role.MANAGER).order_by("pk")[:most])


def _active(role: Role) -> QuerySet[Account]:
    return Account.objects.filter(role=role, is_active=True, activated_at__isnull=False)


def inviter_of(link: Link) -> str:
    """What to call whoever sent an invitation; empty when that was the operator."""
    inviter = Account.objects.filter(uuid=link.about).first() if link.about else None
    return inviter.called if inviter else ""
