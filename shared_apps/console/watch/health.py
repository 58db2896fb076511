"""Whether the platform's parts answer. All are asked at once, with a short time-out.

The checks send and write nothing. A part that does not answer costs `DEADLINE` seconds and is named.
"""

import smtplib
import ssl
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as Late
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from time import monotonic
from typing import Any, Literal, cast

import boto3
import psycopg
import redis
import requests
from botocore.config import Config
from django.conf import settings
from django.core.files.storage import storages
from django.db import connections

from tenants.current import shard_aliases
from tenants.work import heartbeat

PART_SECONDS = 2
DEADLINE = 3.0  # seconds for all of them together
SILENT = timedelta(minutes=1)  # beat asks every few seconds
OVERDUE = timedelta(minutes=2)
State = Literal["ok", "bad", "unknown"]


@dataclass(frozen=True)
class Part:
    """One part, as the first screen shows it."""

    name: str
    state: State
    words: str


class Ill(Exception):
    """It answers, but something is wrong; the message is the sentence to show."""


class Unknowable(Exception):
    """Its state cannot be known without sending something; the message says why."""


Probe = Callable[[], str]


def parts() -> list[Part]:
    """All of them, in a fixed order."""
    probes = _probes()
    pool = ThreadPoolExecutor(max_workers=len(probes), thread_name_prefix="health")
    asked = [(name, pool.submit(probe)) for name, probe in probes]
    until = monotonic() + DEADLINE
    found = [_answer(name, future, max(until - monotonic(), 0.01)) for name, future in asked]
    pool.shutdown(wait=False, cancel_futures=True)  # a thread that still waits ends with its own time-out
    return found


def _answer(name: str, future: "Future[str]", seconds: float) -> Part:
    try:
        return Part(name, "ok", future.result(timeout=seconds))
    except Late:
        return Part(name, "bad", f"ne répond pas en {DEADLINE:.0f} secondes")
    except Ill as error:
        return Part(name, "bad", str(error))
    except Unknowable as error:
        return Part(name, "unknown", str(error))
    except Exception as error:
        return Part(name, "bad", f"ne répond pas ({type(error).__name__})")


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
        ("Envoi des courriels", _mail),
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
    _s3_client(storage).head_bucket(Bucket=storage.bucket_name)
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
    """The relay greets us. We send nothing, so we do not know what it would accept."""
    if not settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        raise Unknowable("service d'envoi par API : rien à savoir sans envoyer")
    with smtplib.SMTP(settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=PART_SECONDS) as relay:
        if settings.EMAIL_USE_TLS:
            relay.starttls(context=ssl.create_default_context())
        code, _words = relay.noop()
    if code != 250:
        raise Ill(f"répond par le code {code}")
    return "le relais répond"


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
