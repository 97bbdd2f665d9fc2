from django.urls import path

from aftercare.watch import call_views, views

app_name = "watch"
urlpatterns = [
    path("calls/", call_views.safety, name="safety"),
    path("today/", call_views.today, name="today"),
    path("alarm/", call_views.alarm, name="alarm"),
    path("calls/<int:pk>/", call_views.call, name="call"),
    path("calls/<int:pk>/take/", call_views.take, name="take"),
    path("calls/<int:pk>/give-back/", call_views.return_call, name="give-back"),
    path("silent/<int:pk>/call/", call_views.call_silent, name="call-silent"),
    path("patients/<patient:number>/", views.panel, name="panel"),
    path("patients/<patient:number>/bar/", views.bar, name="bar"),
    path("patients/<patient:number>/watch/<int:session_id>/", views.session, name="session"),
    path("patients/<patient:number>/watch/<int:session_id>/stop/", views.stop, name="stop"),
    path("patients/<patient:number>/watch/<int:session_id>/resume/", views.resume, name="resume"),
]
