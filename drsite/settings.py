"""Settings from the environment, safe by default. Every variable is listed in ``.env.example``."""

import os
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from django.conf.global_settings import LANGUAGES as KNOWN_LANGUAGES
from django.conf.global_settings import STATICFILES_FINDERS as FINDERS
from whitenoise.compress import Compressor

from drsite.api_schema import API_SCHEMA
from drsite.environment import Environment, public_keys, served_models
from drsite.logs import logging_settings
from drsite.periodic_tasks import PERIODIC_TASKS
from ml.vocabulary import ServedModel

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()
env.ENVIRON = Environment(os.environ)

# --- what must be set ------------------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
# No default without DEBUG: Django refuses to use an empty key, and screening.E001 reports it.
SECRET_KEY = env.str("SECRET_KEY", default="insecure-key-for-development-only" if DEBUG else "")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Printed in documents, so the task that makes them needs it: there is no request to read it from.
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/") or f"https://{(ALLOWED_HOSTS or ['localhost'])[0]}"
SITE_IS_DEMO = env.bool("SITE_IS_DEMO", default=False)

# --- grading ---------------------------------------------------------------------------------------------------------
# The models of this installation; a model that is not named is never loaded.
GRADING_MODELS = served_models(env.list("GRADING_MODELS", default=list(ServedModel)))
MODEL_BUNDLES = {  # empty: ml.bundle.default_bundle(model)
    ServedModel.ACCURATE: env.str("ACCURATE_MODEL_BUNDLE", default=""),
    ServedModel.FAST: env.str("FAST_MODEL_BUNDLE", default=""),
}
MODELS_DIR = env.str("MODELS_DIR", default="")  # of bundles that superusers may register; empty: none
BUNDLE_PUBLIC_KEYS = public_keys(env.list("BUNDLE_PUBLIC_KEYS", default=[]))  # of the makers of registered bundles
MODEL_MEMORY_MB = env.int("MODEL_MEMORY_MB", default=400)  # of the models that one process keeps loaded
GRADING_THREADS = env.int("GRADING_THREADS", default=1)
DECODER_PROCESSES = env.int("DECODER_PROCESSES", default=2)  # of each process that opens photographs
GRADING_SOFT_LIMIT_S = 45
GRADING_HARD_LIMIT_S = 60
# Longer than the hard limit, so that a grading that still runs is not queued again.
GRADING_STALE_AFTER_S = env.int("GRADING_STALE_AFTER_S", default=90)
QUEUE_LATE_AFTER_S = env.int("QUEUE_LATE_AFTER_S", default=300)  # then /health/ready reports the queue as "late"

# --- reading ---------------------------------------------------------------------------------------------------------
EXAM_LOCK_MINUTES = env.int("EXAM_LOCK_MINUTES", default=30)  # without activity of the reader who has an exam

# --- letters ---------------------------------------------------------------------------------------------------------
LETTER_FILES_DAYS = env.int("LETTER_FILES_DAYS", default=7)  # files of letters made at once: copies of documents

# --- applications ----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "screening.apps.ScreeningConfig",
    "screening.apps.ScreeningAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "screening.apps.LogInsConfig",  # axes
    "csp",
]
MIDDLEWARE = [
    "drsite.health_endpoints.serve_health_endpoints",  # before the checks of host and HTTPS
    "drsite.request_id.request_id_middleware",
    "drsite.overload.limit_concurrency",
    "screening.middleware.find_ids_in_capitals",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "drsite.compression.compress_pages",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "screening.middleware.require_plain_body",
    "screening.middleware.limit_body_size",  # before the next, which reads the body
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "screening.middleware.use_language_of_account",
    "screening.access_audit.audit_access",
    "screening.middleware.limit_session",
    "screening.middleware.require_new_password",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "drsite.urls"
WSGI_APPLICATION = "drsite.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
FORM_RENDERER = "drsite.form_renderer.FormRenderer"

# --- data ------------------------------------------------------------------------------------------------------------
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var")))
with suppress(OSError):  # on a read-only file system all paths below are set
    VAR_DIR.mkdir(exist_ok=True)
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL: readers do not wait for the writer. IMMEDIATE: a transaction takes the write lock at its start, so that two
    # writers wait for each other (timeout, in seconds) and none fails with "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
    # Seconds; then the page "try again" is shown. Without it, a request waits for an unavailable host for minutes.
    DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)
    # Compiling a query of a list takes seconds, running it some milliseconds.
    DATABASES["default"]["OPTIONS"].setdefault("options", "-c jit=off")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(VAR_DIR / "media"))()
# NB: there is no MEDIA_URL. Views serve photographs after the access check; with this prefix, nginx sends the file.
X_ACCEL_REDIRECT_PREFIX = env.str("X_ACCEL_REDIRECT_PREFIX", default="")
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
STATIC_URL = "static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))()
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [*FINDERS, "drsite.joined_files.JoinedFilesFinder"]
WHITENOISE_KEEP_ONLY_HASHED_FILES = True  # half the files
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")  # large, for developer tools only
_S3_BUCKET = env.str("S3_BUCKET", default="")  # empty: photographs are in MEDIA_ROOT
_PHOTOGRAPHS: dict[str, Any] = {"BACKEND": "drsite.local_storage.LocalPhotographStorage"}
if _S3_BUCKET:
    _PHOTOGRAPHS = {
        "BACKEND": "drsite.storage.PhotographStorage",
        "OPTIONS": {
            "bucket_name": _S3_BUCKET,
            "endpoint_url": env.str("S3_ENDPOINT_URL", default="") or None,  # None: AWS
            "region_name": env.str("S3_REGION", default="") or None,
            "access_key": env.str("S3_ACCESS_KEY", default="") or None,  # None: the IAM role of the host
            "secret_key": env.str("S3_SECRET_KEY", default="") or None,
        },
    }
STORAGES = {
    "default": _PHOTOGRAPHS,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- people ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "screening.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "screening.passwords.GuessableValidator"},
]
ADMIN_USERNAME = env.str("ADMIN_USERNAME", default="admin")
ADMIN_PASSWORD = env.str("ADMIN_PASSWORD", default="")  # for `manage.py bootstrap`
LOGIN_REDIRECT_URL, LOGIN_URL, LOGOUT_REDIRECT_URL = "/", "/login/", "/login/"
SESSION_COOKIE_AGE, SESSION_MAX_AGE = 30 * 60, 12 * 60 * 60  # without activity, and in any case: screening.middleware
AXES_FAILURE_LIMIT = 5
AXES_HANDLER = "drsite.lockout.IpLockoutHandler"
LOGIN_FAILURE_LIMIT_PER_IP = 50  # for all user names: a clinic shares one address
LOGIN_FAILURE_LIMIT_PER_ACCOUNT = 20  # from all addresses, except those where the person has logged in before
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "registration/locked.html"
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "old_password", "new_password1", "new_password2"]
AXES_VERBOSE = False  # it would log user names, and a password typed into their field
_BEHIND_PROXY = env.bool("BEHIND_PROXY", default=False)
AXES_CLIENT_IP_CALLABLE = "drsite.proxy.client_address" if _BEHIND_PROXY else None

# --- browser ---------------------------------------------------------------------------------------------------------
_INSECURE_HTTP = env.bool("INSECURE_HTTP", default=DEBUG)  # for a demo on localhost
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not _INSECURE_HTTP
CSRF_FAILURE_VIEW = "screening.views.ended_sessions.csrf_failure"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_INCLUDE_SUBDOMAINS = not _INSECURE_HTTP
SECURE_HSTS_SECONDS = 0 if _INSECURE_HTTP else 31_536_000  # one year, the minimum of the preload list
if _BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY, X_FRAME_OPTIONS = "same-origin", "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'", "'inline-speculation-rules'"],  # lists of addresses to load in advance, no code
        "img-src": ["'self'", "data:", "blob:"],  # previews of files, and heatmaps
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- the REST API ----------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "screening.api.authentication.ApiKeyAuthentication",  # first: then a missing key is 401 and not 403
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["screening.api.permissions.HasActionPermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["screening.throttling.KeyThrottle"],
    "DEFAULT_THROTTLE_RATES": {
        "data": env.str("API_RATE", default="600/min"),
        "invalid_keys": "60/min",  # of one address
        "invitations": "30/min",  # of one address, on the public pages of an invitation
        "comparisons": "30/min",  # of one address, on the public page of a document
        "photos": env.str("API_PHOTO_RATE", default="120/min"),  # each takes a CPU core a fraction of a second
    },
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "screening.api.auto_schema.ApiSchema",
    "EXCEPTION_HANDLER": "screening.api.errors.exception_handler",
    "NUM_PROXIES": 1 if _BEHIND_PROXY else 0,  # without a proxy, X-Forwarded-For is not read
}
# Counts of API requests. Each process has its own unless CACHE_URL is a shared cache.
CACHES = {"default": env.cache_url("CACHE_URL", default="locmemcache://")}
SPECTACULAR_SETTINGS = API_SCHEMA

# --- background work -------------------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.str("REDIS_URL", default="") or "memory://"
# An upload must not wait for an unavailable Redis: it is stored as QUEUED, and beat publishes it later.
CELERY_BROKER_CONNECTION_TIMEOUT = 2
_OF_REDIS = {
    "visibility_timeout": 120,  # seconds until a crashed worker's message goes to another; over the hard limit
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    "retry_on_timeout": False,
}
CELERY_BROKER_TRANSPORT_OPTIONS = _OF_REDIS if CELERY_BROKER_URL.startswith("redis") else {}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SOFT_TIME_LIMIT = GRADING_SOFT_LIMIT_S
CELERY_TASK_TIME_LIMIT = GRADING_HARD_LIMIT_S
CELERY_DB_REUSE_MAX = 500  # tasks with one connection: 0 is a new one for each task (drsite.celery closes broken ones)
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BEAT_SCHEDULE = PERIODIC_TASKS
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "celerybeat-schedule")

# --- language and time -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = env.str("LANGUAGE_CODE", default="en")
# Of pages and the API: those with a complete catalogue in locale/, which a test checks.
LANGUAGES = [("en", "English"), ("ar", "العربيّة"), ("de", "Deutsch"), ("es", "Español"), ("fr", "Français")]
MESSAGE_LANGUAGES = KNOWN_LANGUAGES  # of messages to people: a site writes its own texts
LANGUAGE_COOKIE_AGE, LANGUAGE_COOKIE_HTTPONLY = 365 * 24 * 60 * 60, True
LANGUAGE_COOKIE_SECURE = not _INSECURE_HTTP
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
LOCALE_PATHS, FORMAT_MODULE_PATH = [BASE_DIR / "locale"], "drsite.formats"

# --- logs without personal data --------------------------------------------------------------------------------------
DEFAULT_EXCEPTION_REPORTER_FILTER = "drsite.logs.HideUserInput"
LOG_FORMAT = env.str("LOG_FORMAT", default="plain" if DEBUG or SITE_IS_DEMO else "json")
LOGGING = logging_settings(format=LOG_FORMAT, level=env.str("LOG_LEVEL", default="INFO"))

# --- monitoring ------------------------------------------------------------------------------------------------------
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")  # empty: /metrics is off
# Notices of wrong passwords, and messages to people. `manage.py doctor` checks the connection.
_MAIL: dict[str, Any] = env.email_url("EMAIL_URL", default="dummymail://")
EMAIL_BACKEND, EMAIL_TIMEOUT = _MAIL["EMAIL_BACKEND"], 10
EMAIL_HOST, EMAIL_PORT = _MAIL["EMAIL_HOST"] or "localhost", _MAIL["EMAIL_PORT"] or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _MAIL["EMAIL_HOST_USER"] or "", _MAIL["EMAIL_HOST_PASSWORD"] or ""
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="") or EMAIL_HOST_USER or "screening@localhost"
EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.get("EMAIL_USE_TLS", False), _MAIL.get("EMAIL_USE_SSL", False)
# --- messages to people ----------------------------------------------------------------------------------------------
SMS_BACKEND = env.str("SMS_BACKEND", default="")  # path of a function (screening.message_hook); empty: none is sent
SMS_FILE = env.path("SMS_FILE", default=str(VAR_DIR / "messages.jsonl"))()  # of screening.message_hook.write_to_file

# The preload list of browsers is for public host names; that of a clinic is often private.
SILENCED_SYSTEM_CHECKS = ["security.W021", "models.W040"]
