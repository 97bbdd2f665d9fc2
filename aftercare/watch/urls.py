from django.urls import path

from aftercare.watch import views

app_name = "watch"
urlpatterns = [
    path("calls/", views.safety, name="safety"),
    path("today/", views.today, name="today"),
    path("calls/<int:pk>/", views.call, name="call"),
    path("calls/<int:pk>/take/", views.take, name="take"),
    path("patients/<patient:number>/", views.panel, name="panel"),
    path("patients/<patient:number>/bar/", views.bar, name="bar"),
]
