"""The plan: its course, its totals, what speaks against it, and its pages."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from clinic.errors import ActionRefused
from clinic.places.models import CountryProfile
from tests.conftest import make_patient
from tests.treatments.plan_parts import (
    D,
    accepted_plan,
    back,
    hand_in_history,
    make_pain_plan,
    pain_mix,
    product,
    signed_note,
    substance,
)
from treatments.catalogue.actions import edit_row
from treatments.catalogue.models import Product, Protocol
from treatments.consultations.actions import start_consultation
from treatments.plans.actions import (
    StalePlan,
    accept_plan,
    change_plan,
    finish_plan,
    make_plan,
    stop_plan,
)
from treatments.plans.cautions import cautions
from treatments.plans.course import gap_before, mix_for, next_due, sessions_total, total, window
from treatments.plans.gather import plan_facts
from treatments.plans.models import Plan
from treatments.plans.progress import days_words, progress_of
from treatments.plans.reading import proposal_of, screen_plan
from treatments.plans.specs import AreaSpec, MixSpec, PhaseSpec
from treatments.plans.totals import Drawn, Given, Strength, session_totals
from treatments.screening.actions import override

db = pytest.mark.django_db
PHASE = st.builds(
    lambda sessions, least, more: PhaseSpec(sessions, least, least + more),
    st.integers(1, 12),
    st.integers(1, 120),
    st.integers(0, 60),
)
DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
WEEKLY_THEN_MONTHLY = [PhaseSpec(3, 7, 7), PhaseSpec(2, 28, 31)]


def shipped(code: str) -> Product:
    found: Product = Product.objects.current().get(code=code)
    return found


def published_course() -> dict[str, Any]:
    """Low back pain: lidocaine 2 % and ketoprofen; the steroid 40 mg twice, then 20 mg."""
    return {
        "mix": [
            MixSpec(shipped("lidocaine-2"), D(1)),
            MixSpec(shipped("ketoprofen-160"), D(1)),
            MixSpec(shipped("methylprednisolone-40"), D(1), 1, 2),
            MixSpec(shipped("methylprednisolone-40"), D("0.5"), 3, 5),
            MixSpec(shipped("sodium-chloride-09"), D("0.5"), 3, 5),
        ]
    }


class TestCourse:
    def test_the_gap_is_that_of_the_phase_the_session_belongs_to(self) -> None:
        gaps = [gap_before(WEEKLY_THEN_MONTHLY, number) for number in range(1, 7)]
        assert gaps == [None, (7, 7), (7, 7), (28, 31), (28, 31), None]

    def test_windows_count_dates_over_a_clock_change(self) -> None:
        saturday_before = date(2026, 3, 28)
        assert window([PhaseSpec(2, 3, 5)], 1, saturday_before) == (
            date(2026, 3, 31),
            date(2026, 4, 2),
        )

    def test_nothing_is_due_before_the_first_nor_after_the_last(self) -> None:
        assert window(WEEKLY_THEN_MONTHLY, 0, None) is None
        assert window(WEEKLY_THEN_MONTHLY, 5, date(2026, 1, 1)) is None

    def test_impossible_questions_are_refused(self) -> None:
        with pytest.raises(ValueError):
            window(WEEKLY_THEN_MONTHLY, -1, None)
        with pytest.raises(ValueError):
            window(WEEKLY_THEN_MONTHLY, 1, None)

    @given(st.lists(PHASE, min_size=1, max_size=4), DAYS)
    def test_every_course_walks_to_its_end(self, phases: list[PhaseSpec], start: date) -> None:
        done, last_on = 1, start
        while (due := window(phases, done, last_on)) is not None:
            first, last = due
            assert last_on < first <= last
            done, last_on = done + 1, last
        assert done == total(phases)
        assert last_on - start <= timedelta(days=sum(p.sessions * p.gap_max_days for p in phases))

    @pytest.mark.parametrize(
        ("first", "last", "expected"),
        [
            (date(2026, 5, 12), date(2026, 5, 19), "12 to 19 May"),
            (date(2026, 4, 28), date(2026, 5, 5), "28 April to 5 May"),
            (date(2026, 5, 12), date(2026, 5, 12), "12 May"),
            (date(2026, 12, 28), date(2027, 1, 4), "28 December 2026 to 4 January 2027"),
        ],
    )
    def test_days_in_words(self, first: date, last: date, expected: str) -> None:
        assert days_words(first, last) == expected


class TestTotals:
    def test_the_published_session(self) -> None:
        found = session_totals(
            [
                Drawn("lidocaine 2 %", D(1), (Strength("lidocaine", "Lidocaine", D(20), "mg"),)),
                Drawn("other", D(2)),
            ],
            [Given(20, D("0.15"))],
        )
        assert (found.drawn_ml, found.injected_ml, found.agree) == (D(3), D(3), True)
        assert found.amounts[0].drawn == D(20)
        assert found.amounts[0].injected == D(20)

    @given(
        st.lists(st.decimals("0.01", "10", places=2), min_size=1, max_size=5),
        st.integers(0, 200),
        st.decimals("0", "0.2", places=3),
    )
    def test_never_injects_more_than_was_drawn(
        self, volumes: list[Decimal], points: int, each: Decimal
    ) -> None:
        strength = (Strength("one", "One", D(20), "mg"),)
        found = session_totals([Drawn("p", ml, strength) for ml in volumes], [Given(points, each)])
        (amount,) = found.amounts
        assert amount.drawn == sum(volumes) * 20
        assert 0 <= amount.injected <= amount.drawn + D("0.001")

    def test_units_and_milligrams_are_not_added(self) -> None:
        found = session_totals(
            [
                Drawn("a", D(1), (Strength("x", "X", D(5), "mg"),)),
                Drawn("b", D(1), (Strength("x", "X", D(5), "U"),)),
            ],
            [],
        )
        assert {amount.unit for amount in found.amounts} == {"mg", "U"}

    def test_five_percent_off_is_still_agreement(self) -> None:
        mix = [Drawn("a", D(1))]
        assert session_totals(mix, [Given(19, D("0.05"))]).agree
        assert not session_totals(mix, [Given(18, D("0.05"))]).agree


@db
class TestPublishedCourse:
    def test_sessions_doses_and_dates(self, cast: Any) -> None:
        plan = accepted_plan(cast, **published_course())
        assert sessions_total(plan) == 5
        by_label = {one.label: one.totals for one in plan_facts(plan).sessions}
        assert list(by_label) == ["Sessions 1 to 2", "Sessions 3 to 5"]
        for label, steroid in (("Sessions 1 to 2", 40), ("Sessions 3 to 5", 20)):
            amounts = {one.code: one.drawn for one in by_label[label].amounts}
            assert by_label[label].drawn_ml == 3
            assert amounts["lidocaine"] == 20
            assert amounts["ketoprofen"] == 160
            assert amounts["methylprednisolone"] == steroid
        day, days = date(2026, 6, 1), [1]
        for done in range(1, 5):
            due = next_due(plan, done, day)
            assert due is not None
            day = due[0]
            days.append((day - date(2026, 6, 1)).days + 1)
        assert days == [1, 4, 7, 10, 13]
        assert [line.product.code for line in mix_for(plan, 3)][-1] == "sodium-chloride-09"


@db
class TestCautions:
    def said(self, plan: Plan) -> dict[str, bool]:
        return {one.text: one.blocks for one in cautions(plan_facts(plan))}

    def found(self, plan: Plan, words: str) -> list[bool]:
        return [blocks for text, blocks in self.said(plan).items() if words in text]

    def test_a_plain_plan_has_none_that_block(self, cast: Any) -> None:
        assert not any(self.said(make_pain_plan(cast)).values())

    def test_too_deep_for_a_dermal_technique(self, cast: Any) -> None:
        area = back()
        deep = AreaSpec(**{**vars(area), "depth_mm": D("4.01")})
        assert self.found(make_pain_plan(cast, areas=[deep]), "too deep") == [False]
        assert not self.found(make_pain_plan(cast, areas=[area], mix=[]), "too deep")

    def test_more_than_three_ml_in_the_face(self, cast: Any) -> None:
        face = [back(points=31, ml="0.1", code="forehead")]
        assert self.found(make_pain_plan(cast, areas=face), "in the face") == [False]

    def test_points_and_volume_disagree_either_way(self, cast: Any) -> None:
        few = make_pain_plan(cast, areas=[back(points=10)])
        assert self.found(few, "take only")
        many = make_pain_plan(cast, areas=[back(points=40)], mix=few_lines())
        assert self.found(many, "only 3 mL is drawn") == [False]

    def test_deoxycholic_acid_mixed_elsewhere_too_often_too_soon(self, cast: Any) -> None:
        plan = make_pain_plan(
            cast,
            areas=[back(points=60, ml="0.2", code="abdomen")],
            mix=[
                MixSpec(shipped("deoxycholic-10"), D(12)),
                MixSpec(shipped("sodium-chloride-09"), D(1)),
            ],
            phases=[PhaseSpec(7, 14, 14)],
        )
        for words in (
            "Do not mix",
            "12 mL in one session",
            "60 points",
            "7 sessions",
            "14 days apart",
        ):
            assert self.found(plan, words) == [True], words
        assert self.found(plan, "labelled for another area") == [False]
        with pytest.raises(ActionRefused):
            accept_plan(by=cast.practitioner, plan=plan)

    def test_bicarbonate_makes_a_refused_pair_allowed(self, cast: Any) -> None:
        pair = [MixSpec(shipped("diclofenac-75"), D(1)), MixSpec(shipped("lidocaine-2"), D(1))]
        assert self.found(make_pain_plan(cast, mix=pair), "Milky") == [True]
        buffered = [*pair, MixSpec(shipped("sodium-bicarbonate-14"), D(1))]
        assert not self.found(make_pain_plan(cast, mix=buffered), "Milky")

    def test_limits_are_those_in_force(self, cast: Any) -> None:
        one = substance("test-later-limited")
        plan = make_pain_plan(cast, mix=[MixSpec(product("test-limited", (one, "1")), D(3))])
        assert not self.found(plan, "its label allows")
        edit_row(
            by=cast.manager,
            row=one,
            values={"limits": {"max_ml": "2", "max_points": "10"}, "source_refs": ["GK"]},
        )
        assert self.found(plan, "its label allows 2 mL") == [True]
        assert self.found(plan, "its label allows 10.") == [True]

    def test_cosmetics_and_hormones_are_refused(self, cast: Any) -> None:
        cosmetic = make_pain_plan(cast, mix=[MixSpec(shipped("peptide-cosmetic"), D(3))])
        assert True in self.found(cosmetic, "not made for injection")
        hormone = product("test-h", (substance("test-hormone", is_blocked_by_default=True), "1"))
        blocked = make_pain_plan(cast, mix=[MixSpec(hormone, D(3))])
        assert self.found(blocked, "is blocked") == [True]

    def test_a_warned_substance_warns_or_blocks_by_country(self, cast: Any) -> None:
        plan = make_pain_plan(cast, mix=[MixSpec(shipped("glutathione-100"), D(3))])
        assert self.found(plan, "authority warns") == [False]
        CountryProfile.objects.filter(pk="FR").update(blocks_warned_substances=True)
        plan = Plan.objects.get(pk=plan.pk)
        assert self.found(plan, "authority warns") == [True]

    def test_mixing_only_in_a_pharmacy_is_said_by_screening_alone(self, cast: Any) -> None:
        hand_in_history(cast.patient)
        CountryProfile.objects.filter(pk="FR").update(mixing_in_pharmacy_only=True)
        plan = make_pain_plan(cast)
        assert self.screened(plan)
        assert not self.found(plan, "pharmacy")
        apart = make_pain_plan(
            cast,
            areas=[back(points=10, ml="0.1")],
            mix=[
                MixSpec(shipped("lidocaine-2"), D("0.5")),
                MixSpec(shipped("ketoprofen-160"), D("0.5"), syringe="B"),
                MixSpec(shipped("methylprednisolone-40"), D("0.5"), from_session=3),
            ],
        )
        mixed = proposal_of(apart).mixtures
        assert mixed == [("ketoprofen-160",), ("lidocaine-2",),
                         ("lidocaine-2", "methylprednisolone-40")]  # fmt: skip
        assert self.screened(apart)
        plan = make_pain_plan(
            cast,
            mix=[
                MixSpec(shipped("lidocaine-2"), D(3)),
                MixSpec(shipped("ketoprofen-160"), D(1), syringe="B"),
            ],
        )
        assert not self.screened(plan)
        CountryProfile.objects.filter(pk="FR").update(mixing_in_pharmacy_only=False)
        assert not self.screened(make_pain_plan(cast))

    def screened(self, plan: Plan) -> list[str]:
        fresh = Plan.objects.get(pk=plan.pk)
        verdicts = screen_plan(fresh, timezone.now())
        return [one.title for one in verdicts if one.rule == "screening:mixing"]


def few_lines() -> list[MixSpec]:
    one = product("test-three", (substance("test-three-one"), "10"))
    return [MixSpec(one, D(3))]


@db
class TestActions:
    def test_another_patients_or_an_unsigned_note_is_refused(self, cast: Any) -> None:
        draft = start_consultation(by=cast.practitioner, patient=cast.patient, location=cast.here)
        with pytest.raises(ActionRefused, match="Sign the consultation"):
            make_pain_plan(cast, consultation=draft)
        other = make_patient(cast.here, "Otto", "Other")
        with pytest.raises(ActionRefused, match="someone else"):
            make_pain_plan(cast, patient=other, consultation=draft)

    def test_no_course_of_toxin_or_filler_under_18_where_the_law_says_so(self, cast: Any) -> None:
        minor = make_patient(cast.here, "Otto", "Young", birth_date=date(2012, 1, 1))
        hand_in_history(minor)
        booster = [MixSpec(shipped("ha-booster-20"), D(3))]
        plan = make_pain_plan(cast, patient=minor, mix=booster)
        CountryProfile.objects.filter(pk="FR").update(adults_only_toxin_filler=True)
        plan = Plan.objects.get(pk=plan.pk)
        with pytest.raises(ActionRefused, match="Under 18"):
            accept_plan(by=cast.practitioner, plan=plan)
        [law] = [v for v in screen_plan(plan, timezone.now()) if v.blocks]
        named = {"reason": "Medical need.", "directed_by": "Dr Rossi"}
        override(by=cast.practitioner, patient=minor, verdict=law, **named)
        assert accept_plan(by=cast.practitioner, plan=plan).state == Plan.State.ACCEPTED

    def test_other_courses_under_18_only_advise(self, cast: Any) -> None:
        minor = make_patient(cast.here, "Otto", "Young", birth_date=date(2012, 1, 1))
        CountryProfile.objects.filter(pk="FR").update(adults_only_toxin_filler=True)
        plan = Plan.objects.get(pk=make_pain_plan(cast, patient=minor).pk)
        assert accept_plan(by=cast.practitioner, plan=plan).state == Plan.State.ACCEPTED

    def test_what_is_missing_keeps_it_a_draft(self, cast: Any) -> None:
        for lacking, words in (("areas", "area"), ("mix", "product"), ("phases", "phase")):
            plan = make_pain_plan(cast, **{"mix": few_or_none(lacking), lacking: []})
            with pytest.raises(ActionRefused, match=words):
                accept_plan(by=cast.practitioner, plan=plan)
            plan.refresh_from_db()
            assert plan.state == Plan.State.DRAFT

    def test_accepting_twice_and_changing_afterwards(self, cast: Any) -> None:
        plan = accepted_plan(cast)
        with pytest.raises(ActionRefused, match="already been accepted"):
            accept_plan(by=cast.practitioner, plan=plan)
        with pytest.raises(ActionRefused, match="cannot be changed"):
            change_plan(
                by=cast.practitioner,
                plan=plan,
                revision=0,
                indication="x",
                title="x",
                areas=[],
                mix=[],
                phases=[],
            )

    def test_an_older_revision_overwrites_nothing(self, cast: Any) -> None:
        plan = make_pain_plan(cast, mix=[])
        values: dict[str, Any] = {"indication": "low-back-pain", "areas": [], "mix": []}
        change_plan(by=cast.practitioner, plan=plan, revision=0, title="First", phases=[], **values)
        with pytest.raises(StalePlan):
            change_plan(
                by=cast.colleague, plan=plan, revision=0, title="Second", phases=[], **values
            )
        plan.refresh_from_db()
        assert plan.title == "First"

    def test_stopping_needs_a_running_plan_and_a_reason(self, cast: Any) -> None:
        draft = make_pain_plan(cast, mix=[])
        with pytest.raises(ActionRefused, match="under way"):
            stop_plan(by=cast.practitioner, plan=draft, reason="x")
        plan = accepted_plan(cast)
        with pytest.raises(ActionRefused) as refused:
            stop_plan(by=cast.practitioner, plan=plan, reason="  ")
        assert refused.value.field == "reason"
        assert stop_plan(by=cast.practitioner, plan=plan, reason="Moved").state == "stopped"

    def test_finishing_twice_is_finished(self, cast: Any) -> None:
        plan = accepted_plan(cast)
        finish_plan(by=cast.practitioner, plan=plan)
        assert finish_plan(by=cast.practitioner, plan=plan).state == Plan.State.FINISHED

    def test_progress_before_the_first_session(self, cast: Any) -> None:
        assert progress_of(accepted_plan(cast)).words == "0 of 5"


def few_or_none(lacking: str) -> list[MixSpec]:
    one = product(f"test-for-{lacking}", (substance(f"test-in-{lacking}"), "10"))
    return [MixSpec(one, D(3))]


def sent(**changed: Any) -> dict[str, Any]:
    """A whole plan as the page sends it."""
    values = {
        "revision": 0,
        "indication": "low-back-pain",
        "title": "Back, five sessions",
        **rows("areas", area_row()),
        **rows("mix", {"product": "lidocaine-2", "ml": "1", "from_session": 1, "to_session": ""}),
        **rows(
            "phases",
            {"kind": "induction", "sessions": 5, "gap_min_days": 3, "gap_max_days": 3},
        ),
        **rows("stops", {"kind": "adverse"}),
    }
    return {**values, **changed}


def accepting(plan: Plan) -> dict[str, Any]:
    """Accepting a plan as it was read, with the consent left for later."""
    revision = Plan.objects.get(pk=plan.pk).revision
    return {"asking": "later", "language": "en", "revision": revision}


def area_row(**changed: Any) -> dict[str, Any]:
    return {
        "area": "lower-back",
        "side": "none",
        "technique": "sim-pain",
        "depth_mm": "4",
        "spacing_mm": "20",
        "ml_per_point": "0,15",
        "points": "20",
        "needle_gauge": "27",
        "needle_mm": "4",
        **changed,
    }


def rows(prefix: str, *filled: dict[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {f"{prefix}-TOTAL_FORMS": len(filled), f"{prefix}-INITIAL_FORMS": 0}
    for number, row in enumerate(filled):
        values |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return values


@db
class TestPages:
    def new(self, cast: Any) -> str:
        return reverse("plans:new", args=[cast.patient.number])

    def accepting(self, plan: Plan) -> str:
        return reverse("consents:accept", args=[plan.patient.number, plan.pk])

    def address(self, plan: Plan, name: str = "detail") -> str:
        return reverse(f"plans:{name}", args=[plan.patient.number, plan.pk])

    def test_made_changed_and_accepted(self, cast: Any, client_for: Any) -> None:
        client = client_for(cast.practitioner)
        assert client.get(self.new(cast)).status_code == 200
        response = client.post(self.new(cast), sent())
        plan = Plan.objects.get()
        assert response["Location"] == self.address(plan)
        assert plan.areas.get().ml_per_point == D("0.150")
        response = client.post(self.address(plan, "edit"), sent(title="Better title"))
        assert response.status_code == 302
        plan.refresh_from_db()
        assert (plan.title, plan.revision, plan.areas.count()) == ("Better title", 1, 1)
        client.post(self.accepting(plan), accepting(plan))
        plan.refresh_from_db()
        assert plan.state == Plan.State.ACCEPTED
        assert client.get(self.address(plan, "edit"))["Location"] == self.address(plan)
        page = client.get(self.address(plan)).content.decode()
        for words in ("0 of 5", "The course", "20 mg", "days 1, 4, 7, 10, 13"):
            assert words in page

    @pytest.mark.parametrize(
        ("changed", "errors_of"),
        [
            ({"title": ""}, "head"),
            ({"title": "x" * 201}, "head"),
            ({"indication": "immortality"}, "head"),
            (rows("areas", area_row(area="atlantis")), "areas"),
            (rows("areas", area_row(technique="magic")), "areas"),
            (rows("areas", area_row(depth_mm="-1")), "areas"),
            (rows("areas", area_row(depth_mm="deep")), "areas"),
            (rows("areas", area_row(ml_per_point="-0.1")), "areas"),
            (rows("areas", area_row(ml_per_point="NaN")), "areas"),
            (rows("areas", area_row(points="0")), "areas"),
            (rows("areas", area_row(points="1.5")), "areas"),
            (rows("areas", area_row(points="9" * 30)), "areas"),
            (rows("areas", area_row(side="left")), "areas"),
            (rows("areas", area_row(area="cheek", side="none")), "areas"),
            (rows("areas", area_row(), area_row()), "areas"),
            (
                rows("areas", area_row(area="cheek", side="left"),
                     area_row(area="cheek", side="both")),
                "areas",
            ),
            (rows("mix", {"product": "lidocaine-2", "ml": "-1", "from_session": 1}), "mix"),
            (rows("mix", {"product": "potion", "ml": "1", "from_session": 1}), "mix"),
            (
                rows("mix", {"product": "lidocaine-2", "ml": "1", "from_session": 3,
                             "to_session": 2}),
                "mix",
            ),
            (
                rows("mix", {"product": "lidocaine-2", "ml": "1", "from_session": 1,
                             "to_session": 9}),
                "mix",
            ),
            (
                rows("phases", {"kind": "induction", "sessions": 5, "gap_min_days": 9,
                                "gap_max_days": 3}),
                "phases",
            ),
            (
                rows("phases", {"kind": "eternal", "sessions": 0, "gap_min_days": 0,
                                "gap_max_days": 3}),
                "phases",
            ),
        ],
    )  # fmt: skip
    def test_bad_input_is_said_beside_its_field(
        self, cast: Any, client_for: Any, changed: dict[str, Any], errors_of: str
    ) -> None:
        values = sent(**{"title": "Keep this title", **changed})
        response = client_for(cast.practitioner).post(self.new(cast), values)
        assert response.status_code == 422
        part = getattr(response.context["page"], errors_of)
        assert any(part.errors) if errors_of != "head" else part.errors
        assert response.context["page"].all_errors
        if "title" not in changed:
            assert "Keep this title" in response.content.decode()
        assert not Plan.objects.exists()

    @pytest.mark.parametrize("broken", ["", "abc", "-1", "100000"])
    def test_a_tampered_list_is_no_crash(self, cast: Any, client_for: Any, broken: str) -> None:
        client = client_for(cast.practitioner)
        for asked in ("save", "add-areas", "totals"):
            values = sent(**{"areas-TOTAL_FORMS": broken, "do": asked})
            assert client.post(self.new(cast), values).status_code != 500

    def test_another_row_without_scripts_keeps_what_was_typed(
        self, cast: Any, client_for: Any
    ) -> None:
        values = sent(**rows("areas", area_row(points="77")), do="add-areas")
        response = client_for(cast.practitioner).post(self.new(cast), values)
        page = response.content.decode()
        assert response.status_code == 200
        assert 'name="areas-1-area"' in page
        assert 'value="77"' in page
        assert "has-error" not in page
        assert not Plan.objects.exists()

    def test_another_row_by_htmx_is_a_fragment(self, cast: Any, client_for: Any) -> None:
        response = client_for(cast.practitioner).post(
            self.new(cast), sent(do="add-mix"), headers={"HX-Request": "true"}
        )
        page = response.content.decode()
        assert 'name="mix-1-product"' in page
        assert "<html" not in page

    def test_totals_follow_what_is_typed(self, cast: Any, client_for: Any) -> None:
        response = client_for(cast.practitioner).post(
            self.new(cast), sent(do="totals"), headers={"HX-Request": "true"}
        )
        page = response.content.decode()
        assert "1 mL drawn, 3 mL injected" in page
        assert "the points need 3 mL" in page
        assert not Plan.objects.exists()

    def test_a_row_marked_for_removal_goes(self, cast: Any, client_for: Any) -> None:
        plan = make_pain_plan(cast, mix=[], areas=[back(), back(code="abdomen")])
        values = sent(
            **rows("areas", area_row(), area_row(area="abdomen", DELETE="on")), revision=0
        )
        client_for(cast.practitioner).post(self.address(plan, "edit"), values)
        assert [part.area.code for part in plan.areas.all()] == ["lower-back"]

    def test_two_tabs(self, cast: Any, client_for: Any) -> None:
        plan = make_pain_plan(cast, mix=[])
        client = client_for(cast.practitioner)
        client.post(self.address(plan, "edit"), sent(title="First tab"))
        response = client.post(self.address(plan, "edit"), sent(title="Second tab"))
        assert response.status_code == 409
        page = response.content.decode()
        assert "Second tab" in page
        assert "Nothing was overwritten" in page
        plan.refresh_from_db()
        assert plan.title == "First tab"

    def test_starts_from_a_note_a_protocol_or_an_earlier_plan(
        self, cast: Any, client_for: Any
    ) -> None:
        client, note = client_for(cast.practitioner), signed_note(cast)
        page = client.get(
            self.new(cast), {"consultation": note.pk, "protocol": "face-microneedling"}
        ).context["page"]
        assert page.areas.initial == [{"area": "lower-back"}]
        assert [phase["sessions"] for phase in page.phases.initial] == [3, 2]
        earlier = make_pain_plan(cast)
        page = client.get(self.new(cast), {"plan": earlier.pk}).context["page"]
        assert page.head.initial["title"] == earlier.title
        client.post(self.new(cast) + f"?consultation={note.pk}&protocol=low-back-pain", sent())
        made = Plan.objects.latest("pk")
        assert made.consultation == note
        assert made.protocol == Protocol.objects.current().get(code="low-back-pain")

    def test_what_belongs_to_someone_else_is_not_there(self, cast: Any, client_for: Any) -> None:
        other = make_patient(cast.here, "Otto", "Other")
        theirs = make_pain_plan(cast, patient=other, mix=[])
        client = client_for(cast.practitioner)
        note = start_consultation(by=cast.practitioner, patient=other, location=cast.here)
        for query in (f"plan={theirs.pk}", f"consultation={note.pk}", "plan=x", "consultation=0"):
            assert client.get(f"{self.new(cast)}?{query}").status_code == 404
        url = f"{self.new(cast)}?consultation={note.pk}"
        assert client.post(url, sent()).status_code == 404
        wrong = reverse("plans:detail", args=[cast.patient.number, theirs.pk])
        assert client.get(wrong).status_code == 404

    def test_roles_and_places(self, cast: Any, client_for: Any) -> None:
        plan = make_pain_plan(cast, mix=[])
        for name, method in (
            ("detail", "get"),
            ("edit", "get"),
            ("decline", "post"),
            ("stop", "post"),
        ):
            for staff, expected in ((cast.front_desk, 403), (cast.practitioner2, 404)):
                client = client_for(staff)
                assert getattr(client, method)(self.address(plan, name)).status_code == expected

    def test_a_blocked_plan_is_not_accepted_and_says_why(self, cast: Any, client_for: Any) -> None:
        plan = make_pain_plan(cast, mix=[MixSpec(shipped("peptide-cosmetic"), D(3))])
        client = client_for(cast.practitioner)
        answer = client.post(self.accepting(plan), accepting(plan))
        assert answer.status_code == 422
        assert "not made for injection" in answer.content.decode()
        plan.refresh_from_db()
        assert plan.state == Plan.State.DRAFT

    def test_failed_studies_are_shown(self, cast: Any, client_for: Any) -> None:
        plan = make_pain_plan(cast, mix=[], indication="cellulite")
        page = client_for(cast.practitioner).get(self.address(plan)).content.decode()
        assert "no benefit found" in page

    def test_stopping_with_a_reason(self, cast: Any, client_for: Any) -> None:
        plan = accepted_plan(cast)
        client = client_for(cast.practitioner)
        assert client.post(self.address(plan, "stop"), {"reason": ""}).status_code == 422
        assert client.post(self.address(plan, "stop"), {"reason": "x" * 301}).status_code == 422
        client.post(self.address(plan, "stop"), {"reason": "Moved to Lyon"})
        assert "Moved to Lyon" in client.get(self.address(plan)).content.decode()

    def test_the_bar_says_how_far_without_saying_what(self, cast: Any, client_for: Any) -> None:
        plan = accepted_plan(cast, title="Secret indication")
        url = reverse("plans:bar", args=[cast.patient.number])
        for staff in (cast.front_desk, cast.practitioner, cast.manager):
            page = client_for(staff).get(url).content.decode()
            assert "0 of 5" in page
            assert plan.title not in page
        assert client_for(cast.front_desk2).get(url).status_code == 404

    def test_the_panel_costs_the_same_for_one_and_three(self, cast: Any, client_for: Any) -> None:
        client = client_for(cast.practitioner)
        url = reverse("plans:panel", args=[cast.patient.number])
        counts = []
        mix = few_lines()
        for _number in range(3):
            accepted_plan(cast, mix=mix)
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert client.get(url).status_code == 200
            counts.append(len(queries))
        assert counts[1] == counts[2] <= counts[0]


@db
def test_unused_mix_of_the_tests_is_the_published_one(cast: Any) -> None:
    assert sum(line.ml for line in pain_mix() if line.from_session == 1) == 3
    plan = make_plan(
        by=cast.practitioner,
        patient=cast.patient,
        location=cast.here,
        indication="low-back-pain",
        title="Empty",
    )
    assert not cautions(plan_facts(plan))
