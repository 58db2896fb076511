"""`make demo`: everything on one machine, from nothing but Python."""

import argparse
import http.client
import sys
from collections.abc import Sequence
from functools import partial

from celery import Celery

from sandbox import screen, services
from sandbox.home import Home, SandboxError
from sandbox.process.part import Part
from sandbox.process.supervisor import AskedToStop, Shown, Supervisor
from sandbox.services import find

# The law wants the legal notice of a portal to name its host.
HOSTING = {"HOSTING": "Cet ordinateur, le temps d'une démonstration"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until Ctrl-C; the exit code is 0 when asked to stop, 1 when something failed."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="Le bac à sable de Mes factures.")
    content = parser.add_mutually_exclusive_group()
    content.add_argument("--services-only", action="store_true", help="sans le portail ni ses données")
    content.add_argument("--empty", action="store_true", help="sans les communes de démonstration")
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--quiet", action="store_true", help="n'affiche que « ready »")
    shown.add_argument("--verbose", action="store_true", help="affiche aussi les journaux des services")
    parser.add_argument("--lifeline", action="store_true", help="s'arrête à la fin de l'entrée standard")
    parser.add_argument(
        "--with-parent", action="store_true", help="s'arrête avec le processus parent (Linux)"
    )
    parser.add_argument(
        "--for-tests", action="store_true", help="plus vite, sans écriture garantie sur disque"
    )
    options = parser.parse_args(arguments)
    try:
        home = Home()
        supervisor = Supervisor(
            home,
            kind="services" if options.services_only else "demo",
            shown=Shown.READY if options.quiet else Shown.ALL if options.verbose else Shown.STEPS,
            lifeline=options.lifeline,
            with_parent=options.with_parent,
        )
        with supervisor:
            supervisor.step("Démarrage des services: PostgreSQL, Redis, S3, courriel, PayFiP simulé…")
            supervisor.start(services.parts(home, for_tests=options.for_tests))
            if not options.services_only:
                first = "" if home.path("prepared").exists() else " (la première fois, une demi-minute)"
                what = "de la plateforme" if options.empty else "des communes de démonstration"
                supervisor.step(f"Préparation {what}{first}…")
                supervisor.run(_preparation(empty=options.empty))
                supervisor.step("Démarrage du portail…")
                supervisor.start(portal(home))
            words = (
                screen.services if options.services_only else screen.empty if options.empty else screen.demo
            )
            supervisor.announce("ready" if options.quiet else words(home))
            supervisor.watch()
    except AskedToStop:
        return 0
    except SandboxError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _preparation(*, empty: bool) -> Part:
    """Run migrations and create the operator; unless `empty`, the demonstration towns too. What is done stays."""
    return Part(
        name="prepare",
        command=[sys.executable, "-m", "sandbox.demo", *(["--empty"] if empty else [])],
    )


def portal(home: Home) -> list[Part]:
    """The web server, the worker and beat, in the order in which they start."""
    celery = [sys.executable, "-m", "celery", "-A", "config.celery"]
    return [
        Part(name="front", command=[sys.executable, "-m", "sandbox.front", str(home.ports.front), home.base]),
        Part(
            name="web",
            command=[
                *(str(find.script("granian")), "--interface", "wsgi", "--host", "127.0.0.1"),
                *("--port", str(home.ports["web"]), "--workers", "1", "--blocking-threads", "8"),
                *("--no-ws", "--log-level", "warning", "config.wsgi:application"),
            ],
            environment=HOSTING,
            probe=partial(_ask_portal, home),
        ),
        Part(
            name="worker",
            # It is the only worker, so it need not ask for others.
            command=[
                *(*celery, "worker", "--concurrency", "2", "--loglevel", "INFO"),
                *("--without-gossip", "--without-mingle"),
            ],
            environment=HOSTING,
            probe=partial(_ask_worker, home),
        ),
        Part(
            name="beat",
            command=[
                *(*celery, "beat", "--loglevel", "WARNING", "--pidfile="),
                *("--schedule", str(home.folder("beat") / "schedule")),
            ],
        ),
    ]


def _ask_portal(home: Home) -> None:
    """Check that the portal answers through the front: the operator's sign-in, which needs no town."""
    connection = http.client.HTTPConnection("127.0.0.1", home.ports.front, timeout=20)
    try:
        connection.request("GET", "/login/", headers={"Host": f"admin.{home.base}:{home.ports.front}"})
        status = connection.getresponse().status
        if status >= 500:
            raise ConnectionError(f"HTTP {status}")
        if status >= 400:
            raise SandboxError(f"Le portail tourne, mais {home.url('admin')} répond {status}.")
    finally:
        connection.close()


def _ask_worker(home: Home) -> None:
    """Check that the worker answers a ping through the broker."""
    with Celery(broker=home.environment()["REDIS_URL"]) as app:
        if not app.control.ping(timeout=0.5):
            raise ConnectionError("no worker yet")


if __name__ == "__main__":
    sys.exit(main())
