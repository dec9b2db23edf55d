"""`manage.py first_admin`: makes the first admin of an empty Podium; leaves a Podium that has one alone."""

import secrets
import sys
from typing import Any

from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction

from config import environment
from labeling.models import Role, User


class Command(BaseCommand):
    help = "Makes the first admin (asks for the address, or takes ADMIN_EMAIL), and prints the password once."

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(groups__name=Role.ADMIN).exists():
            return
        email = environment.text("ADMIN_EMAIL") or self.ask()
        password = environment.text("ADMIN_PASSWORD") or secrets.token_urlsafe(12)
        try:
            validate_email(email)
        except ValidationError as error:
            raise CommandError(f"{email!r} is no e-mail address.") from error
        with transaction.atomic():
            user = User.objects.create_user(email, password, is_staff=True, is_superuser=True)
            user.groups.set(Group.objects.filter(name__in=[Role.ADMIN, Role.RESEARCHER]))
        self.stdout.write(f"The first admin is {email}.")
        if not environment.text("ADMIN_PASSWORD"):
            self.stdout.write(f"Password (shown this once): {password}")

    def ask(self) -> str:
        if not sys.stdin.isatty():
            return "admin@localhost.localdomain"
        return input("E-mail address of the first admin: ").strip()
