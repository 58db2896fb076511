"""However the sandbox ends, no process is left; and it says why it does not start."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import psycopg
import pytest

from sandbox.attach import ensure_services, start_services
from sandbox.home import REPOSITORY, Home, SandboxError, free_base_port
from sandbox.process import groups
from sandbox.process.supervisor import read_lease
from tests.sandbox import processes

pytestmark = [pytest.mark.xdist_group("sandbox"), pytest.mark.faults, pytest.mark.timeout(300)]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", free_base_port())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_stop_it_leaves_nobody(home: Home, number: signal.Signals) -> None:
    with processes.sandbox(home) as process:
        family = processes.descendants(process.pid)
        assert len(family) >= 10  # the warden, four parts, PostgreSQL's own processes
        process.send_signal(number)
        assert process.wait(90) == 0
        assert processes.left_over(family, 0) == {}


def test_killed_it_leaves_nobody_and_starts_again(home: Home) -> None:
    with processes.sandbox(home) as process:
        family = processes.descendants(process.pid)
        process.kill()
        process.wait()
        again = processes.start(home)  # at once: it waits for the warden, and not for ports
        try:
            processes.wait_ready(again)
        finally:
            again.terminate()
            again.communicate(timeout=120)
        assert processes.left_over(family, 0) == {}


@pytest.mark.parametrize("word", ["sandbox.mail", "redis-server", "rclone", "-D"])
def test_a_part_that_dies_is_named_and_ends_the_rest(home: Home, word: str) -> None:
    names = {"sandbox.mail": "mail", "redis-server": "redis", "rclone": "s3", "-D": "postgres"}
    with processes.sandbox(home) as process:
        family = processes.descendants(process.pid)
        os.kill(processes.find(family, word), signal.SIGKILL)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 1
        assert f"« {names[word]} » s'est arrêté par le signal SIGKILL" in errors
        assert processes.left_over(family, 60) == {}


def test_the_warden_is_missed_too(home: Home) -> None:
    with processes.sandbox(home) as process:
        family = processes.descendants(process.pid)
        os.kill(processes.find(family, "warden.py"), signal.SIGKILL)
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 1
        assert "warden" in errors
        assert processes.left_over(family, 60) == {}


def test_temporary_files_stay_in_the_home_and_go_at_the_next_start(home: Home) -> None:
    lost = home.folder("tmp") / "of-a-start-that-was-killed"
    lost.mkdir()
    with processes.sandbox(home) as process:
        assert not lost.exists()
        for pid in processes.descendants(process.pid):
            if "sandbox.mail" in processes.command_lines({pid: 0}).get(pid, ""):
                found = Path(f"/proc/{pid}/environ").read_bytes()
                assert f"\0TMPDIR={home.path('tmp')}\0".encode() in found


def test_a_second_start_says_who_is_there(home: Home) -> None:
    with processes.sandbox(home) as process:
        second = processes.start(home)
        _, errors = second.communicate(timeout=90)
        assert second.returncode == 1
        assert f"processus {process.pid}" in errors
        assert str(home.ports.front) in errors
        assert process.poll() is None


def test_a_busy_port_is_named_before_anything_starts(home: Home) -> None:
    with socket.create_server(("127.0.0.1", home.ports["redis"])):
        process = processes.start(home)
        output, errors = process.communicate(timeout=90)
    assert process.returncode == 1
    assert f"port {home.ports['redis']} (redis) est déjà utilisé" in errors
    assert f"PORT={home.ports.front + 100} make demo" in errors
    assert output == ""
    assert not home.path("postgres").exists()


def test_an_absurd_port_is_refused(tmp_path: Path) -> None:
    environment = {**processes.environment(Home(tmp_path, 8000)), "PORT": "huit mille"}
    command = [sys.executable, "-m", "sandbox", "--services-only"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 1
    assert "PORT=huit mille n'est pas un numéro de port" in done.stderr


@pytest.mark.parametrize(("options", "journals"), [((), False), (("--verbose",), True)])
def test_the_screen_shows_its_own_lines_and_the_journals_the_rest(
    home: Home, options: tuple[str, ...], journals: bool
) -> None:
    process = processes.start(home, *options)
    lines = processes.wait_ready(process)
    process.terminate()
    output, errors = process.communicate(timeout=120)
    shown = [*lines, *output.splitlines()]
    assert any(line.startswith("postgres │ ") and "ready to accept" in line for line in shown) == journals
    assert journals or not [line for line in shown if "│" in line or "LOG:" in line]
    assert errors == ""
    assert "ready to accept" in home.path("log", "postgres.log").read_text()


def test_services_started_by_a_program_end_with_it_even_killed(home: Home) -> None:
    code = (
        "import sys, time\nfrom sandbox.attach import ensure_services\n"
        "with ensure_services():\n print('in', flush=True)\n time.sleep(60)"
    )
    program = subprocess.Popen(
        [sys.executable, "-c", code], env=processes.environment(home), stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    assert program.stdout.readline() == "in\n"
    family = processes.descendants(program.pid)
    assert len(family) >= 10
    program.kill()
    program.communicate()
    assert processes.left_over(family) == {}


def test_ensure_services_uses_the_sandbox_that_runs(home: Home) -> None:
    with processes.sandbox(home) as process:
        # The port is the running sandbox's, not the caller's.
        with ensure_services(Home(home.root, home.ports.front + 10)) as environment:
            assert environment == home.environment()
            psycopg.connect(environment["DATABASE_URL"]).close()
        assert process.poll() is None


def test_services_stay_until_the_last_program_has_ended(home: Home) -> None:
    first = ensure_services(home)
    environment = first.__enter__()
    with ensure_services(home) as same:
        assert same == environment
        lease = read_lease(home)
        assert lease is not None
        # The first one leaves while the second works: in a thread, as it waits for the services' end.
        leaving = threading.Thread(target=first.__exit__, args=(None, None, None))
        leaving.start()
        leaving.join(2)
        psycopg.connect(same["DATABASE_URL"]).close()
        assert groups.alive(lease.pid)
    leaving.join(90)
    assert not leaving.is_alive()
    assert read_lease(home) is None


def test_a_program_is_told_why_services_do_not_start(home: Home) -> None:
    home.create()
    busy = socket.create_server(("127.0.0.1", home.ports["s3"]))
    with busy, pytest.raises(SandboxError, match=r"\(s3\) est déjà utilisé"), start_services(home):
        pass


def test_a_part_that_refuses_has_said_why_and_nothing_else_is_said(home: Home) -> None:
    refusing = "from sandbox.process.part import refuse; print('a line of its log'); refuse('Non, et voici pourquoi.')"
    program = f"""
import sys
from sandbox.home import Home
from sandbox.process.part import Part
from sandbox.process.supervisor import Supervisor, Shown
with Supervisor(Home(), kind="services", shown=Shown.READY) as supervisor:
    try:
        supervisor.run(Part(name="refusing", command=[sys.executable, "-c", {refusing!r}]))
    except Exception as error:
        print(type(error).__name__, error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=processes.environment(home),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("SandboxError Non, et voici pourquoi.\n", 0), done.stderr


def test_manage_py_needs_no_environment(home: Home) -> None:
    environment = processes.environment(home)
    for name in home_variables(home):
        environment.pop(name, None)
    done = subprocess.run(
        [
            *(sys.executable, str(REPOSITORY / "manage.py"), "shell", "-v", "0", "-c"),
            "from django.db import connection as c; k = c.cursor(); k.execute('SELECT 42'); print(k.fetchone()[0])",
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.stdout.strip() == "42", done.stderr
    assert read_lease(home) is None


def home_variables(home: Home) -> list[str]:
    home.create()
    return list(home.environment())
