"""Opening a town: it serves at once, or nothing of it exists."""

import re
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django_tenants.utils import tenant_context

from shared_apps.mail.models import OutgoingMail
from tenant_apps.residents.services import handle_links
from tenants.models import Town


def test_a_new_town_serves_at_once_and_its_manager_is_invited(db: None) -> None:
    call_command("create_town", "lauzerte", "Commune de Lauzerte", "--manager", "maire@example.org")
    host = {"host": "lauzerte.localhost"}
    for path in ("/", "/activation/", "/contact/", "/theme.css"):
        assert Client(headers=host).get(path).status_code == 200
    town = Town.objects.get(slug="lauzerte")
    with tenant_context(town):
        handle_links()
        mail = OutgoingMail.objects.get(to="maire@example.org")
        token = re.search(r"LIEN=(X[0-9a-f]{32})", mail.text)
        assert token
    browser = Client(headers=host)
    browser.get(f"/?LIEN={token[1]}")
    assert browser.post("/lien/", {"password": "un mot de passe bien long"}).status_code == 200
    answer = browser.post("/", {"email": "maire@example.org", "password": "un mot de passe bien long"})
    assert answer["Location"] == "/gestion/"
    assert browser.get("/gestion/").status_code == 200


@pytest.mark.parametrize(
    ("slug", "contact", "words"),
    [
        ("Lauzerte", "x@example.org", "ne convient pas"),
        ("a" * 41, "x@example.org", "ne convient pas"),
        ("lauzerte-", "x@example.org", "ne convient pas"),
        ("admin", "x@example.org", "réservé"),
        ("paiement", "x@example.org", "réservé"),
        ("mairie", "x@example.org", "existe déjà"),
        ("lauzerte", "no address", "courriel"),
        ("lauzerte", "", "--contact"),
    ],
)
def test_refused_and_nothing_is_kept(db: None, slug: str, contact: str, words: str) -> None:
    def schemas() -> set[Any]:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nspname FROM pg_namespace")
            return set(cursor.fetchall())

    before = schemas(), Town.objects.count()
    with pytest.raises(CommandError, match=words):
        call_command("create_town", slug, "Commune", "--contact", contact)
    assert (schemas(), Town.objects.count()) == before


def test_suspend_and_resume(db: None) -> None:
    call_command("suspend_town", "mairie")
    page = Client(headers={"host": "mairie.localhost"}).get("/factures/")
    assert page.status_code == 503
    assert "momentanément fermé" in page.content.decode()
    call_command("suspend_town", "mairie")  # twice changes nothing
    call_command("resume_town", "mairie")
    assert Client(headers={"host": "mairie.localhost"}).get("/").status_code == 200
    with pytest.raises(CommandError, match="Aucune commune"):
        call_command("suspend_town", "nulle-part")
