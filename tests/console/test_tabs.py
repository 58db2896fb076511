"""A town's page in tabs: what each shows, what it hides, and that it costs the same however much there is."""

import html
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Role
from shared_apps.audit import services as audit
from shared_apps.audit.models import AuditEntry
from shared_apps.console.models import TownFigures
from shared_apps.console.watch import condition
from shared_apps.mail.models import MailState, OutgoingMail
from tenant_apps.firstday.lines import done_of, lines_of
from tenant_apps.invoices.models import Batch
from tenant_apps.residents.sources import default_source
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.queries import current_townhall
from tenants.models import Domain, Operation, Town
from tenants.states import TownState

PAGE = "/communes/mairie/"
TABS = ("", "equipe/", "adresses/", "operations/", "journal/", "identite/")


def read(console: Client, tab: str = "") -> str:
    answer = console.get(PAGE + tab)
    assert answer.status_code == 200
    return answer.content.decode()


def fail_mails(n: int) -> None:
    soon = timezone.now()
    for _ in range(n):
        OutgoingMail.objects.create(
            kind="contact-answer", to="alice@example.net", subject="Réponse à votre message : mon divorce",
            state=MailState.FAILED, problem="address", next_try_at=soon,
            last_error="550 5.1.1 <alice@example.net> unknown",
        )  # fmt: skip
        OutgoingMail.objects.create(
            kind="receipt", to="bob@example.net", subject="Votre règlement est enregistré – Mairie",
            problem="us", next_try_at=soon, last_error="530 5.7.0 Authentication required",
        )  # fmt: skip


def test_health_says_why_mails_do_not_leave_and_names_nobody(console: Client, town: Town) -> None:
    fail_mails(2)
    page = read(console)
    for words in (
        "Le serveur du destinataire refuse cette adresse",
        "Le serveur de courriel refuse les envois du portail",
        "530 5.7.0 Authentication required",
        "Votre règlement est enregistré – Mairie",
        "Réponse du service",
    ):
        assert words in page, words
    for hidden in ("alice@example.net", "bob@example.net", "mon divorce"):
        assert hidden not in page


def test_health_shows_imports_products_and_kept_figures(console: Client, town: Town) -> None:
    for name, state, more in (
        ("secret.csv", "failed", {"failure": "Le fichier n'est plus là."}),
        ("autre.csv", "refused", {"error_count": 3}),
        ("bon.csv", "published", {}),
    ):
        Batch.objects.create(
            source=default_source(), created_by="system", rows_name=name, rows_key="f", state=state, **more
        )
    TownFigures.objects.update_or_create(
        town=town,
        defaults={
            "stuck_mails": 12,
            "failed_imports": 1,
            "waiting_since": timezone.now() - timedelta(hours=3),
            "computed_at": timezone.now(),
        },
    )
    page = read(console)
    for words in (
        "Le fichier n&#x27;est plus là.",
        "3 erreurs dans le fichier",
        "Régie cantine",
        "001964",
        "En service",
        "12 courriels ne partent pas",
        "travail en retard de 3\u00a0h",
        "1 import interrompu",
    ):
        assert words in page, words
    assert ".csv" not in page  # the name of a clerk's file may be a person's


def test_the_first_steps_are_those_of_the_town_s_own_page(
    console: Client, town: Town, settings: Any, make_account: Any
) -> None:
    settings.HOSTING = ""
    with tenant_context(town):
        TownHall.objects.update(address="1 place", phone="05", logo="", first_day={})
        make_account("manager@example.net", role=Role.MANAGER)
        lines = lines_of(current_townhall())
    page = html.unescape(read(console))
    assert f"Premiers pas : {done_of(lines)} sur 7" in page
    for line in lines:
        assert line.title in page
        assert line.says in page
    assert "en attente de l'exploitant" in page
    for address in ("regies/", "equipe/"):
        assert f'href="{PAGE}{address}">{"Régie" if "reg" in address else "Équipe"}<' in page
    first = page[page.index('id="first"') : page.index('id="mails"')]
    assert "<form" not in first  # the operator reads


def test_the_team(console: Client, town: Town, make_account: Any) -> None:
    make_account("agent@example.net", role=Role.CLERK)
    make_account("usager@example.net")
    page = read(console, "equipe/")
    assert "agent@example.net" in page
    assert "usager@example.net" not in page
    assert "Intervenir à sa place" in page


def test_the_actions_are_in_their_tabs(console: Client, town: Town) -> None:
    for tab, here, elsewhere in (
        ("operations/", ("suspendre", "exporter", "fermer"), ("ajouter-domaine", "rouvrir")),
        ("adresses/", ("ajouter-domaine", "changer-adresse"), ("suspendre",)),
        ("", (), ("suspendre", "ajouter-domaine")),
    ):
        page = read(console, tab)
        for key in here:
            assert f"/communes/mairie/{key}/" in page, (tab, key)
        for key in elsewhere:
            assert f"/communes/mairie/{key}/" not in page, (tab, key)


def test_the_trail_is_paged_and_names_no_resident(console: Client, town: Town, make_account: Any) -> None:
    agent, resident = make_account("agent@example.net", role=Role.CLERK), make_account("usager@example.net")
    with transaction.atomic():
        for actor in (resident, agent, "system"):
            audit.record("test.happened", actor=actor, obj="x")
        for _ in range(condition.ENTRIES):
            audit.record("test.happened", actor="system", obj="x")
    page = read(console, "journal/")
    assert "Plus ancien" in page
    assert "agent@example.net" not in page
    with tenant_context(town):
        last = AuditEntry.objects.order_by("-id")[condition.ENTRIES - 1].pk
    page = read(console, f"journal/?avant={last}")
    assert "agent@example.net" in page
    assert "un usager" in page
    assert "usager@example.net" not in page
    assert "Revenir au plus récent" in page
    assert console.get(f"{PAGE}journal/?avant=x'").status_code == 200


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_costs_the_same_however_much_there_is(
    console: Client, town: Town, make_account: Callable[..., Any], tab: str
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as seen:
            read(console, tab)
        return len(seen)

    def more(n: int) -> None:
        with tenant_context(town), transaction.atomic():
            fail_mails(n)
            for _ in range(n):
                make_account(f"{uuid.uuid4().hex}@example.net", role=Role.CLERK)
                Batch.objects.create(
                    source=default_source(), created_by="system", rows_name="f", rows_key="f", state="failed"
                )
                audit.record("test.happened", actor="system")
        for _ in range(n):
            Operation.objects.create(kind="export", subject="mairie", town=town, state="done")
            Domain.objects.create(
                tenant=town, domain=f"{uuid.uuid4().hex}.example.org", kind="custom", is_primary=False
            )

    more(1)
    count()  # what a process reads once in a while is read
    few = count()
    more(8)
    assert count() == few < 30


@pytest.mark.parametrize("state", [TownState.OPENING, TownState.CLOSED])
def test_a_town_that_is_not_there_is_not_read(console: Client, db: None, state: TownState) -> None:
    """Nothing of it exists but its row."""
    Town.objects.create(slug="absente", name="Absente", schema_name="t_absente", state=state)
    for tab in TABS:
        expected = 404 if tab == "equipe/" else 200
        assert console.get(f"/communes/absente/{tab}").status_code == expected, tab


def test_the_details_are_changed_and_recorded(console: Client, town: Town) -> None:
    form = {"name": "Mairie", "legal_name": "Commune", "siren": "218 200 970", "insee": "2a004"}
    assert console.post(f"{PAGE}identite/", form)["Location"] == f"{PAGE}identite/"
    town.refresh_from_db()
    assert (town.name, town.legal_name, town.siren, town.insee) == ("Mairie", "Commune", "218200970", "2A004")
    entry = AuditEntry.objects.get(verb="town.changed")
    assert entry.old["name"] == "Mairie de Démonstration"
    assert entry.new["siren"] == "218200970"
    assert "Identité de la commune changée" in read(console, "journal/")
    console.post(f"{PAGE}identite/", form)  # twice changes nothing
    assert AuditEntry.objects.filter(verb="town.changed").count() == 1


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("siren", "218200971", "n&#x27;existe pas"),
        ("siren", "218200970", "est celui de Commune de Pechabou"),
        ("insee", "2C001", "INSEE"),
        ("name", " ", "obligatoire"),
    ],
)
def test_wrong_details_are_refused(
    console: Client, town: Town, other_town: Town, field: str, value: str, words: str
) -> None:
    Town.objects.filter(pk=other_town.pk).update(siren="218200970")
    form = {"name": "Mairie", "legal_name": "", "siren": "", "insee": "", field: value}
    answer = console.post(f"{PAGE}identite/", form)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    town.refresh_from_db()
    assert town.name == "Mairie de Démonstration"
    assert not AuditEntry.objects.filter(verb="town.changed").exists()


def test_a_copy_is_marked_everywhere_until_somebody_says_that_it_is_none(
    console: Client, town: Town, other_town: Town, make_account: Any, client_for: Callable[..., Client]
) -> None:
    resident, agent = make_account("usager@example.net"), make_account("chef@example.net", role=Role.MANAGER)
    pages = ((client_for(), "/"), (client_for(resident), "/factures/"), (client_for(agent), "/gestion/"))
    assert console.get(f"{PAGE}lever-la-copie/").status_code == 404
    Town.objects.filter(pk=town.pk).update(copy_of=other_town.uuid)
    for client, path in pages:
        assert "<strong>copie</strong>" in client.get(path).content.decode(), path
    assert 'href="/communes/pechabou/"' in read(console, "operations/")
    assert ">copie<" in console.get("/tenants/town/?q=mairie").content.decode()
    Town.objects.filter(pk=town.pk).update(copy_of=uuid.uuid4())
    assert "qui n'existe plus" in read(console)
    assert console.post(f"{PAGE}lever-la-copie/", {"reason": ""}).status_code == 422
    console.post(f"{PAGE}lever-la-copie/", {"reason": "L'originale est effacée"})
    assert AuditEntry.objects.get(verb="town.no_copy").new["reason"] == "L'originale est effacée"
    for client, path in pages:
        assert "<strong>copie</strong>" not in client.get(path).content.decode(), path
    assert "n&#x27;est plus marquée" in read(console, "identite/").replace("n'est", "n&#x27;est")
    assert "copie" not in read(console, "identite/")  # once it was said
