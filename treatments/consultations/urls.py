"""Addresses under /patients/<number>/consultations/, and the notes to finish."""

from django.urls import include, path

from treatments.consultations import views

app_name = "consultations"
of_patient = [
    path("", views.panel, name="panel"),
    path("start/", views.start, name="start"),
    path("<int:consultation_id>/", views.detail, name="detail"),
    path("<int:consultation_id>/edit/", views.edit, name="edit"),
    path("<int:consultation_id>/state/", views.state, name="state"),
    path("<int:consultation_id>/take-over/", views.take, name="take-over"),
    path("<int:consultation_id>/addenda/", views.addendum, name="addendum"),
]
urlpatterns = [
    path("patients/<patient:number>/consultations/", include(of_patient)),
    path("consultations/unsigned/", views.unsigned, name="unsigned"),
]
