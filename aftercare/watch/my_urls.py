from django.urls import URLPattern

app_name = "my-check-ins"
urlpatterns: list[URLPattern] = []
