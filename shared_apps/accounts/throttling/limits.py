"""How often somebody may try to sign in, by whichever way (shared_apps.accounts.throttling.throttle)."""

from shared_apps.accounts import errors
from shared_apps.accounts.throttling.throttle import Limit

TRIES_PER_ACCOUNT = 10
TRIES_PER_ADDRESS = 50

# Wrong passwords about an address, whoever types them; and from one network address, about whomever.
PASSWORD = Limit("account", TRIES_PER_ACCOUNT, success_forgets=True, error=errors.ShutOut)
PLACE = Limit("ip", TRIES_PER_ADDRESS, error=errors.ShutOut)
# Of a browser that has opened the account before, in the place of both: strangers do not shut its owner out.
KNOWN_BROWSER = Limit("browser", TRIES_PER_ACCOUNT, success_forgets=True, error=errors.ShutOut)
# The current password asked for inside a session, by account: strangers, who have no session, cannot use it up.
OWN_PASSWORD = Limit("own-password", TRIES_PER_ACCOUNT, success_forgets=True, error=errors.TooManyOwnTries)
