"""What goes after some months, what stays, and when a town is looked at again."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from shared_apps.accounts.models import Account, Link, LinkPurpose
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import MailState, OutgoingMail
from tenant_apps.contact.models import Message
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.residents.erasure import retention
from tenant_apps.residents.models import AccessRequest, Payer
from tenant_apps.residents.states import AccessRequestState
from tenant_apps.residents.tasks import apply_retention
from tenant_apps.townhall.services import change_townhall
from tenants.models import AgendaItem, Town
from toolkit import clock

PARIS = ZoneInfo("Europe/Paris")


def aged(model: Any, months: int, *, field: str = "created_at", **values: Any) -> Any:
    """A row of so many months and a day ago."""
    row = model.objects.create(**values)
    when = clock.months_after(timezone.now(), -months) - timedelta(days=1)
    model.objects.filter(pk=row.pk).update(**{field: when})
    return row


def mail(state: str, months: int) -> OutgoingMail:
    made: OutgoingMail = aged(
        OutgoingMail, months, kind="k", to="a@example.net", state=state, next_try_at=timezone.now()
    )
    return made


@pytest.fixture
def rows(
    town: Town, make_account: Callable[..., Account], make_payer: Callable[..., Payer]
) -> dict[str, list[Any]]:
    """Of each kind: what goes, then what stays."""
    asked = {"purpose": LinkPurpose.RESET, "email": "a@example.net"}
    notice = {"kind": "receipt", "email": "a@example.net", "subject_uuid": town.uuid}
    message = {"email": "a@example.net", "subject": "s", "body": "b", "sent_to": "b@example.net"}
    never, active = make_account("never@example.net", password=None), make_account("active@example.net")
    staff = make_account("staff@example.net", password=None, role="clerk")
    access_request = {"account": active, "payer": make_payer(active), "email": "active@example.net"}
    long_ago = timezone.now() - timedelta(days=800)
    Account.objects.update(created_at=long_ago)
    return {
        "messages": [
            aged(Message, 36, field="last_at", **message),
            aged(Message, 35, field="last_at", **message),
        ],
        "mails": [mail(MailState.SENT, 12), mail(MailState.SENT, 11), mail(MailState.QUEUED, 12)],
        "alerts": [
            aged(PlannedNotice, 12, key="1", queued_at=timezone.now(), **notice),
            aged(PlannedNotice, 11, key="2", queued_at=timezone.now(), **notice),
            aged(PlannedNotice, 12, key="3", **notice),  # not told yet
        ],
        "links": [
            aged(Link, 12, field="requested_at", **asked),
            aged(Link, 11, field="requested_at", **asked),
        ],
        "claims": [
            aged(AccessRequest, 12, field="decided_at", state=AccessRequestState.REFUSED, **access_request),
            aged(AccessRequest, 11, field="decided_at", state=AccessRequestState.ACCEPTED, **access_request),
            aged(AccessRequest, 12, field="asked_at", state=AccessRequestState.WAITING, **access_request),
        ],
        "unused": [never, active, staff, make_account("new@example.net", password=None)],
    }


def test_what_is_too_old_goes_once_and_is_counted(rows: dict[str, list[Any]]) -> None:
    Session.objects.create(session_key="old", session_data="", expire_date=timezone.now() - timedelta(days=1))
    Session.objects.create(
        session_key="live", session_data="", expire_date=timezone.now() + timedelta(days=1)
    )
    assert retention.apply_retention() == dict.fromkeys(rows, 1)
    for name, (gone, *stay) in rows.items():
        assert not type(gone).objects.filter(pk=gone.pk).exists(), name
        assert type(gone).objects.filter(pk__in=[row.pk for row in stay]).count() == len(stay), name
    assert Session.objects.get().session_key == "live"
    counted = [entry.new for entry in AuditEntry.objects.filter(verb="retention.applied")]
    assert sorted(counted, key=str) == sorted(({name: 1} for name in rows), key=str)
    assert retention.apply_retention() == {}
    assert AuditEntry.objects.filter(verb="retention.applied").count() == len(rows)


def test_a_town_chooses(rows: dict[str, list[Any]]) -> None:
    change_townhall(actor="system", keep_messages=6, keep_mails=60)
    gone = retention.apply_retention()
    assert gone["messages"] == 2
    assert "mails" not in gone


def test_many_rows_go_some_at_a_time(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    for _row in range(5):
        mail(MailState.FAILED, 13)
    assert retention.apply_retention() == {"mails": 5}
    assert [entry.new for entry in AuditEntry.objects.filter(verb="retention.applied").order_by("id")] == [
        {"mails": 2},
        {"mails": 2},
        {"mails": 1},
    ]


def planned() -> datetime | None:
    return AgendaItem.objects.filter(kind=retention.KIND).values_list("due_at", flat=True).first()


def test_a_town_that_lives_is_looked_at_tonight_and_then_when_something_is_due(
    town: Town, make_account: Callable[..., Account]
) -> None:
    assert planned() is None
    change_townhall(actor="system", keep_messages=6)
    due = planned()
    assert due is not None
    assert timedelta() < due - timezone.now() <= timedelta(days=1)
    assert due.astimezone(PARIS).hour in (4, 5)
    apply_retention()
    due = planned()
    assert due is not None
    assert timedelta(days=29) < due - timezone.now() <= timedelta(days=31)  # nothing grows old
    aged(Message, 5, field="last_at", email="a@example.net", subject="s", body="b", sent_to="b@example.net")
    apply_retention()
    message_due = planned()
    assert message_due is not None
    assert message_due < due
    make_account("a@example.net", password=None)
    Account.objects.update(created_at=timezone.now() - timedelta(days=360))
    apply_retention()
    assert planned() < message_due  # type: ignore[operator]
