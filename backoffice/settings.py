"""All settings, from the environment (`env.py` names them); wrong ones stop the start.

The embedded default needs no configuration and is closed by default: loopback only, generated
secrets in `var/` with mode 0600, SQLite that survives a power cut, the sandbox as partner.
"""

from __future__ import annotations

import sys
from datetime import time
from pathlib import Path
from typing import Any

import django_stubs_ext
from csp.constants import NONE, SELF

from backoffice.env import BadEnvironment
from backoffice.env_settings import BASE_DIR, env, read_environment

django_stubs_ext.monkeypatch()  # ModelAdmin[PersonCredit] needs it on Django 5.2

try:
    _environment = read_environment()
except BadEnvironment as problem:
    sys.stderr.write(f"Wrong setting: {problem}\n")
    raise SystemExit(2) from None

BACKOFFICE_ENV: str = _environment["BACKOFFICE_ENV"]
BACKOFFICE_VAR: Path = _environment["BACKOFFICE_VAR"]
BACKOFFICE_BIND_PROCESSORS: bool = _environment["BACKOFFICE_BIND_PROCESSORS"]
DEBUG: bool = _environment["DEBUG"]
SECRET_KEY: str = _environment["SECRET_KEY"]
ALLOWED_HOSTS: list[str] = _environment["ALLOWED_HOSTS"]
DATABASES: dict[str, Any] = _environment["DATABASES"]
BACKOFFICE_PORT: int = _environment["BACKOFFICE_PORT"]
BACKOFFICE_PUBLIC_URL: str = _environment["BACKOFFICE_PUBLIC_URL"]
BACKOFFICE_TRUSTED_PROXIES: list[str] = _environment["BACKOFFICE_TRUSTED_PROXIES"]
BACKOFFICE_METRICS_IPS: list[str] = _environment["BACKOFFICE_METRICS_IPS"]
BACKOFFICE_RETENTION_DAYS: int = _environment["BACKOFFICE_RETENTION_DAYS"]
BACKOFFICE_ALLOW_PASSWORD_ONLY: bool = _environment["BACKOFFICE_ALLOW_PASSWORD_ONLY"]
SECURE_PROXY_SSL_HEADER: tuple[str, str] | None = _environment["SECURE_PROXY_SSL_HEADER"]
SECURE_SSL_REDIRECT: bool = _environment["SECURE_SSL_REDIRECT"]
SECURE_HSTS_SECONDS: int = _environment["SECURE_HSTS_SECONDS"]
SESSION_COOKIE_SECURE: bool = _environment["SESSION_COOKIE_SECURE"]
SESSION_COOKIE_NAME: str = _environment["SESSION_COOKIE_NAME"]
CSRF_COOKIE_SECURE: bool = _environment["CSRF_COOKIE_SECURE"]
CSRF_COOKIE_NAME: str = _environment["CSRF_COOKIE_NAME"]
EDUIX_PROFILE_URL: str = _environment["EDUIX_PROFILE_URL"]
EDUIX_CREDIT_URL: str = _environment["EDUIX_CREDIT_URL"]
EDUIX_PROFILE_WSDL: str = _environment["EDUIX_PROFILE_WSDL"]
EDUIX_CREDIT_WSDL: str = _environment["EDUIX_CREDIT_WSDL"]
EDUIX_USERNAME: str = _environment["EDUIX_USERNAME"]
EDUIX_PASSWORD: str = _environment["EDUIX_PASSWORD"]
EDUIX_DISTRIBUTOR_ID: int = _environment["EDUIX_DISTRIBUTOR_ID"]
EDUIX_CONNECTIONS: int = _environment["EDUIX_CONNECTIONS"]
EDUIX_SESSION_MINUTES: int = _environment["EDUIX_SESSION_MINUTES"]
EDUIX_LEASE_SECONDS: int = _environment["EDUIX_LEASE_SECONDS"]
EDUIX_SANDBOX_PORT: int = _environment["EDUIX_SANDBOX_PORT"]
NOTIFICATION_CREDENTIALS: list[tuple[str, str]] = _environment["NOTIFICATION_CREDENTIALS"]
NOTIFICATION_ALLOWED_IPS: list[str] = _environment["NOTIFICATION_ALLOWED_IPS"]

# --- applications -------------------------------------------------------------------------------

INSTALLED_APPS = [
    "backoffice.apps.BackofficeAdminConfig",  # the stock admin with our AdminSite as its default
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_countries",
    "simple_history",
    "backoffice.outbox",
    "backoffice.jobs",
    "backoffice.explanations",
    "persons",
    "credits",
    "notifications",
    "backoffice.desk",
]
if BACKOFFICE_ENV == "embedded":
    INSTALLED_APPS.append("backoffice.eduix_sandbox")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "backoffice.language.ChosenLanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "backoffice.sessions.SessionLimitMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "backoffice.explanations.own_texts.OwnTextsMiddleware",
    "backoffice.desk.errors.NotAllowedPage",
    "backoffice.jobs.telling.TellWhenReady",
]

ROOT_URLCONF = "backoffice.urls"
WSGI_APPLICATION = "backoffice.wsgi.application"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

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
            ],
        },
    },
]

# --- words, time --------------------------------------------------------------------------------

LANGUAGE_CODE = "nl"
COUNTRIES_FIRST = ["NL", "BE", "DE"]  # where nearly everybody lives, above the other 246
LANGUAGES = [("nl", "Nederlands"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Europe/Amsterdam"
USE_I18N = True
USE_TZ = True
USE_THOUSAND_SEPARATOR = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- people -------------------------------------------------------------------------------------

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
PASSWORD_RESET_TIMEOUT = 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 28_800
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_IDLE_SECONDS = 1_800
SESSION_ABSOLUTE_SECONDS = 43_200
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = BACKOFFICE_ENV != "embedded"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF],
    }
}

# --- files --------------------------------------------------------------------------------------

STATIC_URL = "static/"
STATIC_ROOT = None if BACKOFFICE_ENV == "embedded" else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "backoffice" / "static"]
WHITENOISE_USE_FINDERS = BACKOFFICE_ENV == "embedded"  # no collectstatic on one machine
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if BACKOFFICE_ENV == "embedded"
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
MEDIA_ROOT = BACKOFFICE_VAR / "media"  # never served
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_PERMISSIONS = 0o600
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 1
IMPORT_MAX_BYTES = 64 * 1024 * 1024

# --- mail, broker, log --------------------------------------------------------------------------

globals().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL: str = _environment["DEFAULT_FROM_EMAIL"]
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_TIMEOUT = 10  # seconds; the worker that waits for a mail server does nothing else
BACKOFFICE_DIGEST_AT: time | None = _environment["BACKOFFICE_DIGEST_AT"]

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", "")
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 120
# A broker that is dead or answers nothing must not hold up a page: one more try, at once.
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
BROKER_SECONDS = 3  # that a ring waits for its broker
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = (
    {
        "confirm_publish": True,
        "read_timeout": BROKER_SECONDS,
        "write_timeout": BROKER_SECONDS,
    }
    if CELERY_BROKER_URL.startswith("amqp")
    else {"socket_timeout": BROKER_SECONDS, "socket_connect_timeout": BROKER_SECONDS}
)
CELERY_TIMEZONE = TIME_ZONE
# How long one ring keeps a worker draining, and when the beat rings again. A ring that gets lost
# with its broker costs that much: a notification is to be applied within a minute after it is back.
OUTBOX_DRAIN_SECONDS = 15
CELERY_BEAT_SCHEDULE = {
    "ring": {
        "task": "backoffice.outbox.tasks.drain",
        "schedule": float(OUTBOX_DRAIN_SECONDS),
        "options": {"expires": OUTBOX_DRAIN_SECONDS},
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "backoffice.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        # These print whole messages, passwords included, at DEBUG.
        "zeep.transports": {"level": "WARNING"},
        "django.db.backends": {"level": "WARNING"},
    },
}
