"""The product's settings with the middleware of `startproject`, or none, and addresses of peers."""

import os

from backoffice.settings import *  # noqa: F403  a peer has the product's database and models
from backoffice.settings import DATABASES

ROOT_URLCONF = "benchmarks.apps.urls"
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
if os.environ.get("BENCH_MIDDLEWARE") == "none":
    MIDDLEWARE = []
DATABASES["default"]["CONN_HEALTH_CHECKS"] = False  # spares the peer a round trip a request
