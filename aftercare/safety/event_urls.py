"""Addresses under /patients/<number>/events/."""

from django.urls import path

from aftercare.safety import event_views

app_name = "events"
urlpatterns = [
    path("new/", event_views.start, name="start"),
    path("panel/", event_views.panel, name="panel"),
    path("session/<int:session_id>/", event_views.of_session, name="of-session"),
    path("<int:pk>/", event_views.detail, name="detail"),
    path("<int:pk>/edit/", event_views.edit, name="edit"),
    path("<int:pk>/close/", event_views.close, name="close"),
    path("<int:pk>/addendum/", event_views.addendum, name="addendum"),
    path("<int:pk>/report/", event_views.report, name="report"),
    path("<int:pk>/report/<int:report_id>/", event_views.report_pdf, name="report-pdf"),
    path("<int:pk>/fhir/", event_views.fhir, name="fhir"),
]
