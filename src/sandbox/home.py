"""A sandbox's folder, ports and secrets, and the environment that it gives to the portal."""

import json
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_PORT = 8000
BUCKET = "factures"
DATABASE = "factures"


class SandboxError(Exception):
    """The sandbox cannot start or has stopped; the message is in French, for the person at the keyboard."""


@dataclass(frozen=True)
class Ports:
    """All ports, as offsets from the front's."""

    front: int

    # In the order of the offsets: web is front + 1, metrics front + 8.
    NAMES = ("front", "web", "mail", "payfip", "s3", "smtp", "postgres", "redis", "metrics")
    SERVICES = ("mail", "payfip", "s3", "smtp", "postgres", "redis")

    def __getitem__(self, name: str) -> int:
        return self.front + self.NAMES.index(name)


def is_free(port: int) -> bool:
    """Whether a server could listen on 127.0.0.1:port now."""
    with socket.socket() as probe:
        # As servers do: a port with connections in TIME_WAIT counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


_reserved: list[socket.socket] = []


def free_base_port() -> int:
    """A front port whose whole block is free, and stays reserved until this process ends.

    We hold its tenth port, which no service uses: two processes cannot hold it at once.
    Blocks are below the range of outgoing connections.
    """
    for _ in range(200):
        base = 22000 + secrets.randbelow(900) * 10
        held = socket.socket()  # without SO_REUSEADDR, which two holders could share
        try:
            held.bind(("127.0.0.1", base + len(Ports.NAMES)))
        except OSError:
            held.close()
            continue
        if all(is_free(base + offset) for offset in range(len(Ports.NAMES))):
            _reserved.append(held)
            return base
        held.close()
    raise SandboxError("Aucune suite de ports libres entre 22000 et 31000.")


class Home:
    """One sandbox: a folder that holds all its data, and the port its front listens on.

    `root` defaults to SANDBOX_HOME, else `.sandbox` in the repository; `port` to PORT, else 8000.
    Nothing is written before `create()`.
    """

    def __init__(self, root: Path | None = None, port: int | None = None, base: str = "localhost") -> None:
        self.root = (root or Path(os.environ.get("SANDBOX_HOME") or REPOSITORY / ".sandbox")).resolve()
        self.base = base
        self.ports = Ports(_port_from_environment() if port is None else port)

    def path(self, *names: str) -> Path:
        """A path in the home."""
        return self.root.joinpath(*names)

    def folder(self, *names: str) -> Path:
        """A folder in the home, made if absent."""
        folder = self.path(*names)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def create(self) -> None:
        """Make the folder (0700) and the secrets (0600) unless they are there."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.folder("log")
            if not os.access(self.root, os.W_OK | os.X_OK):
                raise PermissionError
            self._create_secrets()
        except PermissionError:
            raise SandboxError(
                f"Le dossier {self.root} appartient à un autre utilisateur; choisissez-en un autre avec "
                "SANDBOX_HOME=… ou effacez-le."
            ) from None

    def _create_secrets(self) -> None:
        target = self.path("secrets.json")
        if target.exists():
            return
        values = {
            "secret_key": secrets.token_urlsafe(50),
            "postgres_admin": secrets.token_hex(16),
            "postgres": secrets.token_hex(16),
            "redis": secrets.token_hex(16),
            "s3_access": secrets.token_hex(10),
            "s3_secret": secrets.token_hex(20),
        }
        draft = self.path(f"secrets.json.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(values, file)
        try:
            os.link(draft, target)  # fails if another start was first: then its secrets count
        except FileExistsError:
            pass
        finally:
            draft.unlink()

    def secret(self, name: str) -> str:
        """A secret of this home; `create()` has made it."""
        values: dict[str, str] = json.loads(self.path("secrets.json").read_text(encoding="utf-8"))
        return values[name]

    def url(self, host: str = "", path: str = "/") -> str:
        """The address a person types: `host` is the part before the base domain."""
        name = f"{host}.{self.base}" if host else self.base
        return f"http://{name}:{self.ports['front']}{path}"

    def environment(self) -> dict[str, str]:
        """Every variable of `config.settings`, pointing at this sandbox."""
        local = "http://127.0.0.1"
        return {
            "SECRET_KEY": self.secret("secret_key"),
            "DEBUG": "false",
            "STATIC_ROOT": str(self.folder("static")),  # the demo collects residents' files there
            "STATIC_FROM_PACKAGES": "true",
            "BASE_DOMAIN": self.base,
            "PUBLIC_SCHEME": "http",
            "PUBLIC_PORT": str(self.ports["front"]),
            "DATABASE_URL": (
                f"postgresql://{DATABASE}:{quote(self.secret('postgres'))}"
                f"@127.0.0.1:{self.ports['postgres']}/{DATABASE}"
            ),
            "REDIS_URL": f"redis://:{quote(self.secret('redis'))}@127.0.0.1:{self.ports['redis']}/0",
            "S3_ENDPOINT": f"{local}:{self.ports['s3']}",
            "S3_PUBLIC_ENDPOINT": f"{local}:{self.ports['s3']}",
            "S3_BUCKET": BUCKET,
            "S3_ACCESS_KEY": self.secret("s3_access"),
            "S3_SECRET_KEY": self.secret("s3_secret"),
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(self.ports["smtp"]),
            "SMTP_USER": "",
            "SMTP_PASSWORD": "",
            "SMTP_TLS": "false",
            "MAIL_FROM": "Mes factures <ne-pas-repondre@mes-factures.example>",
            # The server reaches the simulator directly, the browser through the front.
            "PAYFIP_SERVICE_URL": f"{local}:{self.ports['payfip']}/tpa/services/securite",
            "PAYFIP_PAYMENT_URL": self.url("payfip", "/tpa/paiementws.web"),
            "TIPI_PAYMENT_URL": self.url("payfip", "/tpa/paiement.web"),
            "INSIDE_HOSTS": "localhost",  # an OpenID provider on this machine, to try one
        }


def _port_from_environment() -> int:
    raw = os.environ.get("PORT") or str(DEFAULT_PORT)
    try:
        port = int(raw)
    except ValueError:
        port = 0
    if not 1 <= port <= 65535 - len(Ports.NAMES):
        raise SandboxError(f"PORT={raw} n'est pas un numéro de port; essayez PORT=8100.")
    return port
