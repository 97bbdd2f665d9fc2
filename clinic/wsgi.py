"""The WSGI application that gunicorn serves."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import reverse
from django.utils.translation import gettext, override

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

application = get_wsgi_application()

# Every page and every text is loaded now, before gunicorn forks: the workers then share them.
for language, _name in settings.LANGUAGES:
    with override(language):
        gettext("Today")
        reverse("health-live")
