"""Sentences of Django and of the history pages that our own catalogue says better.

Django's Dutch puts "de" before the name of every kind of row, which is wrong for half of them (het
leermiddel), and says "u" where our pages say "je"; the history pages have no Dutch at all. Named
here, so that making the catalogue anew does not drop them.
"""

# ruff: noqa: RUF001  Django's own sentences hold a typographic apostrophe

from django.utils.translation import gettext_noop, ngettext_lazy

ADDED = gettext_noop("The {name} “{obj}” was added successfully.")
CHANGED = gettext_noop("The {name} “{obj}” was changed successfully.")
DELETED = gettext_noop("The %(name)s “%(obj)s” was deleted successfully.")

# --- "je" where Django says "u" ------------------------------------------------------------------

ACCOUNT = (
    gettext_noop("Are you sure?"),
    gettext_noop("You may edit it again below."),
    gettext_noop("The {name} “{obj}” was added successfully. You may add another {name} below."),
    gettext_noop("The {name} “{obj}” was changed successfully. You may edit it again below."),
    gettext_noop("The {name} “{obj}” was changed successfully. You may add another {name} below."),
    gettext_noop("You don’t have permission to view or edit anything."),
    gettext_noop(
        "You are authenticated as %(username)s, but are not authorized to access this page. Would "
        "you like to login to a different account?"
    ),
    gettext_noop("Your password was changed."),
    gettext_noop(
        "Please enter your old password, for security’s sake, and then enter your new password "
        "twice so we can verify you typed it in correctly."
    ),
    gettext_noop("Your old password was entered incorrectly. Please enter it again."),
    gettext_noop(
        "Designates whether this user should be treated as active. Unselect this instead of "
        "deleting accounts."
    ),
    gettext_noop("Your password can’t be too similar to your other personal information."),
    gettext_noop("Your password can’t be a commonly used password."),
    gettext_noop("Your password can’t be entirely numeric."),
)
LENGTH = ngettext_lazy(
    "Your password must contain at least %(min_length)d character.",
    "Your password must contain at least %(min_length)d characters.",
    "min_length",
)

# --- pages of history ----------------------------------------------------------------------------

HISTORY = (
    gettext_noop("View history: %s"),
    gettext_noop("Change history: %s"),
    gettext_noop("View %s"),
    gettext_noop("Revert %s"),
    gettext_noop("You may edit it again below"),
    gettext_noop("Created"),
    gettext_noop("Changed"),
    gettext_noop("Deleted"),
)
