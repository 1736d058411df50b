"""Django settings. Every value that differs between machines comes from the environment;
the supervisor sets them for the embedded parts, an operator for real ones. No secrets here."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
DATA_DIR = Path(os.environ.get("HEADRACE_DATA_DIR", ROOT / ".headrace")).resolve()


def _flag(name: str, default: bool) -> bool:
    return os.environ.get(name, str(int(default))).strip().lower() in {"1", "true", "yes", "on"}


def _database(url: str) -> dict[str, object]:
    """`postgresql://user:password@host:port/name?host=/socket/folder` as Django's dictionary."""
    parts = urlsplit(url)
    query = {k: v[-1] for k, v in parse_qs(parts.query).items()}
    return {
        "ENGINE": "backend.config.postgres",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", parts.hostname or ""),
        "PORT": str(query.pop("port", parts.port or "")),
        "OPTIONS": {**query, "pool": {"min_size": 0, "max_size": int(os.environ.get("DATABASE_POOL", "12")), "timeout": 10}},
    }


DEBUG = _flag("HEADRACE_DEBUG", False)
SECRET_KEY = os.environ.get("SECRET_KEY", "")
if len(SECRET_KEY) < 1:
    raise SystemExit("SECRET_KEY is empty: set it to a long random text (“manage.py up” makes and keeps one).")
PUBLIC_URL = os.environ.get("PUBLIC_URL", "http://localhost:8000").rstrip("/")
PUBLIC = urlsplit(PUBLIC_URL)
ALLOWED_HOSTS = [h for h in os.environ.get("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]").split(",") if h]
if PUBLIC.hostname and "*" not in ALLOWED_HOSTS and PUBLIC.hostname not in ALLOWED_HOSTS:
    ALLOWED_HOSTS.append(PUBLIC.hostname)
CSRF_TRUSTED_ORIGINS = [f"{PUBLIC.scheme}://{PUBLIC.netloc}", *(o for o in os.environ.get("CSRF_TRUSTED_ORIGINS", "").split(",") if o)]
CSRF_FAILURE_VIEW = "backend.core.middleware.csrf_failure"

DATABASE_URL = os.environ.get("DATABASE_URL", "postgresql://headrace@localhost/headrace")
BROKER_URL = os.environ.get("BROKER_URL", "redis://localhost:6379/0")
ARTIFACT_URL = os.environ.get("ARTIFACT_URL", str(DATA_DIR / "artifacts"))
# A store behind a URL may be shared with other studios, whose blobs no row of this one names: sweeping it must be asked for.
ARTIFACT_SWEEP = _flag("ARTIFACT_SWEEP", "://" not in ARTIFACT_URL)
PREDICTOR_URL = os.environ.get("PREDICTOR_URL", "http://127.0.0.1:8010")
PREDICTOR_PUBLIC_URL = os.environ.get("PREDICTOR_PUBLIC_URL", PREDICTOR_URL)

# What hosts that join are told, where the database or broker is not the studio's own (which it passes through itself). The account
# should be one that may do no more than `headrace_worker` (`runs/sql/90_worker_role.sql`), with
# `ALTER ROLE … SET search_path = headrace_worker, public`: the functions that it may use are there.
WORKER_DATABASE_URL = os.environ.get("WORKER_DATABASE_URL", "")
WORKER_BROKER_URL = os.environ.get("WORKER_BROKER_URL", "")
WORKER_ARTIFACT_URL = os.environ.get("WORKER_ARTIFACT_URL", "")

ALLOW_PRIVATE_BROKERS = _flag("ALLOW_PRIVATE_BROKERS", False)
"""Whether triggers may listen to brokers on private networks, this machine included."""

ALLOW_PRIVATE_CALLS = _flag("ALLOW_PRIVATE_CALLS", False)
"""Whether webhooks, ML backends and linked Label Studio servers may be on private networks, this machine included."""

DATABASES = {"default": _database(DATABASE_URL)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_vite",
    "ninja",
    "channels",
    "backend.core",
    "backend.artifacts",
    "backend.datasets",
    "backend.labeling",
    "backend.labelstudio",
    "backend.pipelines",
    "backend.runs",
    "backend.registry",
    "backend.deployments",
    "backend.similarity",
    "backend.learning",
    "backend.realtime",
]

MIDDLEWARE = [
    "backend.core.middleware.request_context",
    "backend.core.middleware.security_headers",
    "backend.core.middleware.api_errors",
    "django.middleware.security.SecurityMiddleware",
    "backend.core.static.StaticFiles",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
if PUBLIC.scheme == "https":
    # TLS ends at a proxy in front of us, which must set this header itself (and uvicorn be told to trust it).
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = int(os.environ.get("HSTS_SECONDS", "0"))

ROOT_URLCONF = "backend.config.urls"
ASGI_APPLICATION = "backend.config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "backend" / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]

AUTH_USER_MODEL = "core.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",  # needs memory to guess, and a tenth of PBKDF2's time to check
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
SESSION_COOKIE_NAME = "headrace_session"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 14
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = PUBLIC.scheme == "https"
CSRF_COOKIE_NAME = "headrace_csrf"
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
CSRF_COOKIE_SAMESITE = "Lax"

EMAIL_BACKEND = os.environ.get("EMAIL_BACKEND", "django.core.mail.backends.console.EmailBackend")
EMAIL_HOST = os.environ.get("EMAIL_HOST", "localhost")
EMAIL_TIMEOUT = 15
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = _flag("EMAIL_USE_TLS", False)
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "headrace@localhost")

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
STATICFILES_DIRS = [("vite", ROOT / "frontend" / "dist")] if (ROOT / "frontend" / "dist").is_dir() else []
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": DATA_DIR / "media"}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},  # compressed when they are built
}
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/vite/assets/.+-[A-Za-z0-9_-]{8}\."
# The list of files that belongs to the collected ones: a build that goes on beside a running studio must not change its pages.
_collected = STATIC_ROOT / "vite" / "manifest.json"
DJANGO_VITE = {
    "default": {
        "dev_mode": _flag("HEADRACE_VITE_DEV", False),
        "dev_server_port": int(os.environ.get("VITE_PORT", "5173")),
        "static_url_prefix": "vite",
        "manifest_path": _collected if _collected.is_file() else ROOT / "frontend" / "dist" / "manifest.json",
    }
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [BROKER_URL.replace("redis+socket://", "unix://")], "prefix": "headrace"},
    }
}

# A request body Django itself parses; uploads go through chunks that are streamed to disk instead.
DATA_UPLOAD_MAX_MEMORY_SIZE = 20 * 1024 * 1024
UPLOAD_MAX_BYTES = int(os.environ.get("UPLOAD_MAX_BYTES", str(64 * 1024**3)))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": "backend.core.logs.RedactingFormatter", "format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": os.environ.get("HEADRACE_LOG_LEVEL", "INFO")},
    "loggers": {
        # uvicorn brings handlers of its own, which would print the secret parts of addresses.
        "uvicorn": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "uvicorn.access": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "uvicorn.error": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        # While Valkey is away it would print a traceback every second; `realtime.watch` says it once.
        "channels_redis.pubsub": {"level": "CRITICAL"},
        # A 404 or 403 is an answer, not news.
        "django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False},
    },
}
