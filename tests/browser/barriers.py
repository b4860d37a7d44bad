"""What keeps people out of a page, as axe-core finds it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe

# Without preload: axe would fetch the sheets again, from addresses that it gets wrong.
OPTIONS: Final = {"resultTypes": ["violations"], "preload": False}
# Only what is asked for comes back: the rest is large.
RUN: Final = "options => axe.run(options).then(found => found.violations)"


def barriers(page: Any, name: str, rules: Sequence[str] = ()) -> list[str]:
    """Serious and critical ones only, by all rules or by these."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(Axe().axe_script)
    options = {**OPTIONS, "runOnly": list(rules)} if rules else OPTIONS
    return [
        f"{name}: {rule['id']} at {node['target']}: {node.get('failureSummary', '')[:200]}"
        for rule in page.evaluate(RUN, options)
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"][:3]
    ]
