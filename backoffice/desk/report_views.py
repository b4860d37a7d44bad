"""The report of a school: pages, the school's own list as a file, and mailing it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from backoffice.desk.report import PAGE, Line, Report, report_on
from backoffice.desk.report_list import CSV, XLSX, books_of, file_of, lines_for, rows_for
from backoffice.desk.report_mailing import (
    AlreadySent,
    NotSent,
    mailings_to,
    send_list,
    subject_of,
    text_of,
)
from backoffice.desk.why_views import PERMISSIONS, why_url
from backoffice.explanations.services import OWNERS
from backoffice.jobs.sheets import CSV_TYPE, XLSX_TYPE
from backoffice.outbox.pushable import signed_in
from backoffice.screens.search import spaced_ean
from credits.access_words import SHORT
from persons.models import School

View = Callable[..., HttpResponse]
LOOK: Final = (*PERMISSIONS, "persons.view_school")
MAIL: Final = (*LOOK, "persons.change_school")
TYPES: Final = {CSV: CSV_TYPE, XLSX: XLSX_TYPE}
PREVIEW: Final = 10  # rows of the list beside the mail


def report_urls(site: AdminSite) -> list[URLPattern]:
    """Where the site mounts these pages."""

    def page(make: Callable[[AdminSite], View]) -> View:
        return site.admin_view(never_cache(make(site)))

    return [
        path("scholen/<int:pk>/rapport/", page(_page), name="school_report"),
        path("scholen/<int:pk>/rapport/mail/", page(_mail), name="school_mail"),
        path("scholen/<int:pk>/rapport/lijst.<str:kind>", page(_file), name="school_list"),
    ]


class MailForm(forms.Form):
    """The mail as it will go; `count` tells whether the list is still the one that was shown."""

    subject = forms.CharField(label=gettext_lazy("subject of the mail"), max_length=200)
    text = forms.CharField(
        label=gettext_lazy("text of the mail"),
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 12}),
    )
    sure = forms.BooleanField(
        label=gettext_lazy("I have looked at the list and at the address"),
        error_messages={
            "required": gettext_lazy("Tick this first: the list holds names of pupils.")
        },
    )
    key = forms.UUIDField(widget=forms.HiddenInput)
    count = forms.IntegerField(widget=forms.HiddenInput)

    def clean_subject(self) -> str:
        """A mail's subject is one line."""
        return " ".join(str(self.cleaned_data["subject"]).split())


@dataclass(frozen=True)
class Shown:
    """A line with its words, for the page that it stands on."""

    line: Line
    title: str
    sub: str
    todo: str
    url: str


def _school(request: HttpRequest, pk: int, rights: tuple[str, ...] = LOOK) -> School:
    if not request.user.has_perms(rights):
        raise PermissionDenied
    school = School.objects.filter(pk=pk).first()
    if school is None:
        raise Http404
    return school


def _report_of(school: School) -> Report:
    return report_on(school, day=timezone.localdate(), now=timezone.now())


def _page(site: AdminSite) -> View:
    @require_safe
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        report = _report_of(_school(request, pk))
        asked = _asked(request)
        lines = report.shown(verdict=asked.get("uitkomst", ""), owner=asked.get("wie", ""))
        part = Paginator(lines, PAGE).get_page(request.GET.get("pagina"))
        context = {
            **site.each_context(request),
            "title": _("Report %(school)s") % {"school": report.school.name},
            "report": report,
            "list_count": len(lines_for(report)),
            "mailings": mailings_to(report),
            "may_mail": request.user.has_perms(MAIL),
            "asked": asked,
            "asked_words": str(SHORT[asked["uitkomst"]]) if "uitkomst" in asked else "",
            "part": part,
            "shown": [_shown(line, report.day) for line in part],
            "pages": urlencode(asked),
        }
        return TemplateResponse(request, "desk/report.html", context)

    return view


def _asked(request: HttpRequest) -> dict[str, str]:
    """Which lines: an owner or a verdict that does not exist asks for nothing."""
    known = {"wie": OWNERS, "uitkomst": SHORT}
    given = {name: request.GET.get(name, "") for name in known}
    return {name: value for name, value in given.items() if value in known[name]}


def _shown(line: Line, day: date) -> Shown:
    book = line.book
    return Shown(
        line=line,
        title=books_of(line),
        sub=spaced_ean(book.ean) if book.title else "",
        todo=line.answer(day).advice,
        url=why_url(book.person.pk, ean=book.ean),
    )


def _file(site: AdminSite) -> View:
    """The school's own list."""

    @require_safe
    def view(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        school = _school(request, pk)
        if kind not in TYPES:
            raise Http404
        name, content = file_of(_report_of(school), kind)
        response = HttpResponse(content, content_type=TYPES[kind])
        response["Content-Disposition"] = f'attachment; filename="{name}"'
        return response

    return view


def _mail(site: AdminSite) -> View:
    """The mail before it goes; a post with the tick sends it, once."""

    @require_http_methods(["GET", "HEAD", "POST"])
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        report = _report_of(_school(request, pk, MAIL))
        problem = ""
        form = MailForm(request.POST) if request.method == "POST" else _new_form(request, report)
        if form.is_bound and form.is_valid():
            problem = _why_not(report, form)
            if not problem:
                try:
                    return _sent(request, report, form)
                except NotSent as refusal:
                    problem = str(refusal)
        if problem:
            form = _again(form, report)
        context = {
            **site.each_context(request),
            "title": _("Mail to %(school)s") % {"school": report.school.name},
            "report": report,
            "form": form,
            "problem": problem,
            "rows": rows_for(report)[:PREVIEW],
            "count": len(lines_for(report)),
            "mailings": mailings_to(report),
        }
        status = 422 if request.method == "POST" else 200
        return TemplateResponse(request, "desk/report_mail.html", context, status=status)

    return view


def _new_form(request: HttpRequest, report: Report) -> MailForm:
    user = signed_in(request)
    name = cast("User", user).get_full_name() or user.get_username()
    return MailForm(
        initial={
            "subject": subject_of(report),
            "text": text_of(report, name),
            "key": uuid.uuid4(),
            "count": len(lines_for(report)),
        }
    )


def _again(form: MailForm, report: Report) -> MailForm:
    """What was typed, beside the list as it is now: to be looked at and ticked once more."""
    typed = {name: form.cleaned_data[name] for name in ("subject", "text")}
    return MailForm(initial={**typed, "key": uuid.uuid4(), "count": len(lines_for(report))})


def _why_not(report: Report, form: MailForm) -> str:
    """What has changed since the page was opened."""
    number = len(lines_for(report))
    if not report.school.contact_email:
        return _("This school has no address any more. Fill it in first.")
    if not number:
        return _("There is nothing left for the school to do, so nothing was sent.")
    if form.cleaned_data["count"] != number:
        return _("The list has changed meanwhile. Look at it again; nothing was sent yet.")
    return ""


def _sent(request: HttpRequest, report: Report, form: MailForm) -> HttpResponse:
    given = form.cleaned_data
    back = HttpResponseRedirect(reverse("admin:school_report", args=[report.school.pk]))
    try:
        mailing = send_list(
            report,
            key=given["key"],
            subject=given["subject"],
            text=given["text"],
            user=signed_in(request),
            now=timezone.now(),
        )
    except AlreadySent as problem:
        messages.info(request, str(problem))
        return back
    words = _("The list was mailed to %(address)s.") % {"address": mailing.recipient}
    messages.success(request, words)
    return back
