"""Addresses under /histories/: those that nobody has read yet."""

from django.urls import path

from patients.intake import review_views

app_name = "histories"
urlpatterns = [
    path("", review_views.to_review, name="to-review"),
    path("panel/", review_views.panel, name="panel"),
]
