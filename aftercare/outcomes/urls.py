from django.urls import path

from aftercare.outcomes import views

app_name = "outcomes"
urlpatterns = [
    path("results/", views.results, name="results"),
    path("results/<slug:key>/", views.result, name="result"),
    path("patients/<patient:number>/", views.course, name="course"),
    path("patients/<patient:number>/<int:plan_id>/", views.summarise, name="summarise"),
]
