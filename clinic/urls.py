"""Every address of the clinic, room by room."""

from __future__ import annotations

from django.urls import include, path
from django.views.i18n import set_language

import clinic.web.converters  # noqa: F401  (registers <patient:number>)
from clinic.web.views import home

urlpatterns = [
    path("", home, name="home"),
    path("", include("clinic.access.urls")),
    path("", include("clinic.web.urls")),
    path("language/", set_language, name="set_language"),
    path("settings/", include("clinic.places.urls")),
    path("", include("treatments.feeds.urls")),
    path("settings/messages/", include("patients.messages.settings_urls")),
    path("settings/consents/", include("treatments.consents.settings_urls")),
    path("settings/aftercare/", include("aftercare.sheets.settings_urls")),
    path("settings/watch/", include("aftercare.watch.settings_urls")),
    path("gateway/", include("patients.messages.report_urls")),
    path("demo/mailbox/", include("clinic.delivery.mailbox_urls")),
    path("my/", include("patients.messages.asking_urls")),
    path("my/passkey/", include("patients.portal.door_urls")),
    path("my/<str:token>/", include("patients.portal.urls")),
    path("my/<str:token>/history/", include("patients.intake.my_urls")),
    path("my/<str:token>/visits/", include("treatments.online.my_urls")),
    path("my/<str:token>/offers/", include("treatments.waiting.my_urls")),
    path("my/<str:token>/photos/", include("patients.photos.my_urls")),
    path("my/<str:token>/messages/", include("patients.messages.my_urls")),
    path("my/<str:token>/consents/", include("treatments.consents.my_urls")),
    path("my/<str:token>/today/", include("aftercare.recovery.my_urls")),
    path("my/<str:token>/data/", include("patients.rights.my_urls")),
    path("my/<str:token>/sheets/", include("aftercare.sheets.my_urls")),
    path("my/<str:token>/check-ins/", include("aftercare.watch.my_urls")),
    path("messages/", include("patients.messages.urls")),
    path("verify/", include("patients.documents.check_urls")),
    path("patients/", include("patients.registry.urls")),
    path("histories/", include("patients.intake.review_urls")),
    path("patients/<patient:number>/history/", include("patients.intake.urls")),
    path("patients/<patient:number>/documents/", include("patients.documents.urls")),
    path("patients/<patient:number>/photos/", include("patients.photos.urls")),
    path("rights/", include("patients.rights.urls")),
    path("patients/<patient:number>/rights/", include("patients.rights.patient_urls")),
    path("patients/<patient:number>/links/", include("patients.messages.link_urls")),
    path("catalogue/stock/", include("treatments.stock.urls")),
    path("catalogue/", include("treatments.catalogue.urls")),
    path("", include("treatments.diary.urls")),
    path("", include("treatments.diary.settings_urls")),
    path("", include("treatments.waiting.urls")),
    path("arrival/", include("treatments.arrival.urls")),
    path("my/<str:token>/arrived/", include("treatments.arrival.my_urls")),
    path("patients/<patient:number>/screening/", include("treatments.screening.urls")),
    path("", include("treatments.consultations.urls")),
    path("patients/<patient:number>/scales/", include("treatments.scales.urls")),
    path("", include("treatments.plans.urls")),
    path("", include("treatments.courses.urls")),
    path("", include("treatments.consents.urls")),
    path("", include("treatments.sessions.urls")),
    path("patients/<patient:number>/syringes/", include("treatments.mixes.urls")),
    path("patients/<patient:number>/sheets/", include("aftercare.sheets.urls")),
    path("patients/<patient:number>/story/", include("aftercare.story.urls")),
    path("patients/<patient:number>/events/", include("aftercare.safety.event_urls")),
    path("safety/", include("aftercare.safety.urls")),
    path("safety/", include("aftercare.watch.urls")),
    path("outcomes/", include("aftercare.outcomes.urls")),
]

handler400 = "clinic.web.views.bad_request"
handler403 = "clinic.web.views.permission_denied"
handler404 = "clinic.web.views.page_not_found"
handler500 = "clinic.web.views.server_error"
