"""What a WSGI server (gunicorn) loads."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()

# Nothing that was loaded so far ever becomes garbage; without this, each full collection walks all of Django.
gc.collect()
gc.freeze()
