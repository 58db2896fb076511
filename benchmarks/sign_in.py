"""Signing in beside what it was (Django's Argon2 without a gate) and beside Django's default hasher, in one run.

The server is the one of a demo: one process, eight threads. Its memory is the peak of that process (VmHWM).
"""

import http.client
import os
import re
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

from benchmarks.lines import timed
from benchmarks.listing import Page, our_town, serving_ours

THREADS, ALONE = 8, 9
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
PATIENCE = 180  # seconds: what it was is slow on a busy machine
CROWDS = (8, 40)
EMAIL, PASSWORD = "alice@example.net", "facture"
OURS = "shared_apps.accounts.passwords.hashing.PasswordHasher"
BEFORE = (
    "django.contrib.auth.hashers.Argon2PasswordHasher"  # 100 MiB, eight lanes, as many at once as asked for
)
DEFAULT = "django.contrib.auth.hashers.PBKDF2PasswordHasher"
_numbers = iter(range(1, 2**24))


@dataclass(frozen=True)
class Crowd:
    """What so many sign-ins at once cost: MiB, the longest wait for a page, the time until all are answered."""

    peak: float
    bystander: float
    all_done: float


@dataclass(frozen=True)
class Measured:
    """Of one hasher. `alone`: seconds of a right sign-in without company; `idle`: MiB of the process before."""

    alone: float
    idle: float
    crowds: dict[int, Crowd]


def sign_in() -> str:
    """One line a figure: memory and a bystander's page for each crowd, then a sign-in alone."""
    host, _cookie = our_town()
    ours, before = _measured(OURS, host), _measured(BEFORE, host)
    default = _measured(DEFAULT, host, crowds=())
    lines = []
    for crowd in CROWDS:
        new, old = ours.crowds[crowd], before.crowds[crowd]
        lines += [
            f"sign_in_{crowd}_memory ours={new.peak:.0f} beside={old.peak:.0f} unit=MiB "
            f"ratio={old.peak / new.peak:.2f} goal=<=300 "
            f"(100 MiB, 8 lanes, no gate; before the crowd {ours.idle:.0f} and {before.idle:.0f})",
            f"sign_in_{crowd}_bystander ours={new.bystander:.3f} beside={old.bystander:.3f} unit=s "
            f"ratio={old.bystander / new.bystander:.2f} goal=>=2 (longest wait for the signed-in list meanwhile; "
            f"the crowd was answered in {new.all_done:.2f} and {old.all_done:.2f})",
        ]
    for name, peer, what in (
        ("default", default, "Django's default hasher"),
        ("before", before, "what it was"),
    ):
        lines.append(
            f"sign_in_alone_{name} ours={ours.alone:.3f} beside={peer.alone:.3f} unit=s "
            f"ratio={peer.alone / ours.alone:.2f} goal=>=1 (a whole sign-in over HTTP beside {what})"
        )
    return "\n".join(lines)


def _measured(hasher: str, host: str, crowds: tuple[int, ...] = CROWDS) -> Measured:
    environment = {"DJANGO_SETTINGS_MODULE": "benchmarks.reference.other_hasher", "BENCH_HASHER": hasher}
    with serving_ours(workers=1, threads=THREADS, environment=environment) as (port, server):
        form = _form(port, host)
        status, session = _post(port, host, form, EMAIL, PASSWORD)  # the hash is of this hasher from here on
        assert status == 302
        page = Page(port, host, session, PATIENCE).seen()
        for _ in range(2 * THREADS):
            page.get()  # warm: each thread has its connection
        alone = statistics.median(
            timed(lambda: _post(port, host, form, EMAIL, PASSWORD)) for _ in range(ALONE)
        )
        process = _worker_of(server)
        idle = _memory(process, "VmRSS")
        costs = {crowd: _crowd(crowd, process, page, form) for crowd in crowds}
    return Measured(alone, idle, costs)


def _crowd(crowd: int, process: int, page: Page, form: dict[str, str]) -> Crowd:
    """The highest peak and the medians of `ROUNDS`."""
    rounds = [_once(crowd, process, page, form) for _ in range(ROUNDS)]
    return Crowd(
        max(one.peak for one in rounds),
        statistics.median(one.bystander for one in rounds),
        statistics.median(one.all_done for one in rounds),
    )


def _once(crowd: int, process: int, page: Page, form: dict[str, str]) -> Crowd:
    """So many strangers at once, each from an address of its own, about somebody nobody knows."""
    Path(f"/proc/{process}/clear_refs").write_text("5")  # the peak begins here
    barrier, statuses = threading.Barrier(crowd + 1), []

    def stranger() -> None:
        barrier.wait(30)
        status, _cookies = _post(page.port, page.host, form, f"{uuid4().hex}@example.net", "wrong")
        statuses.append(status)

    threads = [threading.Thread(target=stranger) for _ in range(crowd)]
    for thread in threads:
        thread.start()
    barrier.wait(30)
    start = time.perf_counter()
    time.sleep(0.02)  # the crowd is before the bystander
    waits = []
    while any(thread.is_alive() for thread in threads):
        waits.append(timed(page.get))
    all_done = time.perf_counter() - start
    assert sorted(statuses) == [422] * crowd, statuses
    return Crowd(_memory(process, "VmHWM"), max(waits), all_done)


def _form(port: int, host: str) -> dict[str, str]:
    """What a browser that has seen the sign-in page sends with it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/", headers={"Host": host})
    answer = connection.getresponse()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', answer.read().decode())
    cookies = _cookies_of(answer)
    connection.close()
    assert token
    return {"token": token[1], "cookies": cookies}


def _cookies_of(answer: http.client.HTTPResponse) -> str:
    return "; ".join(header.partition(";")[0] for header in answer.headers.get_all("Set-Cookie", []))


def _post(port: int, host: str, form: dict[str, str], email: str, password: str) -> tuple[int, str]:
    """The status of the answer, and its cookies."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    body = urlencode({"csrfmiddlewaretoken": form["token"], "email": email, "password": password})
    n = next(_numbers)
    headers = {
        "Host": host,
        "Cookie": form["cookies"],
        "Content-Type": "application/x-www-form-urlencoded",
        "X-Forwarded-For": f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}",
    }
    connection.request("POST", "/", body, headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status, _cookies_of(answer)


def _worker_of(server: int) -> int:
    """The process that serves, of the supervisor `server`: its child with the most memory."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    return max(map(int, children), key=lambda child: _memory(child, "VmRSS"))


def _memory(process: int, name: str) -> float:
    """MiB."""
    found = re.search(rf"^{name}:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


FIGURES: dict[str, Callable[[], str]] = {"sign_in": sign_in}
