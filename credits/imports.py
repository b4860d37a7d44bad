"""Taking in person-credits.csv, school-credits.csv and products.csv."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from backoffice.eduix.codes import NOT_ALLOWED
from backoffice.eduix.rules import rule_of
from backoffice.jobs.checking import add_remark
from backoffice.jobs.columns import Column, title_of
from backoffice.jobs.differences import Outcome, assign_all, differing
from backoffice.jobs.models import Job, JobRow
from backoffice.jobs.outlook import IN_OUR_HANDS, counted, states_of, staying, total
from backoffice.jobs.queueing import Wanted, enqueue_many
from backoffice.jobs.registry import Described, Importer, Outlook, Values
from backoffice.jobs.remarks import Remark
from backoffice.jobs.writing import save_changed
from backoffice.outbox.models import Message, PushState
from backoffice.screens.normalise import is_email
from credits.bulk import person_credit_pushes, school_credit_pushes
from credits.models import PersonCredit, Product, SchoolCredit
from credits.normalising import CREDIT_NORMALISERS
from credits.services import queue_credit_push, refresh_statuses
from persons.imports import (
    SchoolReferences,
    not_found,
    schools_of,
)
from persons.models import Person, School, SchoolPerson
from persons.services import NEEDS_PUSH

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

PERSON_CREDIT: Final = {
    "distributor_person_credit_id": "Creditnummer",
    "distributor_school_person_id": "Schoolpersoonnummer",
    "ean": "EAN",
    "credit_start_date": "Begindatum",
    "credit_end_date": "Einddatum",
    "person_product_state": "Status",
    "school_year": "Schooljaar",
}
SCHOOL_CREDIT: Final = {
    "distributor_school_credit_id": "Creditnummer",
    "organisation_id": "School-ID",
    "ean": "EAN",
    "credit_start_date": "Begindatum",
    "credit_end_date": "Einddatum",
    "contact_name": "Contactpersoon",
    "contact_email": "E-mail contactpersoon",
    "school_year": "Schooljaar",
    "amount": "Aantal",
}
_ALIASES: Final = {
    "credit_start_date": ("Startdatum", "Ingangsdatum"),
    "ean": ("ISBN", "Artikelnummer"),
    "contact_email": ("E-mail", "E-mail contact"),
}


def credit_column(owner: str, name: str, label: str) -> Column:
    """A column of a credit, with the partner's name and rule."""
    rule = rule_of(owner, name)
    model = {"organisation_id": School, "distributor_school_person_id": SchoolPerson}.get(
        name, PersonCredit if owner == "personCredit" else SchoolCredit
    )
    aliases = _ALIASES.get(name, ())
    return Column(name, rule.field, label, title_of(model, name), rule.required, aliases=aliases)


@dataclass(slots=True)
class _Held:
    """What we hold beside a chunk of rows, and what is to be written of it."""

    credits: dict[str, Any]
    targets: dict[str, Any]  # whom or what a credit is for
    is_written: bool
    new: list[Any] = field(default_factory=list)
    changed: dict[Any, set[str]] = field(default_factory=dict)


class CreditImporter(Importer):
    """What both kinds of credit share. `target` is the field of whom the credit is for."""

    model: ClassVar[type[PersonCredit | SchoolCredit]]
    subject: ClassVar[str]
    target: ClassVar[str]
    fields: ClassVar[tuple[str, ...]]  # the columns that are fields of the model
    normalisers: ClassVar = CREDIT_NORMALISERS

    @abstractmethod
    def _credits(self, rows: Sequence[JobRow]) -> QuerySet[Any]:
        """The credits that we hold of these rows, with their target."""

    @abstractmethod
    def _targets(self, rows: Sequence[JobRow]) -> dict[str, Any]:
        """Whom these rows are for, by key."""

    @abstractmethod
    def _obstacle(self, row: JobRow, credit: Any, target: Any) -> Remark | None:
        """Why this row cannot change the credit that we hold; None when it can."""

    def _is_returned(self, credit: Any) -> bool:
        """Nobody can use it any more, so a change would reach nobody."""
        del credit
        return False

    def compare(self, rows: Sequence[JobRow], *, settled: Collection[str]) -> None:
        del settled
        held = self._held(rows, is_written=False)
        for row in rows:
            self._settle(row, held)

    def apply(self, rows: Sequence[JobRow], *, user: AbstractBaseUser | None) -> None:
        held = self._held(rows, is_written=True)
        for row in rows:
            self._settle(row, held)
        self.model._default_manager.bulk_create(held.new)
        for credit in save_changed(self.model, held.changed, subject=self.subject):
            queue_credit_push(credit=credit, user=user, priority=Message.Priority.BULK)
        if held.changed:
            changed = [credit.pk for credit in held.changed]
            refresh_statuses(self._all().filter(pk__in=changed))

    def _all(self) -> QuerySet[Any]:
        return self.model._default_manager.all()

    def _held(self, rows: Sequence[JobRow], *, is_written: bool) -> _Held:
        credits = self._credits(rows)
        if is_written:
            credits = credits.select_for_update(of=("self",)).order_by("pk")
        return _Held(
            {getattr(credit, self.key_column): credit for credit in credits},
            self._targets(rows),
            is_written,
        )

    def _settle(self, row: JobRow, held: _Held) -> None:
        """Set the outcome of one row, and note what is to be written."""
        credit, target = held.credits.get(row.key), held.targets.get(row.group)
        columns = [name for name in self.fields if name in row.values]
        if target is None:
            add_remark(row, not_found(self.objects[0], self.group_column))
            return
        if credit is None:
            new = {name: row.values[name] for name in (*columns, self.group_column)}
            Outcome(True, {}, new).show_on(row)
            if held.is_written:
                credit = self.model(**{self.target: target})
                assign_all(credit, row.values, columns)
                held.new.append(credit)
            return
        obstacle = self._obstacle(row, credit, target)
        if credit.push_state == PushState.DELETED:
            obstacle = Remark("error", "deleted_here", self.key_column)
        if obstacle:
            add_remark(row, obstacle)
        else:
            self._change(row, credit, target, columns, held)

    def _change(
        self, row: JobRow, credit: Any, target: Any, columns: list[str], held: _Held
    ) -> None:
        changed = differing(credit, row.values, columns)
        before, after = assign_all(credit, row.values, changed)
        old = getattr(credit, self.target)
        if old.pk != target.pk:
            before[self.group_column] = getattr(old, self.group_column)
            after[self.group_column] = row.group
            setattr(credit, self.target, target)
            changed = [*changed, self.target]
        if changed and self._is_returned(credit):
            add_remark(row, Remark("error", "was_returned", self.key_column))
            return
        Outcome(False, before, after).show_on(row)
        if changed:
            held.changed.setdefault(credit, set()).update(changed)

    def describe(self, rows: Sequence[JobRow]) -> dict[int, Described]:
        wanted = {row.values.get("ean") for row in rows}
        titles = dict(Product.objects.filter(ean__in=wanted).values_list("ean", "title"))
        whose = self._whose(rows)
        return {
            row.number: Described(
                titles.get(row.values.get("ean")) or str(row.values.get("ean", "")),
                " · ".join(filter(None, (row.key, whose.get(row.group)))),
            )
            for row in rows
        }

    def queue(self, rows: Sequence[JobRow], *, user: AbstractBaseUser | None) -> int:
        keys = {f"{self.key_column}__in": {row.key for row in rows}}
        credits = self._all().filter(push_state__in=NEEDS_PUSH, **keys)
        return enqueue_many(self._wanted(credits), user=user)

    @abstractmethod
    def _wanted(self, credits: QuerySet[Any]) -> list[Wanted]:
        """What `queue_credit_push` queues for these, what goes first included."""

    def _whose(self, rows: Sequence[JobRow]) -> dict[str, str]:
        """Whom these rows are for, in words, by the key of the group."""
        return {key: str(school) for key, school in schools_of(rows).items()}

    def _of(self, job: Job) -> QuerySet[Any]:
        """The credits that the good rows of a job are about."""
        good = job.rows.filter(result__in=JobRow.GOOD)
        return self._all().filter(**{f"{self.key_column}__in": good.values("key")})

    def outlook(self, job: Job) -> Outlook:
        states = states_of(self._of(job))
        return Outlook(
            going=counted((self.title, total(states, NEEDS_PUSH))), staying=staying(job, states)
        )


class PersonCreditImporter(CreditImporter):
    """person-credits.csv."""

    kind = "person-credits"
    job_kind = Job.Kind.IMPORT_PERSON_CREDITS
    title = _("Person credits")
    columns = tuple(credit_column("personCredit", *each) for each in PERSON_CREDIT.items())
    objects = ("personCredit",)
    key_column = "distributor_person_credit_id"
    group_column = "distributor_school_person_id"
    numbers_as_text = ("distributor_person_credit_id", "distributor_school_person_id", "ean")
    push_permissions = ("credits.push_personcredit",)
    model = PersonCredit
    subject = "person_credit"
    target = "school_person"
    fields = (
        "distributor_person_credit_id",
        "ean",
        "credit_start_date",
        "credit_end_date",
        "school_year",
    )

    def check_more(self, values: Values) -> list[Remark]:
        if values.get("person_product_state") != PersonCredit.ProductState.RETURNED:
            return []
        code = rule_of("personCredit", "person_product_state").base + NOT_ALLOWED
        return [Remark("error", "only_a_return", "person_product_state", code)]

    def _credits(self, rows: Sequence[JobRow]) -> QuerySet[Any]:
        keys = {row.key for row in rows}
        return PersonCredit.objects.filter(distributor_person_credit_id__in=keys).select_related(
            "school_person__person"
        )

    def _targets(self, rows: Sequence[JobRow]) -> dict[str, Any]:
        found = SchoolPerson.objects.filter(
            distributor_school_person_id__in={row.group for row in rows}
        ).exclude(push_state=PushState.DELETED)
        return {each.distributor_school_person_id: each for each in found}

    def _obstacle(self, row: JobRow, credit: Any, target: Any) -> Remark | None:
        if credit.school_person.person_id == target.person_id:
            return None
        owner = credit.school_person.person.distributor_person_id
        return Remark("error", "of_other_person", self.key_column, params={"other": owner})

    def _wanted(self, credits: QuerySet[Any]) -> list[Wanted]:
        return person_credit_pushes(credits)

    def _whose(self, rows: Sequence[JobRow]) -> dict[str, str]:
        found = SchoolPerson.objects.filter(
            distributor_school_person_id__in={row.group for row in rows}
        ).select_related("person")
        return {each.distributor_school_person_id: each.person.full_name for each in found}

    def _is_returned(self, credit: Any) -> bool:
        return bool(credit.person_product_state == PersonCredit.ProductState.RETURNED)

    def outlook(self, job: Job) -> Outlook:
        credits = self._of(job)
        ready = credits.filter(push_state__in=NEEDS_PUSH)
        blocked = ready.filter(
            Q(school_person__push_state__in=IN_OUR_HANDS)
            | Q(school_person__person__push_state__in=IN_OUR_HANDS)
        )
        held, number = blocked.count(), ready.count()
        places = SchoolPerson.objects.filter(person_credits__in=ready)
        persons = Person.objects.filter(school_persons__in=places, push_state__in=NEEDS_PUSH)
        first = places.filter(Q(push_state__in=NEEDS_PUSH) | Q(person__push_state__in=NEEDS_PUSH))
        return Outlook(
            going=counted(
                (_("Persons, who go first"), persons.distinct().count()),
                (_("Persons at a school, who go first"), first.distinct().count()),
                (_("Person credits"), number - held),
                (_("Person credits that wait for a person whom Edu-iX refused"), held),
            ),
            staying=staying(job, states_of(credits)),
        )


class SchoolCreditImporter(SchoolReferences, CreditImporter):
    """school-credits.csv."""

    kind = "school-credits"
    job_kind = Job.Kind.IMPORT_SCHOOL_CREDITS
    title = _("School credits")
    columns = tuple(credit_column("schoolCredit", *each) for each in SCHOOL_CREDIT.items())
    objects = ("schoolCredit",)
    key_column = "distributor_school_credit_id"
    group_column = "organisation_id"
    reference_column = "organisation_id"
    numbers_as_text = ("distributor_school_credit_id", "ean")
    push_permissions = ("credits.push_schoolcredit",)
    model = SchoolCredit
    subject = "school_credit"
    target = "school"
    fields = (
        "distributor_school_credit_id",
        "ean",
        "credit_start_date",
        "credit_end_date",
        "contact_name",
        "contact_email",
        "school_year",
        "amount",
    )

    def check_more(self, values: Values) -> list[Remark]:
        email = values.get("contact_email", "")
        wrong = email and not is_email(email)
        return [Remark("warning", "no_email", "contact_email")] if wrong else []

    def _credits(self, rows: Sequence[JobRow]) -> QuerySet[Any]:
        keys = {row.key for row in rows}
        return SchoolCredit.objects.filter(distributor_school_credit_id__in=keys).select_related(
            "school"
        )

    def _targets(self, rows: Sequence[JobRow]) -> dict[str, Any]:
        return dict(schools_of(rows))

    def _wanted(self, credits: QuerySet[Any]) -> list[Wanted]:
        return school_credit_pushes(credits)

    def _obstacle(self, row: JobRow, credit: Any, target: Any) -> Remark | None:
        if credit.school_id != target.pk:
            other = str(credit.school)
            return Remark("error", "of_other_school", self.key_column, params={"other": other})
        if row.values["amount"] < credit.returned:
            params = {"returned": credit.returned}
            return Remark("error", "below_returned", "amount", params=params)
        return None


def statuses_follow(rows: Sequence[JobRow]) -> None:
    """An ECK iD that an import of persons brought lets publishers recognise the person."""
    persons = [row.group for row in rows if "eck_id" in row.before]
    if persons:
        refresh_statuses(
            PersonCredit.objects.filter(school_person__person__distributor_person_id__in=persons)
        )
