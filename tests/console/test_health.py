"""The parts, real and broken: each has its own state, and a silent one costs three seconds at most."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from shared_apps.console.watch import health
from tenants import tasks
from tenants.models import AgendaItem, Town
from tenants.work import agenda, heartbeat


def states() -> dict[str, health.Part]:
    return {part.name: part for part in health.parts()}


@pytest.fixture
def silence() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_real_parts_answer(db: None) -> None:
    found = states()
    for name in ("PostgreSQL", "Redis", "Fichiers (S3)", "PayFiP"):
        assert found[name].state == "ok", found[name]


def test_the_worker_and_beat(db: None) -> None:
    assert "jamais vus" in states()["Tâches de fond"].words
    tasks.run_agenda()
    assert states()["Tâches de fond"].state == "ok"
    cache.set(heartbeat.KEY, (datetime.now(UTC) - timedelta(minutes=7)).timestamp())
    part = states()["Tâches de fond"]
    assert part.state == "bad"
    assert "7 min" in part.words


def test_mail(db: None, settings: Any, silence: int) -> None:
    assert states()["Envoi des courriels"].state == "unknown"  # the tests' own back end sends by no relay
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert states()["Envoi des courriels"].state == "ok"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", silence
    assert states()["Envoi des courriels"].state == "silent"


class Relay:
    """A real SMTP server (aiosmtpd) that gives `answers[command]` instead of its own answer."""

    def __init__(self, answers: dict[str, str]) -> None:
        self.answers = answers

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if "MAIL" in self.answers:
            return self.answers["MAIL"]
        envelope.mail_from = address
        return "250 OK"


@contextmanager
def relay(settings: Any, **answers: str) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(Relay(answers), hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    try:
        yield
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("answers", "state", "words"),
    [
        ({}, "ok", "accepte notre adresse"),
        ({"MAIL": "554 5.7.1 Sender refused"}, "refuses", "refuse : 554 5.7.1 Sender refused"),
        ({"MAIL": "451 4.3.0 Try later"}, "refuses", "demande d'attendre : 451 4.3.0"),
    ],
)
def test_a_relay_that_refuses_is_not_one_that_is_silent(
    db: None, settings: Any, answers: dict[str, str], state: str, words: str
) -> None:
    with relay(settings, **answers):
        part = states()["Envoi des courriels"]
        assert (part.state, words in part.words) == (state, True), part


def test_a_relay_that_cannot_do_what_is_asked(db: None, settings: Any) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "portail", "secret"
    with relay(settings):  # it has no way to sign in
        part = states()["Envoi des courriels"]
    assert part.state == "refuses"


def test_a_greeting_that_refuses(db: None, settings: Any) -> None:
    """« 554 » instead of « 220 »: it answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def refuse() -> None:
            guest, _address = server.accept()
            with guest:
                guest.sendall(b"554 5.3.2 No service here\r\n")
                guest.recv(100)

        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.getsockname()
        part = states()["Envoi des courriels"]
        thread.join(5)
    assert part.state == "refuses"
    assert "554 5.3.2 No service here" in part.words


def test_what_the_messages_met_is_said_too(db: None, settings: Any) -> None:
    """A relay may greet us and refuse each message: the towns' kept figures know it."""
    with relay(settings):
        for waiting, state in (({"us": 3}, "refuses"), ({"address": 3}, "ok"), ({"us": 0}, "ok"), ({}, "ok")):
            found = {part.name: part for part in health.parts(waiting)}["Envoi des courriels"]
            assert found.state == state, waiting
        found = {part.name: part for part in health.parts({"us": 2})}["Envoi des courriels"]
        assert "refuse les envois du portail : 2 courriels attendent" in found.words
    settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"  # nothing can be known without sending
    assert {part.name: part for part in health.parts({"us": 2})}["Envoi des courriels"].state == "refuses"
    assert {part.name: part for part in health.parts()}["Envoi des courriels"].state == "unknown"


def test_a_silent_part_is_named_and_does_not_hold_the_page(
    db: None, console: Client, settings: Any, silence: int
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{silence}/0"
    settings.PAYFIP_SERVICE_URL = f"http://127.0.0.1:{silence}/"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", silence
    begun = time.monotonic()
    page = console.get("/").content.decode()
    assert time.monotonic() - begun < health.DEADLINE + 15
    assert page.count("✗ ne répond pas") >= 3
    assert states()["PostgreSQL"].state == "ok"


def test_s3_refuses_our_keys(db: None, settings: Any) -> None:
    from copy import deepcopy

    wrong = deepcopy(settings.STORAGES)
    wrong["documents"]["OPTIONS"]["secret_key"] = "wrong"
    settings.STORAGES = wrong
    assert states()["Fichiers (S3)"].state == "refuses"


def test_work_that_is_long_due_is_said(live_town: Town) -> None:
    AgendaItem.objects.all().delete()  # what the setting up of the session's towns has planned
    assert states()["PostgreSQL"].state == "ok"
    agenda.plan("mail", timezone.now() - timedelta(minutes=10))
    part = states()["PostgreSQL"]
    assert part.state == "bad"
    assert "attend depuis 10 min" in part.words
    AgendaItem.objects.filter(town=live_town).delete()
