"""How often somebody may try to sign in (shared_apps.accounts.throttling.throttle)."""

from shared_apps.accounts import errors
from shared_apps.accounts.throttling.throttle import Limit

TRIES_PER_ACCOUNT = 10
TRIES_PER_ADDRESS = 50

# Wrong passwords per e-mail address, from anywhere; and per IP address, for any account.
PASSWORD = Limit("account", TRIES_PER_ACCOUNT, success_forgets=True, error=errors.ShutOut)
PLACE = Limit("ip", TRIES_PER_ADDRESS, error=errors.ShutOut)
# For a browser that has opened the account before, instead of both: strangers cannot shut its owner out.
KNOWN_BROWSER = Limit("browser", TRIES_PER_ACCOUNT, success_forgets=True, error=errors.ShutOut)
# The current password inside a session, per account: strangers have no session, so they cannot use it up.
OWN_PASSWORD = Limit("own-password", TRIES_PER_ACCOUNT, success_forgets=True, error=errors.TooManyOwnTries)
