"""Where a person is signed in, since when, and how they sign out everywhere at once.

The list is a column of the account (docs/decisions/0027): a table would be one more in every town. What ends all
sessions is `Account.sign_outs`, which every session's hash covers. What ends one is the deletion of its row, whose key
is in the list, sealed: an archive of the town holds the list, and must open nothing.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.accounts.services import refuse_impersonator
from shared_apps.audit import services as audit
from tenants.current import is_read_only
from toolkit import browsers, clock
from toolkit.secrecy.sealing import Unreadable, seal, unseal
from toolkit.secrecy.secrets import fingerprint

SESSION_MARK = "device"  # in the session: its name in the account's list (not the session key)
SHOWN = 20  # the most recent ones
LIFE = timedelta(days=30)  # as settings.SESSION_COOKIE_AGE: a session not seen for longer has ended


@dataclass(frozen=True)
class Seen:
    """One browser where the account is signed in. Dates without time: it is noted once per day."""

    mark: str
    browser: str
    system: str
    since: datetime
    seen: datetime
    is_this_one: bool
    can_end: bool  # its session can be ended alone

    @property
    def words(self) -> str:
        """« Firefox sur Android »."""
        if self.browser and self.system:
            return _("%(browser)s sur %(system)s") % {"browser": self.browser, "system": self.system}
        return self.browser or self.system or _("Navigateur inconnu")

    @property
    def since_in_words(self) -> str:
        return clock.in_words(self.since)

    @property
    def seen_in_words(self) -> str:
        return clock.in_words(self.seen)


def sessions_of(account: Account, session: SessionBase) -> list[Seen]:
    """The browsers where `account` is signed in: this session first, then the most recent."""
    mark, oldest = session.get(SESSION_MARK), timezone.now() - LIFE
    found = [
        Seen(
            mark=key,
            browser=one["browser"],
            system=one["system"],
            since=datetime.fromisoformat(one["since"]),
            seen=datetime.fromisoformat(one["seen"]),
            is_this_one=key == mark,
            can_end="session" in one and key != mark,
        )
        for key, one in account.devices.items()
    ]
    found = [one for one in found if one.seen > oldest or one.is_this_one]
    return sorted(found, key=lambda one: (one.is_this_one, one.seen), reverse=True)


def slide(*, account: Account, session: SessionBase, user_agent: str) -> None:
    """Call it for each page: once a day, or under a new key, the session is written again and noted.

    So the thirty days of « Se souvenir de moi » begin anew.
    """
    if session.get("seen_on") != seen_today(session):
        session["seen_on"] = seen_today(session)
        note_session(account=account, session=session, user_agent=user_agent)


def seen_today(session: SessionBase) -> str:
    """What the session holds once it was noted today under its present key."""
    return f"{clock.today().isoformat()} {fingerprint(session.session_key or '')[:12]}"


def note_session(*, account: Account, session: SessionBase, user_agent: str) -> None:
    """Note that this session is used; call it once per day. Does nothing while the town is read-only."""
    if is_read_only():
        return
    mark = session.setdefault(SESSION_MARK, uuid4().hex[:12])
    browser, system = browsers.fold(user_agent)
    present = timezone.now()
    with transaction.atomic():
        locked = Account.objects.select_for_update().get(pk=account.pk)
        if locked.get_session_auth_hash() != account.get_session_auth_hash():
            return  # the session ended while its page was being made
        since = locked.devices.get(mark, {}).get("since", present.isoformat())
        seen = {"browser": browser, "system": system, "since": since, "seen": present.isoformat()}
        if session.session_key:
            seen["session"] = seal(session.session_key)
        oldest = (present - LIFE).isoformat()
        others = [(key, one) for key, one in locked.devices.items() if key != mark and one["seen"] > oldest]
        others.sort(key=lambda pair: pair[1]["seen"], reverse=True)
        locked.devices = {mark: seen, **dict(others[: SHOWN - 1])}
        locked.save(update_fields=["devices"])
    account.devices = locked.devices


@transaction.atomic
def sign_out_device(*, actor: Account, mark: str) -> bool:
    """End one session of one's own account, which is not the present one. False when it is not in the list.

    Raises NotWhileImpersonating for the operator in somebody's place.
    """
    refuse_impersonator(actor)
    account = Account.objects.select_for_update().get(pk=actor.pk)
    sealed = account.devices.pop(mark, {}).get("session")
    if sealed is None:
        return False
    with suppress(Unreadable):  # sealed on another platform: its sessions have not come along
        Session.objects.filter(session_key=unseal(sealed)).delete()
    account.save(update_fields=["devices"])
    audit.record("account.device_signed_out", actor=actor, obj=actor.audit_name)
    return True


@transaction.atomic
def sign_out_everywhere(*, actor: Account) -> None:
    """« Se déconnecter partout »: end every session of the account, this one too.

    Raises NotWhileImpersonating for the operator in somebody's place.
    """
    refuse_impersonator(actor)
    account = Account.objects.select_for_update().get(pk=actor.pk)
    account.end_sessions()
    account.save(update_fields=["sign_outs", "devices"])
    audit.record("account.signed_out_everywhere", actor=actor, obj=actor.audit_name)


def signed_out(user: object, request: HttpRequest | None = None, **_: object) -> None:
    """« Se déconnecter »: remove this session from the list. Call it before the session is deleted."""
    mark = request.session.get(SESSION_MARK) if request is not None else None
    if not isinstance(user, Account) or mark is None:
        return
    with transaction.atomic():
        account = Account.objects.select_for_update().get(pk=user.pk)
        if account.devices.pop(mark, None):
            account.save(update_fields=["devices"])
