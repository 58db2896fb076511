"""`python -m sandbox.mail --folder … --smtp PORT --page PORT`: the catcher and its page in one process."""

import argparse
import asyncio
import logging
import sys
import threading
from pathlib import Path

from werkzeug.serving import make_server

from sandbox.mail.page import Page
from sandbox.mail.smtp import Catcher
from sandbox.mail.store import Store


def main() -> None:
    """Run until a signal."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.mail")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--smtp", type=int, required=True)
    parser.add_argument("--page", type=int, required=True)
    options = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.WARNING)  # no line per request

    store = Store(options.folder)
    catcher = Catcher(store, options.smtp)
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    try:
        asyncio.run_coroutine_threadsafe(catcher.start(), loop).result(10)
    except OSError as error:
        sys.exit(f"SMTP: {error}")
    page = Page(
        store,
        mode=lambda: catcher.mode,
        set_mode=lambda mode: asyncio.run_coroutine_threadsafe(catcher.set_mode(mode), loop).result(10),
    )
    make_server("127.0.0.1", options.page, page, threaded=True).serve_forever()


if __name__ == "__main__":
    main()
