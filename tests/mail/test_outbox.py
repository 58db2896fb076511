"""The outbox with a real SMTP server that answers, refuses, hangs up or fails: sent once, or shown as failed."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.conf import settings as django_settings
from django.utils import timezone

from shared_apps.mail import services as outbox
from shared_apps.mail.content import Content
from shared_apps.mail.models import MailProblem, MailState, OutgoingMail
from shared_apps.mail.sending.delivery import BACK_OFF, deliver_outbox
from tenant_apps.townhall.queries import letterhead
from tenants.models import AgendaItem, Town

pytestmark = pytest.mark.xdist_group("smtp")


@pytest.fixture(autouse=True)
def catcher(settings: Any) -> Iterator[Callable[[str], None]]:
    """The session's mail catcher; `catcher("refuse")` makes it fail in that way."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_TIMEOUT = 3

    def mode(name: str) -> None:
        answer = requests.post(f"{page()}/mode", data={"mode": name}, timeout=5)
        assert answer.status_code < 400, answer.text

    yield mode
    mode("ok")


def page() -> str:
    """The catcher's web page is three ports below its SMTP port (sandbox.home)."""
    return f"http://127.0.0.1:{django_settings.EMAIL_PORT - 3}"


def caught(to: str) -> list[dict[str, Any]]:
    return [mail for mail in requests.get(f"{page()}/messages.json", timeout=5).json() if to in mail["to"]]


@pytest.fixture
def queue(town: Town) -> Callable[..., OutgoingMail | None]:
    def make(to: str, **more: Any) -> OutgoingMail | None:
        content = Content(subject="Bonjour", sentence="Une phrase.", why="Parce que.")
        mail = outbox.compose(kind="test", to=to, content=content, letterhead=letterhead(), **more)
        return outbox.queue(mail)

    return make


def only() -> OutgoingMail:
    return OutgoingMail.objects.get()


def test_sent_once_under_the_town_s_name(queue: Callable[..., OutgoingMail | None]) -> None:
    queue("one@example.net", reply_to="regie@example.org")
    assert deliver_outbox() == 1
    assert deliver_outbox() == 0
    assert (only().state, only().tries) == (MailState.SENT, 1)
    (mail,) = caught("one@example.net")
    assert "Mairie de" in mail["from"]
    assert mail["subject"] == "Bonjour"


def test_a_key_makes_twice_impossible(queue: Callable[..., OutgoingMail | None]) -> None:
    assert queue("two@example.net", key="k") is not None
    assert queue("two@example.net", key="k") is None
    assert deliver_outbox() == 1


def test_a_secret_is_erased_once_sent(queue: Callable[..., OutgoingMail | None]) -> None:
    queue("three@example.net", secret=True)
    deliver_outbox()
    assert (only().text, only().html) == ("", "")


@pytest.mark.parametrize("illness", ["later", "down", "hang"])
def test_an_ill_server_is_tried_again(
    queue: Callable[..., OutgoingMail | None], catcher: Callable[[str], None], illness: str
) -> None:
    queue("four@example.net")
    catcher(illness)
    assert deliver_outbox() == 0
    mail = only()
    assert (mail.state, mail.tries) == (MailState.QUEUED, 1)
    assert mail.last_error
    assert mail.problem == {"later": "later", "down": "server", "hang": "server"}[illness]
    assert timedelta(0) < mail.next_try_at - timezone.now() <= timedelta(minutes=BACK_OFF[0])
    assert deliver_outbox() == 0  # not before the time of the next try
    catcher("ok")
    OutgoingMail.objects.update(next_try_at=timezone.now())
    assert deliver_outbox() == 1
    assert only().maybe_twice == (illness == "hang")  # the server got it and did not answer
    assert (only().problem, only().last_error) == ("", "")


def test_an_address_that_is_refused_is_a_failure_to_be_seen(
    queue: Callable[..., OutgoingMail | None], catcher: Callable[[str], None]
) -> None:
    queue("five@example.net")
    catcher("refuse")
    deliver_outbox()
    assert (only().state, only().problem) == (MailState.FAILED, MailProblem.ADDRESS)
    assert only().last_error


def test_after_the_last_try_it_is_a_failure(
    queue: Callable[..., OutgoingMail | None], catcher: Callable[[str], None]
) -> None:
    queue("six@example.net")
    catcher("later")
    for _ in range(len(BACK_OFF) + 1):
        OutgoingMail.objects.update(next_try_at=timezone.now())
        deliver_outbox()
    assert (only().state, only().tries) == (MailState.FAILED, len(BACK_OFF) + 1)


def test_a_worker_that_died_between_sending_and_noting(queue: Callable[..., OutgoingMail | None]) -> None:
    queue("seven@example.net")
    OutgoingMail.objects.update(
        state=MailState.SENDING, tries=1, next_try_at=timezone.now() + timedelta(minutes=10)
    )
    assert deliver_outbox() == 0  # another worker may still be sending it
    OutgoingMail.objects.update(next_try_at=timezone.now())
    assert deliver_outbox() == 1
    assert only().maybe_twice  # and the row says so


def test_the_agenda_knows(queue: Callable[..., OutgoingMail | None], town: Town) -> None:
    queue("eight@example.net")
    assert AgendaItem.objects.filter(town=town, kind="mail").count() == 1
