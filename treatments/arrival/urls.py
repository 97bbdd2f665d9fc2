"""Addresses under /arrival/."""

from django.urls import path

from treatments.arrival import views

app_name = "arrival"
urlpatterns = [
    path("", views.start, name="start"),
    path("desk/", views.desk, name="desk"),
    path("leave/", views.leave, name="leave"),
    path("tablets/", views.tablets, name="tablets"),
    path("tablets/<int:pk>/revoke/", views.revoke, name="revoke"),
]
