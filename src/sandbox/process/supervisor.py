"""Start the parts, watch them, and stop all of them whatever happens."""

import contextlib
import ctypes
import fcntl
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from types import FrameType

from sandbox.home import REPOSITORY, Home, Ports, SandboxError, is_free
from sandbox.process import groups
from sandbox.process.part import REFUSED, Part, Running

_COLOURS = (36, 32, 33, 35, 34, 96, 92, 93, 95)
_PR_SET_PDEATHSIG = 1
_WARDEN = Path(groups.__file__).with_name("warden.py")


class Shown(Enum):
    """What the screen shows; the log files hold every line of every part."""

    READY = "ready"  # for a program
    STEPS = "steps"
    ALL = "all"


class AskedToStop(Exception):
    """The ordinary stop: Ctrl-C, SIGTERM, SIGHUP, or the end of the lifeline."""


@dataclass(frozen=True)
class Lease:
    """The sandbox that uses a home; written beside the lock."""

    pid: int
    port: int
    kind: str  # "demo" or "services"
    ready: bool


def read_lease(home: Home) -> Lease | None:
    """The sandbox that now runs in this home; None without one."""
    lock = home.path("lock")
    try:
        descriptor = os.open(lock, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        # A shared lock, so that two readers do not take each other for a sandbox.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        try:
            return Lease(**json.loads(home.path("running.json").read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError):
            return Lease(pid=0, port=home.ports.front, kind="services", ready=False)  # it is just starting
    finally:
        os.close(descriptor)


class Supervisor:
    """Owns a home during a `with` block, and leaves no process behind.

    Must be used from the main thread: Linux ties the life of the parts to the thread that started them.
    """

    def __init__(
        self,
        home: Home,
        *,
        kind: str,
        shown: Shown = Shown.STEPS,
        lifeline: bool = False,
        with_parent: bool = False,
    ) -> None:
        """`lifeline`: stop when standard input ends.

        `with_parent`: stop when the parent process dies (Linux), for example `make` killed with -9.
        """
        self.home = home
        self._kind = kind
        self._shown = shown
        self._lifeline = lifeline
        self._with_parent = with_parent
        self._stop_reason = ""
        self._stages: list[list[Running]] = []
        self._colours: dict[str, int] = {}
        self._printing = threading.Lock()

    # --- life ------------------------------------------------------------------------------------

    def __enter__(self) -> "Supervisor":
        self.home.create()
        self._lock = self._take_lock()
        self._refuse_busy_ports()
        shutil.rmtree(self.home.path("tmp"), ignore_errors=True)  # left by a start that was killed
        self._write_lease(ready=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:  # nohup make demo
                signal.signal(number, self._on_signal)
        if self._with_parent and sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        self._start_warden()
        if self._lifeline:
            threading.Thread(target=self._watch_lifeline, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for stage in reversed(self._stages):
            self._stop(stage)
        assert self._warden.stdin is not None
        self._warden.stdin.close()
        self._warden.wait()
        self.home.path("running.json").unlink(missing_ok=True)
        os.close(self._lock)

    def _take_lock(self) -> int:
        descriptor = os.open(self.home.path("lock"), os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + 30
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return descriptor
            except BlockingIOError:
                lease = read_lease(self.home)
            # After a kill -9 the warden keeps the lock for some seconds, until it has ended the parts.
            alive = lease is not None and (lease.pid == 0 or groups.alive(lease.pid))
            if (alive and lease is not None and lease.pid) or time.monotonic() > deadline:
                os.close(descriptor)
                raise SandboxError(self._already(lease))
            time.sleep(0.1)

    def _refuse_busy_ports(self) -> None:
        """Refuse to start, naming the first port that another program uses."""
        for name in Ports.NAMES if self._kind == "demo" else Ports.SERVICES:
            port = self.home.ports[name]
            if not is_free(port):
                other = self.home.ports.front + 100
                raise SandboxError(
                    f"Le port {port} ({name}) est déjà utilisé; essayez PORT={other} make demo"
                )

    def _already(self, lease: Lease | None) -> str:
        if lease is None:
            return "Un autre bac à sable finit de s'arrêter; réessayez dans quelques secondes."
        other = Home(self.home.root, lease.port, self.home.base)
        if lease.kind == "demo":
            return (
                f"La démonstration tourne déjà (processus {lease.pid}): {other.url('mairie')} · "
                f"{other.url('mail')} · {other.url('payfip')}\nArrêtez-la d'abord, ou choisissez un autre "
                "dossier et un autre port: SANDBOX_HOME=… PORT=… make demo"
            )
        return (
            f"Les services du bac à sable tournent déjà (processus {lease.pid}, port {lease.port}), pour une "
            "commande manage.py ou --services-only; réessayez quand ils sont arrêtés."
        )

    def _write_lease(self, *, ready: bool) -> None:
        lease = Lease(pid=os.getpid(), port=self.home.ports.front, kind=self._kind, ready=ready)
        draft = self.home.path(f"running.json.{os.getpid()}")
        draft.write_text(json.dumps(asdict(lease)), encoding="utf-8")
        draft.replace(self.home.path("running.json"))

    def _start_warden(self) -> None:
        self._warden = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_WARDEN)],
            stdin=subprocess.PIPE,
            pass_fds=(self._lock,),
            start_new_session=True,
        )

    # --- reasons to stop -------------------------------------------------------------------------

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._stop_reason = signal.Signals(number).name

    def _watch_lifeline(self) -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        # Other programs may use these services by now: they hold a shared lock.
        descriptor = os.open(self.home.path("users"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        self._stop_reason = "lifeline"

    def check(self) -> None:
        """Raise AskedToStop when asked to stop, or SandboxError when a part died."""
        if self._stop_reason:
            raise AskedToStop(self._stop_reason)
        for running in itertools.chain.from_iterable(self._stages):
            code = running.process.poll()
            if code is not None:
                raise SandboxError(_obituary(running, code))
        if self._warden.poll() is not None:
            raise SandboxError("Le gardien du bac à sable (warden) s'est arrêté.")

    # --- parts -----------------------------------------------------------------------------------

    def environment(self) -> dict[str, str]:
        """The environment of every part: the caller's variables, overridden by the sandbox's."""
        ours = self.home.environment()
        inherited = {
            name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in ours
        }
        return {
            **inherited,
            **ours,
            "PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "src")]),
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self.home.folder("tmp")),  # nothing outside of the home
            "DJANGO_SETTINGS_MODULE": "config.settings",
        }

    def start(self, parts: list[Part]) -> None:
        """Launch these parts in order, then wait until each answers. They are also stopped together."""
        stage: list[Running] = []
        self._stages.append(stage)
        for part in parts:
            self.check()
            stage.append(self._launch(part))
        for running in stage:
            self._wait_ready(running)

    def run(self, part: Part) -> None:
        """Launch a part that ends by itself, and wait until it succeeds."""
        running = self._launch(part)
        try:
            while (code := running.process.poll()) is None:
                self.check()
                time.sleep(0.05)
        finally:
            self._stop([running])
        if code == REFUSED and running.last_lines:
            raise SandboxError(running.last_lines[-1])
        if code:
            raise SandboxError(_obituary(running, code))

    def announce(self, text: str) -> None:
        """Tell other programs and the person that everything answers."""
        self._write_lease(ready=True)
        self.say(text)

    def watch(self) -> None:
        """Wait for a reason to stop; raises it."""
        while True:
            self.check()
            time.sleep(0.2)

    def _launch(self, part: Part) -> Running:
        part.prepare()
        self._colours.setdefault(part.name, _COLOURS[len(self._colours) % len(_COLOURS)])
        assert self._warden.stdin is not None
        return Running(
            part,
            environment=self.environment(),
            log=self.home.path("log", f"{part.name}.log"),
            warden=self._warden.stdin.fileno(),
            echo=self._echo,
        )

    def _wait_ready(self, running: Running) -> None:
        deadline = time.monotonic() + running.part.start_seconds
        pause = 0.03
        while True:
            self.check()
            try:
                running.part.probe()
                break
            except SandboxError:
                raise
            except Exception as error:  # any error of a client library: the server is not there yet
                if time.monotonic() > deadline:
                    self.check()
                    waited = f"{running.part.start_seconds:.0f} s"
                    raise SandboxError(
                        f"« {running.part.name} » ne répond pas après {waited} ({error}).\n{_tail(running)}"
                    ) from None
            time.sleep(pause)
            pause = min(0.5, pause * 1.3)
        running.part.settle()

    def _stop(self, stage: list[Running]) -> None:
        asked = time.monotonic()
        for running in reversed(stage):
            running.ask_to_stop()
        assert self._warden.stdin is not None
        for running in reversed(stage):
            running.bury(asked + running.part.stop_seconds)
            with contextlib.suppress(BrokenPipeError):
                os.write(self._warden.stdin.fileno(), f"-{running.pid}\n".encode())

    # --- screen ----------------------------------------------------------------------------------

    def _echo(self, name: str, line: str) -> None:
        if self._shown is Shown.ALL:
            colour = self._colours[name]
            prefix = f"{name:>8} │"
            self.say(f"\x1b[{colour}m{prefix}\x1b[0m {line}" if sys.stdout.isatty() else f"{prefix} {line}")

    def step(self, text: str) -> None:
        """Show the current step to a person who waits."""
        if self._shown is not Shown.READY:
            self.say(text)

    def say(self, text: str) -> None:
        """Print, and ignore a terminal that is gone (SIGHUP, closed pipe), which must not stop the shutdown."""
        with self._printing, contextlib.suppress(OSError, ValueError):
            print(text, flush=True)


def _tail(running: Running) -> str:
    return "\n".join(f"    {line}" for line in running.last_lines) or "    (aucune ligne)"


def _obituary(running: Running, code: int) -> str:
    how = f"par le signal {signal.Signals(-code).name}" if code < 0 else f"avec le code {code}"
    return f"« {running.part.name} » s'est arrêté {how}. Ses dernières lignes:\n{_tail(running)}"
