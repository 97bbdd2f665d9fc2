from django.urls import path

from aftercare.watch import views

app_name = "my-check-ins"
urlpatterns = [
    path("", views.my_panel, name="panel"),
    path("<int:pk>/", views.my_check_in, name="check-in"),
]
