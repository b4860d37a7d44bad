"""manage.py explain."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from backoffice.explanations import texts
from backoffice.explanations.models import PublisherCode
from backoffice.explanations.services import explain

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]
ROW_KEYS = {
    "source", "code", "field", "kind", "title", "cause", "remedy", "owner", "clears_itself", "lang"
}  # fmt: skip


def output_of(*arguments: str, **options: object) -> str:
    out = io.StringIO()
    call_command("explain", *arguments, stdout=out, **options)
    return out.getvalue()


def run(*arguments: str, tmp_path: Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """A process of its own, with a fresh and empty var/."""
    return subprocess.run(  # noqa: S603  our own command
        [sys.executable, "manage.py", "explain", *arguments],
        cwd=ROOT,
        env=fresh_environment(tmp_path),
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )


def fresh_environment(var: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DATABASE_URL", "BACKOFFICE_"))
    }
    return kept | {"BACKOFFICE_VAR": str(var), "PYTHONUTF8": "1"}


def test_a_code_prints_the_same_text_as_the_page() -> None:
    printed = output_of("5022", lang="nl")
    words = explain(5022, lang="nl")

    told = (words.title, words.meaning, *words.causes, *words.steps, words.passes)
    for part in (*told, "code 5022", "person -> surname"):
        assert part in printed


def test_a_message_of_several_words_needs_no_quotes() -> None:
    assert "Coachview" in output_of("403", "Forbidden", lang="nl")


def test_a_negative_code_is_a_code_and_no_option() -> None:
    assert explain(5022, lang="en").title in output_of("-5022", lang="en")


def test_json_prints_one_line_per_code_with_the_fixed_keys() -> None:
    lines = output_of("code 5022 en code 4962", lang="nl", json=True).splitlines()

    found = [json.loads(line) for line in lines]
    assert [row["code"] for row in found] == [5022, 4962]
    assert all(set(row) == ROW_KEYS for row in found)


def test_all_as_json_covers_every_code_in_both_languages(db: None) -> None:
    found = [json.loads(line) for line in output_of(all=True, json=True).splitlines()]
    eduix = [(row["code"], row["lang"]) for row in found if row["source"] == "eduix"]

    assert len(eduix) == len(set(eduix)) == 487 * 2
    assert {row["source"] for row in found} == {"eduix", "coachview", "anewspring", "own"}
    for row in found:
        assert set(row) == ROW_KEYS
        assert row["title"]
        assert row["cause"]
        assert row["remedy"]
        assert row["owner"] in texts.labels("owners", "nl")
        assert isinstance(row["clears_itself"], bool)
        assert row["lang"] in texts.LANGUAGES


def test_all_in_one_language_is_half_of_it(db: None) -> None:
    both = output_of(all=True, json=True).splitlines()
    dutch = output_of(all=True, json=True, lang="nl").splitlines()

    assert len(dutch) * 2 == len(both)


def test_what_colleagues_wrote_is_part_of_all(db: None) -> None:
    PublisherCode.objects.create(code=117, title_nl="Op", cause_nl="C.", remedy_nl="R.")

    printed = output_of(all=True, lang="nl")

    assert "117" in printed
    assert "Op" in printed


def test_all_as_a_table_names_every_code(db: None) -> None:
    printed = output_of(all=True, lang="en")

    assert printed.count("\n") > 550
    assert "The surname is too long: at most 50 characters" in printed


def test_an_unlisted_code_of_a_known_field_is_explained_as_far_as_it_goes() -> None:
    assert "onbekend soort, veld = achternaam" in output_of("5029", lang="nl")


@pytest.mark.parametrize("nonsense", ["kwartetspel", "", "   ", "9999", "publisher:118"])
def test_what_is_not_known_ends_with_one_clear_line(db: None, nonsense: str) -> None:
    with pytest.raises(CommandError) as told:
        output_of(nonsense, lang="nl")

    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 200


def test_a_code_and_all_together_are_refused() -> None:
    with pytest.raises(CommandError):
        output_of("5022", all=True)


def test_a_fresh_machine_without_a_database_explains_too(tmp_path: Path) -> None:
    done = run("--all", "--json", tmp_path=tmp_path)

    assert done.returncode == 0
    assert len(done.stdout.splitlines()) > 487 * 2
    assert done.stderr.decode().count("\n") == 1
    assert "Traceback" not in done.stderr.decode()


def test_nonsense_gives_an_exit_code_and_no_trace(tmp_path: Path) -> None:
    done = run("kwartetspel", tmp_path=tmp_path)

    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.decode().count("\n") == 1


def test_a_reader_that_stops_early_sees_no_error(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "manage.py", "explain", "--all", "--json"],
        cwd=ROOT,
        env=fresh_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        first = process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read().decode()
        process.wait(timeout=60)

    assert json.loads(first)["code"] == 1
    assert "Traceback" not in told
    assert "BrokenPipe" not in told


def test_a_message_is_read_from_a_pipe_even_when_its_bytes_are_broken(tmp_path: Path) -> None:
    done = run("-", "--json", stdin=b"\xff\xfe\x00 fout 5022 \xc3", tmp_path=tmp_path)

    assert done.returncode == 0
    assert json.loads(done.stdout)["code"] == 5022


def test_a_publishers_code_without_a_database_says_what_to_do_first(tmp_path: Path) -> None:
    done = run("publisher:117", "--lang", "nl", tmp_path=tmp_path)

    told = done.stderr.decode()
    assert done.returncode == 1
    assert told.count("\n") == 1
    assert "Traceback" not in told
    assert "manage.py migrate" in told


@pytest.mark.parametrize(("lang", "words"), [("nl", "plak de hele melding"), ("en", "paste")])
@pytest.mark.parametrize(
    "given", ["kwartetspel", "9" * 40, "x" * 300_000, "<b>vet</b>", "esc\x1b[31m\nrood", "😀"]
)
def test_what_is_no_code_is_repeated_short_and_harmless_in_the_asked_language(
    given: str, lang: str, words: str
) -> None:
    with pytest.raises(CommandError) as told:
        output_of(given, lang=lang)

    assert words in str(told.value)
    assert str(told.value).isprintable()
    assert len(str(told.value)) < 260


def test_nothing_asked_is_told_in_the_asked_language() -> None:
    with pytest.raises(CommandError, match="Geef één nummer"):
        output_of(lang="nl")
    with pytest.raises(CommandError, match="Give one code"):
        output_of(lang="en")
