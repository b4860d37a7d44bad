"""The WSGI application: the notification door in front, Django for everything else."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")

from django.core.wsgi import get_wsgi_application

django_application = get_wsgi_application()

from backoffice.checks import refuse_unsafe_start  # noqa: E402  Django is set up only now
from notifications.door import Door  # noqa: E402

refuse_unsafe_start()
application = Door(django_application)
