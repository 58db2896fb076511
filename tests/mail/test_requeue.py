"""« Renvoyer »: a failed message gets all its tries again. Nothing else changes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from shared_apps.audit.models import AuditEntry
from shared_apps.mail.errors import TooOld
from shared_apps.mail.models import MailState, OutgoingMail
from shared_apps.mail.sending.delivery import deliver_outbox
from shared_apps.mail.services import SECRET_LIFE, requeue_mail
from tenants.models import Town


def mail(state: MailState, *, secret: bool = False) -> OutgoingMail:
    return OutgoingMail.objects.create(
        kind="x", to="alice@example.net", subject="s", text="t", html="<p>t</p>", state=state, tries=7,
        secret=secret, last_error="550", next_try_at=timezone.now() + timedelta(days=1),
    )  # fmt: skip


def test_a_failed_message_leaves_at_once(town: Town) -> None:
    found = requeue_mail(actor="account:1", mail=mail(MailState.FAILED))
    assert (found.state, found.tries) == (MailState.QUEUED, 0)
    assert found.next_try_at <= timezone.now()
    assert AuditEntry.objects.get(verb="mail.requeued").object == f"mail:{found.uuid}"


def test_it_is_really_delivered(town: Town, settings: object) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"  # type: ignore[attr-defined]
    found = requeue_mail(actor="system", mail=mail(MailState.FAILED))
    assert deliver_outbox() == 1
    found.refresh_from_db()
    assert (found.state, found.last_error) == (MailState.SENT, "")


@pytest.mark.parametrize("state", [MailState.QUEUED, MailState.SENDING, MailState.SENT])
def test_any_other_message_is_left_alone(town: Town, state: MailState) -> None:
    before = mail(state)
    found = requeue_mail(actor="system", mail=before)
    assert (found.state, found.tries, found.next_try_at) == (state, 7, before.next_try_at)
    assert not AuditEntry.objects.filter(verb="mail.requeued").exists()


def test_twice_is_once(town: Town) -> None:
    found = mail(MailState.FAILED)
    requeue_mail(actor="system", mail=found)
    requeue_mail(actor="system", mail=found)
    assert AuditEntry.objects.filter(verb="mail.requeued").count() == 1


def test_a_link_that_has_expired_is_not_sent_again(town: Town) -> None:
    fresh, old = mail(MailState.FAILED, secret=True), mail(MailState.FAILED, secret=True)
    OutgoingMail.objects.filter(pk=old.pk).update(created_at=timezone.now() - SECRET_LIFE)
    assert requeue_mail(actor="system", mail=fresh).state == MailState.QUEUED
    with pytest.raises(TooOld, match="n'est plus valable"):
        requeue_mail(actor="system", mail=old)
    old.refresh_from_db()
    assert old.state == MailState.FAILED
