"""Home, factures, redevables, messages, courriels: what they show, how they are found, what they cost."""

from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import MailState, OutgoingMail
from tenant_apps.contact.models import Message
from tenant_apps.invoices.models import Batch, Document, Invoice
from tenant_apps.notices.services import queue_planned
from tenant_apps.payments.models import Allocation, Attempt, AttemptEvent, Declaration, Means, Payment
from tenant_apps.residents.models import Payer
from tenant_apps.townhall import first_day
from tests.backoffice.conftest import text

QUERIES = 16  # the most a page may ask, whatever the number of its rows


def attempt(invoice: Invoice, state: str, **more: Any) -> Attempt:
    """A try at `invoice` that ended (or not) in `state`."""
    made = Attempt.objects.create(
        invoice=invoice, product=invoice.product, provider="payfip", state=state, merchant="001964",
        fiscal_year="2026", reference=invoice.reference, label="Facture", amount=invoice.amount,
        email="alice@example.net", mode="W", free_at=timezone.now(), **more,
    )  # fmt: skip
    AttemptEvent.objects.create(attempt=made, source="poller", old="started", new=state, note=made.reason)
    return made


def money(made: Attempt, allocated: bool = True) -> Payment:
    """The card payment that `made` brought."""
    paid = Payment.objects.create(
        attempt=made, product=made.product, provider="payfip", provider_reference=str(made.uuid), means=Means.CARD,
        amount=made.amount, paid_on=date(2026, 11, 3), recorded_by="treasury", authorization="A1B2",
    )  # fmt: skip
    if allocated:
        Allocation.objects.create(payment=paid, invoice=made.invoice, amount=made.amount)
    return paid


def mail(**more: Any) -> OutgoingMail:
    values = {"kind": "alert", "to": "a@example.net", "subject": "Sujet", "text": "corps", "html": "corps"}
    return OutgoingMail.objects.create(**{**values, "next_try_at": timezone.now(), **more})


def test_home_where_nothing_has_happened(browsers: SimpleNamespace) -> None:
    """Its first day is over, or hidden (test_first_day.py)."""
    first_day.finish()
    page = text(browsers.clerk.get("/gestion/"))
    for words in ("Rien n'attend", "Aucune facture n'est encore en ligne", "Aucun import pour l'instant"):
        assert words in page


def test_home_in_figures(
    browsers: SimpleNamespace, make_payer: Any, make_invoice: Any, make_batch: Callable[..., Batch],
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    payer = make_payer()
    make_invoice(payer, amount="1200.50")
    make_invoice(payer, amount="10", due_on=date(2026, 1, 31), issued_on=date(2026, 1, 1))
    paid = make_invoice(payer, amount="20")
    money(attempt(paid, "paid"))
    attempt(make_invoice(payer, amount="5"), "review")
    Declaration.objects.create(invoice=make_invoice(payer, amount="6"))
    Declaration.objects.create(invoice=paid)  # settled meanwhile: nothing to look at any more
    Message.objects.create(email="a@example.net", subject="s", body="b", sent_to="r@example.net")
    mail(state=MailState.FAILED)
    make_batch(2)
    first_day.finish()
    with django_assert_max_num_queries(QUERIES):
        page = text(browsers.reader.get("/gestion/"))
    for words in (
        "5 factures publiées",
        "1 210,50 € à régler, sur 2 factures",
        "11,00 € en cours de paiement ou suspendus, sur 2 factures",
        "10,00 € en retard, sur 1 facture",
        "1 import à terminer",
        "1 message à traiter",
        "1 paiement à examiner",
        "1 facture déclarée « J'ai réglé »",
        "1 courriel en échec",
    ):
        assert words in page


@pytest.fixture
def three(make_payer: Any, make_invoice: Any) -> list[Invoice]:
    """One unpaid and late of Zoé's, one paid and one draft of Camille's."""
    zoe = make_payer(last_name="ÉTIENNE", first_name="Zoé", reference="Z9")
    camille = make_payer(last_name="DURAND", first_name="Camille")
    late = make_invoice(zoe, due_on=date(2026, 1, 31), issued_on=date(2026, 1, 1))
    paid = make_invoice(camille)
    money(attempt(paid, "paid"))
    return [late, paid, make_invoice(camille, state="draft")]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("", [0, 1]),
        ("etat=toutes", [0, 1, 2]),
        ("etat=brouillons", [2]),
        ("etat=annulees", []),
        ("reglement=a-regler", [0]),
        ("reglement=en-retard", [0]),
        ("reglement=reglees", [1]),
        ("reglement=declarees", []),
        ("q=étienne", [0]),
        ("q=zoé+étienne", [0]),
        ("q=zoé+durand", []),
        ("q=Z9", [0]),
        ("q=2026-001-000002", [1]),
        ("q=2026/001/000002", [1]),
        ("q=%25", []),
        ("produit=REGIE", [0, 1]),
        ("produit=EAU", []),
        ("etat=nimporte&reglement=quoi&apres=rien", [0, 1]),
    ],
)
def test_filters(browsers: SimpleNamespace, three: list[Invoice], query: str, kept: list[int]) -> None:
    page = browsers.reader.get(f"/gestion/factures/?{query}").content.decode()
    shown = [index for index, invoice in enumerate(three) if f"/gestion/factures/{invoice.uuid}/" in page]
    assert shown == kept


def test_filter_by_payer_and_by_import(
    browsers: SimpleNamespace, three: list[Invoice], make_batch: Callable[..., Batch]
) -> None:
    batch = make_batch(2, start=500, publish=True)
    of_batch = text(browsers.reader.get(f"/gestion/factures/?import={batch.uuid}"))
    assert "2026-001-000500" in of_batch
    assert three[0].number not in of_batch
    of_payer = text(browsers.reader.get(f"/gestion/factures/?redevable={three[0].payer.uuid}"))
    assert three[0].number in of_payer
    assert three[1].number not in of_payer
    assert browsers.reader.get(f"/gestion/factures/?redevable={batch.uuid}").status_code == 404


def test_pages_of_invoices_show_each_once(
    browsers: SimpleNamespace, make_payer: Any, make_invoice: Any, django_assert_max_num_queries: Any
) -> None:
    payer = make_payer()
    made = {str(make_invoice(payer).uuid) for _ in range(120)}
    seen: list[str] = []
    path = "/gestion/factures/"
    for expected in (50, 50, 20):
        with django_assert_max_num_queries(QUERIES):
            answer = browsers.reader.get(path)
        page = answer.context["page"]
        assert len(page.rows) == expected
        seen += [str(invoice.uuid) for invoice in page.rows]
        path = f"/gestion/factures/?apres={page.next_key}"
    assert page.next_key == ""
    assert len(seen) == len(set(seen)) == 120
    assert set(seen) == made


def test_pages_of_payers_go_by_name(browsers: SimpleNamespace, make_payer: Any) -> None:
    for n in range(60):
        make_payer(last_name=f"NOM{n % 7}", first_name=f"P{n % 5}", reference=f"R{n:03}")
    first = browsers.reader.get("/gestion/redevables/").context["page"]
    second = browsers.reader.get(f"/gestion/redevables/?apres={first.next_key}").context["page"]
    shown = [payer.pk for payer in [*first.rows, *second.rows]]
    assert shown == list(Payer.objects.order_by("last_name", "first_name", "id").values_list("pk", flat=True))


def test_three_tries_one_paid(
    browsers: SimpleNamespace, make_payer: Any, make_invoice: Any, people: SimpleNamespace,
    django_assert_max_num_queries: Any,
) -> None:  # fmt: skip
    invoice = make_invoice(make_payer(people.alice))
    attempt(invoice, "refused", reason="La carte a été refusée. Rien n'a été débité.")
    attempt(invoice, "expired", reason="Aucun retour.")
    money(attempt(invoice, "paid", account=people.alice))
    with django_assert_max_num_queries(QUERIES + 10):
        page = text(browsers.reader.get(f"/gestion/factures/{invoice.uuid}/"))
    assert "3 essais en ligne, dont 1 payé. La facture est réglée en entier." in page
    for words in ("La carte a été refusée", "Aucun retour", "autorisation A1B2", "Carte bancaire", "Réglée"):
        assert words in page
    assert "Vérifier maintenant" not in page


def test_paid_twice_is_shown(browsers: SimpleNamespace, make_payer: Any, make_invoice: Any) -> None:
    invoice = make_invoice(make_payer())
    money(attempt(invoice, "paid"))
    money(attempt(invoice, "paid"), allocated=False)
    page = text(browsers.reader.get(f"/gestion/factures/{invoice.uuid}/"))
    assert "2 essais en ligne, dont 2 payés." in page
    assert "37,50 € ont été reçus en trop" in page
    assert "Rien : reçu en trop" in page


def test_a_try_to_examine(browsers: SimpleNamespace, make_payer: Any, make_invoice: Any) -> None:
    invoice = make_invoice(make_payer())
    attempt(invoice, "review", reason="La réponse ne correspond pas : le montant.")
    page = text(browsers.reader.get(f"/gestion/factures/{invoice.uuid}/"))
    assert "Un essai est à examiner" in page
    in_review = text(browsers.reader.get("/gestion/factures/?reglement=a-examiner"))
    assert invoice.number in in_review


def test_an_idop_is_never_on_a_page(browsers: SimpleNamespace, make_payer: Any, make_invoice: Any) -> None:
    invoice = make_invoice(make_payer())
    attempt(invoice, "started", operation="c3cc7fd4-secret", answer={"idOp": "c3cc7fd4-secret"})
    assert "c3cc7fd4" not in browsers.manager.get(f"/gestion/factures/{invoice.uuid}/").content.decode()


def test_check_now_is_the_clerk_s(
    browsers: SimpleNamespace, make_payer: Any, make_invoice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Treasury itself is in tests/payments; here it does not answer, and the page says so."""
    invoice = make_invoice(make_payer())
    live = attempt(invoice, "started", started_at=timezone.now())
    page = f"/gestion/factures/{invoice.uuid}/"
    assert "1 essai en ligne ; le Trésor public n'a pas encore dit" in text(browsers.clerk.get(page))
    assert "Vérifier maintenant" in text(browsers.clerk.get(page))
    assert "Vérifier maintenant" not in text(browsers.reader.get(page))
    path = f"/gestion/tentatives/{live.uuid}/verifier/"
    for person, status in (("nobody", 302), ("alice", 404), ("reader", 403)):
        assert getattr(browsers, person).post(path).status_code == status
    answer = browsers.clerk.post(path, follow=True)
    assert "Le Trésor public n'a rien de nouveau pour l'instant." in text(answer)
    absent = "/gestion/tentatives/00000000-0000-4000-8000-000000000000/verifier/"
    assert browsers.clerk.post(absent).status_code == 404


def test_the_pdf_by_a_signed_link(browsers: SimpleNamespace, make_payer: Any, make_invoice: Any) -> None:
    document = Document.objects.create(key="t/x.pdf", sha256="0" * 64, size=1, pages=1)
    draft = make_invoice(make_payer(), document=document, state="draft")
    answer = browsers.reader.get(f"/gestion/factures/{draft.uuid}/pdf/")
    assert answer.status_code == 302
    assert "X-Amz-Signature=" in answer["Location"]
    without = make_invoice(make_payer())
    assert browsers.reader.get(f"/gestion/factures/{without.uuid}/pdf/").status_code == 404
    assert browsers.alice.get(f"/gestion/factures/{draft.uuid}/pdf/").status_code == 404


def test_mails_about_an_invoice(
    browsers: SimpleNamespace, make_batch: Callable[..., Batch], mailbox: Any, make_account: Any
) -> None:
    make_account("alice1@example.net")
    make_batch(2, publish=True)
    queue_planned()
    assert len(mailbox()) == 1
    invoice = Invoice.objects.get(number="2026-001-000001")
    other = Invoice.objects.get(number="2026-001-000002")
    assert "→ alice1@example.net" in text(browsers.reader.get(f"/gestion/factures/{invoice.uuid}/"))
    assert "Aucun courriel n'est parti" in text(browsers.reader.get(f"/gestion/factures/{other.uuid}/"))


def test_a_payer(
    browsers: SimpleNamespace, people: SimpleNamespace, make_payer: Any, make_invoice: Any
) -> None:
    payer = make_payer(people.alice, email="billing@example.net")
    make_invoice(payer, number="N-1")
    page = text(browsers.reader.get(f"/gestion/redevables/{payer.uuid}/"))
    for words in ("billing@example.net", "alice@example.net", "N-1", payer.reference):
        assert words in page
    assert payer.full_name in text(browsers.reader.get("/gestion/redevables/?q=billing@"))
    assert "Aucun redevable ne correspond" in text(browsers.reader.get("/gestion/redevables/?q=personne"))


def test_a_message_is_read_and_handled(
    browsers: SimpleNamespace, people: SimpleNamespace, make_payer: Any, make_invoice: Any
) -> None:
    message = Message.objects.create(
        account=people.alice, email="alice@example.net", invoice=make_invoice(make_payer(people.alice)),
        subject="<b>Erreur</b>", body="Bonjour,\n<script>alert(1)</script>", sent_to="regie@example.net",
    )  # fmt: skip
    assert "<b>Erreur" not in browsers.clerk.get("/gestion/messages/").content.decode()
    page = browsers.clerk.get(f"/gestion/messages/{message.uuid}/").content.decode()
    assert "<script>alert" not in page
    assert "mailto:alice@example.net?subject=" in page.replace("%40", "@")
    answer = browsers.clerk.post(f"/gestion/messages/{message.uuid}/traite/", follow=True)
    assert "Aucun message à traiter" in text(answer)
    assert "Erreur" in text(browsers.clerk.get("/gestion/messages/?etat=traites"))
    assert AuditEntry.objects.filter(verb="message.handled").count() == 1


def test_mails_by_state_and_no_body(browsers: SimpleNamespace) -> None:
    mail(subject="Parti", state=MailState.SENT, sent_at=timezone.now(), text="?LIEN=Xsecret")
    mail(subject="Perdu", state=MailState.FAILED, last_error="550 boîte inconnue")
    page = browsers.reader.get("/gestion/courriels/").content.decode()
    assert "Parti" in page
    assert "LIEN" not in page
    failed = text(browsers.clerk.get("/gestion/courriels/?etat=echecs"))
    assert "Perdu" in failed
    assert "Parti" not in failed.replace("Parti le", "")
    assert "550 boîte inconnue" in failed
    assert "Renvoyer" in failed
    assert "Renvoyer" not in text(browsers.reader.get("/gestion/courriels/?etat=echecs"))


def test_a_dead_link_is_not_sent_again(browsers: SimpleNamespace) -> None:
    old = mail(state=MailState.FAILED, secret=True)
    OutgoingMail.objects.update(created_at=timezone.now() - timezone.timedelta(days=2))
    answer = browsers.clerk.post(f"/gestion/courriels/{old.uuid}/renvoyer/", follow=True)
    assert "un lien qui n'est plus valable" in text(answer)
    assert OutgoingMail.objects.get().state == MailState.FAILED


def test_search_finds_anything(
    browsers: SimpleNamespace, three: list[Invoice], make_batch: Callable[..., Batch]
) -> None:
    make_batch(1, start=700)
    found = text(browsers.reader.get("/gestion/recherche/?q=étienne"))
    assert three[0].number in found
    assert "Zoé ÉTIENNE" in found
    assert "factures.csv" in text(browsers.reader.get("/gestion/recherche/?q=factures"))
    assert "Rien ne correspond" in text(browsers.reader.get("/gestion/recherche/?q=xyzxyz"))
    assert "Écrivez en haut" in text(browsers.reader.get("/gestion/recherche/"))


@pytest.mark.parametrize(
    "path", ["factures/", "redevables/", "messages/", "courriels/", "imports/", "recherche/?q=a"]
)
def test_cost_does_not_grow_with_the_rows(
    browsers: SimpleNamespace,
    make_payer: Any,
    make_invoice: Any,
    path: str,
    django_assert_max_num_queries: Any,
) -> None:
    for n in range(30):
        payer = make_payer(email=f"a{n}@example.net")
        invoice = make_invoice(payer)
        Message.objects.create(
            email="a@example.net", subject="a", body="b", sent_to="r@example.net", invoice=invoice
        )
        mail(to=f"a{n}@example.net")
    with django_assert_max_num_queries(QUERIES):
        assert browsers.manager.get(f"/gestion/{path}").status_code == 200
