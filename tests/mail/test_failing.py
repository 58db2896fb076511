"""What the operator reads of the messages that do not leave: reasons, subject lines, the server's words; no person."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from shared_apps.mail import notices
from shared_apps.mail.models import MailProblem, MailState, OutgoingMail
from shared_apps.mail.queries import failing, failing_with_samples
from tenants.models import Town


def held(problem: str, kind: str, subject: str, answer: str = "", **fields: Any) -> OutgoingMail:
    values = {"state": MailState.FAILED, "next_try_at": timezone.now(), **fields}
    return OutgoingMail.objects.create(
        kind=kind, to="alice@example.net", subject=subject, problem=problem, last_error=answer, **values
    )


def test_reasons_with_samples_and_without_persons(town: Town, django_assert_num_queries: Any) -> None:
    week = timezone.now() - timedelta(days=7)
    held("us", "alert-new-invoices", "Une nouvelle facture – Mairie", state=MailState.QUEUED)
    held("us", "alert-new-invoices", "Une nouvelle facture – Mairie")
    held("us", "contact-answer", "Réponse à votre message : le divorce de Mme Martin")
    held("us", "gone", "Un objet d'une ancienne version")
    refused = "SMTPRecipientsRefused: {'alice@example.net': (550, b'5.1.1 <alice@example.net> unknown')}"
    held("address", "receipt", "Votre règlement est enregistré – Mairie", refused)
    old = held("server", "receipt", "Ancien")
    OutgoingMail.objects.filter(pk=old.pk).update(created_at=week - timedelta(days=1))
    held("", "receipt", "Jamais présenté", state=MailState.QUEUED)
    with django_assert_num_queries(2):
        us, address = failing_with_samples(since=week)
    assert (us.problem, us.failed, us.waiting) == (MailProblem.US, 3, 1)
    assert us.samples == ["Réponse du service", "Une nouvelle facture – Mairie"]
    assert (address.failed, address.waiting) == (1, 0)
    assert "alice" not in str(address.answers)
    assert address.answers == ["{'a…@example.net': (550, b'5.1.1 <a…@example.net> unknown')}"]


def test_nothing_fails(town: Town, django_assert_num_queries: Any) -> None:
    assert failing(since=timezone.now()) == []
    with django_assert_num_queries(1):
        assert failing_with_samples(since=timezone.now()) == []


def test_what_quotes_a_person_is_declared_so(town: Town) -> None:
    """The subject lines with a resident's words, or the number of an invoice."""
    assert {notice.kind for notice in notices.every() if notice.quotes} == {
        "contact",
        "contact-copy",
        "contact-answer",
        "invoice-credited",
    }
