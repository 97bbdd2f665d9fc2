"""Addresses under /patients/<number>/documents/."""

from django.urls import path

from patients.documents import views

app_name = "documents"
urlpatterns = [
    path("panel/", views.panel, name="panel"),
    path("<uuid:public_id>/", views.open_document, name="open"),
    path("<uuid:public_id>/state/", views.document_state, name="state"),
    path("<uuid:public_id>/retry/", views.document_retry, name="retry"),
]
