from django.urls import path

from aftercare.watch import settings_views

app_name = "watch-settings"
urlpatterns = [path("", settings_views.index, name="index")]
