"""django-allauth's headless API as its guide has it, on SQLite, with the cost of Argon2id set to the others'. Gunicorn serves `application`."""

import os
import pathlib

import django
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

HERE = pathlib.Path(os.environ["PEER_FOLDER"])


class Hasher(Argon2PasswordHasher):
    time_cost, memory_cost, parallelism = 2, 19456, 1


settings.configure(
    SECRET_KEY="f3c1b0d2a4958677f3c1b0d2a4958677f3c1b0d2a4958677f3c1b0d2a4958677",
    DEBUG=False,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    LOGGING_CONFIG=None,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    PASSWORD_HASHERS=[f"{__name__}.Hasher"],
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "allauth",
        "allauth.account",
        "allauth.headless",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["allauth.account.auth_backends.AuthenticationBackend"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": HERE / "peer.db",
            # Connections stay open, and writers wait for one another.
            "CONN_MAX_AGE": None,
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL", "timeout": 20},
        }
    },
    EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
    ACCOUNT_EMAIL_VERIFICATION="none",
    # All calls come from one address here.
    ACCOUNT_RATE_LIMITS=False,
    ACCOUNT_LOGIN_METHODS={"username"},
    ACCOUNT_SIGNUP_FIELDS=["username*", "password1*"],
    HEADLESS_ONLY=True,
    HEADLESS_FRONTEND_URLS={},
)
django.setup()

from django.core.management import call_command  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.urls import include, path  # noqa: E402

urlpatterns = [path("_allauth/", include("allauth.headless.urls")), path("accounts/", include("allauth.urls"))]
application = get_wsgi_application()

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
