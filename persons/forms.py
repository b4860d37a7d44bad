"""Forms for schools, persons and persons at schools."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from backoffice.screens.forms import OfficeForm
from persons.models import Person, School, SchoolPerson
from persons.normalising import PERSON_NORMALISERS, SCHOOL_PERSON_NORMALISERS, complete_person
from persons.partner_forms import PartnerForm


class PersonForm(PartnerForm[Person]):
    """A person. The ECK iD is never shown, only replaced or removed."""

    kind = "person"
    error_fields: ClassVar[dict[str, str]] = {"eck_id": "new_eck_id"}
    normalisers = {
        **PERSON_NORMALISERS,
        "new_eck_id": PERSON_NORMALISERS["eck_id"],
    }

    new_eck_id = forms.CharField(
        label=_("other ECK iD"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text=_("128 characters. Leave empty to keep the ECK iD that is here now."),
    )
    remove_eck_id = forms.BooleanField(label=_("remove the ECK iD"), required=False)

    class Meta:
        model = Person
        fields = (
            "distributor_person_id",
            "person_state",
            "first_name",
            "preposition",
            "surname",
            "date_of_birth",
            "gender",
            "email",
            "postal_code",
            "house_number",
            "country_code",
        )
        help_texts = {
            "distributor_person_id": _(
                "Our own number for this person. At most 20 characters, "
                "or it can never be renamed or merged at Edu-iX."
            ),
            "person_state": _("Normally active."),
            "preposition": _("For example: van den."),
            "email": _(
                "Best an address of their own: two pupils on one address are easily mixed up."
            ),
            "postal_code": _("In the Netherlands: 1234 AB."),
            "house_number": _("Digits only; Edu-iX keeps no suffix for a person."),
        }

    def complete(self, values: dict[str, str]) -> dict[str, str]:
        return complete_person(values)

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        new = str(data.get("new_eck_id") or "").strip()
        if new and data.get("remove_eck_id"):
            self.add_error("remove_eck_id", _("Choose one: another ECK iD, or none."))
        elif new or data.get("remove_eck_id"):
            self.instance.eck_id = new
        return data


class SchoolPersonForm(PartnerForm[SchoolPerson]):
    """A person at a school."""

    kind = "schoolperson"
    normalisers = SCHOOL_PERSON_NORMALISERS

    class Meta:
        model = SchoolPerson
        fields = (
            "person",
            "school",
            "role",
            "school_student_number",
            "distributor_school_person_id",
        )
        help_texts = {
            "school_student_number": _("The number that the school itself uses."),
            "distributor_school_person_id": _("Our own number for this person at this school."),
        }


class SchoolPersonInlineForm(PartnerForm[SchoolPerson]):
    """The same on the page of its person, where each row has a key of its own to protect."""

    kind = "schoolperson"
    normalisers = SCHOOL_PERSON_NORMALISERS

    class Meta:
        model = SchoolPerson
        fields = ("school", "role", "school_student_number", "distributor_school_person_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.registered_at is not None:
            self.fields["distributor_school_person_id"].disabled = True


class SchoolPersonFormSet(
    forms.BaseInlineFormSet[SchoolPerson, Person, forms.ModelForm[SchoolPerson]]
):
    """The schools of a person; each new row has a number of its own."""

    def clean(self) -> None:
        """Each form asks the database; two new rows of one page meet only here."""
        super().clean()
        seen: set[str] = set()
        for form in self.forms:
            number = form.cleaned_data.get("distributor_school_person_id", "")
            if number in seen:
                form.add_error("distributor_school_person_id", _("This number stands here twice."))
            elif number:
                seen.add(number)


class SchoolForm(OfficeForm[School]):
    """What we ourselves know of a school; the rest is Edu-iX' to tell."""

    class Meta:
        model = School
        fields = ("account_manager", "contact_name", "contact_email", "contact_phone")
        help_texts = {
            "contact_name": _("Whom we call about prematch and orders."),
        }


class SchoolFetchForm(forms.Form):
    """A school is never typed in: its ID is enough to fetch it."""

    organisation_id = forms.CharField(
        label=_("school ID"),
        min_length=1,
        max_length=40,
        help_text=_("The DigiDelivery ID of the school; at most 40 characters."),
    )
