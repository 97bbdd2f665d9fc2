"""Addresses under /safety/."""

from django.urls import path

from aftercare.safety import lookback_views, recall_views, trace_views, views

app_name = "safety"
urlpatterns = [
    path("", views.index, name="index"),
    path("late/", views.today, name="today"),
    path("events/", views.events, name="events"),
    path("trace/", trace_views.trace, name="trace"),
    path("trace/csv/", trace_views.trace_csv, name="trace-csv"),
    path("lots/<int:pk>/hold/", trace_views.quarantine, name="quarantine"),
    path("recalls/", recall_views.recalls, name="recalls"),
    path("recalls/start/", recall_views.start, name="recall-start"),
    path("recalls/<int:pk>/", recall_views.recall, name="recall"),
    path("recalls/<int:pk>/tell/", recall_views.tell, name="recall-tell"),
    path("recalls/<int:pk>/close/", recall_views.close, name="recall-close"),
    path("contacts/<int:pk>/", recall_views.contact, name="contact"),
    path("contacts/<int:pk>/letter/", recall_views.letter, name="letter"),
    path("look-back/", lookback_views.look_backs, name="look-backs"),
    path("look-back/<int:pk>/", lookback_views.detail, name="look-back"),
    path("look-back/<int:pk>/add/", lookback_views.add, name="case-add"),
    path("look-back/<int:pk>/drop/<int:case_id>/", lookback_views.drop, name="case-drop"),
]
