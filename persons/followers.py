"""Who wants to know that a person can now be recognised, or no longer can.

Persons know nothing of credits; credits ask to be told when they start.
"""

from __future__ import annotations

from collections.abc import Callable

_followers: list[Callable[[int], object]] = []


def tell_me(follower: Callable[[int], object]) -> None:
    """Call `follower` with the pk of a person whose user ID or ECK iD has changed."""
    if follower not in _followers:
        _followers.append(follower)


def recognition_changed(person_id: int) -> None:
    """Tell all who asked; call it in the transaction of the change."""
    for follower in _followers:
        follower(person_id)
