"""Celery, and the whole beat table. A message is only a wake-up: the database row is the truth."""

from __future__ import annotations

import os

from celery import Celery

from clinic.web import heartbeat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")

VISIBILITY_TIMEOUT = 300

app = Celery("clinic")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(
    task_serializer="json",
    accept_content=["json"],
    task_ignore_result=True,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=120,
    worker_prefetch_multiplier=1,
    worker_soft_shutdown_timeout=8,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        "visibility_timeout": VISIBILITY_TIMEOUT,
        # A page that wakes a worker does not wait for a Redis that is away; worker and beat, which
        # do wait, have settings of their own.
        "max_retries": 0,
    },
    timezone="UTC",
    enable_utc=True,
    beat_schedule={
        "seal-audit": {"task": "clinic.seal_audit", "schedule": 10.0},
        "render-documents": {"task": "patients.render_documents", "schedule": 10.0},
        "erase-photos": {"task": "patients.erase_photos", "schedule": 60.0},
        "answer-link-requests": {"task": "patients.answer_link_requests", "schedule": 10.0},
        "work-rights": {"task": "patients.work_rights", "schedule": 10.0},
        "send-messages": {"task": "patients.send_messages", "schedule": 10.0},
        "work-waiting-list": {"task": "treatments.work_waiting_list", "schedule": 20.0},
        "tell-patients": {"task": "treatments.tell_patients", "schedule": 20.0},
        "recall-patients": {"task": "treatments.recall_patients", "schedule": 600.0},
        "open-check-ins": {"task": "aftercare.open_check_ins", "schedule": 60.0},
        "tell-exposed": {"task": "aftercare.tell_exposed", "schedule": 20.0},
    },
)
app.autodiscover_tasks(
    [
        "clinic.audit",
        "patients.documents",
        "patients.messages",
        "patients.photos",
        "patients.rights",
        "treatments.diary",
        "treatments.waiting",
        "aftercare.watch",
        "aftercare.safety",
    ]
)
heartbeat.connect(app)
