"""`python -m sandbox.payfip`: the simulator alone, without the portal or any other service."""

import argparse
import logging
import sys
import tempfile
from pathlib import Path

from sandbox.home import DEFAULT_PORT, Ports
from sandbox.payfip.server import serve
from sandbox.payfip.store import Store


def main() -> None:
    """Run the simulator until a signal stops it."""
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.payfip", description="Le simulateur PayFiP, seul."
    )
    parser.add_argument("--port", type=int, default=Ports(DEFAULT_PORT)["payfip"], help="8003 si absent")
    parser.add_argument("--memory", type=Path, help="fichier où il retient tout (sinon : oublié à la fin)")
    parser.add_argument("--quiet", action="store_true", help="n'affiche pas les adresses")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    here = f"http://127.0.0.1:{options.port}"
    if not options.quiet:
        print(f"Simulateur PayFiP : {here}/\nService web : {here}/tpa/services/securite (?wsdl)", flush=True)
    with tempfile.TemporaryDirectory(prefix="payfip-") as folder:
        memory: Path = options.memory or Path(folder, "memory.sqlite3")
        memory.parent.mkdir(parents=True, exist_ok=True)
        try:
            serve("127.0.0.1", options.port, Store(str(memory)))
        except KeyboardInterrupt:
            pass
        except OSError as error:
            sys.exit(f"payfip: {error}")


if __name__ == "__main__":
    main()
