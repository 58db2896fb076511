"""A whole demo for the tests that need one: `make demo`'s own process tree, in a home of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import requests

from sandbox.home import REPOSITORY, Home, free_base_port

T = TypeVar("T")


@dataclass(frozen=True)
class Demo:
    """Its addresses, its caught mail, its simulator."""

    home: Home
    process: subprocess.Popen[str]

    def url(self, host: str, path: str = "/") -> str:
        """`http://<host>.localhost:<port><path>`, as a browser asks for it."""
        return f"http://{host}.localhost:{self.home.ports.front}{path}"

    def get(self, host: str, path: str) -> requests.Response:
        """The same through 127.0.0.1, for systems that do not resolve *.localhost."""
        return requests.get(self._local(path), headers={"Host": self._host(host)}, timeout=20)

    def post(self, host: str, path: str, **more: Any) -> requests.Response:
        return requests.post(self._local(path), headers={"Host": self._host(host)}, timeout=20, **more)

    def _local(self, path: str) -> str:
        return f"http://127.0.0.1:{self.home.ports.front}{path}"

    def _host(self, host: str) -> str:
        return f"{host}.localhost:{self.home.ports.front}"

    def mails(self, to: str) -> list[dict[str, Any]]:
        """Caught messages to that address, newest first."""
        return [mail for mail in self.get("mail", "/messages.json").json() if to in mail["to"]]

    def mail(self, to: str, subject: str) -> dict[str, Any]:
        """The newest message to `to` whose subject holds `subject`; waits for it."""
        return wait(lambda: next((m for m in self.mails(to) if subject in m["subject"]), None))


def wait(found: Callable[[], T | None], seconds: float = 180) -> T:
    """What `found` answers once it answers something true; the bound is for a machine that does ten other things."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = found()
        if answer:
            return answer
        time.sleep(0.2)
    raise AssertionError(f"nothing after {seconds} s: {found}")


@contextmanager
def running_demo(root: Path, *options: str) -> Iterator[Demo]:
    """Started as a person starts it, stopped at the end."""
    home = Home(root, free_base_port())
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", *options],
        env={
            **os.environ,
            "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'src'}",
            "SANDBOX_HOME": str(root),
            "PORT": str(home.ports.front),
            "AGENDA_SECONDS": "2",
        },
        stdin=subprocess.DEVNULL,
        stdout=(out := (root.parent / f"{root.name}.log").open("w+")),
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        wait(lambda: "\nready\n" in Path(out.name).read_text() or process.poll() is not None, 240)
        assert process.poll() is None, Path(out.name).read_text()[-3000:]
        yield Demo(home, process)
    finally:
        process.terminate()
        process.wait(120)
        out.close()
