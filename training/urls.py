"""The training half's pages."""

from django.urls import URLPattern, path

from training.runs import control_views, curve_views, run_views, views

urlpatterns: list[URLPattern] = [
    path("runs/", views.run_list, name="run-list"),
    path("runs/compare/", curve_views.run_compare, name="run-compare"),
    path("runs/curves.csv", curve_views.curves_csv, name="curves-csv"),
    path("runs/<uuid:run_id>/", run_views.run_detail, name="run-detail"),
    path("runs/<uuid:run_id>/control/", run_views.run_control, name="run-control"),
    path("runs/<uuid:run_id>/log/", run_views.run_log, name="run-log"),
    path("runs/<uuid:run_id>/log.txt", run_views.run_log_file, name="run-log-file"),
    path("runs/<uuid:run_id>/samples/", run_views.run_samples, name="run-samples"),
    path("runs/<uuid:run_id>/curves", curve_views.run_curves, name="run-curves"),
    path("runs/<uuid:run_id>/metrics", curve_views.run_metrics, name="run-metrics"),
    path("runs/<uuid:run_id>/stop/", control_views.run_stop, name="run-stop"),
    path("runs/<uuid:run_id>/resume/", control_views.run_resume, name="run-resume"),
    path("runs/<uuid:run_id>/retry/", control_views.run_retry, name="run-retry"),
    path("datasets/", views.dataset_list, name="dataset-list"),
]
