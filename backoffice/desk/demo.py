"""What a demo starts with: titles of books, example files that fit today, accounts."""

from __future__ import annotations

import csv
import json
import os
import secrets
from datetime import date
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db.models import Count
from django.utils.text import slugify

from backoffice.desk.shift import shift_date, shift_examples
from credits.models import Product
from persons.models import School

ACCOUNTS: Final = {"accountmanager": "Accountmanager", "beheerder": "Beheerder"}
CONTACT: Final = ("Ria de Wit", "leermiddelen@{host}.example", "010 555 01 23")


def prepare_examples(*, today: date) -> Path:
    """The example files with dates moved so that `today` lies in their first term."""
    source, target = settings.BASE_DIR / "examples", Path(settings.BACKOFFICE_VAR) / "examples"
    shifted = shift_examples(source, target, today)
    shift_examples(source / "scenarios", target / "scenarios", today)
    told = json.loads((source / "scenarios.json").read_text(encoding="utf-8"))
    for story in told:
        story["date"] = shift_date(story["date"], shifted.shift.months)
    text = json.dumps(told, ensure_ascii=False, indent=2) + "\n"
    (target / "scenarios.json").write_text(text, encoding="utf-8")
    return target


def load_products(folder: Path) -> int:
    """Titles beside the EANs; known ones are brought up to date."""
    with (folder / "products.csv").open(encoding="utf-8-sig", newline="") as file:
        sample = file.readline()
        file.seek(0)
        rows = csv.DictReader(file, delimiter=";" if ";" in sample else ",")
        products = [
            Product(ean=row["ean"], title=row["title"], publisher=row["publisher"]) for row in rows
        ]
    Product.objects.bulk_create(
        products,
        update_conflicts=True,
        unique_fields=["ean"],
        update_fields=["title", "publisher"],
    )
    return len(products)


def hand_over_schools() -> int:
    """The account manager looks after the school of the stories, and knows whom to write to there.

    What a colleague has filled in stays; returns how many schools were handed over.
    """
    name, address, phone = CONTACT
    manager = get_user_model().objects.get(username="accountmanager")
    schools = School.objects.filter(account_manager=None, contact_email="").order_by("name")
    busiest = schools.annotate(pupils=Count("school_persons")).order_by("-pupils", "name")[:1]
    for school in busiest:
        School.objects.filter(pk=school.pk).update(
            account_manager=manager,
            contact_name=name,
            contact_email=address.format(host=slugify(school.name).replace("-", "")),
            contact_phone=phone,
        )
    return len(busiest)


def prepare_accounts() -> dict[str, str]:
    """The demo's accounts with their passwords: random per install, kept in `var/` (0600)."""
    passwords = {}
    for username, group in ACCOUNTS.items():
        path = Path(settings.BACKOFFICE_VAR) / f"demo-password-{username}"
        user, created = get_user_model().objects.get_or_create(
            username=username, defaults={"is_staff": True, "email": f"{username}@example.nl"}
        )
        if created or not path.exists():
            password = secrets.token_urlsafe(9)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(password)
            user.set_password(password)
            user.save()
        user.groups.add(Group.objects.get(name=group))
        passwords[username] = path.read_text().strip()
    return passwords
