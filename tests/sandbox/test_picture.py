"""The picture of the rooms is that of the code."""

from sandbox import picture


def test_the_picture_is_up_to_date() -> None:
    assert picture.PICTURE.read_text() == picture.draw(), "run make picture, and look at what has changed"


def test_the_picture_is_of_the_code() -> None:
    house = {room.name: room for room in picture.rooms()}
    uses = picture.imports([room.package for room in house.values()])
    assert ("tenant_apps.payments", "tenant_apps.invoices") in uses
    assert ("tenant_apps.invoices", "tenant_apps.payments") not in uses
    floors = {room.package: room.floor for room in house.values()}
    assert not [(above, below) for above, below in uses if floors[below] <= floors[above]]


def test_every_room_says_what_it_is() -> None:
    assert not [room.package for room in picture.rooms() if not room.words]
