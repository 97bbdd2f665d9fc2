"""Addresses under /patients/<number>/rights/."""

from django.urls import path

from patients.rights import views

app_name = "rights"
urlpatterns = [
    path("", views.patient_page, name="patient"),
    path("copies/", views.copies, name="copies"),
    path("export/", views.export, name="export"),
    path("export/<uuid:public_id>/", views.download, name="download"),
    path("ask/", views.ask, name="ask"),
    path("request/<int:pk>/", views.decide, name="request"),
    path("restrict/", views.restrict_now, name="restrict"),
    path("lift/", views.lift_now, name="lift"),
    path("erase/", views.erase, name="erase"),
    path("passkeys-off/", views.passkeys_off, name="passkeys-off"),
]
