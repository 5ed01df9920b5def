"""Links to the pages of a list."""

import pytest

from wagtail_zoom.frontend.pagination import BlockParams, pages_counted, shown_pages


@pytest.mark.parametrize(
    ("number", "count", "pages"),
    [
        (1, 14, [1, 2, 3, 0, 14]),
        (4, 14, [1, 2, 3, 4, 5, 6, 0, 14]),
        (5, 14, [1, 2, 3, 4, 5, 6, 7, 0, 14]),
        (7, 14, [1, 0, 5, 6, 7, 8, 9, 0, 14]),
        (14, 14, [1, 0, 12, 13, 14]),
        (1, 5, [1, 2, 3, 4, 5]),
        (1, 2, [1, 2]),
    ],
)
def test_a_gap_stands_for_at_least_two_pages(number, count, pages):
    assert shown_pages(number, count) == pages


def test_a_gap_is_no_link():
    pages = BlockParams("wz-1", {"page": "1"}).pages(140, 10)
    assert [link.label for link in pages.links] == ["1", "2", "3", "…", "14"]
    assert [link.is_gap for link in pages.links] == [False, False, False, True, False]


@pytest.mark.parametrize(
    ("page", "total", "labels"),
    [
        (1, 590, "1 2 3 …"),  # 21 pages are counted
        (1, 210, "1 2 3 …"),
        (1, 200, "1 2 3 … 20"),
        (30, 590, "1 … 28 29 30 31 32 …"),
        (57, 590, "1 … 55 56 57 58 59"),
        (500, 590, "1 … 57 58 59"),
        (199, 5000, "1 … 197 198 199 200"),
        (190, 5000, "1 … 188 189 190 191 192 …"),
    ],
)
def test_the_last_page_has_a_link_only_when_it_is_known(page, total, labels):
    """Rows are counted so many pages ahead; a limit of the count is not the last page."""
    counted = min(total, pages_counted(page) * 10)
    pages = BlockParams("wz-1", {"page": str(page)}).pages(counted, 10)
    assert " ".join(link.label for link in pages.links) == labels
    assert bool(pages.next) == (not pages.links[-1].current)
