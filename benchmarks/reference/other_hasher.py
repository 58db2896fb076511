"""Our settings with the hasher of BENCH_HASHER, and no other change."""

import logging
import os

from config.settings import *  # noqa: F403

_OURS = "shared_apps.accounts.passwords.hashing.PasswordHasher"
PASSWORD_HASHERS = list(dict.fromkeys([os.environ["BENCH_HASHER"], _OURS]))
logging.getLogger("django.request").setLevel(
    logging.ERROR
)  # a refused sign-in is a warning, and there are hundreds
