"""Which part of Podium answers which address."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("labeling.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
]
