"""Erasure at a person's request: asked, cancelled, refused, done; what is gone and what stays."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from shared_apps.accounts import errors
from shared_apps.accounts.models import Account, Impersonation, Link, LinkPurpose
from shared_apps.accounts.services import check_credentials, set_password_from_link
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import MailState, OutgoingMail
from shared_apps.mail.sending.delivery import deliver_outbox
from shared_apps.mail.services import requeue_mail
from tenant_apps.contact.models import Message
from tenant_apps.payments.control import auditing
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.models import Attempt, Declaration, Payment
from tenant_apps.payments.online import paying as payments
from tenant_apps.residents import activation
from tenant_apps.residents.erasure import services as erasure
from tenant_apps.residents.errors import AnswerMissing, NoRequest
from tenant_apps.residents.models import Access, PayerEmail, RemovedEmail
from tenants.models import Town
from tests.conftest import PASSWORD
from tests.residents.people import EMAIL, OLD, Known, known_in_and_out, may_stay, where_is


@pytest.fixture
def known(town: Town, make_account: Any, make_payer: Any, make_invoice: Any) -> Known:
    return known_in_and_out(make_account, make_payer, make_invoice)


@pytest.fixture
def alice(town: Town, make_account: Callable[..., Account]) -> Account:
    return make_account("alice@example.net")


def erased(account: Account) -> dict[str, int]:
    erasure.request_erasure(actor=account)
    return erasure.accept_erasure(actor="account:manager", account=account)


def test_nothing_of_the_address_remains_that_was_not_declared(known: Known) -> None:
    before = where_is(EMAIL, OLD)
    assert {
        *(("accounts_account", "email"), ("accounts_link", "email"), ("residents_payeremail", "email")),
        *(("payments_attempt", "email"), ("payments_attempt", "answer"), ("notices_alert", "key")),
        *(("payments_attemptevent", "raw"), ("payments_finding", "details"), ("contact_message", "body")),
        *(("residents_claim", "email"), ("residents_access", "through")),
        *(("mail_outgoingmail", "reply_to"), ("mail_outgoingmail", "text"), ("notices_alert", "email")),
    } <= before  # else the search below proves nothing
    money = [list(model.objects.order_by("pk").values_list("pk", "amount")) for model in (Payment, Attempt)]
    erased(known.account)
    left = where_is(EMAIL, OLD)
    assert left <= may_stay(), left - may_stay()
    kept = {("residents_payeremail", "email"), ("residents_removedemail", "email")}
    assert left == {*kept, ("mail_outgoingmail", "to")}
    assert (
        RemovedEmail.objects.get().removed_by == "account:staff"
    )  # without it the next file would bring it back
    assert PayerEmail.objects.filter(email=EMAIL, source="import").exists()
    assert not PayerEmail.objects.filter(email=OLD).exists()
    deliver_outbox()
    assert where_is(EMAIL, OLD) == kept
    # Money, and what Bob sees and wrote, is as it was.
    assert [
        list(model.objects.order_by("pk").values_list("pk", "amount")) for model in (Payment, Attempt)
    ] == money
    assert not auditing.differences()
    assert Message.objects.get().subject == "De Bob"
    assert OutgoingMail.objects.filter(reply_to="bob@example.net").exists()
    assert Access.objects.filter(account__email="bob@example.net", ended_at=None).exists()
    assert Declaration.objects.get().account is None


def test_the_account_opens_nothing_any_more(known: Known, client_for: Any) -> None:
    browser = client_for(known.account)
    assert browser.get("/factures/").status_code == 200
    uuid = known.account.uuid
    erased(known.account)
    account = Account.objects.get(uuid=uuid)
    assert account.email == f"{uuid}@erased.invalid"
    assert (account.is_active, account.has_usable_password(), account.devices) == (False, False, {})
    assert not Link.objects.filter(account=account).exists()
    assert not Access.objects.filter(account=account, ended_at=None).exists()
    assert not hasattr(account, "second_factor")
    assert browser.get("/factures/").status_code == 302
    with pytest.raises(errors.WrongCredentials):
        check_credentials(email=EMAIL, password=PASSWORD, ip="192.0.2.1")


def test_twice_changes_nothing_and_the_trail_counts(known: Known, mailbox: Any) -> None:
    gone = erased(known.account)
    assert gone["messages"] == 2
    assert gone["attempts"] == gone["payer_emails"] == gone["accesses"] == 1
    entry = AuditEntry.objects.get(verb="account.erased")
    assert entry.new == gone
    assert entry.object == known.account.audit_name
    assert EMAIL not in json.dumps(list(AuditEntry.objects.values("actor", "object", "old", "new")))
    number = len(mailbox())
    assert erasure.accept_erasure(actor="account:manager", account=known.account) == {}
    erasure.request_erasure(actor=known.account)  # from a page that was open
    erasure.cancel_erasure(actor=known.account)
    assert len(mailbox()) == number
    assert AuditEntry.objects.filter(verb="account.erased").count() == 1


def test_asked_and_cancelled(alice: Account, mailbox: Any) -> None:
    erasure.request_erasure(actor=alice)
    erasure.request_erasure(actor=alice)
    assert [(mail.kind, mail.to) for mail in mailbox()] == [
        ("erasure-asked", alice.email),
        ("erasure-to-answer", "regie@mairie.example.org"),
    ]
    assert "alice" not in mailbox()[1].text  # the service's mailbox keeps no name
    alice.refresh_from_db()
    assert list(erasure.waiting_erasures()) == [alice]
    erasure.cancel_erasure(actor=alice)
    erasure.cancel_erasure(actor=alice)
    assert not erasure.waiting_erasures()
    assert AuditEntry.objects.filter(verb__startswith="erasure.").count() == 2
    for late in (
        lambda: erasure.accept_erasure(actor="system", account=alice),
        lambda: erasure.refuse_erasure(actor="system", account=alice, answer="Non."),
    ):
        with pytest.raises(NoRequest):
            late()
    assert check_credentials(email=alice.email, password=PASSWORD, ip="192.0.2.1") == alice


def test_refused_with_a_reason(alice: Account, mailbox: Any) -> None:
    erasure.request_erasure(actor=alice)
    with pytest.raises(AnswerMissing):
        erasure.refuse_erasure(actor="system", account=alice, answer="  ")
    erasure.refuse_erasure(actor="system", account=alice, answer="Un litige est en cours.")
    assert not erasure.waiting_erasures()
    assert "Un litige est en cours." in mailbox()[-1].text
    assert "cnil.fr" in mailbox()[-1].text
    alice.refresh_from_db()
    assert alice.erasure_answer == "Un litige est en cours."
    erasure.request_erasure(actor=alice)  # one may ask again
    alice.refresh_from_db()
    assert (alice.erasure_answer, alice.erasure_refused_at) == ("", None)


def test_a_month_to_answer() -> None:
    assert erasure.answer_before(datetime(2027, 1, 31, 12, tzinfo=UTC)).isoformat() == "2027-02-28"
    assert erasure.answer_before(datetime(2026, 11, 24, 23, 30, tzinfo=UTC)).isoformat() == "2026-12-25"


def test_not_the_operator_and_not_staff(alice: Account, make_account: Any) -> None:
    alice.impersonated_by = Impersonation()
    for act in (erasure.request_erasure, erasure.cancel_erasure):
        with pytest.raises(errors.NotWhileImpersonating):
            act(actor=alice)
    clerk = make_account("clerk@example.net", role="clerk")
    with pytest.raises(Account.DoesNotExist):
        erasure.request_erasure(actor=clerk)


def test_the_last_message_forgets_its_address_also_when_it_fails(
    alice: Account, settings: Any, mailbox: Any
) -> None:
    erased(alice)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT = 1  # nobody there
    OutgoingMail.objects.update(tries=6)
    deliver_outbox()
    mail = mailbox()[-1]
    assert (mail.kind, mail.state, mail.to, mail.text) == ("account-erased", MailState.FAILED, "", "")
    with pytest.raises(Exception, match="n'est plus connue"):
        requeue_mail(actor="system", mail=mail)


def test_an_account_may_be_opened_again_with_the_same_address(known: Known) -> None:
    erased(known.account)
    activation.request_activation(email=EMAIL)
    activation.handle_links()
    again = Account.objects.get(email=EMAIL)
    assert again.pk != known.account.pk
    assert not Access.objects.filter(account=again).exists()  # until the link is opened


def test_a_link_that_the_worker_had_in_hand_does_not_bring_the_address_back(alice: Account) -> None:
    link = Link.objects.create(purpose=LinkPurpose.ADDRESS, email="new@example.net", account=alice)
    erased(alice)
    Link.objects.bulk_create([link])  # as if it had been locked while the person was erased
    activation.handle_links()
    assert not Link.objects.exists()
    assert not OutgoingMail.objects.filter(to="new@example.net").exists()


def test_a_late_answer_of_the_treasury_keeps_no_address(known: Known, make_invoice: Any) -> None:
    attempt = Attempt.objects.get(pk=known.attempt.pk)
    erased(known.account)
    attempt.refresh_from_db()
    from tenant_apps.payments.online.moves import note

    note(attempt, source="poller", note="En retard", raw={"mel": EMAIL, "resultrans": "P"})
    assert attempt.events.latest("pk").raw == {"resultrans": "P"}
    with pytest.raises(NotPayable, match="vient d'être effacé"):
        payments.start_payment(actor=known.account, invoice=make_invoice(known.payer))


def test_an_old_link_opens_nothing(alice: Account) -> None:
    from shared_apps.accounts.services import make_token
    from tenant_apps.townhall.queries import password_rule

    link = Link.objects.create(purpose=LinkPurpose.RESET, email="elsewhere@example.net", account=alice)
    token = make_token(link=link)
    alice.erased_at = timezone.now()
    alice.save()
    with pytest.raises(errors.LinkUnknown):
        set_password_from_link(token=token, password="un autre bien long", rule=password_rule())
