"""From the file to the page: nobody sees another family's invoice, and no payer loses their data (decision 45)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from shared_apps.accounts.models import Account
from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices import services
from tenant_apps.invoices.decisions import answering
from tenant_apps.invoices.errors import WrongState
from tenant_apps.invoices.importing.people.questions import changes_of
from tenant_apps.invoices.importing.people.questions import sentences as words_of
from tenant_apps.invoices.models import Batch, Invoice, PayerUpdate
from tenant_apps.invoices.queries import invoices_for_resident, payer_changes
from tenant_apps.invoices.states import Answer
from tenant_apps.notices.services import queue_planned
from tenant_apps.residents.models import Payer
from tenant_apps.residents.queries import payers_for_staff
from tenant_apps.residents.sources import default_source, source_named
from tests.invoices.importing.batches import answer, archive, online, pdf, publish, question, run, sentences
from tests.invoices.importing.bills import HEADER, SIX, bill, six
from toolkit.scope import EVERYTHING

pytestmark = pytest.mark.usefixtures("town")
NAMED = "Facture;Date;Échéance;Montant;Objet;Famille;Prénom;Adresse;CP;Ville;E-mail"
TWO = (
    "G1;01/10/2026;31/12/2026;37,50;Cantine;LEROUX;Inès;4 rue du Four;31320;Pechabou;ines@example.net",
    "G2;01/10/2026;31/12/2026;99,00;Crèche;LEROUX;Omar;8 rue Neuve;31450;Deyme;omar@example.org",
)
LIST = (
    "Date;Préfixe;N°;Famille;Date début;Date fin;Total;Réglé;Solde;Échéance;Lot;Objet",
    "05/10/2026;;2026201;LEROUX Inès;01/09/2026;30/09/2026;37.50 €;30.00 €;7.50 €;31/10/2026;Septembre;Cantine",
    "05/10/2026;;2026202;LEROUX Inès;01/09/2026;30/09/2026;12.00 €;0.00 €;12.00 €;31/10/2026;Septembre;Cantine",
)


@pytest.mark.parametrize(
    "lines",
    [
        (NAMED, *TWO),
        LIST,
        (HEADER, bill("G1", "1,00E+11"), bill("G2", "1,00E+11", "GARNIER", "Luc", email="luc@example.org")),
        (HEADER, bill("G1", "0"), bill("G2", "0", "GARNIER", "Luc", email="luc@example.org")),
        (HEADER, bill("G1", "#N/A"), bill("G2", "#N/A", "GARNIER", "Luc", email="luc@example.org")),
        (
            HEADER,
            bill("G1", "K7"),
            bill("G2", "K7", "GARNIER", "Luc", street="9 quai", email="luc@example.org"),
        ),
        (HEADER, bill("G1", "K7"), bill("G2", "K7", first="Omar", street="9 quai", email="omar@example.org")),
        (HEADER, bill("G1", "K7", "", ""), bill("G2", "K7", "", "", email="omar@example.org")),
    ],
    ids=[
        "family names",
        "a list of names",
        "scientific",
        "zero",
        "an error",
        "two names",
        "two homes",
        "no name",
    ],
)
def test_one_code_for_two_families_is_refused_with_both_lines(
    lines: tuple[str, ...], make_account: Callable[..., Account]
) -> None:
    ines, omar = make_account("ines@example.net"), make_account("omar@example.org")
    batch = run(*lines)
    assert batch.state == "refused"
    said = sentences(batch)
    assert "2 " in said or "ligne 2" in said
    errors = batch.problems.filter(severity="error")
    named = {error.line for error in errors} | {2 for error in errors if "ligne 2" in error.message}
    assert {2, 3} <= named, said
    assert not Invoice.objects.exists()
    assert not invoices_for_resident(ines).exists()
    assert not invoices_for_resident(omar).exists()


def test_what_a_list_says_of_money_is_said() -> None:
    said = sentences(run(*LIST))
    assert "« Solde », « Réglé » sont comparées au montant" in said
    assert "« Solde » (7.50 €) n'est pas le montant (37.50 €)" in said


def test_from_the_file_to_the_other_family_s_page(
    client_for: Callable[..., Client], make_account: Callable[..., Account], mailbox: Callable[[], list[Any]]
) -> None:
    """Two families with one name, one code in two sources, one code to check: nobody sees another's invoice."""
    ines, luc = make_account("ines@example.net"), make_account("luc@example.org")
    water = source_named(actor="system", name="Eau")
    online(HEADER, bill("C14", "14"), documents=archive(C14=pdf("Inès")))
    online(
        HEADER,
        bill("E14", "14", "GARNIER", "Luc", street="9 quai", email="luc@example.org"),
        documents=archive(E14=pdf("Luc")),
        source=water,
    )
    wrong = run(HEADER, bill("C15", "14", "GARNIER", "Luc", street="9 quai", email="luc@example.org"))
    with pytest.raises(WrongState, match="Répondez d'abord"):
        services.publish_batch(actor="system", batch=wrong)
    services.discard_batch(actor="system", batch=wrong)
    queue_planned()
    for mine, theirs, account, address in (("C14", "E14", ines, "ines@"), ("E14", "C14", luc, "luc@")):
        browser, other = client_for(account), Invoice.objects.get(number=theirs)
        page = browser.get("/factures/").content.decode()
        assert mine in page
        assert theirs not in page
        assert browser.get(f"/factures/{other.uuid}/").status_code == 404
        assert browser.get(f"/factures/{other.uuid}/pdf/").status_code == 404
        assert browser.get(f"/dossiers/{other.payer.uuid}/").status_code == 404
        assert theirs not in browser.get("/factures/export.csv").content.decode()
        told = [mail for mail in mailbox() if mail.to.startswith(address)]
        assert len(told) == 1
        assert theirs not in told[0].text + told[0].html
    assert Payer.objects.filter(reference="14").count() == 2


def test_another_name_under_a_known_code_is_confirmed_by_a_person() -> None:
    online(HEADER, bill("G1", "K1"))
    batch = run(HEADER, bill("G2", "K1", "GARNIER"))
    assert (batch.state, batch.question_count) == ("ready", 1)
    asked = question(batch)
    assert "celui de Inès LEROUX ; le fichier le donne à Inès GARNIER" in words_of(asked)[0]
    with pytest.raises(WrongState):
        services.publish_batch(actor="system", batch=batch)
    with pytest.raises(WrongState, match="Abandonnez"):
        answering.answer_question(actor="x@example.net", update=asked, answer=Answer.OTHER)
    assert Payer.objects.get().last_name == "LEROUX"
    answer(batch, Answer.SAME)
    publish(batch)
    assert Payer.objects.get().last_name == "GARNIER"
    told = AuditEntry.objects.get(verb="batch.payer_answered")
    assert (told.actor, told.old["name"], told.new["name"]) == (
        "clerk@example.net",
        "Inès LEROUX",
        "Inès GARNIER",
    )


@pytest.mark.parametrize(
    "other",
    [bill("G2", "K1", ""), bill("G2", "K1", first="Omar", street="8 rue Neuve", email="omar@example.org")],
    ids=["the name goes", "another person of that name"],
)
def test_who_may_be_somebody_else_is_asked(other: str) -> None:
    online(HEADER, bill("G1", "K1"))
    batch = run(HEADER, other)
    assert (batch.state, batch.question_count) == ("ready", 1)


def test_one_thing_that_differs_between_two_lines_is_asked() -> None:
    batch = run(HEADER, bill("G1", "K1"), bill("G2", "K1", email="autre@example.net"))
    assert "Lignes 2 et 3" in words_of(question(batch))[0]
    answer(batch, Answer.SAME)
    publish(batch)
    emails = set(Payer.objects.get().emails.values_list("email", flat=True))
    assert emails == {"ines@example.net", "autre@example.net"}


def test_a_column_that_is_absent_changes_nothing() -> None:
    online(HEADER, bill("G1", "K1"))
    before = Payer.objects.values().get()
    batch = online(SIX, six("G2", "K1"))
    assert (batch.change_count, batch.question_count) == (0, 0)
    assert Payer.objects.values().get() == before
    assert Payer.objects.get().emails.count() == 1


def test_an_empty_cell_says_empty_and_it_is_shown() -> None:
    online(HEADER, bill("G1", "K1"))
    batch = run(HEADER, bill("G2", "K1", street=""))
    (change,) = changes_of(payer_changes(batch).get())
    assert (change.label, change.old, change.new) == ("Adresse", "4 rue du Four", "")
    publish(batch)
    assert (Payer.objects.get().address, Payer.objects.get().city) == ("", "Pechabou")


def test_a_first_line_of_an_address_leaves_the_second_alone() -> None:
    two = HEADER.replace("CP", "Adresse 2;CP"), bill("G1", "K1").replace(";31320", ";bâtiment B;31320")
    online(*two)
    online(HEADER, bill("G2", "K1"))
    assert Payer.objects.get().address == "4 rue du Four\nbâtiment B"


def test_the_same_file_with_a_correction_applies_it() -> None:
    online(HEADER, bill("G1", "K1", email="faux@example.net"))
    batch = run(HEADER, bill("G1", "K1", street="22 rue Neuve", city="Deyme", email="juste@example.net"))
    assert (batch.new_count, batch.unchanged_count, batch.change_count) == (0, 1, 1)
    shown = {change.label: (change.old, change.new) for change in changes_of(payer_changes(batch).get())}
    assert shown == {
        "Adresse": ("4 rue du Four", "22 rue Neuve"),
        "Ville": ("Pechabou", "Deyme"),
        "Adresses e-mail": ("faux@example.net", "juste@example.net"),
    }
    assert Payer.objects.get().city == "Pechabou"  # nothing changes before the publication
    publish(batch)
    payer = Payer.objects.get()
    assert (batch.state, payer.address, payer.city) == ("published", "22 rue Neuve", "Deyme")
    assert [one.email for one in payer.emails.all()] == ["juste@example.net"]
    with pytest.raises(WrongState):
        services.take_back_batch(actor="system", batch=batch)


def test_a_new_address_of_a_known_payer_is_shown() -> None:
    online(HEADER, bill("G1", "K1", email="ancien@example.net"))
    batch = run(HEADER, bill("G2", "K1", email="nouveau@example.net"))
    (change,) = changes_of(payer_changes(batch).get())
    assert (change.old, change.new) == ("ancien@example.net", "nouveau@example.net")
    publish(batch)
    assert [one.email for one in Payer.objects.get().emails.all()] == ["nouveau@example.net"]


@pytest.mark.parametrize(("known", "new"), [("00456", "456"), ("fk9", "FK9"), ("0FK9", "fk9")])
def test_a_code_that_looks_like_a_known_one_is_proposed(known: str, new: str) -> None:
    online(HEADER, bill("G1", known))
    batch = run(HEADER, bill("G2", new))
    assert (batch.state, batch.question_count) == ("ready", 1)
    assert f"ressemble au code « {known} »" in words_of(question(batch))[0]
    with pytest.raises(WrongState):
        services.publish_batch(actor="system", batch=batch)
    answer(batch, Answer.SAME)
    publish(batch)
    (payer,) = payers_for_staff(EVERYTHING)
    assert payer.reference == known
    assert payer.invoices.count() == 2
    again = online(HEADER, bill("G3", new))  # nobody is asked twice
    assert again.question_count == 0
    assert payer.invoices.count() == 3


def test_a_code_that_looks_like_a_known_one_may_be_another_s() -> None:
    online(HEADER, bill("G1", "00456"))
    batch = run(HEADER, bill("G2", "456", "GARNIER", "Luc", email="luc@example.org"))
    answer(batch, Answer.SAME)
    answer_again = PayerUpdate.objects.get(batch=batch)
    answering.answer_question(
        actor="clerk@example.net", update=answer_again, answer=Answer.OTHER
    )  # the answer may be changed
    publish(batch)
    assert {payer.full_name for payer in payers_for_staff(EVERYTHING)} == {"Inès LEROUX", "Luc GARNIER"}
    assert online(HEADER, bill("G3", "456", "GARNIER", "Luc", email="luc@example.org")).question_count == 0


@pytest.mark.parametrize(("one", "other"), [("00456", "456"), ("fk9", "FK9")])
def test_two_such_codes_in_one_file(one: str, other: str) -> None:
    batch = run(HEADER, bill("G1", one), bill("G2", other))
    asked = question(batch)
    assert asked.line == 3
    assert f"« {one} »" in words_of(asked)[0]
    answer(batch, Answer.SAME)
    publish(batch)
    (payer,) = payers_for_staff(EVERYTHING)
    assert (payer.reference, payer.invoices.count()) == (one, 2)


def test_many_lost_zeros_are_recognised_at_once_but_not_under_other_names() -> None:
    online(HEADER, *(bill(f"G{n}", f"00{n}", f"NOM{n}") for n in range(3, 8)))
    rows = [bill(f"H{n}", str(n), f"NOM{n}") for n in range(3, 7)]
    batch = run(HEADER, *rows, bill("H7", "7", "GARNIER"))
    assert batch.question_count == 5
    assert answering.recognise_alike(actor="clerk@example.net", batch=batch) == 4
    assert question(batch).payer.reference == "7"


def test_what_spreadsheets_write_is_the_same_payer() -> None:
    online(HEADER, bill("G1", "00456"), bill("G8", "123"))
    batch = run(HEADER, bill('="G2"', '="00456"'), bill("G3", "'00456"), bill("77.0", "123.0"))
    assert (batch.state, batch.question_count) == ("ready", 0)
    publish(batch)
    assert payers_for_staff(EVERYTHING).count() == 2
    assert Invoice.objects.filter(number="77").exists()


def test_an_alias_and_its_payer_in_one_file_are_one_person() -> None:
    online(HEADER, bill("G1", "00456"))
    batch = run(HEADER, bill("G2", "456"))
    answer(batch, Answer.SAME)
    publish(batch)
    mixed = run(HEADER, bill("G3", "00456"), bill("G4", "456", "GARNIER", "Luc", email="luc@example.org"))
    assert mixed.state == "refused"
    assert "à la ligne 2" in sentences(mixed)


def test_one_pdf_is_not_printed_for_everybody() -> None:
    same = pdf("the first bill")
    batch = run(
        HEADER,
        bill("G1", "K1"),
        bill("G2", "K2", "GARNIER", "Luc", email="luc@example.org"),
        documents=archive(G1=same, G2=same),
    )
    assert batch.state == "refused"
    first, second = batch.problems.filter(severity="error")
    assert (second.line, "de la ligne 2 (facture n° G1, code K1)" in second.message) == (3, True)
    assert (first.line, first.message) == (
        2,
        "Ce PDF est aussi celui d'un autre redevable, plus bas dans le fichier.",
    )


def test_a_payer_s_own_invoices_may_share_a_pdf() -> None:
    same = pdf("both on one paper")
    online(HEADER, bill("G1", "K1"), bill("G2", "K1"), documents=archive(G1=same, G2=same))
    online(HEADER, bill("G3", "K1"), documents=archive(G3=same))


def test_a_pdf_that_is_online_for_somebody_is_nobody_else_s() -> None:
    same = pdf("the first bill")
    online(HEADER, bill("G1", "K1"), documents=archive(G1=same))
    batch = run(
        HEADER, bill("G2", "K2", "GARNIER", "Luc", email="luc@example.org"), documents=archive(G2=same)
    )
    assert batch.state == "refused"
    assert "error 2 Ce PDF est exactement celui de la facture n° G1" in sentences(batch)


def test_a_pdf_that_comes_later_is_attached() -> None:
    online(HEADER, bill("G1", "K1"))
    batch = run(HEADER, bill("G1", "K1"), documents=archive(G1=pdf("late")))
    assert (batch.new_count, batch.late_count) == (0, 1)
    assert Invoice.objects.get().document is None
    publish(batch)
    invoice = Invoice.objects.get()
    assert invoice.document is not None
    services.take_back_batch(actor="system", batch=batch)
    invoice.refresh_from_db()
    assert (invoice.state, invoice.document) == ("published", None)


def test_a_late_pdf_of_another_payer_is_refused() -> None:
    same = pdf("the first bill")
    online(
        HEADER,
        bill("G1", "K1"),
        bill("G2", "K2", "GARNIER", "Luc", email="l@example.org"),
        documents=archive(G1=same),
    )
    batch = run(HEADER, bill("G2", "K2", "GARNIER", "Luc", email="l@example.org"), documents=archive(G2=same))
    assert batch.state == "refused"


def test_an_invoice_of_one_source_is_not_another_s() -> None:
    online(HEADER, bill("G1", "14"))
    batch = run(HEADER, bill("G1", "14"), source=source_named(actor="system", name="Eau"))
    assert batch.state == "refused"
    assert "déjà publié pour un autre redevable" in sentences(batch)


def test_a_source_is_named_once() -> None:
    water = source_named(actor="system", name="Régie  Eau")
    assert source_named(actor="system", name="regie eau") == water
    assert default_source().name == "Fichier de facturation"


def test_nothing_of_a_draft_is_known(client_for: Callable[..., Client]) -> None:
    batch: Batch = run(HEADER, bill("G1", "00456"))
    assert not payers_for_staff(EVERYTHING).exists()
    services.discard_batch(actor="system", batch=batch)
    assert (
        run(HEADER, bill("G1", "456")).question_count == 0
    )  # a discarded import leaves no payer to compare with
