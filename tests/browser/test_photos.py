"""Taking photos by the camera, adding several from files, comparing them by mouse and keyboard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Page, expect

from patients.photos.allowing import is_allowed
from patients.photos.models import Photo
from patients.photos.standards import parse_key
from patients.portal.actions import open_link
from tests.browser.conftest import DESK, PHONE, SIZES, TABLET, Person, look, picture, sizes, soon
from tests.conftest import Cast
from tests.patients.photo_parts import add, allow, encoded, sent
from tests.patients.photo_parts import picture as drawn

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def allowed(transactional_db: None, cast: Cast) -> Cast:
    allow(cast)
    return cast


def path(cast: Cast, rest: str = "") -> str:
    return f"/patients/{cast.patient.number}/photos/{rest}"


def earlier(cast: Cast, days: int, key: str = "face.none.front", **given: Any) -> Photo:
    """A real photo of some days ago."""
    area, side, view = parse_key(key)
    day = timezone.localdate() - timedelta(days=days)
    shade = (200 - days % 90, 160, 140)
    content = encoded(drawn((900, 1200), shade))
    return add(cast, sent=content, area=area, side=side, view=view, taken_on=day, **given)


def files(folder: Path) -> list[str]:
    """A phone's pictures: two of formats that browsers know, one HEIC, and one that is none."""
    contents = {
        "one.jpg": sent((800, 600)),
        "two.png": sent((600, 800), "PNG"),
        "three.heic": sent((640, 480), "HEIF"),
        "four.jpg": b"<html>not a picture</html>",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [str(folder / name) for name in contents]


def test_the_camera_takes_view_after_view(allowed: Cast, person: Callable[..., Person]) -> None:
    before = earlier(allowed, 60)
    doctor = person("doctor", TABLET, camera=True).sign_in(allowed.practitioner)
    page = doctor.go(path(allowed, "take/"))
    look(page, "photos-take-idle")
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("[data-video]")).to_be_visible()
    ghost = page.locator("[data-ghost]")
    expect(ghost).to_be_visible()
    assert str(before.public_id) in (ghost.get_attribute("src") or "")
    look(page, "photos-take-live")
    # By keyboard alone: the focus is where the next step is.
    expect(page.get_by_role("button", name="Take it", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-still]")).to_be_visible()
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.get_by_role("button", name="Take it again").click()
    page.get_by_role("button", name="Take it", exact=True).click()
    page.get_by_role("button", name="Keep it").click()
    front = page.locator("[data-shot='face.none.front']")
    expect(front.locator("[data-saving]")).to_have_attribute("data-state", "saved")
    # On it goes to the next view, which has no earlier photo.
    expect(page.locator("[data-shot-name]")).to_have_text("Face, left, turned 45°")
    expect(ghost).to_be_hidden()
    page.get_by_role("button", name="Take it", exact=True).click()
    page.get_by_role("button", name="Keep it").click()
    soon(lambda: Photo.objects.kept().count() == 3)
    taken = Photo.objects.kept().filter(dated_by="now")
    assert {one.view for one in taken} == {"front", "left-oblique"}
    # What was just taken is the ghost now.
    front.get_by_role("button", name="Face, front", exact=True).click()
    fresh = taken.get(view="front")
    expect(ghost).to_have_attribute("src", f"{path(allowed)}{fresh.public_id}/screen/")
    page.get_by_role("link", name="Done").click()
    expect(page.get_by_role("heading", name="Photos", exact=True)).to_be_visible()


def test_a_photo_that_could_not_be_sent_is_not_lost_and_not_doubled(
    allowed: Cast, person: Callable[..., Person]
) -> None:
    doctor = person("doctor", DESK, camera=True).sign_in(allowed.practitioner)
    doctor.expects("ERR_", "Failed to load resource")
    page = doctor.go(path(allowed, "take/"))
    page.get_by_role("button", name="Start the camera").click()
    # The server takes it, and its answer is lost.
    page.route("**/photos/add/", lambda route: (route.fetch(), route.abort()))
    page.get_by_role("button", name="Take it", exact=True).click()
    page.get_by_role("button", name="Keep it").click()
    state = page.locator("[data-shot='face.none.front'] [data-saving]")
    expect(state).to_have_attribute("data-state", "failed")
    expect(state).to_contain_text("Not saved")
    assert Photo.objects.kept().count() == 1
    page.unroute("**/photos/add/")
    state.get_by_role("button", name="Try again").click()
    expect(state).to_have_attribute("data-state", "saved")
    assert Photo.objects.kept().count() == 1


def test_without_leave_for_the_camera_the_files_are_there(
    allowed: Cast, person: Callable[..., Person], tmp_path: Path
) -> None:
    doctor = person("doctor", PHONE).sign_in(allowed.practitioner)
    page = doctor.go(path(allowed, "take/?set=scalp"))
    page.evaluate(
        "() => { navigator.mediaDevices.getUserMedia = () =>"
        " Promise.reject(new DOMException('no', 'NotAllowedError')); }"
    )
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("[data-trouble]")).to_contain_text("not allowed to use the camera")
    look(page, "photos-take-phone")
    shot = page.locator("[data-shot='scalp.none.top']")
    shot.locator("input[type=file]").set_input_files(files(tmp_path)[2])
    expect(shot.locator("[data-saving]")).to_have_attribute("data-state", "saved")
    assert Photo.objects.kept().get().key == "scalp.none.top"


def test_several_from_files_each_with_its_own_view(
    allowed: Cast, person: Callable[..., Person], tmp_path: Path
) -> None:
    doctor = person("doctor", DESK).sign_in(allowed.practitioner)
    doctor.expects("422")
    page = doctor.go(path(allowed, "add/"))
    look(page, "photos-add")
    page.locator("[name=pictures]").set_input_files(files(tmp_path))
    rows = page.locator(".photo-row")
    expect(rows).to_have_count(4)
    rows.nth(1).locator("select").select_option("cheek.left.close-up")
    look(page, "photos-add-chosen")
    page.get_by_role("button", name="Save the photos").click()
    for number in range(3):
        expect(rows.nth(number).locator("[data-saving]")).to_have_attribute("data-state", "saved")
    bad = rows.nth(3).locator("[data-saving]")
    expect(bad).to_contain_text("Not saved: This is not a picture")
    look(page, "photos-add-done")
    keys = [one.key for one in Photo.objects.kept().order_by("pk")]
    assert keys == ["face.none.front", "cheek.left.close-up", "face.none.front"]


def test_without_scripts_it_is_one_form(
    allowed: Cast, person: Callable[..., Person], tmp_path: Path
) -> None:
    doctor = person("doctor", DESK, java_script_enabled=False).sign_in(allowed.practitioner)
    doctor.expects("422")
    page = doctor.go(path(allowed, "add/"))
    page.locator("[name=pictures]").set_input_files(files(tmp_path)[:2])
    page.get_by_role("button", name="Save the photos").click()
    expect(page.get_by_text("2 photos are saved.")).to_be_visible()
    assert Photo.objects.kept().count() == 2


@pytest.mark.parametrize("size", sizes("tablet", "phone", "desk"))
def test_looking_and_comparing(size: str, allowed: Cast, person: Callable[..., Person]) -> None:
    for days in (120, 60, 2):
        earlier(allowed, days)
    earlier(allowed, 2, "cheek.left.close-up")
    doctor = person("doctor", SIZES[size]).sign_in(allowed.practitioner)
    page = doctor.go(path(allowed))
    expect(page.locator(".photo-grid img").first).to_have_js_property("complete", True)
    look(page, f"photos-gallery-{size}")
    page.get_by_role("link", name="By view").click()
    look(page, f"photos-views-{size}")
    page.goto(doctor.base + f"/patients/{allowed.patient.number}/")
    look(page, f"photos-patient-{size}")
    page.goto(doctor.base + path(allowed, "compare/"))
    look(page, f"photos-side-{size}")
    page.get_by_role("link", name="Slider").click()
    look(page, f"photos-slider-{size}")
    slide(page)
    page.get_by_role("link", name="Fade").click()
    look(page, f"photos-fade-{size}")
    enlarge(page)
    page.goto(doctor.base + path(allowed, f"{Photo.objects.latest('taken_at').public_id}/"))
    look(page, f"photos-detail-{size}")


def cut_of(page: Page) -> str:
    found: str = page.locator("[data-pair]").evaluate("e => e.style.getPropertyValue('--cut')")
    return found


def slide(page: Page) -> None:
    """The edge by the keyboard, and by the finger."""
    page.locator("[data-cut]").focus()
    page.keyboard.press("ArrowRight")
    assert cut_of(page) == "51%"
    pair = page.locator("[data-pair]")
    pair.focus()
    page.keyboard.press("ArrowLeft")
    assert cut_of(page) == "49%"
    box = pair.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 100, steps=4)
    page.mouse.up()
    assert abs(float(cut_of(page).rstrip("%")) - 25) < 1
    shown = page.locator("[data-after] .photo-view").evaluate("e => getComputedStyle(e).clipPath")
    assert shown.startswith("inset(0")
    picture(page, "photos-slider-moved")


def enlarge(page: Page) -> None:
    """Both pictures together, and never out of their frame."""
    larger = page.get_by_role("button", name="Larger")
    larger.click()
    larger.click()
    expect(page.locator("[data-zoomed]")).to_have_text("200 %")
    pair = page.locator("[data-pair]")
    pair.focus()
    for _press in range(60):
        page.keyboard.press("ArrowLeft")
    boxes = pair.locator("img").evaluate_all(
        "all => all.map(e => [e, e.parentElement].map(one => one.getBoundingClientRect().left))"
    )
    assert boxes[0][0] == boxes[1][0]
    assert all(image <= frame + 1 for image, frame in boxes)
    page.get_by_role("button", name="Whole picture").click()
    expect(page.locator("[data-zoomed]")).to_have_text("100 %")


def test_asking_and_taking_back(cast: Cast, person: Callable[..., Person]) -> None:
    doctor = person("doctor", TABLET).sign_in(cast.practitioner)
    page = doctor.go(path(cast))
    look(page, "photos-not-asked")
    page.get_by_role("link", name="Ask and record it").click()
    look(page, "photos-permissions")
    record = page.get_by_role("region", name="In the medical record")
    record.locator("summary").click()
    record.get_by_label("How").select_option("signed")
    look(page, "photos-permissions-open")
    record.get_by_role("button", name="The patient allows it").click()
    expect(record.get_by_text("Allowed", exact=True)).to_be_visible()
    photo = earlier(cast, 3)
    desk = person("desk", DESK).sign_in(cast.front_desk)
    desk.expects("403")
    other = desk.go(path(cast, "permissions/"))
    look(other, "photos-permissions-desk")
    there = other.get_by_role("region", name="In the medical record")
    there.locator("summary").click()
    there.get_by_role("button", name="The patient does not allow it").click()
    expect(there.get_by_text("Not allowed", exact=True)).to_be_visible()
    assert desk.page.goto(desk.base + path(cast)).status == 403
    page = doctor.go(path(cast))
    expect(page.get_by_text("1 photo is kept and shown to nobody.")).to_be_visible()
    look(page, "photos-refused")
    doctor.expects("404")
    assert page.goto(doctor.base + path(cast, f"{photo.public_id}/full/")).status == 404


def test_removing_and_putting_back(allowed: Cast, person: Callable[..., Person]) -> None:
    photo = earlier(allowed, 3)
    doctor = person("doctor", DESK).sign_in(allowed.practitioner)
    page = doctor.go(path(allowed, f"{photo.public_id}/"))
    doctor.expects("422")
    page.get_by_text("Remove this photo").click()
    page.get_by_label("Another reason").check()
    page.get_by_role("button", name="Remove it").click()
    expect(page.locator("[data-error-summary]")).to_be_focused()
    look(page, "photos-remove")
    page.get_by_label("Blurred or not usable").check()
    page.get_by_role("button", name="Remove it").click()
    page.get_by_text("1 removed photo").click()
    look(page, "photos-removed")
    page.get_by_role("button", name="Put it back").click()
    expect(page.locator(".photo-grid img")).to_have_count(1)


def test_the_picture_of_the_camera_is_one(allowed: Cast, person: Callable[..., Person]) -> None:
    """What is stored is what the camera saw, at its own size."""
    doctor = person("doctor", DESK, camera=True).sign_in(allowed.practitioner)
    page = doctor.go(path(allowed, "take/"))
    page.get_by_role("button", name="Start the camera").click()
    expect(page.locator("[data-video]")).to_be_visible()
    width, height = page.locator("[data-video]").evaluate("v => [v.videoWidth, v.videoHeight]")
    page.get_by_role("button", name="Take it", exact=True).click()
    page.get_by_role("button", name="Keep it").click()
    soon(lambda: Photo.objects.kept().exists())
    photo = Photo.objects.get()
    assert (photo.width, photo.height) == (width, height)
    assert Image.MAX_IMAGE_PIXELS


def test_the_patient_takes_it_back_on_their_phone(
    allowed: Cast, person: Callable[..., Person]
) -> None:
    token = open_link(allowed.patient).rstrip("/").rpartition("/")[2]
    patient = person("patient", PHONE)
    page = patient.go(f"/my/{token}/photos/")
    born = allowed.patient.birth_date
    for part, value in enumerate((born.day, born.month, born.year)):
        page.locator(f"[name=birth_date_{part}]").fill(str(value))
    page.get_by_role("button").filter(has_text="Continue").click()
    expect(page.get_by_role("heading", name="What your photos may be used for")).to_be_visible()
    look(page, "photos-patient-own")
    page.get_by_text("I do not allow it any more").click()
    look(page, "photos-patient-own-asked")
    page.get_by_role("button", name="Yes, take it back").click()
    expect(page.get_by_text("Not allowed", exact=True)).to_be_visible()
    assert not is_allowed(allowed.patient, "record")
