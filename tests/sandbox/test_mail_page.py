"""The page of the caught mail, as a person and as a test sees it."""

import re
from email.message import EmailMessage
from pathlib import Path

import pyotp
import pytest
from werkzeug.test import Client

from sandbox import operator_code
from sandbox.mail.page import Page
from sandbox.mail.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "mail")


@pytest.fixture
def client(store: Store) -> Client:
    modes = ["ok"]
    return Client(Page(store, mode=lambda: modes[-1], set_mode=modes.append))


def add(store: Store, *, subject: str, text: str = "Bonjour", html: str = "", pdf: bytes = b"") -> str:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "régie <regie@example.org>", "a@example.net", subject
    message.set_content(text)
    if html:
        message.add_alternative(html, "html")
    if pdf:
        message.add_attachment(pdf, "application", "pdf", filename="reçu.pdf")
    return store.add(
        sender="regie@example.org", recipients=["a@example.net", "b@example.net"], content=bytes(message)
    )


def test_an_empty_list_says_what_will_fill_it(client: Client) -> None:
    page = client.get("/").text
    assert "Aucun courriel" in page
    assert "Demandez par exemple l'activation" in page
    assert client.get("/messages.json").json == []


def test_newest_first_and_kept_by_a_new_process(client: Client, store: Store, tmp_path: Path) -> None:
    add(store, subject="Un")
    add(store, subject="Deux")
    assert [message.subject for message in Store(tmp_path / "mail").all()] == ["Deux", "Un"]
    page = client.get("/").text
    assert page.index("Deux") < page.index("Un</strong>")


def test_one_message_shows_text_html_and_attachment(client: Client, store: Store) -> None:
    message_id = add(
        store,
        subject="Votre <reçu>",
        text="Lien: http://mairie.localhost:8000/?LIEN=X1&a=b. Merci <3",
        html="<p>Bonjour <script>alert(1)</script></p>",
        pdf=b"%PDF-1.7",
    )
    page = client.get(f"/messages/{message_id}").text
    assert "Votre &lt;reçu&gt;" in page
    assert '<a href="http://mairie.localhost:8000/?LIEN=X1&amp;a=b" target="_blank">' in page
    assert "Merci &lt;3" in page
    assert "<script>" not in page

    framed = client.get(f"/messages/{message_id}/html")
    assert "alert(1)" in framed.text
    assert "default-src 'none'" in framed.headers["Content-Security-Policy"]
    assert "allow-scripts" not in page + framed.headers["Content-Security-Policy"]

    attachment = client.get(f"/messages/{message_id}/attachments/0")
    assert attachment.data == b"%PDF-1.7"
    assert attachment.headers["Content-Disposition"].startswith("attachment")


def test_json_has_what_scripts_need(client: Client, store: Store) -> None:
    add(store, subject="Éléments", html="<b>x</b>")
    (message,) = client.get("/messages.json").json or []
    assert message["to"] == "a@example.net, b@example.net"
    assert message["from"] == "régie <regie@example.org>"
    assert message["subject"] == "Éléments"
    assert message["text"].strip() == "Bonjour"
    assert message["html"].strip() == "<b>x</b>"
    assert message["date"].endswith("+00:00")
    assert client.get("/messages.json?to=b@example.net").json == [message]
    assert client.get("/messages.json?to=c@example.net").json == []


@pytest.mark.parametrize(
    "path", ["/messages/nothing", "/messages/..%2Fsecrets", "/messages/x/html", "/nowhere"]
)
def test_an_unknown_address_is_not_found(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert "Voir la liste" in answer.text


def test_a_broken_message_is_shown_all_the_same(client: Client, store: Store) -> None:
    store.add(
        sender="",
        recipients=["a@example.net"],
        content=b"Content-Type: text/plain; charset=martian\r\nDate: never\r\nSubject: =?x?\r\n\r\n\xff\xfe",
    )
    assert len(client.get("/messages.json").json or []) == 1
    assert client.get("/").status_code == 200


def test_clear_forgets_everything(client: Client, store: Store) -> None:
    add(store, subject="Un")
    assert client.get("/clear").status_code in (404, 405)
    assert client.post("/clear").status_code == 303
    assert store.all() == []


def test_the_mode_is_set_and_shown(client: Client) -> None:
    assert client.post("/mode", json={"mode": "refuse"}).json["mode"] == "refuse"  # type: ignore[index]
    assert "refuse chaque destinataire" in client.get("/").text
    assert client.post("/mode", data={"mode": "ok"}).status_code == 303
    assert "refuse chaque destinataire" not in client.get("/").text
    assert client.post("/mode", data={"mode": "sing"}).status_code == 400


def test_the_operator_s_telephone(client: Client) -> None:
    """The code of the moment, as an application would show it (decision 0017)."""
    shown = client.get("/code.json").get_json()
    totp = pyotp.TOTP(operator_code.SECRET)
    assert totp.verify(shown["code"], valid_window=1)
    assert shown["next"] != shown["code"]
    assert re.search(r"\d{6}", client.get("/code").text)


def test_the_telephone_of_a_member_of_staff(client: Client) -> None:
    """Somebody who tries the demonstration types the secret of « Protégez votre compte », as it is grouped there."""
    secret = pyotp.random_base32()
    typed = " ".join(secret[i : i + 4] for i in range(0, len(secret), 4)).lower()
    shown = client.get("/code.json", query_string={"cle": typed}).get_json()
    assert pyotp.TOTP(secret).verify(shown["code"], valid_window=1)
    page = client.get("/code", query_string={"cle": typed}).text
    assert re.search(r"class=code>\d{6}<", page)
    assert "http-equiv=refresh" in page
    assert (
        "http-equiv=refresh" not in client.get("/code?cle=").text
    )  # nothing changes under whoever is typing
    for wrong in ("A", "<script>", "0189"):
        page = client.get("/code", query_string={"cle": wrong}).text
        assert "ne convient pas" in page
        assert "<script>" not in page.lower()
        assert client.get("/code.json", query_string={"cle": wrong}).status_code == 400
