"""Which part of Podium answers which address."""

from allauth.account.decorators import secure_admin_login
from allauth.account.views import signup
from django.contrib import admin
from django.db.transaction import atomic
from django.urls import include, path

from config.http import health

admin.autodiscover()
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]  # one log-in page for all

urlpatterns = [
    path("", include("labeling.urls")),
    path("", include("training.urls")),
    # The account, its role and the invitation's end are one transaction.
    path("accounts/signup/", atomic(signup), name="account_signup"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("health", health, name="health"),
]
