"""Addresses under /patients/<number>/history/."""

from django.urls import path

from patients.intake import views

app_name = "intake"
urlpatterns = [
    path("", views.detail, name="detail"),
    path("panel/", views.panel, name="panel"),
    path("bar/", views.bar, name="bar"),
    path("since/", views.since, name="since"),
    path("unchanged/", views.unchanged, name="unchanged"),
    path("hand-over/", views.hand_over, name="hand-over"),
    path("<int:pk>/review/", views.review, name="review"),
    path("new/", views.start, name="start"),
    path("new/check/", views.check, name="check"),
    path("new/<slug:step>/", views.step, name="step"),
]
