"""Settings, read from the environment; a missing or weak one stops the start and names the cure.

With `DEMO` set, everything has a private default under `.clinic/`; nothing is started from here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from clinic.checks import require_production_settings
from clinic.embedded import urls as embedded

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
CLINIC_HOME = Path(env.str("CLINIC_HOME", default=str(BASE_DIR / ".clinic")))

DEMO = env.bool("DEMO", default=False)
DEBUG = env.bool("DEBUG", default=False)
DEMO_PASSWORD = "mesotherapy-demo"  # noqa: S105  (public on purpose; accounts exist only under DEMO)


def secret(name: str, default_file: str) -> str:
    """A secret from `NAME`, or from the file named by `NAME_FILE`; under DEMO from `.clinic/`."""
    if value := env.str(name, default=""):
        return str(value)
    own = str(CLINIC_HOME / default_file) if DEMO and default_file else ""
    path = env.str(f"{name}_FILE", default=own)
    return Path(path).read_text().strip() if path and Path(path).is_file() else ""


SECRET_KEY = secret("SECRET_KEY", "secret.key")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"] if DEMO else [])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
PORT = env.int("PORT", default=8000)
BASE_URL = env.str("BASE_URL", default=f"http://127.0.0.1:{PORT}" if DEMO else "").rstrip("/")

DATABASE_URL = env.str("DATABASE_URL", default="") or (embedded.database_url("app") if DEMO else "")
DATABASE_OWNER_URL = env.str("DATABASE_OWNER_URL", default="")
REDIS_URL = env.str("REDIS_URL", default="") or (embedded.redis_url() if DEMO else "")
EMAIL_URL = env.str("EMAIL_URL", default="") or (embedded.email_url() if DEMO else "")
DEFAULT_FROM_EMAIL = env.str(
    "DEFAULT_FROM_EMAIL", default="Clinic <clinic@demo.clinic>" if DEMO else ""
)
SMS_URL = env.str("SMS_URL", default="") or (embedded.sms_url() if DEMO else "")
SMS_REPORT_SECRET = secret("SMS_REPORT_SECRET", "sms-report.secret")
MEDIA_KEY_FILE = env.str("MEDIA_KEY_FILE", default=str(CLINIC_HOME / "media.key") if DEMO else "")
SIGNING_P12_FILE = env.str(
    "SIGNING_P12_FILE", default=str(CLINIC_HOME / "seal.p12") if DEMO else ""
)
SIGNING_P12_PASSWORD = secret("SIGNING_P12_PASSWORD", "")
SIGNING_TSA_URL = env.str("SIGNING_TSA_URL", default="")
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)

require_production_settings(
    demo=DEMO,
    debug=DEBUG,
    secret_key=SECRET_KEY,
    allowed_hosts=ALLOWED_HOSTS,
    base_url=BASE_URL,
    database_url=DATABASE_URL,
    redis_url=REDIS_URL,
    email_url=EMAIL_URL,
    media_key_file=MEDIA_KEY_FILE,
    default_from_email=DEFAULT_FROM_EMAIL,
    signing_p12_file=SIGNING_P12_FILE,
    signing_p12_password=SIGNING_P12_PASSWORD,
    signing_tsa_url=SIGNING_TSA_URL,
    sms_report_secret=SMS_REPORT_SECRET,
)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "clinic",
    "patients",
    "treatments",
    "aftercare",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "template_partials",
    "phonenumber_field",
    "csp",
]

MIDDLEWARE = [
    "clinic.audit.middleware.RequestContextMiddleware",
    "clinic.web.access_log.AccessLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "clinic.access.middleware.IdleLogoutMiddleware",
    "clinic.access.middleware.AccessMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "clinic.urls"
WSGI_APPLICATION = "clinic.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "clinic.web.context.clinic",
            ],
            "libraries": {"clinic_web": "clinic.web.templatetags.clinic_web"},
            "builtins": ["template_partials.templatetags.partials"],
        },
    }
]
FORM_RENDERER = "clinic.web.drawing.Drawn"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- database -------------------------------------------------------------------------------

DATABASES: dict[str, Any] = (
    {"default": dict(env.db_url_config(DATABASE_URL))} if DATABASE_URL else {}
)
if DATABASES:
    DATABASES["default"]["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    DATABASES["default"].setdefault("OPTIONS", {})
    # Nobody waits for ever: a lock 2 s, a statement 5 s for pages (jobs and migrations set more).
    DATABASES["default"]["OPTIONS"]["options"] = " ".join(
        [
            f"-c lock_timeout={env.int('LOCK_TIMEOUT_MS', default=2000)}",
            f"-c statement_timeout={env.int('STATEMENT_TIMEOUT_MS', default=5000)}",
            "-c idle_in_transaction_session_timeout=30000",
            # How near a typed word must come to a name: one wrong, missing or doubled letter.
            "-c pg_trgm.word_similarity_threshold=0.45",
        ]
    )
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- sign-in --------------------------------------------------------------------------------

SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # the e-mail is unique without regard to case, by constraint
    "fields.W161",  # a default of 8 o'clock is taken for "now" by whoever starts at 8 o'clock
]
AUTH_USER_MODEL = "clinic.Staff"
AUTHENTICATION_BACKENDS = ["clinic.access.backend.StaffBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "clinic.access.adapter.StaffAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/m/key",
    "reauthenticate": "10/m/user",
}
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Clinic"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEMO
MFA_REQUIRED = not DEMO
"""Staff without a second factor may reach only the pages that set one up."""

IDLE_MINUTES = env.int("IDLE_MINUTES", default=30)
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True

# --- cache, queue ---------------------------------------------------------------------------

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
}

# Celery spells a Unix socket differently; everything else of Celery is in clinic/celery.py.
CELERY_BROKER_URL = re.sub(
    r"^unix://(.*?)\?db=(\d+)$", r"redis+socket://\1?virtual_host=\2", REDIS_URL
)

# --- languages, times -----------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("fr", _("French"))]
# What a patient may read best: their papers can be written in it, once the clinic has approved the
# words. Pages and messages have none in the last two, see clinic/tongues.py.
PATIENT_LANGUAGES = [*LANGUAGES, ("ar", _("Arabic")), ("he", _("Hebrew"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
PHONENUMBER_DEFAULT_REGION = "FR"
PHONENUMBER_DB_FORMAT = "E164"

# --- files ----------------------------------------------------------------------------------

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(CLINIC_HOME / "media")))
if DEBUG:
    STATIC_STORAGE = "django.contrib.staticfiles.storage.StaticFilesStorage"
elif DEMO:
    # Compressing everything takes longer than the rest of the start, for a browser next door.
    STATIC_STORAGE = "clinic.web.static_storage.HashedStorage"
else:
    STATIC_STORAGE = "clinic.web.static_storage.CompressedHashedStorage"
STORAGES = {
    "default": {"BACKEND": "clinic.vault.EncryptedFileStorage"},
    "staticfiles": {"BACKEND": STATIC_STORAGE},
}
# A page in a test or a fresh checkout may be asked for before `collectstatic` has run.
WHITENOISE_USE_FINDERS = DEMO
WHITENOISE_MANIFEST_STRICT = not DEMO
WHITENOISE_KEEP_ONLY_HASHED_FILES = False
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 30
# In memory and bounded: a picture of a patient is never written down as it comes.
FILE_UPLOAD_HANDLERS = ["clinic.web.uploads.MemoryUploadHandler"]

# --- mail, SMS ------------------------------------------------------------------------------

if EMAIL_URL:
    vars().update(env.email_url_config(EMAIL_URL))
EMAIL_TIMEOUT = 15

# --- security headers -----------------------------------------------------------------------

SECURE_SSL_REDIRECT = not DEMO
SECURE_REDIRECT_EXEMPT = [r"^health/"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SECURE_HSTS_SECONDS = 0 if DEMO else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEMO
SECURE_HSTS_PRELOAD = not DEMO
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = not DEMO
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Cookies are shared by all ports of one host, so two demos side by side need names of their own.
SESSION_COOKIE_NAME = f"clinic_session_{PORT}" if DEMO else "__Host-session"
CSRF_COOKIE_NAME = f"clinic_csrf_{PORT}" if DEMO else "__Host-csrf"
LANGUAGE_COOKIE_NAME = "language"
CSRF_FAILURE_VIEW = "clinic.web.views.csrf_failure"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    "camera": [],  # a page that needs it says so: clinic.web.camera
    "microphone": [],
    "geolocation": [],
    "payment": [],
    "usb": [],
}

# --- logs -----------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "clinic.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # What is refused (4xx) stands in the line of its request already.
        "django.request": {"level": "ERROR"},
        # It would name every passkey that is used.
        "fido2": {"level": "WARNING"},
        "fontTools": {"level": "WARNING"},
        "weasyprint": {"level": "ERROR"},
    },
}
