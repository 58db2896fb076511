"""A browser that asks for a code, and the code that the worker mails to it."""

import re
from typing import Any

from django.test import Client

from shared_apps.mail.models import OutgoingMail
from tenant_apps.residents import activation as residents

ASK, TYPE, IP = "/code/", "/code/saisie/", "192.0.2.7"
EMAIL = "alice@example.net"


def browser(host: str = "mairie.localhost") -> Client:
    return Client(headers={"host": host})


def ask(client: Client, email: str = EMAIL, **more: str) -> Client:
    """That browser asks for a code, and the worker answers."""
    answer = client.post(ASK, {"email": email, **more})
    assert (answer.status_code, answer["Location"]) == (302, TYPE), answer.content.decode()
    residents.handle_links()
    return client


def code_in(mail: OutgoingMail | None = None) -> str:
    """The six digits of a message, by default of the newest one."""
    mail = mail or OutgoingMail.objects.order_by("-id")[0]
    return re.findall(r"^\d{6}$", mail.text, re.M)[0]


def another(code: str, n: int = 1) -> str:
    return f"{(int(code) + n) % 1_000_000:06}"


def problem(answer: Any) -> str:
    assert answer.status_code == 422, answer
    (sentence,) = answer.context["form"].errors["code"]
    return str(sentence)
