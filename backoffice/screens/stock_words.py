"""Sentences of Django's admin that our own catalogue says better.

Its Dutch puts "de" before the name of every kind of row, which is wrong for half of them (het
leermiddel). Named here, so that making the catalogue anew does not drop them.
"""

from django.utils.translation import gettext_noop

ADDED = gettext_noop("The {name} “{obj}” was added successfully.")
CHANGED = gettext_noop("The {name} “{obj}” was changed successfully.")
DELETED = gettext_noop("The %(name)s “%(obj)s” was deleted successfully.")
