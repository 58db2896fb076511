"""Each server speaks its own protocol, keeps strangers out, and keeps what it was given."""

import json
import os
import smtplib
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import psycopg
import pytest
import redis
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.attach import services_for_tests, start_services
from sandbox.home import Home, free_base_port

pytestmark = [pytest.mark.xdist_group("sandbox"), pytest.mark.timeout(300)]

Environment = dict[str, str]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("services")


@pytest.fixture(scope="module")
def services(root: Path) -> Iterator[Environment]:
    with services_for_tests(root) as environment:
        yield environment


def s3(environment: Environment, **changes: str) -> Any:
    options = {
        "endpoint_url": environment["S3_ENDPOINT"],
        "aws_access_key_id": environment["S3_ACCESS_KEY"],
        "aws_secret_access_key": environment["S3_SECRET_KEY"],
        "region_name": "us-east-1",
        **changes,
    }
    config = Config(s3={"addressing_style": "path"}, signature_version="s3v4", retries={"max_attempts": 1})
    return boto3.client("s3", config=config, **options)  # type: ignore[call-overload]


def send(environment: Environment, *, subject: str = "Bonjour", to: str = "resident@example.net") -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = environment["MAIL_FROM"], to, subject
    message.set_content("Voici votre lien: http://mairie.localhost/?LIEN=X1\n")
    message.add_alternative("<p>Voici <a href='http://mairie.localhost/?LIEN=X1'>votre lien</a></p>", "html")
    host, port = environment["SMTP_HOST"], int(environment["SMTP_PORT"])
    with smtplib.SMTP(host, port, timeout=5) as client:
        client.send_message(message)


def mail_page(environment: Environment) -> str:
    return f"http://127.0.0.1:{int(environment['PUBLIC_PORT']) + 2}"


def caught(environment: Environment) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{mail_page(environment)}/messages.json", timeout=5) as answer:
        messages: list[dict[str, Any]] = json.load(answer)
        return messages


def set_mode(environment: Environment, mode: str) -> None:
    request = urllib.request.Request(f"{mail_page(environment)}/mode", data=f"mode={mode}".encode())
    urllib.request.urlopen(request, timeout=5).close()


def test_postgresql_18_for_an_ordinary_role(services: Environment) -> None:
    with psycopg.connect(services["DATABASE_URL"]) as connection:
        row = connection.execute(
            "SELECT current_setting('server_version_num')::int / 10000, "
            "(SELECT rolsuper FROM pg_roles WHERE rolname = current_user), "
            "(SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = current_database()), "
            "upper('élève'), (SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = 'factures')"
        ).fetchone()
    assert row == (18, False, "bC.UTF-8", "ÉLÈVE", True)


def test_postgresql_refuses_a_wrong_password(services: Environment) -> None:
    url = urlsplit(services["DATABASE_URL"])
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(services["DATABASE_URL"].replace(url.password or "", "wrong"))


def test_redis_wants_its_password(services: Environment) -> None:
    with redis.Redis.from_url(services["REDIS_URL"]) as client:
        client.set("town", "mairie")
        assert client.get("town") == b"mairie"
    stranger = redis.Redis(port=urlsplit(services["REDIS_URL"]).port or 0)
    with stranger, pytest.raises(redis.AuthenticationError):
        stranger.get("town")


def test_s3_gives_a_file_to_the_key_and_to_a_signed_link_only(services: Environment) -> None:
    bucket = services["S3_BUCKET"]
    client = s3(services)
    client.put_object(Bucket=bucket, Key="town/2026/a.pdf", Body=b"%PDF-1.7", ContentType="application/pdf")
    assert client.get_object(Bucket=bucket, Key="town/2026/a.pdf")["Body"].read() == b"%PDF-1.7"

    link = client.generate_presigned_url(
        "get_object", {"Bucket": bucket, "Key": "town/2026/a.pdf"}, ExpiresIn=60
    )
    with urllib.request.urlopen(link, timeout=5) as answer:
        assert answer.read() == b"%PDF-1.7"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(link.partition("?")[0], timeout=5)
    assert refused.value.code in (400, 403)
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(link.replace("a.pdf", "b.pdf"), timeout=5)
    with pytest.raises(ClientError):
        s3(services, aws_secret_access_key="wrong").get_object(Bucket=bucket, Key="town/2026/a.pdf")


def test_a_mail_is_caught_and_read(services: Environment) -> None:
    send(services, subject="Activez votre compte", to="nouveau@example.net")
    message = caught(services)[0]
    assert {"id", "to", "from", "subject", "date", "text", "html"} <= message.keys()
    assert message["to"] == "nouveau@example.net"
    assert message["subject"] == "Activez votre compte"
    assert message["from"] == services["MAIL_FROM"]
    assert "?LIEN=X1" in message["text"]
    assert "?LIEN=X1" in message["html"]

    send(services, subject="Le suivant")
    assert [found["subject"] for found in caught(services)[:2]] == ["Le suivant", "Activez votre compte"]


def test_the_mail_server_fails_when_told_to(services: Environment) -> None:
    before = len(caught(services))
    try:
        set_mode(services, "refuse")
        with pytest.raises(smtplib.SMTPRecipientsRefused, match="550"):
            send(services)
        set_mode(services, "later")
        with pytest.raises(smtplib.SMTPDataError, match="451"):
            send(services)
        set_mode(services, "hang")
        client = smtplib.SMTP("127.0.0.1", int(services["SMTP_PORT"]), timeout=1)
        with client, pytest.raises((smtplib.SMTPServerDisconnected, TimeoutError), match="timed out"):
            client.sendmail("a@example.net", ["b@example.net"], "Subject: x\n\nx")
        set_mode(services, "down")
        with pytest.raises(ConnectionRefusedError):
            send(services)
    finally:
        set_mode(services, "ok")
    assert len(caught(services)) == before
    send(services)
    assert len(caught(services)) == before + 1


def test_nothing_listens_outside_this_machine(services: Environment) -> None:
    base = int(services["PUBLIC_PORT"])
    listening = {}
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            address, _, port = fields[1].partition(":")
            if fields[3] == "0A" and base <= int(port, 16) <= base + 8:
                listening[int(port, 16) - base] = address
    assert set(listening) >= {2, 4, 5, 6, 7}
    assert set(listening.values()) == {"0100007F"}


def test_secrets_are_for_the_owner_only(services: Environment, root: Path) -> None:
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    for name in ("secrets.json", "redis/redis.conf"):
        assert stat.S_IMODE((root / name).stat().st_mode) == 0o600, name
    # Nor can anybody read them in the list of processes.
    secret_values = [urlsplit(services["REDIS_URL"]).password, services["S3_SECRET_KEY"]]
    lines = [
        (entry / "cmdline").read_bytes().decode(errors="replace")
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and os.access(entry / "cmdline", os.R_OK)
    ]
    assert not [line for line in lines for value in secret_values if value and value in line]


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path, free_base_port())
    home.create()
    with start_services(home) as environment:
        with psycopg.connect(environment["DATABASE_URL"]) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
        with redis.Redis.from_url(environment["REDIS_URL"]) as client:
            client.lpush("celery", "a task")
        s3(environment).put_object(Bucket=environment["S3_BUCKET"], Key="kept", Body=b"kept")
        send(environment, subject="Gardé")

    with start_services(home) as again:
        assert again == environment
        with psycopg.connect(again["DATABASE_URL"]) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (1,)
        with redis.Redis.from_url(again["REDIS_URL"]) as client:
            assert client.lrange("celery", 0, -1) == [b"a task"]
        assert s3(again).get_object(Bucket=again["S3_BUCKET"], Key="kept")["Body"].read() == b"kept"
        assert [message["subject"] for message in caught(again)] == ["Gardé"]
