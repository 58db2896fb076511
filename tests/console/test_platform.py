"""The platform's settings, where they show, and the trail in words."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Role
from shared_apps.audit.models import AuditEntry
from shared_apps.console.models import Platform
from shared_apps.treasury.models import UnmatchedNotification
from tenants.models import Town

SETTINGS = {
    "name": "Factures du Lot",
    "support_email": "aide@example.org",
    "support_phone": "05 00 00 00 01",
    "legal_contact": "Syndicat informatique du Lot",
    "banner": "Coupure dimanche de 8 h à 9 h.",
}


@pytest.fixture
def people(town: Town, make_account: Any, client_for: Callable[..., Client]) -> Callable[..., Client]:
    """`people(role)`: a browser of somebody of the town, wherever the console has left the connection."""

    def make(role: Role) -> Client:
        with tenant_context(town):
            return client_for(make_account(f"{role}@example.net", role=role))

    return make


def test_saved_shown_and_written_in_the_trail(
    console: Client, town: Town, people: Callable[..., Client]
) -> None:
    assert console.post("/plateforme/", SETTINGS)["Location"] == "/plateforme/"
    console.post("/plateforme/", SETTINGS)  # twice changes nothing
    assert AuditEntry.objects.filter(verb="platform.changed").count() == 1
    assert "Factures du Lot" in console.get("/").content.decode()
    staff = people(Role.CLERK).get("/gestion/").content.decode()
    assert "Coupure dimanche" in staff
    assert "aide@example.org" in staff
    unknown = Client(headers={"host": "nulle-part.localhost"}).get("/").content.decode()
    for words in ("Factures du Lot", "aide@example.org", "05 00 00 00 01", "Syndicat informatique du Lot"):
        assert words in unknown
    resident = people(Role.RESIDENT).get("/factures/").content.decode()
    assert "Coupure dimanche" not in resident
    trail = console.get("/audit/auditentry/").content.decode()
    assert "Réglages de la plateforme changés" in trail
    assert "operator@example.net" in trail


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("name", "x" * 81), ("support_email", "personne"), ("banner", "x" * 301)],
)
def test_refused(console: Client, field: str, value: str) -> None:
    assert console.post("/plateforme/", {**SETTINGS, field: value}).status_code == 422
    assert not Platform.objects.exists()


def test_words_of_people_are_only_words(console: Client, town: Town, people: Callable[..., Client]) -> None:
    console.post("/plateforme/", {**SETTINGS, "banner": "<script>alert(1)</script>"})
    page = people(Role.CLERK).get("/gestion/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_the_trail_is_filtered_and_read(console: Client, town: Town) -> None:
    console.post("/communes/mairie/suspendre/", {"reason": "Demande <b>du</b> maire"})
    page = console.get("/audit/auditentry/?action=town.suspended").content.decode()
    for words in (
        "Commune suspendue",
        "operator@example.net",
        "mairie",
        "ouverte → suspendue",
        "&lt;b&gt;du",
    ):
        assert words in page
    assert "Commune suspendue</" not in console.get("/audit/auditentry/?action=town.closed").content.decode()
    assert console.get("/audit/auditentry/?q=mairie").status_code == 200


def test_notifications_that_no_town_knows_are_seen(console: Client, town: Town) -> None:
    UnmatchedNotification.objects.all().delete()  # of tests that really commit
    caller = Client(headers={"host": "paiement.localhost"})
    for n in range(3):
        assert caller.post("/payfip/notification/", {"idop": f"inconnu-{n}"}).status_code == 200
    page = console.get("/treasury/unmatchednotification/").content.decode()
    assert "Sonneries sans commune" in page
    unmatched = UnmatchedNotification.objects.get()
    assert (unmatched.number, unmatched.samples[0] in page, "inconnu" in page) == (3, True, False)
    assert console.get(f"/treasury/unmatchednotification/{unmatched.pk}/change/").status_code == 404
