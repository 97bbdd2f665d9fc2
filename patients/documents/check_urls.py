"""The address where anyone checks a copy; it is printed on documents, so it stays."""

from django.urls import path

from patients.documents import check_views

urlpatterns = [path("", check_views.check, name="document-check")]
