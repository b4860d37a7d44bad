"""The addresses of the wizards of credits: giving back, and other end dates."""

from __future__ import annotations

from django.urls import URLPattern, path

from credits.end_date_pages import end_date_many, end_date_one
from credits.models import PersonCredit
from credits.return_pages import return_again, return_many, return_one, return_withdraw
from credits.wizard_pages import Office, View


def wizard_urls(office: Office) -> list[URLPattern]:
    """The pages of one kind of credit; they stand before the admin's own addresses."""
    name = f"credits_{office.opts.model_name}"

    def page(address: str, view: View, suffix: str) -> URLPattern:
        guarded: View = office.admin_site.admin_view(view)
        return path(address, guarded, name=f"{name}_{suffix}")

    urls = [
        page("<int:pk>/return/", return_one(office), "return"),
        page("<int:pk>/return/<int:back>/again/", return_again(office), "return_again"),
        page("<int:pk>/return/<int:back>/withdraw/", return_withdraw(office), "return_withdraw"),
        page("<int:pk>/end-date/", end_date_one(office), "end_date"),
        page("end-date/", end_date_many(office), "end_date_many"),
    ]
    if office.model is PersonCredit:
        urls.append(page("return/", return_many(office), "return_many"))
    return urls
