"""A list of towns is opened: all of it or what is right of it, again without harm, and after a kill -9."""

import csv
import io
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account, Role
from shared_apps.audit.models import AuditEntry
from shared_apps.console.opening import NewTown
from shared_apps.console.townlist import opening, report
from shared_apps.console.townlist.outcomes import What
from shared_apps.console.townlist.reading import Line
from tenant_apps.products.models import Mode, Product
from tenants.current import leave
from tenants.errors import Busy
from tenants.hosts import registry
from tenants.life.services import schema_of
from tenants.models import LIVE, Operation, OperationState, Town
from tenants.states import TownState
from tenants.work import operations
from tests.tenants.conftest import said, start_manage
from tests.tenants.test_open_killed import blocked, server, wait_for
from tests.trail import trail_swept

HEAD = "Adresse;Nom;SIREN;Adresse de contact;Responsable;Régie;Numcli\n"


@pytest.fixture
def mark(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """What the slugs of a test begin with, in a database where other connections see what is written."""
    found = f"li{os.urandom(4).hex()}"
    with django_db_blocker.unblock(), trail_swept():
        connection.set_schema_to_public()
        yield found
        leave()
        for slug in Town.objects.filter(slug__startswith=found).values_list("slug", flat=True):
            with connection.cursor() as cursor:
                cursor.execute(f'DROP SCHEMA IF EXISTS "{schema_of(slug)}" CASCADE')
        Town.objects.filter(slug__startswith=found).delete()
        Operation.objects.filter(subject__startswith=found).delete()
        Operation.objects.filter(subject=opening.SUBJECT).delete()
    connection.close()


@pytest.fixture
def write(mark: str, tmp_path: Path) -> Callable[..., str]:
    """`write("a", "b")`: the path of a list with these towns, or of one with whole rows."""

    def make(*rows: str) -> str:
        path = tmp_path / f"{os.urandom(3).hex()}.csv"
        whole = (
            row if ";" in row else f"{mark}-{row};Commune {row};;regie@example.org;maire@example.org;;"
            for row in rows
        )
        path.write_text(HEAD + "\n".join(whole) + "\n", encoding="utf-8")
        return str(path)

    return make


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")), delimiter=";"))


def towns(mark: str) -> dict[str, str]:
    return dict(Town.objects.filter(slug__startswith=mark).values_list("slug", "state"))


def lines(mark: str, *names: str) -> list[Line]:
    return [
        Line(n, NewTown(slug=f"{mark}-{name}", name=f"Commune {name}", contact_email="regie@example.org"))
        for n, name in enumerate(names, 2)
    ]


def test_a_list_is_opened_and_once_more_changes_nothing(
    mark: str, write: Callable[..., str], tmp_path: Path
) -> None:
    path = write(
        "a", "b", "c", f"{mark}-d;Commune d;;regie@example.org;maire@example.org;Régie cantine;001964"
    )
    rep = tmp_path / "rapport.csv"
    words = said("open_town", "--from", path, "--report", str(rep), "--at-once", "2")
    assert "4 ouvertes" in words
    assert "4/4" in words
    assert set(towns(mark).values()) == {TownState.OPEN}
    assert [row["Résultat"] for row in rows_of(rep)] == ["ouverte"] * 4
    assert rows_of(rep)[3]["Ligne"] == "5"
    for slug in towns(mark):
        registry.forget()
        assert Client(headers={"host": f"{slug}.localhost"}).get("/").status_code == 200
        connection.set_schema_to_public()
        with tenant_context(Town.objects.get(slug=slug)):
            assert Account.objects.get().role == Role.MANAGER
    with tenant_context(Town.objects.get(slug=f"{mark}-d")):
        product = Product.objects.get()
        assert (product.label, product.numcli, product.mode) == ("Régie cantine", "001964", Mode.TEST)
        assert product.is_default
    facts = AuditEntry.objects.filter(verb="town.opened", new__slug__startswith=mark).count()
    again = said("open_town", "--from", path, "--report", str(rep))
    assert "4 déjà là" in again
    assert [row["Résultat"] for row in rows_of(rep)] == ["déjà là"] * 4
    assert AuditEntry.objects.filter(verb="town.opened", new__slug__startswith=mark).count() == facts == 4


def test_check_only_reads(mark: str, write: Callable[..., str]) -> None:
    assert "2 à ouvrir" in said("open_town", "--from", write("a", "b"), "--check")
    assert not towns(mark)
    assert not Operation.objects.filter(subject=opening.SUBJECT).exists()


def test_a_wrong_line_opens_nothing_unless_asked(
    mark: str, write: Callable[..., str], tmp_path: Path, capsys: Any
) -> None:
    path = write("a", f"{mark}-b;Commune b;218200971;regie@example.org;;;")
    rep = tmp_path / "rapport.csv"
    for options in ((), ("--check",)):
        with pytest.raises(CommandError, match="Rien n'a été ouvert : 1 à ouvrir, 1 refusée"):
            said("open_town", "--from", path, "--report", str(rep), *options)
        assert "Ligne 3" in capsys.readouterr().err
        assert not towns(mark)
        assert [row["Résultat"] for row in rows_of(rep)] == ["à ouvrir", "refusée"]
        assert "SIREN" in rows_of(rep)[1]["Détail"]
    with pytest.raises(CommandError, match="Tout n'est pas ouvert : 1 ouverte, 1 refusée"):
        said("open_town", "--from", path, "--report", str(rep), "--partial")
    assert towns(mark) == {f"{mark}-a": TownState.OPEN}
    assert [row["Résultat"] for row in rows_of(rep)] == ["ouverte", "refusée"]


def test_what_the_registry_refuses(mark: str, write: Callable[..., str], tmp_path: Path) -> None:
    said("create_town", f"{mark}-a", "Commune a", "--contact", "x@example.org", "--siren", "218200970")
    said("create_town", f"{mark}-old", "Commune renommée", "--contact", "x@example.org")
    said("rename_town", f"{mark}-old", f"{mark}-new")
    rep = tmp_path / "rapport.csv"
    path = write(
        f"{mark}-a;Une autre;;x@example.org;;;",  # another name at an address that is taken
        f"{mark}-b;Commune b;218200970;x@example.org;;;",  # the SIREN of another town
        f"{mark}-old;Commune c;;x@example.org;;;",  # a former address
        "d",
    )
    with pytest.raises(CommandError, match="1 ouverte, 3 refusées"):
        said("open_town", "--from", path, "--report", str(rep))
    details = [row["Détail"] for row in rows_of(rep)]
    for words, detail in zip(
        ("est celle de Commune a", "vérifiez le SIREN", "a été celle de Commune renommée"),
        details[:3],
        strict=True,
    ):
        assert words in detail
    assert f"{mark}-d" in towns(mark)
    assert Town.objects.get(slug=f"{mark}-a").name == "Commune a"


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ("pas les deux", ("--from", "x.csv", "lauzerte", "Lauzerte")),
        ("Donnez l'adresse", ()),
        ("ne peut pas être lu", ("--from", "/nulle/part.csv")),
    ],
)
def test_refused_at_once(db: None, words: str, options: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match=words):
        said("open_town", *options)


def test_one_town_by_its_options(mark: str) -> None:
    words = said(
        *("open_town", f"{mark}-a", "Commune a", "--contact", "x@example.org"),
        *("--regie", "Régie eau", "--number", "001965"),
    )
    assert f"{mark}-a.localhost" in words
    with tenant_context(Town.objects.get(slug=f"{mark}-a")):
        assert Product.objects.get().numcli == "001965"


def test_the_exit_code(mark: str, write: Callable[..., str]) -> None:
    good, bad = write("a"), write("a", f"{mark}-b;;;x@example.org;;;")
    for path, code in ((bad, 1), (good, 0), (good, 0)):
        process = start_manage("open_town", "--from", path)
        process.communicate(timeout=120)
        assert process.returncode == code


def test_another_list_waits(mark: str) -> None:
    first = opening.request_list(actor="system", lines=lines(mark, "a"))
    with pytest.raises(Busy):
        opening.request_list(actor="system", lines=lines(mark, "b"))
    with pytest.raises(Busy, match="Une autre liste"):
        opening.open_list_now(actor="system", lines=lines(mark, "b"))
    done = opening.open_list_now(actor="system", lines=lines(mark, "a"))  # the same list: goes on with it
    assert (done.pk, done.state) == (first.pk, OperationState.DONE)


def test_a_town_that_fails_stops_no_other(mark: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from shared_apps.console import opening as one

    furnish = one._furnish

    def broken(actor: Any, new: NewTown) -> None:
        if new.slug.endswith("-b"):
            raise ValueError("broken")
        furnish(actor, new)

    monkeypatch.setattr(one, "_furnish", broken)
    done = opening.open_list_now(actor="system", lines=lines(mark, "a", "b", "c"))
    assert [one.what for one in opening.outcomes_of(done)] == [What.OPENED, What.WAITING, What.OPENED]
    assert (done.result["opened"], done.result["waiting"]) == (2, 1)
    assert "Panne inattendue" in opening.outcomes_of(done)[1].words
    monkeypatch.undo()
    Operation.objects.filter(state__in=LIVE).update(due_at=timezone.now())
    [left] = Operation.objects.filter(subject=f"{mark}-b")
    assert operations.perform(left.pk).state == OperationState.DONE


@pytest.mark.faults
def test_killed_and_asked_for_again(mark: str, write: Callable[..., str], tmp_path: Path) -> None:
    """kill -9 while one town is half made and another is open: the same command opens what is missing, once."""
    path, rep = write("a", "b", "c"), tmp_path / "rapport.csv"
    with server() as other:
        process = start_manage("open_town", "--from", path, "--at-once", "1")
        wait_for(lambda: Town.objects.filter(slug=f"{mark}-a", state=TownState.OPEN).exists())
        other.execute("LOCK TABLE public.audit_entry IN SHARE MODE")
        wait_for(lambda: blocked() or process.poll() is not None)
        assert process.poll() is None, process.communicate()[0]
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert Operation.objects.get(subject=opening.SUBJECT).state == OperationState.RUNNING
    again = start_manage("open_town", "--from", path, "--report", str(rep), "--at-once", "2")
    words = again.communicate(timeout=180)[0]
    assert again.returncode == 0, words
    assert [row["Résultat"] for row in rows_of(rep)] == ["ouverte"] * 3  # all by this list, in two runs
    assert set(towns(mark).values()) == {TownState.OPEN}
    assert len(towns(mark)) == 3
    assert AuditEntry.objects.filter(verb="town.opened", new__slug__startswith=mark).count() == 3


@pytest.mark.faults
def test_killed_and_swept(mark: str, write: Callable[..., str]) -> None:
    """Nobody asks again: the worker's sweep ends the list and each town that was begun."""
    with server() as other:
        other.execute("LOCK TABLE public.audit_entry IN SHARE MODE")
        process = start_manage("open_town", "--from", write("a", "b", "c"))
        wait_for(lambda: blocked() or process.poll() is not None)
        assert process.poll() is None, process.communicate()[0]
        process.send_signal(signal.SIGKILL)
        process.communicate()
    Operation.objects.filter(state__in=LIVE).update(due_at=timezone.now())
    [found] = Operation.objects.filter(subject=opening.SUBJECT)
    wait_for(lambda: operations.perform(found.pk).state == OperationState.DONE)
    assert set(towns(mark).values()) == {TownState.OPEN}
    assert len(towns(mark)) == 3
    assert Operation.objects.get(pk=found.pk).result["opened"] == 3


def test_the_summary() -> None:
    assert report.summary({"opened": 2, "there": 1, "refused": 1}) == "2 ouvertes, 1 déjà là, 1 refusée"
    assert report.summary({}) == "aucune commune"
