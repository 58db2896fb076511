"""« Mes données »: what the copy holds, for whom, how often; the request of erasure on the portal."""

import csv
import io
import json
import zipfile
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shared_apps.accounts.erasing import addresses_of
from shared_apps.accounts.models import Account
from shared_apps.accounts.sessions import recent
from shared_apps.audit.models import AuditEntry
from shared_apps.privacy import personal
from tenant_apps.contact.files.attachments import File
from tenant_apps.contact.files.stored import key_of
from tenant_apps.contact.models import Message
from tenant_apps.invoices.models import Document, Invoice
from tenant_apps.portal import takeout
from tenant_apps.portal.views.mine import my_data
from tenants.models import Town
from tests.conftest import PASSWORD
from tests.portal.conftest import text
from tests.residents.people import EMAIL, Known, known_in_and_out
from tests.throttling import at_most
from toolkit.files.storage import town_key

PAGE = "/mes-informations/mes-donnees/"
TAKE, ERASE = f"{PAGE}telecharger/", f"{PAGE}effacement/"


@pytest.fixture
def known(town: Town, make_account: Any, make_payer: Any, make_invoice: Any) -> Known:
    return known_in_and_out(make_account, make_payer, make_invoice)


def with_pdf(town: Town, invoice: Invoice, name: str) -> None:
    key = town_key(town.uuid, "invoices", "2026", f"{name}.pdf")
    storages["documents"].save(key, ContentFile(name.encode() * 1000))
    invoice.document = Document.objects.create(key=key, sha256="0" * 64, size=1, pages=1)
    invoice.save(update_fields=["document"])


def unzipped(answer: Any) -> dict[str, bytes]:
    assert answer.streaming
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.testzip() is None
        return {info.filename: archive.read(info) for info in archive.infolist()}


def test_one_click_gives_everything(town: Town, known: Known, client_for: Any) -> None:
    with_pdf(town, known.paid, "mine")
    files = unzipped(client_for(known.account).post(TAKE))
    lines = {
        name.removeprefix("json/").removesuffix(".json"): json.loads(content)["lignes"]
        for name, content in files.items()
        if name.startswith("json/")
    }
    assert {name: len(rows) for name, rows in lines.items()} == {
        **{
            "compte": 1,
            "appareils": 2,
            "liens": 2,
            "courriels": 0,
            "dossiers": 1,
            "adresses": 2,
            "adresses-retirees": 2,
            "cles": 0,
        },
        **{
            "factures": 2,
            "avoirs": 1,
            "modifications": 0,
            "reglements": 1,
            "tentatives": 1,
            "suivi-des-tentatives": 2,
        },
        **{"remboursements": 1, "declarations": 1, "alertes": 2, "messages": 2, "rattachements": 1},
        "journal": len(lines["journal"]),
    }
    assert lines["compte"][0]["adresse"] == EMAIL
    paid = next(row for row in lines["factures"] if row["numero"] == known.paid.number)
    assert (paid["montant"], paid["regle"], paid["echeance"]) == ("37.50", "37.50", "2026-12-31")
    assert lines["reglements"][0]["montant"] == "37.50"
    assert lines["tentatives"][0]["etat"] == "payé"
    assert "le service" in {row["auteur"] for row in lines["journal"]}
    assert "someone-of-staff" not in json.dumps(lines)
    pdf = "pdf/2026-10-01 Facture 2026-001-000001 FACTURATION.pdf"
    assert files[pdf] == b"mine" * 1000
    readme = files["lisez-moi.txt"].decode()
    assert f"Compte : {EMAIL}" in readme
    assert "- pdf : 1 facture, telle que" in readme
    assert "- messages écrits au service : 36 mois" in readme
    assert "\r\n- messages : Messages avec le service (2 lignes)\r\n" in readme
    for name, rows in lines.items():
        table = list(
            csv.reader(io.StringIO(files[f"tableaux/{name}.csv"].decode("utf-8-sig")), delimiter=";")
        )
        assert len(table) == 1 + len(rows), name
    table = files["tableaux/factures.csv"].decode("utf-8-sig")
    assert ";01/10/2026;31/12/2026;37,50;" in table


def test_no_secret_and_nothing_of_others(
    town: Town, known: Known, client_for: Any, make_payer: Any, make_invoice: Any
) -> None:
    known.account.refresh_from_db()
    password, callback = known.account.password, known.attempt.operation
    other = make_invoice(make_payer(last_name="ETRANGER"))
    whole = b"".join(unzipped(client_for(known.account).post(TAKE)).values()).decode(errors="replace")
    assert callback
    for word in ("bob@example.net", "Bob", password, callback, "SECRET", other.number, "ETRANGER", "argon2"):
        assert word not in whole, word


def test_answers_and_files_are_in_it(known: Known, client_for: Any, make_account: Any) -> None:
    asked = Message.objects.get(subject="Question")
    file = File(asked.uuid, uuid4(), "Avis d'imposition.pdf", "pdf", 4)
    storages["documents"].save(key_of(file), ContentFile(b"%PDF"))
    Message.objects.filter(pk=asked.pk).update(files=[file.row()])
    clerk = make_account("clerk@example.net", role="clerk")
    Message.objects.create(
        thread=asked,
        author="staff",
        account=clerk,
        email=clerk.email,
        subject="",
        body="Voici.",
        sent_to=EMAIL,
    )
    files = unzipped(client_for(known.account).post(TAKE))
    lines = json.loads(files["json/messages.json"])["lignes"]
    assert [(line["auteur"], line["texte"]) for line in lines][-1] == ("mairie", "Voici.")
    assert lines[0]["conversation"] == lines[-1]["conversation"]
    assert "clerk@example.net" not in files["json/messages.json"].decode()
    (joined,) = [name for name in files if name.startswith("pieces-jointes/")]
    assert (joined[-4:], files[joined]) == (".pdf", b"%PDF")


def test_a_formula_is_harmless(known: Known, client_for: Any) -> None:
    Invoice.objects.filter(pk=known.paid.pk).update(subject='=HYPERLINK("http://evil.example")')
    files = unzipped(client_for(known.account).post(TAKE))
    assert "'=HYPERLINK" in files["tableaux/factures.csv"].decode("utf-8-sig")


def test_a_stranger_s_copy_holds_nothing_of_it(known: Known, client_for: Any, make_account: Any) -> None:
    whole = b"".join(unzipped(client_for(make_account("charlie@example.net")).post(TAKE)).values()).decode()
    for word in (EMAIL, known.paid.number, known.payer.full_name, str(known.account.uuid)):
        assert word not in whole, word


def test_every_section_that_was_declared_reads_its_table(known: Known) -> None:
    """A model whose declaration names a section is really asked for while that section is read."""
    wanted: dict[str, set[str]] = {}
    models = personal.town_models()
    for label, declared in personal.declared().items():
        for name in declared.sections:
            wanted.setdefault(name, set()).add(models[label]._meta.db_table)
    addresses, seen = addresses_of(known.account), set()
    sections = personal.sections_of(known.account, addresses)
    while True:
        with CaptureQueriesContext(connection) as asked:
            section = next(sections, None)
            if section is None:
                break
            list(section.rows)
        seen.add(section.name)
        statements = " ".join(query["sql"] for query in asked)
        for table in wanted[section.name] - {"accounts_account"}:  # the devices come with the account
            assert table in statements, (section.name, table)
    assert seen == set(wanted)


def test_as_many_statements_for_many_invoices(
    known: Known, client_for: Any, make_invoice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(my_data, "COPIES", at_most(my_data.COPIES, 99))
    client = client_for(known.account)

    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            b"".join(client.post(TAKE).streaming_content)
        return len(asked)

    def least() -> int:
        """Now and then a process also asks what changed in the registry."""
        return min(statements() for _time in range(3))

    few = least()
    for n in range(30):
        make_invoice(known.payer, number=f"N{n}", reference=f"N{n}")
    assert least() == few < 40


def test_a_body_with_very_many_pdfs_is_told(
    town: Town, known: Known, client_for: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takeout, "MOST_DOCUMENTS", 1)
    with_pdf(town, known.paid, "one")
    with_pdf(town, known.open, "two")
    files = unzipped(client_for(known.account).post(TAKE))
    assert len([name for name in files if name.startswith("pdf/")]) == 1
    assert "1 autre facture ne tient pas" in files["lisez-moi.txt"].decode()


def test_it_is_recorded_and_slowed_down(known: Known, client_for: Any) -> None:
    client = client_for(known.account)
    for _time in range(5):
        assert client.post(TAKE).status_code == 200
    answer = client.post(TAKE)
    assert answer.status_code == 429
    assert "recommencez dans une heure" in text(answer)
    assert AuditEntry.objects.filter(verb="account.data_taken", object=known.account.audit_name).count() == 5


def test_half_an_hour_later_the_password_is_asked_for(known: Known, client_for: Any) -> None:
    client = client_for(known.account)
    assert "Mon mot de passe" not in text(client.get(PAGE))
    session = client.session
    session[recent.SESSION_MARK] = (timezone.now() - timedelta(minutes=31)).timestamp()
    session.save()
    assert "Mon mot de passe" in text(client.get(PAGE))
    assert "écrivez votre mot de passe" in text(client.post(TAKE))
    wrong = client.post(TAKE, {"password": "pas le bon"})
    assert (wrong.status_code, wrong.streaming) == (422, False)
    assert "Ce n'est pas votre mot de passe" in text(wrong)
    refused = client.post(ERASE, {"sure": "on"})
    assert refused.status_code == 422
    assert client.post(TAKE, {"password": PASSWORD}).streaming
    assert client.post(TAKE).streaming  # proven for another half hour


def test_asking_and_changing_one_s_mind(known: Known, client_for: Any) -> None:
    client = client_for(known.account)
    page = text(client.get(ERASE))
    assert "Ce qui sera effacé" in page
    assert "Vos factures à régler restent dues" in page
    unsure = client.post(ERASE)
    assert unsure.status_code == 422
    assert "Cochez la case" in text(unsure)
    assert "Un message vous la confirme" in text(client.post(ERASE, {"sure": "on"}, follow=True))
    waiting = text(client.get(ERASE))
    assert "rien n'est effacé" in waiting
    assert "attend la réponse du service" in text(client.get(PAGE))
    assert "est annulée" in text(client.post(f"{ERASE}annuler/", follow=True))
    assert "Demander l'effacement" in text(client.get(PAGE))


def test_a_refusal_is_read_on_the_page(known: Known, client_for: Any) -> None:
    Account.objects.filter(pk=known.account.pk).update(
        erasure_refused_at=timezone.now(), erasure_answer="Un litige est en cours."
    )
    page = text(client_for(known.account).get(ERASE))
    assert "Un litige est en cours." in page
    assert "cnil.fr" in page


def test_my_details_leads_there(known: Known, client_for: Any) -> None:
    assert f'href="{PAGE}"' in client_for(known.account).get("/mes-informations/").content.decode()
