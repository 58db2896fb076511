"""The list of towns, their pages, and what is done to them."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shared_apps.audit.models import AuditEntry
from shared_apps.console.models import TownFigures
from tenants.archive import exporting
from tenants.models import Domain, Operation, OperationState, Town
from tenants.schema import versions
from tenants.states import TownState
from tenants.work import operations

LIST = "/tenants/town/"


def add_towns(number: int, **figures: Any) -> list[Town]:
    """Rows of the registry alone: nothing of these towns exists, so nothing may be asked of them."""
    start = Town.objects.count()
    towns = Town.objects.bulk_create(
        Town(
            slug=f"row-{start + n}",
            schema_name=f"t_row_{start + n}",
            name=f"Commune {start + n:05}",
            state=TownState.OPEN,
            schema_version=versions.wanted().version,
        )
        for n in range(number)
    )
    Domain.objects.bulk_create(
        Domain(tenant=town, domain=f"{town.slug}.localhost", is_primary=True) for town in towns
    )
    TownFigures.objects.bulk_create(
        TownFigures(town=town, computed_at=timezone.now(), published_invoices=n, **figures)
        for n, town in enumerate(towns)
    )
    return towns


def names(page: Any) -> list[str]:
    return re.findall(r'class="console-town" href="[^"]+">([^<]+)<', page.content.decode())


def statements(console: Client, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as seen:
        assert console.get(path).status_code == 200
    return [query["sql"] for query in seen.captured_queries]


def test_as_many_statements_for_2000_towns_as_for_50(console: Client) -> None:
    paths = (LIST, f"{LIST}?q=commune", f"{LIST}?o=-3", f"{LIST}?attention=schema", "/")
    add_towns(50, failed_mails=1, unpaid=Decimal("12.00"))
    console.get("/")  # what a process reads once in a while is read
    few = {path: statements(console, path) for path in paths}
    add_towns(1950, failed_mails=1, unpaid=Decimal("12.00"))
    for path in paths:
        many = statements(console, path)
        assert len(many) == len(few[path]) < 20, path
        assert not [sql for sql in many if "COUNT(" in sql.upper()], path


def test_the_list_shows_the_figures(console: Client, town: Town) -> None:
    TownFigures.objects.update_or_create(
        town=town,
        defaults={
            "published_invoices": 1234,
            "unpaid": Decimal("5678.90"),
            "last_import_at": timezone.now(),
            "failed_mails": 3,
            "storage_bytes": 5 * 1024 * 1024,
            "waiting_since": timezone.now() - timedelta(hours=2),
            "first_steps": 4,
            "computed_at": timezone.now(),
        },
    )
    page = console.get(f"{LIST}?q=mairie").content.decode()
    assert "/communes/mairie/" in page
    for words in ("1\u202f234", "5\u202f678,90\u00a0€", ">3<", "5,0", "2\u00a0h", "à jour", "ouverte", "4/7"):
        assert words in page, words


def test_filters_and_order(console: Client) -> None:
    good, bad, late, old = add_towns(4)
    TownFigures.objects.filter(town=bad).update(failed_mails=2, unpaid=Decimal("1.00"))
    TownFigures.objects.filter(town=late).update(
        import_since=timezone.now() - timedelta(hours=1), waiting_since=timezone.now() - timedelta(hours=1)
    )
    Town.objects.filter(pk=old.pk).update(schema_version="old", state=TownState.SUSPENDED)
    for query, expected in (
        ("attention=courriels", {bad.name}),
        ("attention=import", {late.name}),
        ("attention=file", {late.name}),
        ("attention=schema", {old.name}),
        ("state__exact=suspended", {old.name}),
        (f"q={good.slug}", {good.name}),
    ):
        assert set(names(console.get(f"{LIST}?{query}"))) == expected, query
    assert names(console.get(f"{LIST}?q=row-&o=-3"))[0] == bad.name


def test_the_towns_in_trouble_come_first_and_the_worst_of_them_first(console: Client) -> None:
    quiet, bounced, held, stuck, late, closed = add_towns(6)
    hour = timezone.now() - timedelta(hours=1)
    for town, trouble in (
        (bounced, {"bounced_mails": 1}),
        (held, {"held_attempts": 2}),
        (stuck, {"stuck_mails": 12}),
        (late, {"waiting_since": hour, "failed_imports": 1}),
        (closed, {"stuck_mails": 99}),
    ):
        TownFigures.objects.filter(town=town).update(**trouble)
    Town.objects.filter(pk=closed.pk).update(state=TownState.CLOSED)
    page = console.get("/").content.decode()
    places = [page.index(town.name) for town in (stuck, late, held, bounced)]
    assert places == sorted(places)
    assert places[-1] < page.index("Les parties de la plateforme")
    for words in ("12 courriels ne partent pas", "travail en retard de 1\u00a0h", "1 import interrompu"):
        assert words in page
    assert quiet.name not in page
    assert closed.name not in page
    for query, expected in (
        ("tout", {bounced.name, held.name, stuck.name, late.name}),
        ("relais", {stuck.name, closed.name}),
        ("imports", {late.name}),
        ("adresses", {bounced.name}),
    ):
        assert set(names(console.get(f"{LIST}?attention={query}"))) == expected, query


def test_a_schema_that_is_late_is_said(console: Client, town: Town) -> None:
    Town.objects.filter(pk=town.pk).update(schema_version="old")
    assert "en retard" in console.get(f"{LIST}?q=mairie").content.decode()
    assert "schéma en retard" in console.get("/communes/mairie/").content.decode()
    assert "Schémas en retard" in console.get("/").content.decode()


def test_the_town_s_page(console: Client, town: Town) -> None:
    page = console.get("/communes/mairie/").content.decode()
    for words in ("Mairie de Démonstration", "http://mairie.localhost", "Santé", "Équipe", "Journal"):
        assert words in page
    assert console.get(f"/tenants/town/{town.pk}/change/")["Location"] == "/communes/mairie/"
    assert console.get("/communes/nulle-part/").status_code == 404
    for absent in (
        "/communes/nulle-part/suspendre/",
        "/communes/mairie/rouvrir/",
        "/communes/mairie/detruire/",
    ):
        assert console.get(absent).status_code == 404
        assert console.post(absent, {"reason": "Demande du maire"}).status_code == 404


def test_closing_asks_for_the_address(console: Client, town: Town) -> None:
    closing = {"days": "30", "reason": "Fusion de communes"}
    for wrong in ({}, {"confirmation": "pechabou"}):
        assert console.post("/communes/mairie/fermer/", {**closing, **wrong}).status_code == 422
        town.refresh_from_db()
        assert town.state == TownState.OPEN
    assert console.post("/communes/mairie/fermer/", {**closing, "confirmation": "mairie"}).status_code == 302
    town.refresh_from_db()
    assert town.state == TownState.CLOSING
    entry = AuditEntry.objects.get(verb="town.closing")
    assert entry.new["reason"] == "Fusion de communes"
    assert "operator@example.net" in console.get("/communes/mairie/journal/").content.decode()
    assert console.post("/communes/mairie/rouvrir/", {"reason": "La commune reste"}).status_code == 302


@pytest.mark.parametrize(
    ("form", "words"),
    [({"days": "0"}, "1"), ({"days": "9999"}, "365"), ({"days": "30", "reason": " "}, "motif")],
)
def test_a_refusal_is_said_and_nothing_is_done(
    console: Client, town: Town, form: dict[str, str], words: str
) -> None:
    answer = console.post("/communes/mairie/fermer/", {"reason": "Fusion", "confirmation": "mairie", **form})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    town.refresh_from_db()
    assert town.state == TownState.OPEN


def test_own_domains(console: Client, town: Town) -> None:
    bad = console.post("/communes/mairie/ajouter-domaine/", {"host": "https://factures.example.org/"})
    assert bad.status_code == 422
    assert "nom de domaine" in bad.content.decode()
    console.post("/communes/mairie/ajouter-domaine/", {"host": "factures.example.org"})
    page = console.get("/communes/mairie/adresses/").content.decode()
    assert "_mes-factures.factures.example.org" in page
    path = "/communes/mairie/domaine"
    answer = console.post(f"{path}/principal/", {"host": "factures.example.org"}, follow=True)
    assert "encore vérifié" in answer.content.decode()
    console.post(f"{path}/retirer/", {"host": "factures.example.org"})
    assert not Domain.objects.filter(domain="factures.example.org").exists()
    assert console.post(f"{path}/autre/", {"host": "x"}).status_code == 404
    assert console.get(f"{path}/retirer/").status_code == 405


# --- Operations ------------------------------------------------------------------------------------


NEW = {"name": "Commune de Lauzerte", "slug": "lauzerte", "contact_email": "regie@example.org", "manager": ""}


def test_open_a_town(console: Client) -> None:
    answer = console.post("/ouvrir/", NEW)
    operation = Operation.objects.get()
    assert answer["Location"] == f"/operations/{operation.uuid}/"
    page = console.get(answer["Location"]).content.decode()
    assert "en attente" in page
    assert "every 2s" in page
    operations.perform(operation.pk)
    page = console.get(f"{answer['Location']}etat/").content.decode()
    assert "Terminée" in page
    assert "every 2s" not in page
    assert Client(headers={"host": "lauzerte.localhost"}).get("/").status_code == 200


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("slug", "admin", "réservé"),
        ("slug", "mairie", "existe déjà"),
        ("siren", "123456789", "SIREN"),
        ("contact_email", "", "obligatoire"),
        ("name", "", "obligatoire"),
    ],
)
def test_open_refused(console: Client, field: str, value: str, words: str) -> None:
    answer = console.post("/ouvrir/", {**NEW, field: value})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Operation.objects.exists()


def test_rename_is_an_operation(console: Client, town: Town) -> None:
    answer = console.post("/communes/mairie/changer-adresse/", {"slug": "ville"})
    operation = Operation.objects.get()
    assert answer["Location"] == f"/operations/{operation.uuid}/"
    assert (
        "Une opération"
        in console.post("/communes/mairie/changer-adresse/", {"slug": "bourg"}).content.decode()
    )
    operations.perform(operation.pk)
    assert console.get("/communes/ville/").status_code == 200
    assert console.get("/communes/mairie/").status_code == 404


@pytest.fixture
def failed(db: None, town: Town) -> Operation:
    return Operation.objects.create(
        kind="rename", subject="mairie", town=town, arguments={"slug": "ville"}, requested_by="system",
        state=OperationState.FAILED, error="Panne inattendue (OSError).", step="Bascule",
        finished_at=timezone.now(),
    )  # fmt: skip


def test_a_failure_is_said_and_tried_again(console: Client, failed: Operation) -> None:
    path = f"/operations/{failed.uuid}/"
    for page in (console.get(path), console.get("/"), console.get("/communes/mairie/operations/")):
        assert "chou" in page.content.decode()  # « échouée »
    assert "Panne inattendue" in console.get(path).content.decode()
    console.post(f"{path}reprendre/")
    failed.refresh_from_db()
    assert failed.state == OperationState.WAITING
    assert AuditEntry.objects.filter(verb="operation.retried").count() == 1
    console.post(f"{path}reprendre/")  # twice changes nothing
    assert AuditEntry.objects.filter(verb="operation.retried").count() == 1
    operations.perform(failed.pk)
    assert "Terminée" in console.get(path).content.decode()


def test_a_failure_that_was_made_good_is_no_worry(console: Client, failed: Operation, town: Town) -> None:
    Operation.objects.create(
        kind="rename", subject="mairie", town=town, requested_by="system", state=OperationState.DONE
    )
    assert "échouées ou bloquées" not in console.get("/").content.decode()


def test_one_that_does_not_move_is_a_worry(console: Client, failed: Operation) -> None:
    Operation.objects.update(
        state=OperationState.RUNNING, due_at=timezone.now() - timedelta(hours=1), finished_at=None
    )
    assert "échouées ou bloquées" in console.get("/").content.decode()


def test_an_action_that_nobody_does_is_not_shown(console: Client, town: Town) -> None:
    kept = operations._works.pop("rename")
    try:
        assert "changer-adresse" not in console.get("/communes/mairie/adresses/").content.decode()
        assert console.post("/communes/mairie/changer-adresse/", {"slug": "ville"}).status_code == 404
    finally:
        operations._works["rename"] = kept


# --- Export, restore, erase ------------------------------------------------------------------------


def asked(answer: Any) -> Operation:
    """The operation whose page an action led to."""
    assert answer.status_code == 302, answer.content.decode()[-2000:]
    return Operation.objects.get(uuid=answer["Location"].split("/")[2])


def test_what_was_done_is_said_once(console: Client) -> None:
    page = console.post("/communes/mairie/suspendre/", {"reason": "essai"}, follow=True).content.decode()
    assert page.count("La commune est suspendue") == 1


def test_an_address_that_cannot_be_is_explained(console: Client) -> None:
    page = console.post("/ouvrir/", {"name": "Isle", "slug": "Isle Été"}).content.decode()
    assert "lettres minuscules sans accent" in page
    assert "tirets bas" not in page  # they are refused too


def test_export_restore_a_copy_and_erase_it(live_town: Town, live_console: Client) -> None:
    """On a town of its own, whose rows are really committed: these operations use connections of their own."""
    console, slug = live_console, live_town.slug
    export = asked(console.post(f"/communes/{slug}/exporter/"))
    assert operations.perform(export.pk).state == OperationState.DONE
    page = console.get(f"/operations/{export.uuid}/").content.decode()
    for words in ("Télécharger l&#x27;archive", "Restaurer cette archive", "SHA-256"):
        assert words.replace("&#x27;", "'") in page
    link = console.get(f"/operations/{export.uuid}/archive/")["Location"]
    assert requests.get(link, timeout=10).content.startswith(b"PK")
    assert AuditEntry.objects.filter(verb="export.downloaded").exists()

    taken = console.post(f"/operations/{export.uuid}/restaurer/", {"slug": "admin"})
    assert "réservé" in taken.content.decode()
    copy = asked(console.post(f"/operations/{export.uuid}/restaurer/", {"slug": f"{slug[:20]}-bis"}))
    assert operations.perform(copy.pk).state == OperationState.DONE, Operation.objects.get(pk=copy.pk).error
    path = f"/communes/{slug[:20]}-bis"
    page = console.get(f"{path}/").content.decode()
    assert "suspendue" in page
    assert "est une copie de" in page
    assert f'href="/communes/{slug}/"' in page
    listed = console.get(f"{LIST}?q={slug[:20]}&attention=copie")
    assert names(listed) == ["Commune d&#x27;essai"]
    assert ">copie<" in listed.content.decode()

    assert console.post(f"/communes/{slug}/effacer/", {"reason": "x"}).status_code == 404  # it is open
    form = {"reason": "Copie d'essai", "confirmation": slug}
    assert console.post(f"{path}/effacer/", form).status_code == 422  # another town's address
    erase = asked(console.post(f"{path}/effacer/", {**form, "confirmation": f"{slug[:20]}-bis"}))
    done = operations.perform(erase.pk)
    assert done.state == OperationState.DONE, done.error
    assert console.get(f"{path}/").status_code == 404
    page = console.get(f"/operations/{erase.uuid}/").content.decode()
    assert "Voir le certificat" in page
    text = console.get(f"/effacements/{done.result['certificate']}/").content.decode()
    for words in ("CERTIFICAT", "live@example.net", "Copie d&#x27;essai"):
        assert words in text
    exporting.forget(Operation.objects.get(pk=export.pk))


def test_an_archive_that_has_gone_is_said(console: Client, town: Town) -> None:
    export = Operation.objects.create(kind="export", subject="mairie", town=town, state=OperationState.DONE)
    assert "Télécharger" not in console.get(f"/operations/{export.uuid}/").content.decode()
    page = console.get(f"/operations/{export.uuid}/archive/", follow=True).content.decode()
    assert "plus sur la plateforme" in page
    assert console.get(f"/operations/{export.uuid}/restaurer/").status_code == 404
    assert not AuditEntry.objects.filter(verb="export.downloaded").exists()
