"""Each place shows each state as the table says, and every « Régler » that is shown leads to the Treasury."""

import csv
import io
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client

from shared_apps.accounts.models import Role
from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices.models import Invoice
from tenant_apps.notices import reminders
from tenant_apps.notices.mails.new_invoices import plan_new_invoice_notices
from tenant_apps.notices.services import queue_planned
from tenant_apps.payments.counter.search import Settled, invoices_for_staff
from tenant_apps.payments.payability.deciding import What, decide
from tenant_apps.payments.payability.facts import Facts, Situation
from tenant_apps.payments.payability.figures import figures
from tenant_apps.payments.payability.reading import awaited, payability_of
from tenant_apps.payments.payability.words import state_of
from tenant_apps.townhall.models import AlertAudience, TownHall
from tests.portal.conftest import text
from tests.states.conftest import MAKERS, World, names
from tests.states.table import TABLE
from toolkit import clock
from toolkit.scope import EVERYTHING

STATES = pytest.mark.parametrize("state", TABLE)
Browser = Callable[..., Client]


def says(sentence: str, invoice: Invoice) -> str:
    return sentence.format(**names(invoice))


def line_of(page: str, invoice: Invoice) -> str:
    """The text of the row of a list that has the number of `invoice`."""
    rows = [row for row in re.findall(r"<tr\b.*?</tr>", page, re.S) if f">{invoice.number}<" in row]
    return plain(rows[0]) if rows else ""


def plain(html: str) -> str:
    class Answer:
        content = html.encode()

    return text(Answer).strip()


def test_the_table_is_whole(world: World) -> None:
    """Every state that `World` makes has a row, and `World` makes every value of `What`."""
    assert set(MAKERS) <= set(TABLE)
    facts = payability_of(world.make("due"), reader=world.alice).facts
    assert {decided(facts, situation) for situation in Situation} <= set(What)


def decided(facts: Facts, situation: Situation) -> What:
    """Python can decide and name every Situation that the SQL can return."""
    found = decide(facts._replace(situation=situation.value), day=clock.today())
    assert state_of(found).words
    return found.what


@STATES
def test_the_resident_s_lists(world: World, client_for: Browser, state: str) -> None:
    """« Mes factures » on the screen, printed and as CSV, the sentence above it, and « Mes règlements »."""
    row, invoice, alice = TABLE[state], world.make(state), client_for(world.alice)
    for address in ("", "?imprimer=1", "?etat=toutes"):
        page = alice.get(f"/factures/{address}")
        line = line_of(page.content.decode(), invoice)
        assert (says(row.listed, invoice) in line) if row.listed else not line, line
        assert row.sums in text(page).replace(" .", ".")
    cells = _csv(alice)
    assert [_bare(cell) for cell in cells] == ([_bare(says(row.listed, invoice))] if row.listed else [])
    page = alice.get("/reglements/")
    found = {
        name: line
        for name in ("due", "apart")
        for one in [getattr(page.context["page"], name)]
        for line in one
    }
    assert list(found) == ([row.settling] if row.settling else [])
    line = line_of(page.content.decode(), invoice)
    assert not row.settling or f"{row.button} la facture {invoice.number}" in line, line
    assert row.sums in text(page).replace(" .", ".")


def _csv(browser: Client) -> list[str]:
    content = b"".join(browser.get("/factures/mes-factures.csv").streaming_content)
    lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig")), delimiter=";"))
    return [line["État"] for line in lines]


def _bare(words: str) -> str:
    return words.replace("(", "").replace(")", "")


@STATES
def test_the_invoice_s_own_page_and_the_payment_screen(world: World, client_for: Browser, state: str) -> None:
    row, invoice, alice = TABLE[state], world.make(state), client_for(world.alice)
    page = alice.get(f"/factures/{invoice.uuid}/")
    if row.page is None:
        assert page.status_code == 404
        return
    assert says(row.page, invoice) in text(page)
    assert invoice.reference in text(page)
    paying = alice.get(f"/factures/{invoice.uuid}/payer/")
    heading = re.search(r"<h1>(.*?)</h1>", paying.content.decode(), re.S)
    assert heading is not None
    assert " ".join(unescape(heading[1]).split()) == says(row.paying or "", invoice)
    assert invoice.reference in text(paying)


@STATES
def test_no_offer_to_pay_leads_to_a_refusal(world: World, client_for: Browser, state: str) -> None:
    """Every button « Régler » or « Reprendre » on every page leads to the Treasury."""
    row, invoice, alice = TABLE[state], world.make(state), client_for(world.alice)
    pages = ["/factures/", "/reglements/", f"/factures/{invoice.uuid}/", f"/factures/{invoice.uuid}/retour/"]
    offers = set()
    for path in pages:
        for href, words in _links(alice.get(path).content.decode()):
            if re.search(r"Régler|Reprendre|Recommencer", words) and "factures" in href:
                offers.add(href)
    wanted = {f"/factures/{invoice.uuid}/payer/"} if row.button in ("Régler", "Reprendre") else set()
    assert offers == wanted
    for href in offers:
        page = alice.get(href)
        forms = re.findall(r'<form method="post".*?</form>', page.content.decode(), re.S)
        assert forms
        for form in forms:
            answer = alice.post(href, {"reprendre": "1"} if "reprendre" in form else {})
            assert answer.status_code == 302
            assert "/tpa/paiement" in answer["Location"], answer["Location"]
    if not offers:  # a click on an old page is refused with a sentence, and changes nothing
        before = list(invoice.attempts.values_list("pk", "state"))
        answer = alice.post(f"/factures/{invoice.uuid}/payer/")
        expected = {"declared": 302, "draft": 404}.get(state, 409)
        assert answer.status_code == expected
        if expected == 409:
            assert list(invoice.attempts.values_list("pk", "state")) == before
            assert "Accès à l'écran" not in text(answer)


def _links(page: str) -> list[tuple[str, str]]:
    found = re.findall(r'<a\b[^>]*href="([^"]+)"[^>]*>(.*?)</a>', page, re.S)
    return [(href, plain(words)) for href, words in found]


@STATES
def test_staff_s_screens(world: World, client_for: Browser, make_account: Any, state: str) -> None:
    """The list with its filters, the pages of the invoice and of the payer, the search, the counter, the home page."""
    row, invoice = TABLE[state], world.make(state)
    cashier = client_for(make_account("cashier@example.net", role=Role.CASHIER))
    tag = says(row.staff, invoice)
    lists = {
        "/gestion/factures/?etat=toutes",
        f"/gestion/redevables/{invoice.payer.uuid}/",
        f"/gestion/recherche/?q={invoice.number}",
    }
    for path in lists:
        assert tag in line_of(cashier.get(path).content.decode(), invoice), path
    page = text(cashier.get(f"/gestion/factures/{invoice.uuid}/"))
    assert tag in page
    assert says(row.online, invoice) in page
    for chip in ("a-regler", "en-cours", "reglees"):
        shown = line_of(cashier.get(f"/gestion/factures/?reglement={chip}").content.decode(), invoice)
        where = "a-regler" if row.chip == "en-retard" else row.chip
        assert bool(shown) == (chip == where), chip
    late = line_of(cashier.get("/gestion/factures/?reglement=en-retard").content.decode(), invoice)
    assert bool(late) == (row.chip == "en-retard")
    counter = cashier.get(f"/gestion/encaissements/nouveau/?facture={invoice.uuid}")
    line = line_of(counter.content.decode(), invoice)
    assert (row.counter in line) if row.counter is not None else not line
    assert (tag in line) == bool(row.counter)
    told = figures(EVERYTHING, today=clock.today())
    assert (told.unpaid, told.apart) == (
        int(row.chip in ("a-regler", "en-retard")),
        int(row.chip == "en-cours"),
    )


@STATES
def test_messages(world: World, state: str) -> None:
    """What the message about new invoices says, and whether a reminder is sent."""
    TownHall.objects.update(alert_audience=AlertAudience.KNOWN, remind_before=3, remind_after=1)
    row, invoice = TABLE[state], world.make(state)
    OutgoingMail.objects.all().delete()
    assert invoice.batch is not None
    plan_new_invoice_notices(batch=invoice.batch.uuid)
    queue_planned()
    mails = OutgoingMail.objects.filter(kind="alert-new-invoices", to="alice@example.net")
    assert bool(mails) == (row.mail is not None)
    if row.mail:
        told = mails[0].text.replace("\u202f", " ").replace("\xa0", " ")
        assert says(row.mail, invoice) in told
        assert f"n° {invoice.number} (référence {invoice.reference}) : 37,50 €, " in told
        assert ("rien à régler pour l'instant" in told) == (not row.reminded)
    OutgoingMail.objects.all().delete()
    soon = invoice.due_on if invoice.due_on < clock.today() else clock.today()
    Invoice.objects.update(due_on=soon)
    TownHall.objects.update(remind_before=1, remind_after=1)
    reminders.send_reminders()
    assert OutgoingMail.objects.filter(to="alice@example.net").exists() == row.reminded


@STATES
def test_one_definition(world: World, state: str) -> None:
    """The SQL that counts, filters and reminds agrees with what Python decides."""
    invoice = world.make(state)
    payability = payability_of(invoice, reader=world.alice)
    assert Invoice.objects.filter(awaited()).exists() == payability.what.is_awaited == TABLE[state].reminded
    kinds: list[Settled] = ["unpaid", "apart", "paid"]
    where = {
        kind: invoices_for_staff(EVERYTHING, today=clock.today(), settled=kind, state="published").exists()
        for kind in kinds
    }
    assert where["unpaid"] == payability.what.is_awaited
    assert where["paid"] == (payability.what == What.PAID)
