"""Accounts of colleagues and their groups; nobody gives away more than they have themselves."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import QuerySet
from django.forms import CheckboxSelectMultiple, ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

ACTIONS: Final[dict[str, str | Promise]] = {
    "view": _("look"),
    "add": _("add"),
    "change": _("change"),
    "delete": _("delete"),
    "push": _("send to Edu-iX"),
    "replay": _("apply again"),
}
ALLOWED_LOOKUPS = frozenset({"is_active__exact", "groups__id__exact"})


def held_by(user: Any) -> frozenset[int]:
    """The keys of the permissions that somebody has, through groups or directly."""
    if user.is_superuser:
        return frozenset(Permission.objects.values_list("pk", flat=True))
    own = Permission.objects.filter(user=user).values_list("pk", flat=True)
    through = Permission.objects.filter(group__user=user).values_list("pk", flat=True)
    return frozenset({*own, *through})


def groups_within(user: Any) -> QuerySet[Group]:
    """The groups that give nothing which this colleague lacks."""
    beyond = Permission.objects.exclude(pk__in=held_by(user))
    return Group.objects.exclude(permissions__in=beyond)


class ColleagueAdmin(UserAdmin[User]):
    """Accounts. A colleague who may manage accounts never reaches beyond their own rights."""

    list_display = ("username", "first_name", "last_name", "group_names", "is_active", "last_login")
    list_filter = ("is_active", "groups")
    list_per_page = 50
    show_full_result_count = False
    view_on_site = False
    filter_horizontal = ()  # Django has no Dutch for what it says there
    add_form_template = "admin/change_form.html"  # without Django's promise of more options later
    add_fieldsets: Any = (
        (None, {"fields": ("username", "first_name", "last_name", "email")}),
        (_("Password"), {"fields": ("password1", "password2")}),
        (_("What this colleague may do"), {"fields": ("groups",)}),
    )
    colleague_fieldsets: Any = (
        (None, {"fields": ("username", "password")}),
        (_("Colleague"), {"fields": ("first_name", "last_name", "email")}),
        (_("What this colleague may do"), {"fields": ("is_active", "groups")}),
        (_("When"), {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup in ALLOWED_LOOKUPS

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description=_("groups"))
    def group_names(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all())

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only a superuser sees the switches that lead past the groups."""
        if obj is not None and not request.user.is_superuser:
            return self.colleague_fieldsets
        return super().get_fieldsets(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody deletes their own account, so that somebody is always left."""
        allowed = super().has_delete_permission(request, obj) and self._may_touch(request, obj)
        return allowed and (obj is None or obj.pk != request.user.pk)

    def _may_touch(self, request: HttpRequest, obj: User | None) -> bool:
        """Whoever has more rights than you is changed by somebody else: a password is a key."""
        if obj is None or request.user.is_superuser:
            return True
        return not obj.is_superuser and held_by(obj) <= held_by(request.user)

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any] | None:
        if db_field.name == "groups":
            kwargs["queryset"] = groups_within(request.user)
            kwargs["widget"] = CheckboxSelectMultiple  # a handful: to tick, not to move about
        elif db_field.name == "user_permissions":
            kwargs |= {"form_class": RightsField, "widget": CheckboxSelectMultiple}
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """An account here is for working in these pages, whatever its group."""
        if not change:
            obj.is_staff = True
        super().save_model(request, obj, form, change)

    def get_actions(self, request: HttpRequest) -> Any:
        """Without "delete selected", which asks no permission per account."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


class RightsField(ModelMultipleChoiceField[Any]):
    """Permissions by what they allow, in the language of the page."""

    def label_from_instance(self, obj: Permission) -> str:
        return right_words(obj)


def right_words(permission: Permission) -> str:
    """`Persons: change`; Django keeps the names of permissions in English in the database."""
    model = permission.content_type.model_class()
    kind = permission.content_type.name
    if model is not None:
        rows = getattr(model, "instance_type", model)  # of a table of history: what it is about
        kind = capfirst(str(rows._meta.verbose_name_plural))
        if rows is not model:
            kind = gettext("History of %s") % rows._meta.verbose_name_plural
    action, _underscore, rest = permission.codename.partition("_")
    is_known = model is not None and rest == model._meta.model_name and action in ACTIONS
    return f"{kind}: {ACTIONS[action] if is_known else gettext(permission.name)}"


class OfficeGroupAdmin(GroupAdmin):
    """Groups; one that gives more than you have yourself can be looked at only."""

    filter_horizontal = ()
    list_per_page = 50
    show_full_result_count = False
    view_on_site = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and self._is_within(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and self._is_within(request, obj)

    def _is_within(self, request: HttpRequest, obj: Group | None) -> bool:
        return obj is None or groups_within(request.user).filter(pk=obj.pk).exists()

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest | None = None, **kwargs: Any
    ) -> ModelMultipleChoiceField[Any] | None:
        if db_field.name == "permissions" and request is not None:
            held = Permission.objects.filter(pk__in=held_by(request.user))
            kwargs["queryset"] = held.select_related("content_type")
            kwargs |= {"form_class": RightsField, "widget": CheckboxSelectMultiple}
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def get_actions(self, request: HttpRequest) -> Any:
        """Without "delete selected", which asks no permission per group."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions


admin.site.unregister([User, Group])
admin.site.register(User, ColleagueAdmin)
admin.site.register(Group, OfficeGroupAdmin)
