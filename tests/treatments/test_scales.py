"""Scales: formulas to the figure, bounds held by form, action and database, scores that close."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.utils import DatabaseError, IntegrityError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.errors import ActionRefused
from tests.conftest import make_patient
from treatments.catalogue.loading import read
from treatments.catalogue.models import Scale
from treatments.consultations.actions import start_consultation
from treatments.scales.actions import ScoreEntry, keep_scores, record_score, value_of
from treatments.scales.formulas import (
    BadAnswers,
    allowed,
    bands_of,
    improvement,
    problems,
    response,
    total,
)
from treatments.scales.history import series_of
from treatments.scales.models import Score
from treatments.scales.reading import ScaleView, current_scales

D = Decimal
FEW = settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
"""For each of seventeen scales; a busy machine is no fault of the strategy."""
db = pytest.mark.django_db
SHIPPED = {row["code"]: row for row in read("scales")}
ASKABLE = sorted(code for code, row in SHIPPED.items() if row["items"])
WORKED = {
    "f-a": 3, "f-d": 2, "f-h": 2, "lm-a": 4, "lm-d": 3, "lm-h": 2,
    "rm-a": 4, "rm-d": 3, "rm-h": 3, "c-a": 2, "c-d": 1, "c-h": 1,
}  # fmt: skip


def numbers(answers: dict[str, Any]) -> dict[str, Decimal]:
    return {code: D(str(value)) for code, value in answers.items()}


def masi_answers(code: str) -> dict[str, Decimal]:
    keys = {item["code"] for item in SHIPPED[code]["items"]}
    return numbers({key: value for key, value in WORKED.items() if key in keys})


def values_of(item: dict[str, Any]) -> list[Decimal]:
    """Every value that an item admits."""
    if item["options"]:
        return [D(str(option["value"])) for option in item["options"]]
    low, high, step = (D(item[key]) for key in ("minimum", "maximum", "step"))
    return [low + step * n for n in range(int((high - low) / step) + 1)]


def answers_to(code: str) -> st.SearchStrategy[dict[str, Decimal]]:
    items = SHIPPED[code]["items"]
    return st.fixed_dictionaries({i["code"]: st.sampled_from(values_of(i)) for i in items})


class TestFormulas:
    def test_the_worked_case(self) -> None:
        """DOMAIN.md section 7: MASI 17.2 and mMASI 9.2."""
        assert total("masi", SHIPPED["masi"]["items"], masi_answers("masi")) == D("17.2")
        assert total("mmasi", SHIPPED["mmasi"]["items"], masi_answers("mmasi")) == D("9.2")

    @pytest.mark.parametrize("code", ASKABLE)
    def test_the_bounds_are_those_of_the_row(self, code: str) -> None:
        row = SHIPPED[code]
        least = {item["code"]: min(values_of(item)) for item in row["items"]}
        most = {item["code"]: max(values_of(item)) for item in row["items"]}
        assert total(code, row["items"], least) == D(row["minimum"])
        assert total(code, row["items"], most) == D(row["maximum"])

    @pytest.mark.parametrize("code", ASKABLE)
    @FEW
    @given(data=st.data())
    def test_never_outside_its_bounds_and_never_falls_as_an_answer_rises(
        self, code: str, data: st.DataObject
    ) -> None:
        row = SHIPPED[code]
        answers = data.draw(answers_to(code))
        score = total(code, row["items"], answers)
        assert D(row["minimum"]) <= score <= D(row["maximum"])
        item = data.draw(st.sampled_from(row["items"]))
        higher = [value for value in values_of(item) if value > answers[item["code"]]]
        if higher:
            more = answers | {item["code"]: data.draw(st.sampled_from(higher))}
            assert total(code, row["items"], more) >= score

    @pytest.mark.parametrize("code", ASKABLE)
    @FEW
    @given(data=st.data())
    def test_a_missing_and_an_impossible_answer_are_named(
        self, code: str, data: st.DataObject
    ) -> None:
        items = SHIPPED[code]["items"]
        answers = data.draw(answers_to(code))
        item = data.draw(st.sampled_from(items))
        wrong = data.draw(
            st.decimals(allow_nan=True, allow_infinity=True).filter(
                lambda value: not value.is_finite() or value not in values_of(item)
            )
        )
        without = {key: value for key, value in answers.items() if key != item["code"]}
        assert problems(items, without) == {item["code"]: "missing"}
        assert problems(items, answers | {item["code"]: wrong}) == {item["code"]: "outside"}
        for bad in (without, answers | {item["code"]: wrong}, answers | {"no-such": D(0)}):
            with pytest.raises(BadAnswers):
                total(code, items, bad)

    def test_a_number_keeps_to_its_step(self) -> None:
        pain, line = SHIPPED["nrs-pain"]["items"][0], SHIPPED["vas-pain"]["items"][0]
        assert allowed(pain, D(7))
        assert not allowed(pain, D("7.5"))
        assert allowed(line, D("7.5"))
        assert not allowed(line, D("7.55"))
        assert not allowed(pain, D(11))
        assert not allowed(pain, D(-1))

    def test_msi_squares_the_pigmentation(self) -> None:
        answers = numbers({"l-a": 2, "l-p": 3, "r-a": 1, "r-p": 2, "n-a": 4, "n-p": 1})
        assert total("msi", SHIPPED["msi"]["items"], answers) == D("9.6")

    @pytest.mark.parametrize(
        ("percent", "label"),
        [
            ("79", "very good"), ("75", "very good"), ("74.9", "good"), ("50", "good"),
            ("49.9", "moderate"), ("25", "moderate"), ("24.9", "mild"), ("0.1", "mild"),
            ("0", None), ("-5", None),
        ],
    )  # fmt: skip
    def test_response_bands(self, percent: str, label: str | None) -> None:
        band = response(SHIPPED["masi"]["bands"], D(percent))
        assert (band and band["label_en"]) == label

    def test_improvement_follows_the_direction(self) -> None:
        assert improvement(D(20), D(5)) == 75
        assert improvement(D(20), D(25)) == -25
        assert improvement(D(20), D(25), lower_is_better=False) == 25
        assert improvement(D(0), D(5)) is None

    def test_version_a_of_the_skin_type_has_two_types_at_25(self) -> None:
        bands = SHIPPED["fitzpatrick-a"]["bands"]
        assert [band["label_en"] for band in bands_of(bands, D(25))] == ["III", "IV"]
        assert [band["label_en"] for band in bands_of(bands, D(31))] == ["V–VI"]
        assert all(bands_of(bands, D(points)) for points in range(41))

    def test_cops_refers_from_40(self) -> None:
        bands = SHIPPED["cops"]["bands"]
        assert [band["label_en"] for band in bands_of(bands, D(40))] == ["refer"]
        assert [band["label_en"] for band in bands_of(bands, D(39))] == ["below the threshold"]


def scale(code: str) -> Scale:
    found: Scale = Scale.objects.current().get(code=code)
    return found


@db
class TestWords:
    def test_what_a_note_may_ask(self) -> None:
        codes = {view.code for view in current_scales()}
        assert {"masi", "mmasi", "msi", "glogau", "wsrs", "gais", "norwood", "ludwig"} <= codes
        assert {"cellulite-nm", "goodman-baron", "nrs-pain", "vas-pain", "rmdq", "cops"} <= codes
        assert not codes & {"fitzpatrick", "fitzpatrick-a", "bddq-as", "ctcae"}

    def test_a_score_in_words(self) -> None:
        assert ScaleView(scale("masi")).said(D("17.20")) == "17.2 of 48"
        assert ScaleView(scale("nrs-pain")).said(D(4)) == "4 of 10 (moderate)"
        assert "shallow" in ScaleView(scale("wsrs")).said(D(2))
        assert ScaleView(scale("gais")).direction == "1 to 5, lower is better"
        assert ScaleView(scale("wsrs")).sides == ("left", "right")


@db
class TestScores:
    def keep(self, cast: Any, *entries: ScoreEntry, by: Any = None) -> list[Score]:
        note = start_consultation(by=cast.practitioner, patient=cast.patient, location=cast.here)
        return keep_scores(
            by=by or cast.practitioner,
            patient=cast.patient,
            entries=entries,
            at=timezone.now(),
            consultation_id=note.pk,
        )

    def test_kept_with_version_answers_value_person_and_time(self, cast: Any) -> None:
        (score,) = self.keep(cast, ScoreEntry(scale("masi"), masi_answers("masi")))
        score.refresh_from_db()
        assert (score.value, score.scale.version) == (D("17.20"), 1)
        assert score.answers["f-a"] == "3"
        assert score.taken_by == cast.practitioner
        assert score.closed_at is None

    def test_a_ten_is_kept_as_ten(self, cast: Any) -> None:
        (score,) = self.keep(cast, ScoreEntry(scale("nrs-pain"), {"value": D("10")}))
        assert score.answers == {"value": "10"}

    def test_unfinished_is_kept_without_a_value(self, cast: Any) -> None:
        (score,) = self.keep(cast, ScoreEntry(scale("masi"), numbers({"f-a": 3})))
        assert score.value is None

    def test_no_answer_is_no_score(self, cast: Any) -> None:
        self.keep(cast, ScoreEntry(scale("ludwig"), numbers({"grade": 2})))
        assert self.keep(cast, ScoreEntry(scale("ludwig"), {})) == []
        assert not Score.objects.exists()

    def test_an_impossible_answer_names_its_field(self, cast: Any) -> None:
        with pytest.raises(ActionRefused) as refused:
            self.keep(cast, ScoreEntry(scale("ludwig"), numbers({"grade": 4})))
        assert refused.value.field == "score-ludwig--grade"
        assert value_of(scale("ludwig"), {}) is None

    def test_sides_apart_and_only_where_there_are_some(self, cast: Any) -> None:
        both = [
            ScoreEntry(scale("wsrs"), numbers({"grade": 3}), side) for side in ("left", "right")
        ]
        assert len(self.keep(cast, *both)) == 2
        with pytest.raises(ActionRefused, match="side"):
            self.keep(cast, ScoreEntry(scale("ludwig"), numbers({"grade": 2}), "left"))
        with pytest.raises(ActionRefused, match="side"):
            self.keep(cast, ScoreEntry(scale("wsrs"), numbers({"grade": 2})))

    def test_unchanged_answers_keep_who_took_them(self, cast: Any) -> None:
        entry = ScoreEntry(scale("ludwig"), numbers({"grade": 2}))
        (first,) = self.keep(cast, entry)
        (again,) = self.keep(cast, entry, by=cast.colleague)
        assert (again.pk, again.taken_by_id) == (first.pk, cast.practitioner.pk)

    def test_a_score_outside_a_note_is_whole_and_closed(self, cast: Any) -> None:
        score = record_score(
            by=cast.practitioner,
            patient=cast.patient,
            scale=scale("gais"),
            answers={"grade": D(2)},
            at=timezone.now(),
        )
        for change in ({"value": 1}, {"answers": {}}, {"closed_at": None}):
            with pytest.raises(DatabaseError, match="signed and closed"), transaction.atomic():
                Score.objects.filter(pk=score.pk).update(**change)
        with pytest.raises(DatabaseError, match="signed and closed"), transaction.atomic():
            score.delete()
        with pytest.raises(ActionRefused):
            record_score(
                by=cast.practitioner,
                patient=cast.patient,
                scale=scale("masi"),
                answers=numbers({"f-a": 1}),
                at=timezone.now(),
            )

    @pytest.mark.parametrize("closed", [True, False])
    def test_only_an_open_score_may_lack_its_value(self, cast: Any, closed: bool) -> None:
        now = timezone.now()
        values = {"patient": cast.patient, "scale": scale("masi"), "taken_by": cast.practitioner}
        row = Score(taken_at=now, closed_at=now if closed else None, **values)
        if not closed:
            row.save()
            return
        with pytest.raises(IntegrityError), transaction.atomic():
            row.save()


@db
class TestPanel:
    def score(self, cast: Any, code: str, value: Decimal, weeks_ago: int) -> Score:
        answers = {item["code"]: value for item in SHIPPED[code]["items"]}
        at = timezone.now() - timedelta(weeks=weeks_ago)
        return record_score(
            by=cast.practitioner, patient=cast.patient, scale=scale(code), answers=answers, at=at
        )

    def test_list_plot_and_change(self, cast: Any, client_for: Any) -> None:
        for value, weeks in ((D(8), 8), (D(5), 4), (D(2), 0)):
            self.score(cast, "nrs-pain", value, weeks)
        (series,) = series_of(cast.patient)
        assert [score.value for score in series.scores] == [8, 5, 2]
        heights = [y for _x, y in series.points]
        assert heights == sorted(heights)
        assert series.change == "75 % better than at first"
        url = reverse("scales:panel", args=[cast.patient.number])
        page = client_for(cast.practitioner).get(url).content.decode()
        assert "75 % better" in page
        assert page.count("<circle") == 3
        assert "2 of 10 (mild)" in page

    def test_open_scores_and_other_patients_stay_out(self, cast: Any, client_for: Any) -> None:
        other = make_patient(cast.here, "Otto", "Other")
        record_score(
            by=cast.practitioner,
            patient=other,
            scale=scale("gais"),
            answers={"grade": D(1)},
            at=timezone.now(),
        )
        TestScores().keep(cast, ScoreEntry(scale("ludwig"), numbers({"grade": 2})))
        url = reverse("scales:panel", args=[cast.patient.number])
        assert client_for(cast.practitioner).get(url).content.decode().strip() == ""
        assert client_for(cast.front_desk).get(url).status_code == 403
        assert client_for(cast.practitioner2).get(url).status_code == 404

    def test_the_same_number_of_queries_for_one_and_three(self, cast: Any, client_for: Any) -> None:
        client, counts = client_for(cast.practitioner), []
        url = reverse("scales:panel", args=[cast.patient.number])
        client.get(url)
        for weeks, codes in ((9, ("gais",)), (3, ("ludwig", "norwood"))):
            for code in codes:
                self.score(cast, code, D(2), weeks)
            with CaptureQueriesContext(connection) as asked:
                assert client.get(url).status_code == 200
            counts.append(len(asked))
        assert counts[0] == counts[1]
