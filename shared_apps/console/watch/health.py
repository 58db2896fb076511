"""Whether the platform's parts answer. All are asked at once, with a short time-out.

The checks send and write nothing. A part that does not answer costs `DEADLINE` seconds and is named.
"""

import smtplib
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from functools import lru_cache, partial
from time import monotonic
from typing import Any, Literal, cast

import boto3
import psycopg
import redis
import requests
from botocore.config import Config
from botocore.exceptions import ClientError
from django.conf import settings
from django.core.files.storage import storages
from django.db import connections

from shared_apps.mail.content import one_line
from shared_apps.mail.models import MailProblem
from tenants.current import shard_aliases
from tenants.work import heartbeat

MAIL = "Envoi des courriels"
# Problems of messages that come from the relay's answers, and not from one address or one message.
REFUSALS = (MailProblem.US, MailProblem.REFUSED, MailProblem.LATER)
PART_SECONDS = 2
DEADLINE = 3.0  # seconds for all of them together
SILENT = timedelta(minutes=1)  # beat asks every few seconds
OVERDUE = timedelta(minutes=2)
# "silent": it does not answer. "refuses": it answers, and does not let us work. "bad": anything else that is wrong.
State = Literal["ok", "silent", "refuses", "bad", "unknown"]
LABELS: dict[State, str] = {
    "ok": "✓ en marche",
    "silent": "✗ ne répond pas",
    "refuses": "✗ refuse",
    "bad": "✗ en panne",
    "unknown": "? inconnu",
}
TONES: dict[State, str] = {"ok": "ok", "silent": "bad", "refuses": "bad", "bad": "bad", "unknown": ""}


@dataclass(frozen=True)
class Part:
    """One part, as the first screen shows it."""

    name: str
    state: State
    words: str

    @property
    def label(self) -> str:
        """The state in French, with a sign, so that the colour is not alone to say it."""
        return LABELS[self.state]

    @property
    def tone(self) -> str:
        """Its colour."""
        return TONES[self.state]


class Ill(Exception):
    """It answers, but something is wrong; the message is the sentence to show."""


class Refuses(Exception):
    """It answers, and refuses to work for us; the message is the sentence to show."""


class Unknowable(Exception):
    """Its state cannot be known without sending something; the message says why."""


Probe = Callable[[], str]


def parts(waiting_mails: Mapping[str, int] | None = None) -> list[Part]:
    """All of them, in a fixed order. `waiting_mails`: problem → messages of all towns that wait for another try."""
    probes = _probes()
    pool = ThreadPoolExecutor(max_workers=len(probes), thread_name_prefix="health")
    asked = [(name, pool.submit(probe)) for name, probe in probes]
    until = monotonic() + DEADLINE
    found = [_answer(name, future, max(until - monotonic(), 0.01)) for name, future in asked]
    pool.shutdown(wait=False, cancel_futures=True)  # a thread that still waits ends with its own time-out
    return [_as_lived(part, waiting_mails or {}) if part.name == MAIL else part for part in found]


def _as_lived(part: Part, waiting: Mapping[str, int]) -> Part:
    """The relay with what the towns' own messages met: a relay may greet us and still refuse every message."""
    refused = {problem: n for problem, n in waiting.items() if problem in REFUSALS and n}
    if not refused or part.state not in ("ok", "unknown"):
        return part
    problem = max(refused, key=refused.__getitem__)
    count = sum(refused.values())
    kept = "un courriel attend" if count == 1 else f"{count} courriels attendent"
    return Part(part.name, "refuses", f"{MailProblem(problem).label} : {kept} un nouvel essai")


def _answer(name: str, future: "Future[str]", seconds: float) -> Part:
    try:
        return Part(name, "ok", future.result(timeout=seconds))
    except Late:
        return Part(name, "silent", f"pas de réponse en {DEADLINE:.0f} secondes")
    except Ill as error:
        return Part(name, "bad", str(error))
    except Refuses as error:
        return Part(name, "refuses", str(error))
    except Unknowable as error:
        return Part(name, "unknown", str(error))
    except Exception as error:
        return Part(name, "silent", f"pas de réponse ({type(error).__name__})")


def _probes() -> list[tuple[str, Probe]]:
    databases = [
        (f"PostgreSQL « {shard} »" if len(shard_aliases()) > 1 else "PostgreSQL", partial(_database, shard))
        for shard in shard_aliases()
    ]
    return [
        *databases,
        ("Redis", _redis),
        ("Tâches de fond", _worker),
        ("Fichiers (S3)", _s3),
        (MAIL, _mail),
        ("PayFiP", _treasury),
    ]


def _database(shard: str) -> str:
    """It answers, and none of its towns has long overdue work."""
    database = connections.settings[shard]
    with psycopg.connect(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
        connect_timeout=PART_SECONDS,
        options=f"-c statement_timeout={PART_SECONDS * 1000}",
    ) as server:
        row = server.execute("SELECT min(due_at) FROM public.tenants_agendaitem").fetchone()
    oldest = row[0] if row else None
    if oldest and oldest < datetime.now(UTC) - OVERDUE:
        raise Ill(f"répond, mais un travail attend depuis {_ago(oldest)}")
    return "répond"


def _redis() -> str:
    with closing(_server()) as server:
        server.ping()
    return "répond"


def _worker() -> str:
    """The worker answered beat a moment ago; otherwise the broker tells which of the two is silent."""
    last = heartbeat.last()
    if last is not None and datetime.now(UTC) - last < SILENT:
        return f"beat et worker vus il y a {_ago(last)}"
    with closing(_server()) as server:
        waiting = int(server.llen("celery"))
    since = f"silence depuis {_ago(last)}" if last else "jamais vus"
    who = f"le worker ne prend pas les {waiting} tâches qui attendent" if waiting else "beat ne demande rien"
    raise Ill(f"{since} : {who}")


def _server() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=PART_SECONDS, socket_connect_timeout=PART_SECONDS
    )


def _s3() -> str:
    """The bucket exists and our keys open it."""
    storage: Any = storages["documents"]
    try:
        _s3_client(storage).head_bucket(Bucket=storage.bucket_name)
    except ClientError as error:
        raise Refuses(f"répond, mais refuse ({error.response['Error'].get('Code')})") from None
    return "répond"


@lru_cache(maxsize=4)
def _s3_client(storage: Any) -> Any:
    """One client per storage, because creating one reads the description of the whole S3 API."""
    client = cast(Any, boto3.session.Session()).client(  # of our own: the default session is not for threads
        "s3",
        endpoint_url=storage.endpoint_url,
        region_name=storage.region_name,
        aws_access_key_id=storage.access_key,
        aws_secret_access_key=storage.secret_key,
        config=Config(
            connect_timeout=PART_SECONDS,
            read_timeout=PART_SECONDS,
            retries={"max_attempts": 1},
            s3={"addressing_style": storage.addressing_style},
            signature_version=storage.signature_version,
        ),
    )
    return client


def _mail() -> str:
    """The relay greets us, lets us sign in, and accepts our sender. Nothing is sent: there is no recipient."""
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        raise Unknowable("service d'envoi par API : rien à savoir sans envoyer")
    try:
        with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=PART_SECONDS) as relay:
            _greet(relay)
    except smtplib.SMTPServerDisconnected:
        raise  # it does not answer any more
    except smtplib.SMTPResponseException as error:
        wants_us_to_wait = error.smtp_code < 500
        what = "demande d'attendre" if wants_us_to_wait else "refuse"
        raise Refuses(f"le relais répond, mais {what} : {_words_of(error)}") from None
    except ssl.SSLError as error:
        raise Refuses(f"le relais répond, mais le chiffrement échoue ({error.reason or 'TLS'})") from None
    except smtplib.SMTPException as error:  # no TLS, no way to sign in
        raise Refuses(f"le relais répond, mais n'offre pas ce qu'il faut ({type(error).__name__})") from None
    return "le relais répond et accepte notre adresse d'expédition"


def _greet(relay: smtplib.SMTP) -> None:
    relay.ehlo_or_helo_if_needed()
    if settings.EMAIL_USE_TLS:
        relay.starttls(context=ssl.create_default_context())
    if settings.EMAIL_HOST_USER:
        relay.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
    sender = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    code, words = relay.mail(sender)
    if code != 250:
        raise smtplib.SMTPResponseException(code, words)
    relay.rset()


def _words_of(error: smtplib.SMTPResponseException) -> str:
    """« 554 5.7.1 Relay access denied »: the relay's own words."""
    words = (
        error.smtp_error.decode("utf-8", "replace")
        if isinstance(error.smtp_error, bytes)
        else str(error.smtp_error)
    )
    return one_line(f"{error.smtp_code} {words}")[:200]


def _treasury() -> str:
    """The Treasury serves its service description. We ask for nothing else."""
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(
            f"{settings.PAYFIP_SERVICE_URL}?wsdl", timeout=PART_SECONDS, allow_redirects=False, stream=True
        )
        answer.close()
    if answer.status_code >= 400:
        raise Ill(f"répond par le code {answer.status_code}")
    return "le service répond"


def _ago(moment: datetime) -> str:
    seconds = int((datetime.now(UTC) - moment).total_seconds())
    for size, word in ((86400, "j"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {word}"
    return f"{max(seconds, 0)} s"
