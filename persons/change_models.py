"""What a colleague wants done once with a person at Edu-iX: another number, a merge, a deletion."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from backoffice.outbox.models import Pushable, key_of


class PersonChangeQuerySet(models.QuerySet["PersonChange"]):
    """The office's words about these requests."""

    def open(self) -> PersonChangeQuerySet:
        """Neither done nor withdrawn."""
        return self.filter(applied_at=None, withdrawn_at=None)

    def about(self, *person_ids: int) -> PersonChangeQuerySet:
        """Those in which one of these persons has a part."""
        return self.filter(Q(person__in=person_ids) | Q(other__in=person_ids))


class PersonChange(Pushable):
    """One request of a colleague; nothing changes with us before Edu-iX has done it.

    `push_state` says how it stands. `registered_at` stays empty for what happened only with us,
    because Edu-iX never had the person.
    """

    class Kind(models.TextChoices):
        RENAME = "rename", _("other customer number")
        MERGE = "merge", _("merge")
        DELETE = "delete", _("delete person")
        DELETE_SCHOOL_PERSON = "delete_school", _("delete from a school")

    MACHINE_FIELDS: ClassVar[tuple[str, ...]] = (
        *Pushable.MACHINE_FIELDS,
        "applied_at",
        "withdrawn_at",
    )
    OPERATIONS: ClassVar[dict[str, str]] = {
        Kind.RENAME: "person.rename",
        Kind.MERGE: "person.merge",
        Kind.DELETE: "person.delete",
        Kind.DELETE_SCHOOL_PERSON: "schoolperson.delete",
    }

    kind = models.CharField(_("what"), max_length=16, choices=Kind)
    person = models.ForeignKey(
        "persons.Person",
        verbose_name=_("person"),
        on_delete=models.PROTECT,
        related_name="changes",
        help_text=_("At a merge: the one that ends."),
    )
    other = models.ForeignKey(
        "persons.Person",
        verbose_name=_("the one that stays"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="merges_into",
    )
    school_person = models.ForeignKey(
        "persons.SchoolPerson",
        verbose_name=_("person at a school"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="changes",
    )
    from_key = models.CharField(_("number"), max_length=256)
    to_key = models.CharField(_("other number"), max_length=256, blank=True)
    reason = models.CharField(_("reason"), max_length=200)
    token = models.CharField(_("page it was asked on"), max_length=64)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    applied_at = models.DateTimeField(_("done"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)

    objects = PersonChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("request about a person")
        verbose_name_plural = _("requests about persons")
        default_permissions = ()  # who may see a person sees what was asked about it
        ordering = ["-pk"]
        constraints = [
            # a page that is sent twice asks once
            models.UniqueConstraint(fields=["token"], name="person_change_token"),
            # two colleagues, one person: the second is told about the first
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(applied_at=None, withdrawn_at=None, school_person=None),
                name="person_change_one_open",
            ),
            models.UniqueConstraint(
                fields=["school_person"],
                condition=Q(applied_at=None, withdrawn_at=None),
                name="person_change_one_open_at_school",
            ),
            models.CheckConstraint(
                condition=Q(kind="merge") ^ Q(other=None), name="person_change_merge_has_other"
            ),
        ]
        indexes = [
            # the work list of what Edu-iX refused
            models.Index(
                fields=["push_state", "id"],
                condition=~Q(push_state="in_sync"),
                name="person_change_not_done",
            ),
        ]

    def __str__(self) -> str:
        keys = " → ".join(filter(None, (self.from_key, self.to_key)))
        return f"{self.get_kind_display()} {keys}"

    @property
    def subject(self) -> str:
        """How its message names it."""
        return key_of("person_change", self.pk)

    @property
    def operation(self) -> str:
        """What its message does, e.g. "person.merge"."""
        return self.OPERATIONS[self.kind]

    @property
    def is_open(self) -> bool:
        """Neither done nor withdrawn."""
        return self.applied_at is None and self.withdrawn_at is None
