"""What a WSGI server (gunicorn) loads."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# Read when numpy is first imported. A request's small products gain nothing from more threads, and threads that wait
# for each other on busy cores take three times the CPU.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

application = get_wsgi_application()

# Nothing that was loaded so far ever becomes garbage; without this, each full collection walks all of Django.
gc.collect()
gc.freeze()
