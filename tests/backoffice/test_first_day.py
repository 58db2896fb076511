"""The first steps of a new town: each line by facts, who sees what, hidden and over for good."""

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from shared_apps.accounts.models import Account, Role
from shared_apps.accounts.sessions import impersonation
from shared_apps.audit.models import AuditEntry
from tenant_apps.firstday.lines import TOTAL, Line, State, done_of, lines_of
from tenant_apps.invoices.models import Batch
from tenant_apps.products.models import Product
from tenant_apps.residents.sources import default_source
from tenant_apps.townhall import first_day
from tenant_apps.townhall.first_day import Step
from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.queries import current_townhall
from tenant_apps.townhall.services import change_townhall
from tenants.models import Town
from tests.backoffice.conftest import text

HOME = "/gestion/"
FOLD = "/gestion/premiers-pas/masquer/"
KEEP = "/gestion/premiers-pas/rien-a-changer/"
COMPLETE = {
    "logo": "x/logo.png", "primary_colour": "#111111", "address": "1 place", "phone": "05",
    "alert_audience": "known",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _new(town: Town, settings: Any) -> None:
    """A town as it is opened: nothing chosen, and the platform says who hosts it."""
    settings.HOSTING = "Syndicat informatique, 1 rue du Serveur, 05 00 00 00 01"
    TownHall.objects.update(
        first_day={}, logo="", primary_colour="#1f4e79", accent_colour="#8a4b08",
        address="", phone="", legal_notice="", alert_audience="accounts",
    )  # fmt: skip
    Product.objects.update(numcli="", protocol="none", mode="T", checked_at=None)


def line(step: Step) -> Line:
    return next(one for one in lines_of(current_townhall()) if one.step == step)


def finish_everything(people: SimpleNamespace) -> None:
    TownHall.objects.update(**COMPLETE)
    Product.objects.update(numcli="001964", protocol="payfip", mode="W", checked_at=timezone.now())
    published()


def published() -> None:
    Batch.objects.create(
        source=default_source(), created_by="system", rows_name="f.csv", rows_key="f", state="published",
        published_at=timezone.now(),
    )  # fmt: skip


# --- each line ------------------------------------------------------------------------------------


def test_logo_and_colours(people: SimpleNamespace) -> None:
    assert (line(Step.IDENTITY).state, line(Step.IDENTITY).keep) == (State.TODO, "Rien à changer")
    TownHall.objects.update(primary_colour="#111111")
    assert "Les couleurs sont choisies" in line(Step.IDENTITY).says
    TownHall.objects.update(primary_colour="#1f4e79", logo="x")
    assert "Le logo est là" in line(Step.IDENTITY).says
    assert not line(Step.IDENTITY).is_done
    TownHall.objects.update(accent_colour="#222222")
    assert line(Step.IDENTITY).is_done


def test_a_regie_with_its_number_then_in_service() -> None:
    assert (line(Step.REGIE).state, line(Step.REGIE).leads_to) == (State.TODO, "regies")
    assert (line(Step.PAYFIP).state, line(Step.PAYFIP).waits_for) == (State.WAITING, "du numéro")
    Product.objects.update(numcli="001964", protocol="payfip")
    product = Product.objects.get()
    assert line(Step.REGIE).is_done
    going = line(Step.PAYFIP)
    assert (going.state, going.leads_to, going.product) == (State.TODO, "going-live", product.pk)
    assert f"{product.label} : Numéro à vérifier" in going.says
    for mode, words in (("T", "En test (T)"), ("X", "En activation (X)")):
        Product.objects.update(mode=mode, checked_at=timezone.now())
        assert words in line(Step.PAYFIP).says
    Product.objects.update(mode="W")
    assert line(Step.PAYFIP).is_done
    Product.objects.update(closed_at=timezone.now(), closed_code="T1")
    assert (line(Step.PAYFIP).state, "refusé" in line(Step.PAYFIP).says) == (State.TODO, True)


def test_every_regie_must_be_in_service_and_a_long_list_is_cut() -> None:
    Product.objects.update(numcli="001964", protocol="payfip", mode="W", checked_at=timezone.now())
    for n in range(5):
        Product.objects.create(
            code=f"R{n}", label=f"Régie {n}", numcli=f"00{n}000", protocol="payfip", mode="T"
        )
    going = line(Step.PAYFIP)
    assert going.state == State.TODO
    assert going.says.count(":") == 3
    assert going.says.endswith("; 2 autres régies.")
    Product.objects.filter(code__startswith="R").exclude(is_default=True).update(ended_at=timezone.now())
    assert line(Step.PAYFIP).is_done  # a closed one is no more to put in service


def test_the_team(make_account: Callable[..., Account]) -> None:
    assert (line(Step.TEAM).state, line(Step.TEAM).waits_for) == (State.WAITING, "du premier responsable")
    manager = make_account("manager@example.net", role=Role.MANAGER)
    alone = line(Step.TEAM)
    assert (alone.state, alone.keep) == (State.TODO, "Je suis seul·e")
    invited = make_account("clerk@example.net", role=Role.CLERK, password=None)
    assert (line(Step.TEAM).state, line(Step.TEAM).keep) == (State.WAITING, "")
    Account.objects.filter(pk=invited.pk).update(activated_at=timezone.now())
    assert line(Step.TEAM).is_done
    Account.objects.filter(pk=invited.pk).update(removed_at=timezone.now(), is_active=False)
    make_account("alice@example.net")  # a resident is nobody's colleague
    assert line(Step.TEAM).state == State.TODO
    first_day.settle(actor=manager, step=Step.TEAM)
    kept = line(Step.TEAM)
    assert kept.is_done
    assert kept.says.startswith("Gardé tel quel par manager@example.net le ")


def test_the_legal_notice_names_who_publishes_and_who_hosts(settings: Any) -> None:
    assert "l'adresse et le téléphone" in line(Step.TEXTS).says
    assert line(Step.TEXTS).leads_to == "town"
    TownHall.objects.update(address="1 place de la Mairie")
    assert "le téléphone de la mairie" in line(Step.TEXTS).says
    TownHall.objects.update(phone="05 00 00 00 00")
    assert line(Step.TEXTS).is_done
    settings.HOSTING = ""
    waits = line(Step.TEXTS)
    assert (waits.state, waits.waits_for, waits.leads_to) == (State.WAITING, "de l'exploitant", "notices")
    assert "l'exploitant doit le renseigner" in waits.says
    TownHall.objects.update(legal_notice="Éditeur : la commune. Hébergeur : nous.")
    assert line(Step.TEXTS).is_done


def test_the_audience_is_a_choice(people: SimpleNamespace) -> None:
    asked = line(Step.AUDIENCE)
    assert (asked.state, asked.keep) == (State.TODO, "Rien à changer")
    assert "les comptes activés" in asked.says
    change_townhall(actor=people.manager, alert_audience="nobody")
    assert "personne" in line(Step.AUDIENCE).says
    assert line(Step.AUDIENCE).is_done
    change_townhall(actor=people.manager, alert_audience="accounts")
    first_day.settle(actor=people.manager, step=Step.AUDIENCE)
    assert line(Step.AUDIENCE).is_done


def test_the_first_import(make_batch: Callable[..., Batch]) -> None:
    assert (line(Step.IMPORT).state, line(Step.IMPORT).leads_to) == (State.TODO, "new-batch")
    batch = make_batch()
    assert (line(Step.IMPORT).state, line(Step.IMPORT).leads_to) == (State.TODO, "batches")
    batch.delete() if not batch.invoices.exists() else None
    published()
    assert line(Step.IMPORT).is_done


def test_only_what_may_be_right_is_kept_as_it_came(people: SimpleNamespace) -> None:
    for step in (Step.REGIE, Step.PAYFIP, Step.TEXTS, Step.IMPORT):
        with pytest.raises(ValueError, match=step.value):
            first_day.settle(actor=people.manager, step=step)
    assert current_townhall().first_day == {}


# --- the page -------------------------------------------------------------------------------------


def test_a_manager_sees_every_line_and_its_page(browsers: SimpleNamespace) -> None:
    answer = browsers.manager.get(HOME)
    page, source = text(answer), answer.content.decode()
    assert "Votre commune se prépare : 1 étape sur 7 est faite." in page  # the team
    for step in Step:
        assert str(step.label) in page
    for address in ("identite/", "textes/", "regies/", "equipe/", "imports/nouveau/"):
        if address != "textes/":
            assert address in source
    assert "En attente du numéro" in page
    assert "Rien n'attend" not in page  # only zeros would follow
    published()
    assert "En ligne" in text(browsers.manager.get(HOME))


def test_every_link_opens(browsers: SimpleNamespace) -> None:
    Product.objects.update(numcli="001964", protocol="payfip")
    TownHall.objects.update(address="1 place", phone="05")
    page = browsers.manager.get(HOME).content.decode()
    links = re.findall(r'href="([^"]+)"', page[page.index('id="first-day"') : page.index("</ol>")])
    assert len(links) == TOTAL
    assert any("mise-en-service" in link for link in links)
    assert [browsers.manager.get(link).status_code for link in links] == [200] * TOTAL


def test_the_others_see_what_concerns_them(browsers: SimpleNamespace) -> None:
    for who, has_import in (("clerk", True), ("cashier", True), ("reader", False)):
        answer = getattr(browsers, who).get(HOME)
        page = text(answer)
        assert "Votre commune se prépare : 1 étape sur 7 est faite." in page
        assert ("Premier import" in page) == has_import
        assert "Logo et couleurs" not in page
        assert "Masquer" not in page
        assert "/gestion/premiers-pas/" not in answer.content.decode()


def test_whoever_works_for_some_regies_does_not_see_the_town_s_list(
    browsers: SimpleNamespace, people: SimpleNamespace
) -> None:
    """The first import of another régie would show (tests/isolation/test_regies.py)."""
    Account.objects.filter(pk=people.clerk.pk).update(limited_to=[Product.objects.get().pk])
    assert "Premiers pas" not in text(browsers.clerk.get(HOME))


def test_nothing_to_change_is_remembered_with_who(browsers: SimpleNamespace, people: SimpleNamespace) -> None:
    answer = browsers.manager.post(KEEP, {"etape": "audience"}, follow=True)
    assert "C'est noté : rien à changer." in text(answer)
    assert "Gardé tel quel par manager@example.net" in text(answer)
    browsers.manager.post(KEEP, {"etape": "audience"})  # twice is once
    fact = AuditEntry.objects.get(verb="townhall.first_step_kept")
    assert (fact.actor, fact.new) == (people.manager.audit_name, {"step": "audience"})
    for wrong in ("import", "danser", "\0", ""):
        browsers.manager.post(KEEP, {"etape": wrong})
    assert set(current_townhall().first_day["settled"]) == {"audience"}
    for who, status in (("cashier", 403), ("reader", 403), ("alice", 404), ("nobody", 302)):
        assert getattr(browsers, who).post(KEEP, {"etape": "identity"}).status_code == status
        assert getattr(browsers, who).post(FOLD).status_code == status
    assert set(current_townhall().first_day) == {"settled"}


def test_hidden_and_shown_again(browsers: SimpleNamespace) -> None:
    answer = browsers.manager.post(FOLD, follow=True)
    page = text(answer)
    assert "Votre commune se prépare" not in page
    assert "Rien n'attend" in page
    assert "Afficher de nouveau la liste des premiers pas" in page
    browsers.manager.post(FOLD)
    assert AuditEntry.objects.filter(verb="townhall.first_day_folded").count() == 1
    clerk = text(browsers.clerk.get(HOME))
    assert "se prépare" not in clerk
    assert "Afficher de nouveau" not in clerk
    again = browsers.manager.post(FOLD, {"quoi": "afficher"}, follow=True)
    assert "Votre commune se prépare" in text(again)


def test_over_is_said_once_and_never_comes_back(
    browsers: SimpleNamespace, people: SimpleNamespace, operator: Account, client_for: Callable[..., Client]
) -> None:
    finish_everything(people)
    assert done_of(lines_of(current_townhall())) == TOTAL
    assert "Tout est prêt" not in text(browsers.clerk.get(HOME))  # it waits for a manager
    ticket = impersonation.ask(operator=operator, account=people.manager, reason="Ticket 4711 : vérifier")
    inside = client_for()
    inside.post(f"/gestion/intervention/{ticket}/")
    assert "Tout est prêt" not in text(inside.get(HOME))
    assert "Tout est prêt" in text(browsers.manager.get(HOME))
    assert "Tout est prêt" not in text(browsers.manager.get(HOME))
    TownHall.objects.update(logo="")
    assert "Premiers pas" not in text(browsers.manager.get(HOME))
    assert AuditEntry.objects.filter(verb="townhall.first_day_finished").count() == 1


def test_a_town_in_read_only_is_not_written(
    browsers: SimpleNamespace, people: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish_everything(people)
    monkeypatch.setattr("tenant_apps.backoffice.views.first_day.is_read_only", lambda: True)
    assert browsers.manager.get(HOME).status_code == 200
    assert "finished" not in current_townhall().first_day


def test_statements(
    browsers: SimpleNamespace, people: SimpleNamespace, make_account: Any, django_assert_num_queries: Any
) -> None:
    """The list costs a few statements, the same for a large town; once it is over, none."""

    def cost() -> int:
        with CaptureQueriesContext(connection) as seen:
            browsers.manager.get(HOME)
        return len(seen)

    first_day.settle(actor=people.manager, step=Step.AUDIENCE)
    browsers.manager.get(HOME)
    few = cost()
    for n in range(6):
        make_account(f"n{n}@example.net", role=Role.CLERK)
        Product.objects.create(code=f"R{n}", label=f"R{n}", numcli=f"00{n}000", protocol="payfip")
    assert cost() == few
    TownHall.objects.update(first_day={"finished": timezone.now().isoformat()})
    over = cost()
    assert few - over == 5  # names, products, staff, and two looks at the imports
    with django_assert_num_queries(5):
        lines_of(TownHall(name="x", contact_email="x@example.net", first_day=_settled(people)))


def _settled(people: SimpleNamespace) -> dict[str, Any]:
    word = {"by": people.manager.audit_name, "at": timezone.now().isoformat()}
    return {"settled": {"team": word, "gone": word}}
