"""The training half's pages."""

from django.urls import URLPattern, path

from training.runs import views

urlpatterns: list[URLPattern] = [
    path("runs/", views.run_list, name="run-list"),
    path("runs/<uuid:run_id>/", views.run_detail, name="run-detail"),
    path("runs/<uuid:run_id>/metrics", views.run_metrics, name="run-metrics"),
    path("datasets/", views.dataset_list, name="dataset-list"),
]
