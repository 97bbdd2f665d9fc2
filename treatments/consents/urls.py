"""Addresses of consents: of a patient, and of today's patients."""

from django.urls import path

from treatments.consents import accept_views, views

app_name = "consents"
OF_PATIENT = "patients/<patient:number>/consents/"
urlpatterns = [
    path("consents/today/", views.today, name="today"),
    path("consents/marks/", views.marks, name="marks"),
    path(OF_PATIENT, views.panel, name="panel"),
    path(f"{OF_PATIENT}bar/", views.bar, name="bar"),
    path(f"{OF_PATIENT}plan/<int:plan_id>/", views.of_plan, name="plan"),
    path(f"{OF_PATIENT}plan/<int:plan_id>/accept/", accept_views.accept, name="accept"),
    path(f"{OF_PATIENT}plan/<int:plan_id>/prepare/", views.prepare, name="prepare"),
    path(f"{OF_PATIENT}<int:consent_id>/", views.detail, name="detail"),
    path(f"{OF_PATIENT}<int:consent_id>/sign/", views.sign, name="sign"),
    path(f"{OF_PATIENT}<int:consent_id>/signed/", views.signed, name="signed"),
    path(f"{OF_PATIENT}<int:consent_id>/countersign/", views.countersign_view, name="countersign"),
    path(f"{OF_PATIENT}<int:consent_id>/withdraw/", views.withdraw_view, name="withdraw"),
]
