"""« Ouvrir plusieurs communes »: a list is checked on the page, opened by the worker, and its report downloaded."""

import csv
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from shared_apps.console.townlist import opening, reading
from shared_apps.console.views import lists
from tenants.models import Operation, OperationState, Town
from tenants.work import operations

PAGE = "/ouvrir/liste/"
HEAD = "Adresse;Nom;SIREN;Adresse de contact\n"
GOOD = HEAD + "lauzerte;Lauzerte;218200970;regie@example.org\nisle;Isle;;regie@example.org\n"
BAD = GOOD + "trop;Trop;218200971;regie@example.org\n"


@pytest.fixture(autouse=True)
def one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the test's own connection, whose transaction no other thread would see."""
    monkeypatch.setattr(opening, "AT_ONCE", 1)


def send(console: Client, text: str, button: str = "open", **fields: Any) -> Any:
    file = SimpleUploadedFile("communes.csv", text.encode(), content_type="text/csv")
    return console.post(PAGE, {"list": file, button: "", **fields})


def test_a_list_is_opened_and_reported(console: Client) -> None:
    answer = send(console, GOOD)
    [operation] = Operation.objects.filter(kind=opening.KIND)
    assert answer["Location"] == f"/operations/{operation.uuid}/"
    assert "en attente" in console.get(answer["Location"]).content.decode()
    assert operations.perform(operation.pk).state == OperationState.DONE
    page = console.get(f"{answer['Location']}etat/").content.decode()
    assert "2 lignes" in page
    assert "demandent quelqu'un" not in page
    report = console.get(f"{answer['Location']}rapport/")
    text = b"".join(report).decode("utf-8-sig")  # type: ignore[arg-type]
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert [(row["Adresse"], row["Résultat"]) for row in rows] == [
        ("lauzerte", "ouverte"),
        ("isle", "ouverte"),
    ]
    assert rows[0]["Portail"].startswith("http://lauzerte.localhost")
    assert Client(headers={"host": "lauzerte.localhost"}).get("/").status_code == 200


def test_checking_opens_nothing(console: Client, town: Town) -> None:
    page = send(console, GOOD, "check")
    assert page.status_code == 200
    assert "2 à ouvrir." in page.content.decode()
    page = send(console, GOOD + "mairie;Une autre;;regie@example.org\n", "check").content.decode()
    assert "2 à ouvrir, 1 refusée." in page
    assert "est celle de Mairie de Démonstration" in page
    assert not Operation.objects.exists()


def test_a_wrong_line_is_explained_and_nothing_is_opened(console: Client) -> None:
    answer = send(console, BAD)
    assert answer.status_code == 422
    for words in ("Rien n'a été ouvert", "Colonne « SIREN »", "2 à ouvrir, 1 refusée"):
        assert words in answer.content.decode()
    assert not Operation.objects.exists()
    assert send(console, BAD, partial="on").status_code == 302
    [operation] = Operation.objects.filter(kind=opening.KIND)
    operations.perform(operation.pk)
    page = console.get(f"/operations/{operation.uuid}/").content.decode()
    assert "demandent quelqu'un" in page
    assert "Colonne « SIREN »" in page
    assert set(Town.objects.filter(slug__in=("lauzerte", "isle", "trop")).values_list("slug", flat=True)) == {
        "lauzerte",
        "isle",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "Ce fichier est vide"), ("Nom;Contact\nA;a@b.fr\n", "Il manque la colonne « Adresse »")],
)
def test_a_file_that_is_no_list(console: Client, text: str, words: str) -> None:
    answer = send(console, text)
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_no_file(console: Client) -> None:
    answer = console.post(PAGE, {"open": ""})
    assert answer.status_code == 422
    assert "Choisissez le fichier" in answer.content.decode()


def test_too_large_a_file_is_not_read(console: Client) -> None:
    answer = send(console, "x" * (lists.MOST + 1))
    assert answer.status_code == 413
    assert "plus de 1 Mo" in answer.content.decode()


def test_the_token_is_asked_for(console: Client) -> None:
    strict = Client(enforce_csrf_checks=True, headers={"host": "admin.localhost"})
    strict.cookies = console.cookies
    assert send(strict, GOOD).status_code == 403
    assert not Operation.objects.exists()


def test_two_lists_wait_for_each_other(console: Client) -> None:
    send(console, GOOD)
    answer = send(console, HEAD + "autre;Autre;;regie@example.org\n")
    assert answer.status_code == 422
    assert "liste de communes" in answer.content.decode()


def test_the_sample_can_be_read(console: Client) -> None:
    sample = b"".join(console.get(f"{PAGE}modele/"))  # type: ignore[arg-type]
    found = reading.read(io.BytesIO(sample))
    assert [line.new.slug for line in found.lines] == ["pechabou"]
    assert not found.problems


def test_an_operation_that_is_no_list_has_no_report(console: Client, town: Town) -> None:
    other = Operation.objects.create(kind="rename", subject="mairie", town=town, requested_by="system")
    assert console.get(f"/operations/{other.uuid}/rapport/").status_code == 404
