"""How gunicorn serves the clinic, in the demo and in production."""

import ctypes
import gc
import os
import signal
from pathlib import Path

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

from clinic.embedded.child import end_with_parent
from clinic.logs import JsonFormatter

# Of mallopt(3). Python runs one thread at a time: a heap for each would hold memory for little.
M_ARENA_MAX = -8
HEAPS = 2
LIBC = ctypes.CDLL(None)
if hasattr(LIBC, "mallopt"):
    LIBC.mallopt(M_ARENA_MAX, HEAPS)

bind = f"{os.environ.get('BIND_HOST', '127.0.0.1')}:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 4
# Loaded once and shared: the workers then hold only what they change.
preload_app = True
timeout = 30
graceful_timeout = 20
# A kept connection stays with its worker: of sixteen opened at once all went to one, and the other
# stood idle. Opened anew, each request goes to whoever has time; the proxy keeps the patient's.
keepalive = 0
# Requests after which a worker has made what it keeps: connections, caches, pages.
WARM = 100
max_requests = 20_000
max_requests_jitter = 2_000
# The heartbeat of a worker is a file; on a slow disk it would be taken for dead.
MEMORY = Path("/dev/shm")  # noqa: S108
worker_tmp_dir = str(MEMORY) if MEMORY.is_dir() else None

# Its place would be the home folder, shared by every clinic of one user.
control_socket_disable = True

# The clinic logs its requests itself, by route: gunicorn's line would hold addresses with tokens.
accesslog = None
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonFormatter}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"level": "INFO", "handlers": ["console"]},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": ["console"], "propagate": False},
        "gunicorn.access": {"level": "CRITICAL", "handlers": ["console"], "propagate": False},
    },
}


def pre_fork(server: Arbiter, worker: Worker) -> None:
    """Keep what is loaded out of the collector's way, so that its pages stay shared."""
    gc.freeze()


def post_request(worker: Worker, req: object, environ: object, resp: object) -> None:
    """Once what every request needs has been made, keep that out of the collector's way too: else
    one page in ten waits while all of it is looked through for garbage.
    """
    if worker.nr >= WARM and not getattr(worker, "is_warm", False):
        worker.is_warm = True
        gc.collect()
        if hasattr(LIBC, "malloc_trim"):
            LIBC.malloc_trim(0)
        gc.freeze()


def post_fork(server: Arbiter, worker: Worker) -> None:
    """End with the master, however it ends."""
    end_with_parent(signal.SIGTERM)
