"""Stop rules, reservations, what has changed since, syringes, and accepting with all it makes."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from clinic.audit.context import SYSTEM, acting
from clinic.errors import ActionRefused
from patients.intake.models import History
from patients.messages.models import Message
from tests.conftest import make_patient
from tests.treatments import session_world
from tests.treatments.plan_parts import (
    D,
    accepted_plan,
    area,
    back,
    hand_in_history,
    make_pain_plan,
    product,
    signed_consent,
    substance,
    technique,
)
from tests.treatments.session_world import NOON, World, make_lot, make_world
from treatments.catalogue.actions import edit_row, take_out_of_use
from treatments.catalogue.models import Product, Protocol, Recipe, Scale
from treatments.consents.accepting import Asking, accept_and_ask
from treatments.consents.actions import withdraw
from treatments.consents.models import Consent
from treatments.plans.actions import (
    accept_plan,
    change_plan,
    decline_plan,
    finish_plan,
    go_on,
    stop_plan,
)
from treatments.plans.cautions import cautions
from treatments.plans.changes import changes_since
from treatments.plans.gather import plan_facts
from treatments.plans.models import Plan, StopAnswer, StopRule
from treatments.plans.needs import needed_by_product, needs_at, needs_of
from treatments.plans.reports import Report
from treatments.plans.specs import AreaSpec, MixSpec, PhaseSpec, StopSpec
from treatments.plans.stops import adverse, no_effect, standing_of
from treatments.scales.models import Score
from treatments.sessions.actions import start_session
from treatments.sessions.entries import Observation
from treatments.sessions.filling import left_out
from treatments.sessions.parts import Parts
from treatments.stock.attention import low_products
from treatments.stock.models import StockLevel

db = pytest.mark.django_db
DAY = timedelta(days=1)
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Scored:
    """A closed score."""

    def __init__(self, day: int, value: str, side: str = "") -> None:
        self.taken_at = START + day * DAY
        self.value = D(value)
        self.side = side


def begun(*days: int) -> list[datetime]:
    return [START + day * DAY for day in days]


def asks(
    rule: StopRule, sessions: list[datetime], scores: list[Scored], lower: bool = True
) -> bool:
    return bool(no_effect(rule, sessions, cast(Any, scores), lower_is_better=lower).fact)


class TestNoEffect:
    """After three sessions, better by at least a quarter."""

    rule = StopRule(kind="no-effect", after_sessions=3, scale="masi", least_percent=25)

    def test_quiet_before_its_session(self) -> None:
        assert not asks(self.rule, [], [])
        assert not asks(self.rule, begun(0, 14), [Scored(-1, "20"), Scored(15, "20")])

    @pytest.mark.parametrize(
        ("last", "expected"), [("20", True), ("15.1", True), ("15", False), ("8", False)]
    )
    def test_met_below_the_percent_and_not_at_it(self, last: str, expected: bool) -> None:
        scores = [Scored(-1, "20"), Scored(29, last)]
        assert asks(self.rule, begun(0, 14, 28), scores) is expected

    def test_without_a_percent_any_gain_is_an_effect(self) -> None:
        rule = StopRule(kind="no-effect", after_sessions=1, scale="masi")
        assert not asks(rule, begun(0), [Scored(-1, "20"), Scored(1, "19.9")])
        assert asks(rule, begun(0), [Scored(-1, "20"), Scored(1, "20")])
        assert asks(rule, begun(0), [Scored(-1, "20"), Scored(1, "25")])

    def test_a_scale_where_more_is_better(self) -> None:
        scores = [Scored(-1, "20"), Scored(29, "26")]
        assert not asks(self.rule, begun(0, 14, 28), scores, lower=False)
        assert asks(self.rule, begun(0, 14, 28), scores)

    def test_one_side_that_is_better_is_an_effect(self) -> None:
        scores = [
            Scored(-1, "20", "left"),
            Scored(-1, "20", "right"),
            Scored(29, "20", "left"),
            Scored(29, "10", "right"),
        ]
        assert not asks(self.rule, begun(0, 14, 28), scores)

    def test_a_missing_or_too_early_score_leaves_it_to_a_person(self) -> None:
        assert asks(self.rule, begun(0, 14, 28), [])
        assert asks(self.rule, begun(0, 14, 28), [Scored(-1, "20")])
        assert asks(self.rule, begun(0, 14, 28), [Scored(-1, "20"), Scored(15, "2")])
        assert asks(self.rule, begun(0, 14, 28), [Scored(29, "2")])

    def test_asks_anew_after_as_many_sessions_again(self) -> None:
        rule = StopRule(kind="no-effect", after_sessions=3)
        facts = [no_effect(rule, begun(*range(n)), [], lower_is_better=True).fact for n in range(8)]
        assert facts == ["", "", "", "after:3", "after:3", "after:3", "after:6", "after:6"]

    def test_an_adverse_event_is_named_by_its_time(self) -> None:
        paris = ZoneInfo("Europe/Paris")
        assert not adverse([], paris).fact
        one, two = Report(START, "hives"), Report(START + DAY, "fever")
        assert adverse([one], paris).fact != adverse([one, two], paris).fact
        late = Report(datetime(2026, 3, 28, 23, 30, tzinfo=UTC), "late")
        assert adverse([one, late], paris).words == "29 March 2026: late"


RULES = (
    StopSpec("adverse"),
    StopSpec("wish"),
    StopSpec("no-effect", after_sessions=1),
    StopSpec("other", words="Pregnancy planned"),
)


def ruled(cast: Any, **changed: Any) -> World:
    """A face course with every kind of stop rule."""
    world = make_world(cast)
    plan = Plan.objects.get(pk=world.plan.pk)
    changed.setdefault("phases", [PhaseSpec(2, 14, 21)])
    fresh = make_pain_plan(
        cast,
        title="Face with rules",
        areas=[
            AreaSpec(
                area=part.area,
                technique=part.technique,
                depth_mm=part.depth_mm,
                ml_per_point=part.ml_per_point,
                points=part.points,
                side=part.side,
            )
            for part in plan.areas.all()
        ],
        mix=[MixSpec(line.product, line.ml) for line in plan.mix.all()],
        stop_rules=changed.pop("stop_rules", RULES),
        **changed,
    )
    world.plan = accept_plan(by=cast.practitioner, plan=fresh, at=NOON.replace(hour=8))
    world.consent = session_world.sign_consent(world.plan, cast.practitioner)
    return world


@db
class TestStopRules:
    def standing(self, plan: Plan) -> dict[str, bool]:
        fresh = Plan.objects.get(pk=plan.pk)
        return {one.rule.kind: one.asks for one in standing_of(fresh)}

    def signed(self, world: World, events: str = "none") -> Any:
        seen = Observation("Papules.", events, "Water", D(0))
        return world.sign(world.fill(world.start(), observation=seen))

    def test_quiet_at_first_then_no_effect_asks(self, cast: Any) -> None:
        world = ruled(cast)
        assert not any(self.standing(world.plan).values())
        self.signed(world)
        assert self.standing(world.plan) == {
            "adverse": False, "wish": False, "no-effect": True, "other": False,
        }  # fmt: skip

    def test_an_adverse_event_of_a_signed_session(self, cast: Any) -> None:
        world = ruled(cast)
        draft = world.fill(
            world.start(), observation=Observation("Papules.", "Hives", "Water", D(0))
        )
        assert not self.standing(world.plan)["adverse"]
        world.sign(draft)
        assert self.standing(world.plan)["adverse"]
        assert any("Hives" in one.found for one in standing_of(world.plan))

    def test_the_consent_withdrawn_and_signed_again(self, cast: Any) -> None:
        world = ruled(cast)
        withdraw(consent=world.consent, reason="No more")
        assert self.standing(world.plan)["wish"]
        session_world.sign_consent(world.plan, cast.practitioner)
        assert not self.standing(world.plan)["wish"]

    def test_going_on_needs_a_met_rule_and_a_reason_and_holds_for_that_fact(
        self, cast: Any
    ) -> None:
        world = ruled(cast)
        rules = {rule.kind: rule for rule in world.plan.stop_rules.all()}
        by: dict[str, Any] = {"by": cast.practitioner, "plan": world.plan}
        with pytest.raises(ActionRefused, match="asks nothing"):
            go_on(**by, rule_id=rules["no-effect"].pk, reason="x")
        self.signed(world)
        with pytest.raises(ActionRefused, match="Say why"):
            go_on(**by, rule_id=rules["no-effect"].pk, reason=" ")
        first = go_on(**by, rule_id=rules["no-effect"].pk, reason="Too early to judge")
        again = go_on(**by, rule_id=rules["no-effect"].pk, reason="Pressed twice")
        assert first == again
        assert StopAnswer.objects.count() == 1
        assert not self.standing(world.plan)["no-effect"]
        assert {one.rule.kind: one.is_met for one in standing_of(world.plan)}["no-effect"]

    def test_another_plans_rule_is_not_answered(self, cast: Any) -> None:
        world, other = ruled(cast), accepted_plan(cast)
        self.signed(world)
        rule = world.plan.stop_rules.get(kind="no-effect")
        with pytest.raises(ActionRefused, match="asks nothing"):
            go_on(by=cast.practitioner, plan=other, rule_id=rule.pk, reason="x")

    def test_a_met_rule_warns_at_the_session_and_stops_nothing(
        self, cast: Any, client_for: Any
    ) -> None:
        world, client = ruled(cast), client_for(cast.practitioner)
        number = world.plan.patient.number
        start = reverse("sessions:start", args=[number, world.plan.pk])
        assert "A stop rule of this plan is met" not in client.get(start).content.decode()
        self.signed(world)
        page = client.get(start).content.decode()
        assert "A stop rule of this plan is met" in page
        assert "cannot start yet" not in page
        begun = start_session(by=cast.practitioner, plan=world.plan, at=NOON + 15 * DAY)
        page = client.get(reverse("sessions:edit", args=[number, begun.pk])).content.decode()
        assert "no effect after 1 session" in page
        plan_page = reverse("plans:detail", args=[number, world.plan.pk])
        assert "Go on in spite of it" in client.get(plan_page).content.decode()
        rule = world.plan.stop_rules.get(kind="no-effect")
        url = reverse("plans:answer-stop", args=[number, world.plan.pk, rule.pk])
        assert client_for(cast.front_desk).post(url, {"reason": "x"}).status_code == 403
        assert client_for(cast.practitioner2).post(url, {"reason": "x"}).status_code == 404
        client.post(url, {"reason": "Two more sessions agreed"})
        page = client.get(plan_page).content.decode()
        assert "Two more sessions agreed" in page
        assert "Go on in spite of it" not in page

    def test_costs_the_same_for_one_and_many_rules(self, cast: Any) -> None:
        scaled = StopSpec("no-effect", after_sessions=1, scale="masi", least_percent=20)
        counts = []
        for times in (1, 3):
            plan = accepted_plan(cast, stop_rules=[*RULES, scaled] * times)
            plan = Plan.objects.select_related("patient", "location").get(pk=plan.pk)
            with CaptureQueriesContext(connection) as queries:
                assert len(standing_of(plan)) == 5 * times
            counts.append(len(queries))
        assert counts[0] == counts[1] <= 8

    def test_rules_are_closed_with_the_plan(self, cast: Any) -> None:
        plan = accepted_plan(cast, stop_rules=RULES)
        with pytest.raises(Exception, match="closed"):
            plan.stop_rules.update(words="x")

    def test_reads_the_scale_that_was_taken(self, cast: Any) -> None:
        rules = [StopSpec("no-effect", after_sessions=1, scale="masi", least_percent=50)]
        world = ruled(cast, stop_rules=rules)
        scale = Scale.objects.current().get(code="masi")

        def score(at: datetime, value: str) -> None:
            with acting(SYSTEM):
                Score.objects.create(
                    patient=world.plan.patient, scale=scale, value=D(value), taken_at=at,
                    taken_by=cast.practitioner, closed_at=at,
                )  # fmt: skip

        score(NOON - DAY, "20")
        self.signed(world)
        assert self.standing(world.plan)["no-effect"]
        score(NOON + DAY, "12")
        assert "40 %" in standing_of(world.plan)[0].found
        assert self.standing(world.plan)["no-effect"]
        score(NOON + 2 * DAY, "9")
        assert not self.standing(world.plan)["no-effect"]


def counted_by_hand(cast: Any) -> dict[str, Decimal]:
    """What the accepted plans of a place need, session by session."""
    found: dict[str, Decimal] = {}
    for plan in Plan.objects.filter(location=cast.here, state="accepted"):
        done = plan.sessions.filter(signed_at__isnull=False).count()
        for need in needs_of(plan, done, timezone.now()):
            found[need.product.code] = found.get(need.product.code, D(0)) + need.amount
    return found


@db
class TestReservations:
    def test_an_accepted_plan_reserves_and_a_draft_does_not(self, cast: Any) -> None:
        plan = make_pain_plan(cast)
        assert needed_by_product(cast.here) == {}
        accept_plan(by=cast.practitioner, plan=plan)
        assert needed_by_product(cast.here) == {
            "test-lidocaine-2": D(5), "test-ketoprofen": D(5), "test-steroid": D("3.5"),
            "test-saline": D("1.5"),
        }  # fmt: skip
        assert needed_by_product(cast.there) == {}

    def test_stopped_finished_and_declined_release(self, cast: Any) -> None:
        one, two, three = accepted_plan(cast), accepted_plan(cast), make_pain_plan(cast)
        stop_plan(by=cast.practitioner, plan=one, reason="Moved")
        finish_plan(by=cast.practitioner, plan=two)
        decline_plan(by=cast.practitioner, plan=three, reason="Too dear")
        assert needed_by_product(cast.here) == {}

    def test_a_signed_session_releases_its_part_and_a_draft_does_not(self, cast: Any) -> None:
        world = make_world(cast)
        assert needed_by_product(cast.here) == {"lidocaine-2": D(2), "ha-1": D(4)}
        session = world.fill(world.start())
        assert needed_by_product(cast.here) == {"lidocaine-2": D(2), "ha-1": D(4)}
        world.sign(session)
        assert needed_by_product(cast.here) == {"lidocaine-2": D(1), "ha-1": D(2)}
        assert counted_by_hand(cast) == needed_by_product(cast.here)

    @pytest.mark.parametrize(
        ("first", "last", "expected"),
        [(1, None, 5), (1, 2, 2), (3, None, 3), (2, 4, 3), (5, 9, 1), (6, None, None)],
    )
    def test_counts_the_sessions_that_a_line_is_in(
        self, cast: Any, first: int, last: int | None, expected: int | None
    ) -> None:
        one = product("test-one", (substance("test-one-s"), "10"))
        always = product("test-always", (substance("test-always-s"), "10"))
        accepted_plan(cast, mix=[MixSpec(always, D(3)), MixSpec(one, D("0.1"), first, last)])
        found = needed_by_product(cast.here)
        assert found.get("test-one") == (D("0.1") * expected if expected else None)
        assert counted_by_hand(cast) == found

    def test_short_only_once_the_others_have_theirs(self, cast: Any) -> None:
        one = product("test-shared", (substance("test-shared-s"), "10"))
        make_lot(cast.here, "test-shared", quantity_ml=D(20))
        first = accepted_plan(cast, mix=[MixSpec(one, D(3))])
        (need,) = needs_of(first, 0, NOON)
        assert (need.amount, need.there, need.others, need.short) == (15, 20, 0, 0)
        second = make_pain_plan(cast, mix=[MixSpec(one, D(3))])
        (need,) = needs_of(second, 0, NOON)
        assert (need.others, need.short) == (15, 10)
        accept_plan(by=cast.practitioner, plan=second)
        (all_of_it,) = needs_at(cast.here, NOON)
        assert (all_of_it.amount, all_of_it.sessions, all_of_it.short) == (30, 10, 10)

    def test_the_low_list_says_what_plans_lack(self, cast: Any) -> None:
        one = product("test-low", (substance("test-low-s"), "10"))
        make_lot(cast.here, "test-low", quantity_ml=D(14))
        assert not low_products(cast.here, NOON)
        plan = accepted_plan(cast, mix=[MixSpec(one, D(3))])
        (low,) = low_products(cast.here, NOON)
        assert (low.there, low.reserved, low.asked) == (14, 15, 15)
        stop_plan(by=cast.practitioner, plan=plan, reason="x")
        assert not low_products(cast.here, NOON)
        StockLevel.objects.create(location=cast.here, product_code="test-low", least_ml=D(15))
        (low,) = low_products(cast.here, NOON)
        assert (low.asked, low.reserved) == (15, 0)

    def test_a_shortage_warns_and_never_keeps_a_session_from_its_signature(self, cast: Any) -> None:
        world = make_world(cast)
        line = MixSpec(Product.objects.current().get(code="ha-1"), D(90))
        other = make_patient(cast.here, "Otto", "Other")
        accepted_plan(cast, patient=other, mix=[line], phases=[PhaseSpec(9, 7, 7)])
        assert any(need.is_short for need in needs_of(world.plan, 0, NOON))
        assert world.sign(world.fill(world.start())).is_signed

    def test_the_stock_page_names_products_and_no_patient(self, cast: Any, client_for: Any) -> None:
        accepted_plan(cast, title="Secret indication")
        url = reverse("plans:stock-need")
        for staff in (cast.front_desk, cast.manager, cast.practitioner):
            page = client_for(staff).get(url).content.decode()
            assert "test-ketoprofen" in page
            assert "Secret" not in page
            assert cast.patient.family_name not in page
        elsewhere = client_for(cast.practitioner2).get(url).content.decode()
        assert "test-ketoprofen" not in elsewhere

    def test_costs_the_same_for_one_and_three(self, cast: Any) -> None:
        counts = []
        for number in range(3):
            one = product(f"test-c{number}", (substance(f"test-c{number}-s"), "10"))
            accepted_plan(cast, mix=[MixSpec(one, D(3))])
            with CaptureQueriesContext(connection) as queries:
                assert len(needs_at(cast.here, NOON)) == number + 1
            counts.append(len(queries))
        assert counts == [3, 3, 3]


@db
class TestChangesSince:
    def said(self, plan: Plan) -> str:
        return "\n".join(one.words for one in changes_since(plan, timezone.now()))

    def test_nothing_has_changed(self, cast: Any) -> None:
        hand_in_history(cast.patient)
        assert changes_since(accepted_plan(cast), timezone.now()) == []

    def test_a_retired_product_is_named_first_and_left_open(
        self, cast: Any, client_for: Any
    ) -> None:
        plan = accepted_plan(cast)
        gone = Product.objects.current().get(code="test-ketoprofen")
        take_out_of_use(by=cast.manager, row=gone)
        first, *_rest = changes_since(plan, timezone.now())
        assert first.is_gone
        assert "test-ketoprofen is no longer in use" in first.words
        url = reverse("plans:new", args=[cast.patient.number]) + f"?plan={plan.pk}"
        answer = client_for(cast.practitioner).get(url)
        assert "no longer in use" in answer.content.decode()

    def test_a_changed_strength_technique_and_limit(self, cast: Any) -> None:
        plan = accepted_plan(cast)
        papule, source = technique("sim-pain"), {"source_refs": ["GK"]}
        edit_row(by=cast.manager, row=papule, values={"depth_max_mm": D("3"), **source})
        edit_row(
            by=cast.manager,
            row=substance("test-ketoprofen"),
            values={"limits": {"max_ml": "1"}, **source},
        )
        edit_row(
            by=cast.manager, row=substance("test-steroid"), values={"strengths_en": "x", **source}
        )
        said = self.said(plan)
        assert "greatest depth" in said
        assert "limits of the label" in said
        assert "test-steroid" not in said

    def test_a_new_history_says_what_differs(self, cast: Any) -> None:
        hand_in_history(cast.patient)
        plan = accepted_plan(cast)
        History.objects.create(
            patient=cast.patient, version=2, origin="link", no_known_allergies=True,
            weight_kg=D(70), pregnant=True, submitted_at=timezone.now(), signed_name="É",
        )  # fmt: skip
        said = self.said(plan)
        assert "New history" in said
        assert "70" in said

    def test_how_the_earlier_course_ended(self, cast: Any) -> None:
        plan = accepted_plan(cast)
        stop_plan(by=cast.practitioner, plan=plan, reason="Hives twice")
        assert "Hives twice" in self.said(Plan.objects.get(pk=plan.pk))

    def test_the_copy_remembers_and_stays_with_the_patient(self, cast: Any) -> None:
        plan = accepted_plan(cast, stop_rules=RULES)
        copy = make_pain_plan(cast, mix=[], copied_from=plan)
        assert copy.copied_from == plan
        other = make_patient(cast.here, "Otto", "Other")
        with pytest.raises(ActionRefused, match="someone else"):
            make_pain_plan(cast, mix=[], patient=other, copied_from=plan)


@db
class TestSyringes:
    def two(self, cast: Any, **changed: Any) -> Plan:
        """Lidocaine for the back from A, its own product for the abdomen from B."""
        lidocaine = Product.objects.current().get(code="lidocaine-2")
        other = product("test-b", (substance("test-b-s"), "10"))
        values: dict[str, Any] = {
            "areas": [
                back(points=10, ml="0.1"),
                AreaSpec(**{**vars(back(points=20, ml="0.1", code="abdomen")), "syringe": "B"}),
            ],
            "mix": [MixSpec(lidocaine, D(1)), MixSpec(other, D(2), syringe="B")],
        }
        return make_pain_plan(cast, **{**values, **changed})

    def test_each_syringe_has_its_own_balance(self, cast: Any) -> None:
        facts = plan_facts(self.two(cast))
        (session,) = facts.sessions
        assert [(one.label, one.totals.drawn_ml) for one in session.syringes] == [
            ("A", 1),
            ("B", 2),
        ]
        assert not any("drawn" in one.text for one in cautions(facts))
        abdomen = AreaSpec(**{**vars(back(points=10, ml="0.1", code="abdomen")), "syringe": "B"})
        crossed = self.two(cast, areas=[back(points=20, ml="0.1"), abdomen])
        said = [one.text for one in cautions(plan_facts(crossed))]
        assert any("syringe A" in text for text in said)
        assert any("syringe B" in text for text in said)

    def test_incompatible_only_in_one_syringe(self, cast: Any) -> None:
        pair = [Product.objects.current().get(code=c) for c in ("diclofenac-75", "lidocaine-2")]
        together = self.two(cast, mix=[MixSpec(one, D(1)) for one in pair])
        apart = self.two(cast, mix=[MixSpec(pair[0], D(1)), MixSpec(pair[1], D(2), syringe="B")])
        assert any(one.blocks for one in cautions(plan_facts(together)))
        assert not any(one.blocks for one in cautions(plan_facts(apart)))

    def test_a_label_counts_only_the_points_of_its_syringe(self, cast: Any) -> None:
        limited = product("test-l", (substance("test-l-s", limits={"max_points": 15}), "10"))
        lidocaine = Product.objects.current().get(code="lidocaine-2")
        quiet = self.two(cast, mix=[MixSpec(limited, D(1)), MixSpec(lidocaine, D(2), syringe="B")])
        loud = self.two(cast, mix=[MixSpec(lidocaine, D(1)), MixSpec(limited, D(2), syringe="B")])
        assert not any(one.blocks for one in cautions(plan_facts(quiet)))
        assert any("20 points" in one.text for one in cautions(plan_facts(loud)))

    def test_an_area_from_an_empty_syringe_keeps_it_a_draft(self, cast: Any) -> None:
        lidocaine = Product.objects.current().get(code="lidocaine-2")
        plan = self.two(cast, mix=[MixSpec(lidocaine, D(3))])
        with pytest.raises(ActionRefused, match="syringe B"):
            accept_plan(by=cast.practitioner, plan=plan)

    def test_the_session_has_the_planned_syringes(self, cast: Any) -> None:
        hand_in_history(cast.patient)
        plan = accept_plan(by=cast.practitioner, plan=self.two(cast))
        signed_consent(cast, plan)
        make_lot(cast.here, "lidocaine-2", expires_on=date(2030, 1, 1))
        session = start_session(by=cast.practitioner, plan=plan)
        assert [one.label for one in session.syringes.order_by("label")] == ["A", "B"]
        areas = session.treated_areas.select_related("syringe", "area").order_by("area__code")
        assert [(r.area.code, r.syringe and r.syringe.label) for r in areas] == [
            ("abdomen", "B"), ("lower-back", "A"),
        ]  # fmt: skip

    def test_what_has_no_lot_is_named_on_the_session_page(self, cast: Any, client_for: Any) -> None:
        hand_in_history(cast.patient)
        plan = accept_plan(by=cast.practitioner, plan=self.two(cast))
        signed_consent(cast, plan)
        make_lot(cast.here, "lidocaine-2", expires_on=date(2030, 1, 1))
        session = start_session(by=cast.practitioner, plan=plan)
        (missing,) = left_out(Parts.of(session), timezone.now())
        assert (missing.product.code, missing.ml, missing.there) == ("test-b", D(2), D(0))
        url = reverse("sessions:edit", args=[cast.patient.number, session.pk])
        page = client_for(cast.practitioner).get(url).content.decode()
        assert "Planned, not drawn:" in page
        assert 'data-left-out="lidocaine-2"' not in page


@db
class TestNewCautions:
    def found(self, plan: Plan, words: str) -> list[bool]:
        return [one.blocks for one in cautions(plan_facts(plan)) if words in one.text]

    def lidocaine(self, cast: Any, ml: str, weight: str | None = "60") -> Plan:
        if weight:
            History.objects.create(
                patient=cast.patient, version=1, origin="link", no_known_allergies=True,
                weight_kg=D(weight), pregnant=False, submitted_at=timezone.now(), signed_name="É",
            )  # fmt: skip
        one = Product.objects.current().get(code="lidocaine-2")
        return make_pain_plan(cast, areas=[back(points=10, ml="1")], mix=[MixSpec(one, D(ml))])

    def test_lidocaine_against_the_weight(self, cast: Any) -> None:
        assert self.found(self.lidocaine(cast, "13.51"), "at most 270 mg") == [True]

    def test_lidocaine_at_its_limit_is_quiet(self, cast: Any) -> None:
        plan = self.lidocaine(cast, "13.5")
        assert not self.found(plan, "lidocaine")
        assert plan_facts(plan).lidocaine == (D(270), D(420))

    def test_lidocaine_without_a_weight_warns(self, cast: Any) -> None:
        assert self.found(self.lidocaine(cast, "1", None), "without the patient’s weight") == [
            False
        ]

    def test_a_needle_that_does_not_reach_and_one_over_the_chest(self, cast: Any) -> None:
        short = AreaSpec(**{**vars(back()), "needle_mm": D(3)})
        assert self.found(make_pain_plan(cast, areas=[short], mix=[]), "does not reach") == [False]
        assert not self.found(make_pain_plan(cast, areas=[back()], mix=[]), "does not reach")
        chest = AreaSpec(**{**vars(back(code="decollete")), "needle_mm": D(13)})
        assert chest.area.thorax_risk
        assert self.found(make_pain_plan(cast, areas=[chest], mix=[]), "the lung") == [False]
        safe = AreaSpec(**{**vars(back(code="decollete")), "needle_mm": D(4)})
        assert not self.found(make_pain_plan(cast, areas=[safe], mix=[]), "the lung")
        low = AreaSpec(**{**vars(back(code="thigh-anterior")), "needle_mm": D(13)})
        assert not self.found(make_pain_plan(cast, areas=[low], mix=[]), "the lung")

    def test_spacing_and_volume_beside_the_technique(self, cast: Any) -> None:
        row = technique("sim-pain")
        assert row.spacing_min_mm == 20
        near = AreaSpec(**{**vars(back()), "spacing_mm": D(5)})
        assert self.found(make_pain_plan(cast, areas=[near], mix=[]), "usual spacing") == [False]
        assert not self.found(make_pain_plan(cast, areas=[back()], mix=[]), "usual")
        much = back(ml="0.5")
        assert self.found(make_pain_plan(cast, areas=[much], mix=[]), "usual volume") == [False]

    def test_the_grid_of_the_usual_area(self, cast: Any) -> None:
        (one,) = plan_facts(make_pain_plan(cast, areas=[back()], mix=[])).areas
        size = area("lower-back").typical_cm2
        assert size is not None
        assert one.grid_points == round(size / 4)

    def test_a_course_that_failed_is_said_and_one_that_helped_is_not(self, cast: Any) -> None:
        failed = Protocol.objects.current().get(code="face-4-monthly")
        helped = Protocol.objects.current().get(code="face-4x15")
        plan = make_pain_plan(cast, mix=[], protocol=failed)
        assert self.found(plan, "No significant change") == [False]
        assert not self.found(make_pain_plan(cast, mix=[], protocol=helped), "no benefit")


@db
class TestIndications:
    def test_several_each_once_and_evidence_for_all(self, cast: Any, client_for: Any) -> None:
        plan = make_pain_plan(cast, also_for=["cellulite", "low-back-pain", "cellulite"])
        assert plan.indications == ["low-back-pain", "cellulite"]
        url = reverse("plans:detail", args=[cast.patient.number, plan.pk])
        page = client_for(cast.practitioner).get(url).content.decode()
        shown = "Low back pain, Cellulite|HAS, 2014|no benefit found|days 1, 4, 7|no promise"
        for words in shown.split("|"):
            assert words in page
        change_plan(
            by=cast.practitioner, plan=plan, revision=0, indication="cellulite", title="t",
            areas=[], mix=[], phases=[], also_for=["cellulite"],
        )  # fmt: skip
        assert Plan.objects.get(pk=plan.pk).indications == ["cellulite"]


@db
class TestMixesOfTheCatalogue:
    def test_a_mix_fills_rows_and_keeps_what_was_typed(self, cast: Any, client_for: Any) -> None:
        recipe = Recipe.objects.current().filter(lines__0__kind="product").first()
        assert recipe is not None
        url = reverse("plans:new", args=[cast.patient.number])
        values = {
            "title": "Keep this", "do": "recipe", "recipe": recipe.code,
            "mix-TOTAL_FORMS": 1, "mix-INITIAL_FORMS": 0, "mix-0-from_session": 1,
            **{f"{name}-{part}_FORMS": 0 for name in ("areas", "phases", "stops")
               for part in ("TOTAL", "INITIAL")},
        }  # fmt: skip
        answer = client_for(cast.practitioner).post(url, values)
        rows = answer.context["page"].mix.forms
        assert [row["ml"].value() for row in rows] == [str(line["ml"]) for line in recipe.lines]
        assert rows[0]["product"].value() == recipe.lines[0]["code"]
        assert answer.context["page"].head["title"].value() == "Keep this"
        assert not Plan.objects.exists()
        unknown = client_for(cast.practitioner).post(url, {**values, "recipe": "potion"})
        assert unknown.status_code == 200


@db
class TestDeclining:
    def test_only_a_draft_with_a_reason_and_then_closed(self, cast: Any, client_for: Any) -> None:
        with pytest.raises(ActionRefused, match="Only a draft"):
            decline_plan(by=cast.practitioner, plan=accepted_plan(cast), reason="x")
        plan, client = make_pain_plan(cast), client_for(cast.practitioner)
        url = reverse("plans:decline", args=[cast.patient.number, plan.pk])
        assert client.post(url, {"reason": ""}).status_code == 422
        client.post(url, {"reason": "Wants to think it over"})
        plan.refresh_from_db()
        assert (plan.state, plan.stop_reason) == ("declined", "Wants to think it over")
        for act in (
            lambda: accept_plan(by=cast.practitioner, plan=plan),
            lambda: plan.areas.update(points=3),
            lambda: Plan.objects.filter(pk=plan.pk).update(title="x"),
        ):
            with pytest.raises(Exception, match=r"declined|closed"), transaction.atomic():
                act()

    def test_the_database_wants_a_reason(self, cast: Any) -> None:
        with pytest.raises(Exception, match="plan_declined_says_why"):
            Plan.objects.filter(pk=make_pain_plan(cast, mix=[]).pk).update(state="declined")


@db
class TestAccepting:
    def url(self, plan: Plan) -> str:
        return reverse("consents:accept", args=[plan.patient.number, plan.pk])

    def press(self, client: Any, plan: Plan, **changed: Any) -> Any:
        values = {"asking": "later", "language": "en", "revision": plan.revision, **changed}
        return client.post(self.url(plan), values)

    def test_what_was_changed_in_another_tab_is_not_accepted_unseen(
        self, cast: Any, client_for: Any
    ) -> None:
        plan, client = make_pain_plan(cast), client_for(cast.practitioner)
        change_plan(
            by=cast.colleague, plan=plan, revision=0, indication="low-back-pain", title="New",
            areas=[back()], mix=[], phases=[PhaseSpec(5, 3, 3)],
        )  # fmt: skip
        answer = self.press(client, plan, revision=0)
        assert answer.status_code == 422
        assert "changed since you read it" in answer.content.decode()
        assert Plan.objects.get(pk=plan.pk).state == "draft"

    def test_by_link_makes_the_consent_and_one_message_and_leads_to_the_dates(
        self, cast: Any, client_for: Any
    ) -> None:
        hand_in_history(cast.patient)
        plan, client = make_pain_plan(cast), client_for(cast.practitioner)
        page = client.get(self.url(plan)).content.decode()
        for words in ("1. The consent", "2. The dates", "5 sessions", "test-ketoprofen"):
            assert words in page
        answer = self.press(client, plan, asking="link", book="on")
        assert answer["Location"] == reverse("courses:course", args=[plan.patient.number, plan.pk])
        plan.refresh_from_db()
        assert plan.state == "accepted"
        assert Consent.objects.get(plan=plan).signed_at is None
        assert Message.objects.filter(kind="link").count() == 1

    def test_on_the_tablet_opens_the_consent(self, cast: Any, client_for: Any) -> None:
        plan = make_pain_plan(cast)
        answer = self.press(client_for(cast.practitioner), plan, asking="tablet", language="fr")
        consent = Consent.objects.get(plan=plan)
        assert consent.language == "fr"
        assert answer["Location"].endswith((f"/consents/{consent.pk}/sign/", f"/{consent.pk}/"))
        assert not Message.objects.filter(kind="link").exists()

    def test_later_makes_nothing_more(self, cast: Any, client_for: Any) -> None:
        plan = make_pain_plan(cast)
        answer = self.press(client_for(cast.practitioner), plan)
        assert answer["Location"] == reverse("plans:detail", args=[plan.patient.number, plan.pk])
        assert not Consent.objects.exists()

    def test_pressed_twice_it_is_accepted_and_asked_once(self, cast: Any, client_for: Any) -> None:
        plan, client = make_pain_plan(cast), client_for(cast.practitioner)
        for _press in range(2):
            assert self.press(client, plan, asking="link").status_code == 302
        assert Consent.objects.filter(plan=plan).count() == 1
        assert Message.objects.filter(kind="link").count() == 1
        page = client.get(self.url(plan), follow=True).content.decode()
        assert "no draft any more" in page

    def test_without_an_address_no_link_is_offered_and_nothing_half_done(
        self, cast: Any, client_for: Any
    ) -> None:
        other = make_patient(cast.here, "Otto", "Other", email="", phone="")
        plan, client = make_pain_plan(cast, patient=other), client_for(cast.practitioner)
        assert 'value="link"' not in client.get(self.url(plan)).content.decode()
        assert self.press(client, plan, asking="link").status_code == 422
        with pytest.raises(ActionRefused):
            accept_and_ask(by=cast.practitioner, plan=plan, asking=Asking.LINK, language="en")
        plan.refresh_from_db()
        assert plan.state == "draft"
        assert not Consent.objects.exists()

    def test_roles_places_and_other_patients(self, cast: Any, client_for: Any) -> None:
        plan = make_pain_plan(cast)
        assert client_for(cast.front_desk).get(self.url(plan)).status_code == 403
        assert self.press(client_for(cast.manager), plan).status_code == 403
        assert self.press(client_for(cast.practitioner2), plan).status_code == 404
        other = make_patient(cast.here, "Otto", "Other")
        wrong = reverse("consents:accept", args=[other.number, plan.pk])
        values = {"asking": "later", "language": "en", "revision": 0}
        assert client_for(cast.practitioner).post(wrong, values).status_code == 404
        plan.refresh_from_db()
        assert plan.state == "draft"


def press_twice(cast: Any, plan: Plan) -> list[str]:
    """Two presses that begin together: what became of each."""
    gate, outcomes = threading.Barrier(2), []

    def press() -> None:
        try:
            with acting(SYSTEM):
                mine = Plan.objects.get(pk=plan.pk)
                gate.wait(timeout=60)
                accept_and_ask(by=cast.practitioner, plan=mine, asking="link", language="en")
            outcomes.append("made")
        except ActionRefused:
            outcomes.append("refused")
        except DatabaseError:
            outcomes.append("stopped by the database")
        finally:
            connections.close_all()

    presses = [threading.Thread(target=press) for _one in range(2)]
    for one in presses:
        one.start()
    for one in presses:
        one.join()
    assert Consent.objects.filter(plan=plan).count() == 1
    assert Message.objects.filter(kind="link").count() == 1
    return sorted(outcomes)


def shipped_plan(cast: Any) -> Plan:
    """Of what the catalogue ships: rows of a test's own would outlive a test that commits."""
    shipped = Product.objects.current().get(code="ketoprofen-160")
    return make_pain_plan(cast, mix=[MixSpec(shipped, D(3))])


@pytest.mark.django_db(transaction=True)
def test_two_presses_at_once_make_one_consent_and_one_link(cast: Any) -> None:
    assert press_twice(cast, shipped_plan(cast)) == ["made", "refused"]


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_both_go_on_and_the_database_stops_one(
    cast: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    meeting = threading.Barrier(2)

    def read_without_lock(plan: Plan) -> Plan:
        found = Plan.objects.get(pk=plan.pk)
        meeting.wait(timeout=60)
        return found

    plan = shipped_plan(cast)
    monkeypatch.setattr("treatments.plans.actions._locked", read_without_lock)
    assert press_twice(cast, plan) == ["made", "stopped by the database"]
