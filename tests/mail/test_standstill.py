"""When no mail leaves, the home page of staff says so, with the reason and what to do. Otherwise it says nothing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from shared_apps.accounts.models import Account, Role
from shared_apps.mail.models import MailProblem, MailState, OutgoingMail
from shared_apps.mail.queries import ALIKE, LATE, Standstill, unsent
from tenant_apps.townhall import first_day
from tenants.models import Town
from toolkit.scope import EVERYTHING

pytestmark = pytest.mark.usefixtures("town")


def standstill() -> Standstill | None:
    return unsent(EVERYTHING).standstill


def mail(
    state: MailState, *, problem: str = "", minutes: float = 0, sent: float | None = None
) -> OutgoingMail:
    present = timezone.now()
    made = OutgoingMail.objects.create(
        kind="x", to="alice@example.net", subject="Un sujet", text="t", html="<p>t</p>", state=state,
        problem=problem, tries=bool(problem), next_try_at=present + timedelta(minutes=5),
        sent_at=None if sent is None else present - timedelta(minutes=sent),
    )  # fmt: skip
    OutgoingMail.objects.filter(pk=made.pk).update(created_at=present - timedelta(minutes=minutes))
    return made


@pytest.fixture
def home(client_for: Callable[..., Client], make_account: Callable[..., Account]) -> Callable[[str], str]:
    first_day.finish()  # the ordinary page
    browser = client_for(make_account("agent@example.net", role=Role.CLERK))
    return lambda path="/gestion/": browser.get(path).content.decode()


def test_nothing_waits(home: Callable[..., str]) -> None:
    mail(MailState.SENT, sent=1, minutes=2)
    assert standstill() is None
    assert "ne partent plus" not in home()
    assert "Rien n'attend" in home().replace("&#x27;", "'")


def test_a_mail_of_now_may_wait(town: Town) -> None:
    mail(MailState.QUEUED, minutes=1)
    assert standstill() is None


def test_no_server(home: Callable[..., str]) -> None:
    for minutes in (130, 3, 2):
        mail(MailState.QUEUED, problem="server" if minutes > 2 else "", minutes=minutes)
    found = standstill()
    assert found is not None
    assert (found.count, found.problem, found.stopped) == (3, MailProblem.SERVER, True)
    assert abs(timezone.now() - found.since - timedelta(minutes=130)) < timedelta(minutes=1)
    for page in (home(), home("/gestion/courriels/")):
        assert "Les courriels ne partent plus." in page
        assert "3 courriels ne sont pas partis" in page
        assert "le serveur de courriel ne répond pas" in page
        assert "prévenez l'exploitant" in page.replace("&#x27;", "'")
        assert 'role="alert"' in page
    assert "Rien n'attend" not in home().replace("&#x27;", "'")


def test_no_worker(town: Town) -> None:
    mail(MailState.QUEUED, minutes=20)
    found = standstill()
    assert found is not None
    assert found.problem is None
    assert "personne ne les a" in found.reason


def test_one_that_must_wait_while_others_leave_is_no_standstill(town: Town) -> None:
    mail(MailState.QUEUED, problem="later", minutes=40)
    mail(MailState.SENT, sent=3, minutes=4)
    assert standstill() is None
    OutgoingMail.objects.filter(state="sent").update(sent_at=timezone.now() - LATE - timedelta(minutes=1))
    assert standstill() is not None


def test_several_that_failed_for_one_reason(home: Callable[..., str]) -> None:
    for _n in range(ALIKE - 1):
        mail(MailState.FAILED, problem="content", minutes=30)
    assert standstill() is None
    mail(MailState.FAILED, problem="content", minutes=30)
    assert "Plusieurs courriels ont échoué pour la même raison." in home()


@pytest.mark.parametrize("problem", ["address", "copy"])
def test_what_says_nothing_of_the_others(town: Town, problem: str) -> None:
    for _n in range(ALIKE + 1):
        mail(MailState.FAILED, problem=problem, minutes=30)
    assert standstill() is None


def test_each_mail_says_its_reason_and_its_next_try(home: Callable[..., str]) -> None:
    mail(MailState.QUEUED, problem="later")
    mail(MailState.FAILED, problem="address")
    page = home("/gestion/courriels/").replace("&#x27;", "'")
    assert "Le serveur de courriel demande d'attendre." in page
    assert "nouvel essai à" in page
    assert "Le serveur du destinataire refuse cette adresse." in page
    assert "Renvoyer" in page


def test_a_doubt_is_said_as_what_it_is(home: Callable[..., str]) -> None:
    doubtful: Any = mail(MailState.QUEUED, problem="server")
    OutgoingMail.objects.update(maybe_twice=True)
    assert "peut-être déjà reçu" in home("/gestion/courriels/")
    OutgoingMail.objects.filter(pk=doubtful.pk).update(state="sent", sent_at=timezone.now())
    assert "peut-être reçu deux fois" in home("/gestion/courriels/")
