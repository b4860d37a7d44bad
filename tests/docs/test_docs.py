"""The pages say what is so: names, links, commands and examples are held against the product."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pytest
from django.core.management import call_command, get_commands

from backoffice.env import NAMES, PREFIXES
from backoffice.explanations.services import all_explanations
from tests.docs.pages import (
    DECISIONS,
    OPERATIONS,
    PAGES,
    README,
    ROOT,
    anchors_of,
    blocks_of,
    code_of,
    links_of,
    name_of,
    plain,
    table_after,
)
from tests.factories import SchoolFactory

SECTIONS = ["Context", "Decision", "Consequences", "Rejected"]
DECISION_PAGES = sorted(DECISIONS.glob("[0-9]*.md"))
CODE_FOLDERS = ("backoffice", "persons", "credits", "notifications")
MACHINE_PATHS = re.compile(r"/(?:work|root|home|tmp)/")
REGISTRIES = re.compile(
    r"://[^\s)>]*(?:pypi|pythonhosted|npmjs|registry|crates\.io|proxy\.golang|docker\.io)", re.I
)


def source_files() -> list[Path]:
    return [path for folder in CODE_FOLDERS for path in (ROOT / folder).rglob("*.py")]


# --- settings ------------------------------------------------------------------------------------


def test_the_readme_lists_the_environment_names_that_the_product_reads() -> None:
    rows = table_after(README, "## Settings")

    listed = [(name.strip("`"), default.strip("`"), meaning) for name, default, meaning in rows]
    assert listed == [(name.name, name.default, name.meaning) for name in NAMES]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_environment_name_on_a_page_is_read(page: Path) -> None:
    known = {name.name for name in NAMES}

    written = set(re.findall(r"\b(?:" + "|".join(PREFIXES) + r")[A-Z_]*[A-Z]\b", page.read_text()))
    assert written - known == set()


# --- links, files, commands ----------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in links_of(page):
        if "://" in link:
            continue
        path, _hash, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = {
        code
        for code in code_of(page)
        if re.fullmatch(r"(?:[a-z_]+/)+[\w.-]*", code) and not code.startswith(("var/", "locale/"))
    }

    missing = {path for path in named if not (ROOT / path).exists()}
    assert {
        path for path in missing if (ROOT / path).parts[len(ROOT.parts)] in top_level()
    } == set()


def top_level() -> set[str]:
    """Folders of the repository; `granian/…` and the like are none of ours."""
    return {path.name for path in ROOT.iterdir() if path.is_dir()}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))

    named = {name for code in code_of(page) for name in re.findall(r"\bmake ([a-z]+)", code)}
    assert named - targets == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_exists(page: Path) -> None:
    named = {name for code in code_of(page) for name in re.findall(r"manage\.py ([a-z_]+)", code)}

    assert named - set(get_commands()) == set()


def test_the_readme_names_every_command_of_ours() -> None:
    ours = {name for name, app in get_commands().items() if app.startswith(CODE_FOLDERS)}

    listed = {row[0].strip("`").split()[1] for row in table_after(README, "## On the command line")}
    assert listed == ours


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_path_of_a_machine_or_a_package_registry(page: Path) -> None:
    text = page.read_text()

    assert MACHINE_PATHS.findall(text) + REGISTRIES.findall(text) == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    to_read = [README]
    while to_read:
        page = to_read.pop()
        reached.add(page)
        found = [(page.parent / link.partition("#")[0]).resolve() for link in links_of(page)]
        to_read += [
            one for one in found if one.suffix == ".md" and one.exists() and one not in reached
        ]

    assert [name_of(page) for page in PAGES if page not in reached] == []


def test_the_code_refers_to_pages_that_exist() -> None:
    named = {
        found
        for path in source_files()
        for found in re.findall(r"docs/[\w/.-]*\w", path.read_text())
    }

    assert {name for name in named if not list(ROOT.glob(f"{name}*"))} == set()


# --- decisions -----------------------------------------------------------------------------------


def test_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(page.name[:4]) for page in DECISION_PAGES]

    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 9


@pytest.mark.parametrize("page", DECISION_PAGES, ids=name_of)
def test_a_decision_has_its_number_and_its_sections(page: Path) -> None:
    text = page.read_text()

    assert re.match(rf"# {page.name[:4]}\. \S", text)
    assert re.findall(r"^## (.+)$", text, re.M) == SECTIONS
    assert all(part.strip() for part in re.split(r"^## .+$", text, flags=re.M)[1:])


def test_every_decision_stands_in_the_list() -> None:
    listed = [link for link in links_of(DECISIONS / "README.md") if link.endswith(".md")]

    assert listed == [page.name for page in DECISION_PAGES]


# --- examples and figures ------------------------------------------------------------------------


@pytest.mark.django_db
def test_examples_of_explain_are_what_it_prints() -> None:
    examples = [
        re.fullmatch(r"\$ manage\.py explain ([^\n]+)\n(.+)", block, re.S)
        for block in blocks_of(README)
        if block.startswith("$ manage.py explain")
    ]

    assert examples
    for example in examples:
        assert example is not None
        printed = io.StringIO()
        call_command("explain", *example[1].split(), stdout=printed)
        assert printed.getvalue().strip() == example[2].strip()


@pytest.mark.django_db
def test_the_example_of_import_is_what_it_prints() -> None:
    [example] = [block for block in blocks_of(README) if block.startswith("$ manage.py import ")]
    command, _newline, shown = example.partition("\n")
    _dollar, _manage, _import, kind, file = command.split()
    for school in json.loads((ROOT / "examples" / "schools.json").read_text()):
        SchoolFactory(organisation_id=school["organisationID"], name=school["name"])
    printed = io.StringIO()

    with pytest.raises(SystemExit) as ended:
        call_command("import", kind, str(ROOT / file), stdout=printed)

    assert printed.getvalue().strip() == shown.strip()
    assert ended.value.code == 1  # "some were refused and the others are in"


def test_the_example_of_smoke_has_the_steps_that_it_takes() -> None:
    source = (ROOT / "scripts" / "smoke.py").read_text()
    [example] = [block for block in blocks_of(README) if block.startswith("$ make smoke\n")]

    steps = re.findall(r"^ok +[\d.]+ s  ([^:\n]+)", example, re.M)
    in_source = re.findall(r'^\s+(?:done\(|\()"([^"]+)", ', source, re.M)
    imports = re.findall(r'"([\w-]+\.csv)"', re.findall(r"for name in (\(.+\)):", source)[0])
    assert in_source
    assert steps == [
        *in_source[:2],
        *(f"import {name}" for name in imports),
        *in_source[2:],
        "in all",
    ]


def test_the_readme_counts_the_codes_that_can_be_explained() -> None:
    number = sum(1 for _ in all_explanations(lang="nl", sources=("eduix",)))

    assert f"all {number} codes" in plain(README.read_text())


def test_the_walk_through_the_demonstration_tells_what_the_example_files_hold() -> None:
    expected = json.loads((ROOT / "examples" / "expected.json").read_text())
    persons = expected["persons.csv"]
    credits = expected["person-credits.csv"]

    walk = plain(README.read_text())
    assert f"{persons['rows']} rows: {persons['good']} can be taken in" in walk
    assert f"{credits['good']} of its {credits['rows']} rows are good" in walk
    refused = persons["refused_by_edu_ix"].values()
    assert len(refused) == 3  # "three pupils"
    assert {row["code"] for row in refused} == {4967}


def test_every_log_event_in_the_list_is_written_somewhere() -> None:
    rows = table_after(OPERATIONS, "## Logs")
    listed = {event for row in rows for event in re.findall(r"`([a-z_]+)`", row[0])}

    code = "\n".join(path.read_text() for path in source_files())
    assert listed
    assert {event for event in listed if f'"{event}"' not in code} == set()
