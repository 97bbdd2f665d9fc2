from django.urls import path

from treatments.screening import views

app_name = "screening"
urlpatterns = [path("decide/", views.decide, name="decide")]
