"""Addresses under /my/<token>/consents/."""

from django.urls import path

from treatments.consents import my_views

app_name = "my-consents"
urlpatterns = [
    path("", my_views.panel, name="panel"),
    path("agreed/", my_views.agreed, name="agreed"),
    path("<int:consent_id>/", my_views.read, name="read"),
    path("<int:consent_id>/open/", my_views.open_it, name="open"),
    path("<int:consent_id>/ask/", my_views.ask, name="ask"),
    path("<int:consent_id>/beside/<slug:role>/", my_views.attend, name="attend"),
    path("<int:consent_id>/handed/", my_views.handed, name="handed"),
    path("<int:consent_id>/withdraw/", my_views.take_back, name="withdraw"),
]
