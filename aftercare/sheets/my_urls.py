from django.urls import URLPattern

app_name = "my-sheets"
urlpatterns: list[URLPattern] = []
