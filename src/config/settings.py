"""Django's settings. Everything that changes from one machine to the next comes from `config.env`."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from csp.constants import NONE, SELF
from django.templatetags.static import static
from django.urls import reverse_lazy

from config import env, logs

ROOT = Path(__file__).resolve().parent.parent.parent

# --- who and where -----------------------------------------------------------------------------
SECRET_KEY = env.text("SECRET_KEY")
DEBUG = env.boolean("DEBUG", False)
BASE_DOMAIN = env.text("BASE_DOMAIN").lower()
PUBLIC_SCHEME = env.choice("PUBLIC_SCHEME", ("http", "https"), "https")
PUBLIC_PORT = env.integer("PUBLIC_PORT", 443)
# The registry of towns is the allow-list (tenants.hosts.middleware): an unknown host is a 404.
ALLOWED_HOSTS = ["*"]
SECURE = PUBLIC_SCHEME == "https"
# The key with which the proxy and the monitoring ask (config.web.inside); none: this machine only.
INSIDE_KEY = env.text("INSIDE_KEY", "")
# Where to report a security hole (RFC 9116): mailto:… or https://…; none: no security.txt.
SECURITY_CONTACT = env.contact("SECURITY_CONTACT")
SECURITY_EXPIRES = env.day("SECURITY_EXPIRES")

# --- rooms: the folder says in which schema the tables live -------------------------
_BOTH = [
    "django.contrib.sessions",
    "shared_apps.audit",
    "shared_apps.mail",
    "shared_apps.accounts",
]
SHARED_APPS = [
    "django_tenants",
    "tenants",
    "unfold",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "bootstrap",
    *_BOTH,
    "shared_apps.treasury",
    "shared_apps.console",
]
TENANT_APPS = [
    *_BOTH,
    "tenant_apps.townhall",
    "tenant_apps.products",
    "tenant_apps.residents",
    "tenant_apps.invoices",
    "tenant_apps.payments",
    "tenant_apps.reconciliation",
    "tenant_apps.notices",
    "tenant_apps.contact",
    "tenant_apps.portal",
    "tenant_apps.backoffice",
]
INSTALLED_APPS = [*SHARED_APPS, *[app for app in TENANT_APPS if app not in SHARED_APPS]]
TENANT_MODEL = "tenants.Town"
TENANT_DOMAIN_MODEL = "tenants.Domain"
# One SET search_path per connection and town instead of one per statement. The backend forgets the
# cached value at every rollback, because PostgreSQL undoes a SET made inside the rolled-back part.
TENANT_LIMIT_SET_CALLS = True
AUTH_USER_MODEL = "accounts.Account"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- urls ---------------------------------------------------------------------------------------
ROOT_URLCONF = "config.urls.town"
PUBLIC_SCHEMA_URLCONF = "config.urls.public"
# Each of the platform's own hosts has its own addresses and no other's.
PUBLIC_URLCONFS = {
    "platform": "config.urls.public",
    "admin": "config.urls.admin",
    "callback": "config.urls.callback",
}
WSGI_APPLICATION = "config.wsgi.application"
LOGIN_URL = reverse_lazy("portal:sign-in")

MIDDLEWARE = [
    "config.web.language.LanguageMiddleware",  # before everything that writes a page
    "django.middleware.security.SecurityMiddleware",
    "config.web.headers.HeadersMiddleware",
    "config.web.compression.GzipText",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # before the towns: the page of an unknown host needs its styles
    "tenants.hosts.middleware.TownMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "shared_apps.accounts.middleware.PeopleMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.web.errors.StaffPages",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "src" / "config" / "templates"],
        "OPTIONS": {
            "loaders": [
                (
                    "config.assets.loader.Loader",
                    [
                        "django.template.loaders.filesystem.Loader",
                        "django.template.loaders.app_directories.Loader",
                    ],
                )
            ],
            "libraries": {"layout": "config.assets.layout", "way_back": "config.web.way_back"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.web.context.town",
            ],
        },
    }
]


# --- PostgreSQL ---------------------------------------------------------------------------------
def _database(url: str) -> dict[str, object]:
    """The settings of the database at `postgresql://user:password@host:port/name`."""
    parts = urlsplit(url)
    return {
        "ENGINE": "tenants.databases.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": parts.port or 5432,
        "CONN_MAX_AGE": 600,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5},
    }


# `default` holds the registry and is a shard too; a town's `shard` is one of these aliases.
DATABASES = {
    "default": _database(env.text("DATABASE_URL")),
    **{alias: _database(url) for alias, url in env.pairs("SHARD_URLS").items()},
}
MIGRATION_CONNECTIONS = env.integer("MIGRATION_CONNECTIONS", 4)
TOWNS_PER_CONNECTION = env.integer("TOWNS_PER_CONNECTION", 500)
TOWN_CACHE_SECONDS = env.integer("TOWN_CACHE_SECONDS", 5)
# How long a town's rows stay, read-only, in the database that it left: longer than any request or task.
MOVED_ROWS_SECONDS = env.integer("MOVED_ROWS_SECONDS", 3600)
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

# --- DNS: who is asked whether a town's own domain is its own; none: the system's resolvers ---------
DNS_RESOLVERS = env.servers("DNS_RESOLVERS", 53)

# --- Redis: cache and broker --------------------------------------------------------------------
REDIS_URL = env.text("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_connect_timeout": 2, "socket_timeout": 5},
        "KEY_FUNCTION": "django_tenants.cache.make_key",  # the town's schema is in every key
        "REVERSE_KEY_FUNCTION": "django_tenants.cache.reverse_key",
    }
}
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 1800
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# The queue is only a hint (docs/architecture.md): after a kill, the sweep finds the work from its row.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,
    # A broker that does not answer costs a request two seconds at most: the agenda starts the task anyway.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "socket_connect_timeout": 2,
    "socket_timeout": 10,
}
CELERY_TIMEZONE = "Europe/Paris"
CELERY_BEAT_SCHEDULE = {
    "agenda": {"task": "tenants.run_agenda", "schedule": env.integer("AGENDA_SECONDS", 10)},
    "exports": {"task": "tenants.sweep_exports", "schedule": 3600},  # of the platform, not of any town
}

# --- S3 -----------------------------------------------------------------------------------------
S3_PUBLIC_ENDPOINT = env.text("S3_PUBLIC_ENDPOINT", None) or env.text("S3_ENDPOINT")
_S3 = {
    "bucket_name": env.text("S3_BUCKET"),
    "access_key": env.text("S3_ACCESS_KEY"),
    "secret_key": env.text("S3_SECRET_KEY"),
    "region_name": env.text("S3_REGION", "us-east-1"),
    "addressing_style": "path",
    "signature_version": "s3v4",
    "querystring_expire": 300,  # seconds: a signed link is valid five minutes at most
    "file_overwrite": True,
    "default_acl": None,
    "max_memory_size": 2 * 1024 * 1024,
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing may use it by mistake
    "documents": {
        "BACKEND": "toolkit.files.storage.DocumentStorage",
        "OPTIONS": {**_S3, "endpoint_url": env.text("S3_ENDPOINT"), "public_endpoint": S3_PUBLIC_ENDPOINT},
    },
    "staticfiles": {"BACKEND": "config.assets.static.Storage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = env.text("STATIC_ROOT", str(ROOT / "static-collected"))
STATICFILES_DIRS = [ROOT / "src" / "config" / "static", ("aide", ROOT / "docs" / "images" / "aide")]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.assets.static.Stylesheet",
]
# A laptop serves files from the packages; an image has them collected, on a read-only disk.
WHITENOISE_USE_FINDERS = env.boolean("STATIC_FROM_PACKAGES", False)
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MAX_AGE = 3600
FILE_UPLOAD_HANDLERS = ["config.web.uploads.NoFiles"]  # the page of imports sets its own
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
IMPORT_SECONDS = env.integer("IMPORT_SECONDS", 5400)  # how long one import may run
ARCHIVE_MAX_BYTES = env.integer("ARCHIVE_MAX_BYTES", 2 * 1024**3)  # of a town, deposited in the console
UPLOAD_MAX_BYTES = env.integer("UPLOAD_MAX_BYTES", 150 * 1024 * 1024)  # one import: all its files together

# --- mail ---------------------------------------------------------------------------------------
EMAIL_BACKEND = env.text("EMAIL_BACKEND", "django.core.mail.backends.smtp.EmailBackend")
EMAIL_HOST = env.text("SMTP_HOST")
EMAIL_PORT = env.integer("SMTP_PORT", 25)
EMAIL_HOST_USER = env.text("SMTP_USER", "")
EMAIL_HOST_PASSWORD = env.text("SMTP_PASSWORD", "")
EMAIL_USE_TLS = env.boolean("SMTP_TLS", False)
EMAIL_TIMEOUT = 15
DEFAULT_FROM_EMAIL = env.text("MAIL_FROM")

# --- the Treasury -------------------------------------------------------------------------------
# Who can take a payment: the name that rows keep → the folder, whose make() gives the provider. One that attempts
# still name stays here.
PAYMENT_PROVIDERS = {
    "payfip": "tenant_apps.payments.providers.payfip",
    "tipi": "tenant_apps.payments.providers.tipi",
    "offline": "tenant_apps.payments.providers.offline",
}
PAYFIP_SERVICE_URL = env.text("PAYFIP_SERVICE_URL", "https://www.payfip.gouv.fr/tpa/services/securite")
PAYFIP_PAYMENT_URL = env.text("PAYFIP_PAYMENT_URL", "https://www.payfip.gouv.fr/tpa/paiementws.web")
TIPI_PAYMENT_URL = env.text("TIPI_PAYMENT_URL", "https://www.payfip.gouv.fr/tpa/paiement.web")
PAYFIP_TIMEOUT = env.integer("PAYFIP_TIMEOUT", 15)
PAYMENT_PAGES = [PAYFIP_PAYMENT_URL, TIPI_PAYMENT_URL]  # where a form may lead the payer

# --- addresses that a town types (its OpenID provider): https on the Internet, and these hosts -----
INSIDE_HOSTS = env.text("INSIDE_HOSTS", "").split()

# Who hosts the portal (name, address, telephone): required in each town's legal notice.
HOSTING = env.text("HOSTING", "")

# --- people -------------------------------------------------------------------------------------
# Stolen passwords that nobody may choose: a sorted file, one `SHA-1:count` per line. None: the lists only.
BREACHED_PASSWORDS = env.hashes("BREACHED_PASSWORDS")
AUTHENTICATION_BACKENDS = ["shared_apps.accounts.backends.EmailBackend"]
PASSWORD_HASHERS = ["shared_apps.accounts.passwords.hashing.PasswordHasher"]
SESSION_ENGINE = "tenants.hosts.sessions"  # in the town's own schema
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 30 * 24 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True  # « Se souvenir de moi » gives thirty days
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
BROWSER_COOKIE_NAME = (
    "__Host-appareil" if SECURE else "appareil"
)  # a browser that has opened an account (decision 43)
CSRF_FAILURE_VIEW = "config.web.errors.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- HTTP ---------------------------------------------------------------------------------------
if SECURE:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_SSL_REDIRECT = env.boolean("SSL_REDIRECT", False)  # usually the ingress does it
    SECURE_REDIRECT_EXEMPT = [r"^healthz/", r"^interne/"]  # asked from the same network, without TLS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin-allow-popups"  # the payment screen opens a new window
X_FRAME_OPTIONS = "DENY"


def _origin(url: str) -> str:
    """`https://host:port` of an address."""
    return "{0.scheme}://{0.netloc}".format(urlsplit(url))


CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "frame-src": [S3_PUBLIC_ENDPOINT],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        # The payment's form is answered by a redirect to the Treasury, which this directive also covers.
        "form-action": [SELF, *map(_origin, PAYMENT_PAGES)],
        "manifest-src": [SELF],
    }
}

# --- language and time --------------------------------------------------------------------------
LANGUAGE_CODE = "fr"
LANGUAGES = [("fr", "Français"), ("en", "English")]
LANGUAGE_COOKIE_NAME = "__Host-langue" if SECURE else "langue"  # for this host only (decision 38)
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SECURE, LANGUAGE_COOKIE_HTTPONLY = SECURE, True
FORMAT_MODULE_PATH = ["config.formats"]
UNFOLD = {
    "SITE_TITLE": "shared_apps.console.platform.shown_name",
    "SITE_HEADER": "shared_apps.console.platform.shown_name",
    "SITE_SUBHEADER": "Console de l'exploitant",
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "COLORS": {
        "primary": {
            "50": "oklch(97% .014 254.6)",
            "100": "oklch(93.2% .032 255.6)",
            "200": "oklch(88.2% .059 254.1)",
            "300": "oklch(80.9% .105 251.8)",
            "400": "oklch(70.7% .165 254.6)",
            "500": "oklch(62.3% .214 259.8)",
            "600": "oklch(48.8% .243 264.4)",
            "700": "oklch(42.4% .199 265.6)",
            "800": "oklch(37.9% .146 265.5)",
            "900": "oklch(33% .12 266)",
            "950": "oklch(28.2% .091 267.9)",
        }
    },
    "STYLES": [lambda request: static("console/console.css")],
    "SCRIPTS": [
        lambda request: static("console/alpine-expressions.js"),
        lambda request: static("console/alpine-names.js"),
    ],
    "SIDEBAR": {
        "navigation": [
            {
                "items": [
                    {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{name}")}
                    for title, icon, name in (
                        ("État de la plateforme", "monitor_heart", "index"),
                        ("Communes", "location_city", "tenants_town_changelist"),
                        ("Opérations", "pending_actions", "tenants_operation_changelist"),
                        ("Journal", "history", "audit_auditentry_changelist"),
                        ("Certificats d'effacement", "delete_forever", "tenants_erasure_changelist"),
                        (
                            "Sonneries sans commune",
                            "notifications_off",
                            "treasury_unmatchednotification_changelist",
                        ),
                        ("Réglages", "settings", "platform"),
                        ("Mon compte", "key", "password_change"),
                    )
                ]
            }
        ]
    },
    "ACCOUNT": {"navigation": [{"title": "Mon compte", "link": reverse_lazy("admin:password_change")}]},
}
LOCALE_PATHS = [ROOT / "src" / "config" / "locale"]
USE_TZ = True
TIME_ZONE = "Europe/Paris"
USE_THOUSAND_SEPARATOR = False

LOGGING_CONFIG = None
logs.configure(debug=DEBUG)
