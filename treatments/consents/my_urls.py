from django.urls import URLPattern

app_name = "my-consents"
urlpatterns: list[URLPattern] = []
