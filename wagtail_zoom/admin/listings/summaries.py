"""The list of summaries of a Site, those to review first, and the page on which one is reviewed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from wagtail.admin.filters import WagtailFilterSet
from wagtail.admin.ui.tables import BulkActionsCheckboxColumn
from wagtail.admin.widgets import AdminAutoHeightTextInput

from ...frontend.visibility import Audience, Channel, SiteVisibility
from ...models import SUMMARY, SiteItem, Summary, SummaryReview
from ...utils.markdown import MAX_LENGTH, markdown_to_html, without_escapes
from .. import curation, formatting, links
from ..site_status import SiteStatus, summaries_to_review
from .base import RadioFilter, SiteIndexView
from .columns import Cell, CellColumn, ItemTitleColumn
from .edit import ItemEditView, ItemForm
from .items import (
    SHOWN_TITLE,
    HostFilter,
    import_message,
    in_state,
    review_intro,
    review_state_cell,
    set_reviewed_rows,
    to_review_first,
)


class SummaryFilters(WagtailFilterSet):
    """State and host."""

    state = RadioFilter(
        label=gettext_lazy("State"),
        choices=[
            ("new", gettext_lazy("Needs review")),
            ("published", gettext_lazy("Published")),
            ("hidden", gettext_lazy("Hidden")),
            ("over", gettext_lazy("Over")),
            ("changed", gettext_lazy("Changed in Zoom")),
        ],
        method="by_state",
    )
    host = HostFilter(field_name="meeting_summary__host")

    class Meta:
        model = SiteItem
        fields: list[str] = []

    def by_state(self, rows: QuerySet[SiteItem], name: str, value: str) -> QuerySet[SiteItem]:
        if value == "changed":
            # The version of a text is computed; a Site has few summaries with another one.
            reviewed = rows.exclude(review=None).select_related("review", "meeting_summary")
            changed = [
                item.pk
                for item in reviewed
                if item.meeting_summary and item.review.differs_from(item.meeting_summary)
            ]
            return rows.filter(pk__in=changed)
        return in_state(rows, value)


class SummariesView(SiteIndexView):
    """All summaries that Zoom has, those to review first."""

    page_title = gettext_lazy("Summaries")
    filterset_class = SummaryFilters
    search_fields = ["title", "last_title", "meeting_summary__host__display_name"]
    sort_expressions = {"title": SHOWN_TITLE, "held": F("meeting_summary__start")}
    quick_filters = ("state",)
    bulk_type = "zoomitem"
    search_placeholder = gettext_lazy("Search titles and hosts")
    empty_text = gettext_lazy(
        "No summaries yet. One appears here when AI Companion has written it after a meeting."
    )
    export_times = ("row_start",)

    @cached_property
    def export_headings(self) -> dict[str, str]:
        return {
            "row_title": _("Title"),
            "row_start": _("Held"),
            "row_host": _("Host"),
            "row_state": _("State"),
            "row_reason": _("Why not shown"),
        }

    @cached_property
    def columns(self) -> list[Any]:
        return [
            BulkActionsCheckboxColumn("bulk_actions", obj_type="zoomitem"),
            ItemTitleColumn(
                "title",
                label=_("Title"),
                accessor="display_title",
                sort_key="title",
                get_url=lambda item: reverse("wagtail_zoom_summaries:edit", args=[item.pk]),
            ),
            CellColumn(
                "held",
                label=_("Held"),
                accessor=lambda item: Cell(formatting.day(item.row_start), item.row_host),
                sort_key="held",
                classname="wza-when",
            ),
            CellColumn("state", label=_("State"), accessor=_state_cell),
        ]

    def get_base_queryset(self) -> QuerySet[SiteItem]:
        self.request.wagtail_zoom_visibility = self.site_status.visibility
        rows = self.site_status.visibility.items().filter(kind=SUMMARY)
        rows = rows.filter(meeting_summary__removed_at=None, meeting_summary__trashed_at=None)
        return rows.select_related("decided_by", "review")

    def default_order(self, queryset: QuerySet[SiteItem]) -> QuerySet[SiteItem]:
        return to_review_first(queryset, "meeting_summary__start")

    def decorate(self, rows: list[Any]) -> list[Any]:
        visible = self.site_status.visibility.summaries(Audience.VISITOR, Channel.PAGE)
        rows = set_reviewed_rows(self, rows, visible)
        for item in rows:
            review = review_of(item)
            item.row_changed = review is not None and review.differs_from(item.zoom_row)
            item.row_state = str(_state_cell(item).text)
        return rows

    def count_name(self, n: int) -> str:
        return ngettext("summary", "summaries", n)

    def intro(self) -> dict[str, Any]:
        if refusal := refusal_text(self.site_status):
            return {"strong": refusal}
        n = summaries_to_review(self.site_status.visibility).count()
        strong = ngettext("%(n)d new summary", "%(n)d new summaries", n) % {"n": n}
        return review_intro(self, n, strong)

    def empty_message(self) -> dict[str, Any]:
        if self.request.GET.get("state") == "new":
            return {"text": _("Nothing new. You have read everything.")}
        if self.site_status.account is None or self.has_user_filters:
            return super().empty_message()
        panel_url = links.panel_url(self.site_status)
        if not self.site_status.site_settings.show_summaries:
            return {
                "text": _("Summaries are switched off."),
                "url": f"{panel_url}#tab-choices",
                "link": _("What to show"),
            }
        if not self.site_status.is_allowed(SUMMARY):
            return {
                "text": _("Zoom has not allowed this site to read them."),
                "url": panel_url,
                "link": _("Give the permission"),
            }
        if refusal := refusal_text(self.site_status):
            return {"text": refusal}
        return import_message(self) or super().empty_message()


def refusal_text(site_status: SiteStatus) -> str:
    """Why Zoom has no summaries for this account; empty if it has."""
    account = site_status.account
    if account is None or not site_status.site_settings.show_summaries:
        return ""
    if account.summaries_refused_at is None:
        return ""
    return _(
        "Zoom refused to give a summary: the plan or the settings of a host have no AI Companion."
    )


def review_of(item: SiteItem) -> SummaryReview | None:
    """What has been reviewed of a summary, if anything."""
    return getattr(item, "review", None)


def _state_cell(item: Any) -> Cell:
    if item.row_changed:
        note = _("your text stays until you decide")
        return Cell(_("Changed in Zoom"), note, tag="primary")
    return review_state_cell(item, _("Needs review"))


class SummaryForm(ItemForm):
    """Title, text, tags, last day."""

    text = forms.CharField(
        label=gettext_lazy("Text"),
        required=False,
        max_length=MAX_LENGTH,
        widget=AdminAutoHeightTextInput,
        help_text=gettext_lazy(
            "In Markdown: # for a heading, - for a list, **bold**, *italic*, [text](address). "
            "Images and HTML are not shown."
        ),
    )

    class Meta:
        model = SiteItem
        fields = ["title", "expires_on"]

    field_order = ["title", "text", "tags", "expires_on"]

    def __init__(
        self, *args: Any, summary: Summary | None = None, publishes: bool = False, **kwargs: Any
    ) -> None:
        self.summary, self.publishes = summary, publishes
        super().__init__(*args, **kwargs)
        review = review_of(self.instance)
        zoom_text = summary.text if summary else ""
        self.initial["text"] = review.text if review else zoom_text
        field: Any = self.fields["text"]
        field.icon = "doc-full"

    def _stored_value(self, name: str) -> Any:
        """Zoom's own text is nobody's entry: what was read is saved, not what Zoom has by then."""
        if name == "text":
            review = review_of(self.instance)
            return review.text if review else ""
        return super()._stored_value(name)

    def clean_text(self) -> str:
        self.cleaned_data["text"] = without_escapes(self.cleaned_data["text"])
        text = self._without_secrets("text").replace("\r\n", "\n").strip()
        if self.publishes and not text:
            raise forms.ValidationError(_("There is nothing to publish: the text is empty."))
        return text

    def save_review(self, user: Any, zoom_version: str) -> SummaryReview | None:
        """Save the text that the person has before them; None when nothing is to be saved.

        Args:
            zoom_version: the version of Zoom's that the page showed.
        """
        if self.summary is None:
            return None
        return curation.save_review(
            self.instance, self.summary, self.cleaned_data["text"], user, zoom_version
        )


class SummaryEditView(ItemEditView):
    """Reads and decides on one summary."""

    kinds = (SUMMARY,)
    template_name = "wagtail_zoom/admin/summary.html"

    @cached_property
    def summary(self) -> Summary | None:
        """The row, if this Site may read it now and Zoom still has it."""
        row = SiteVisibility.for_site(self.object.site).row_of(self.object)
        return row if isinstance(row, Summary) and not row.is_withdrawn else None

    def get_form_class(self) -> type[ItemForm]:
        return SummaryForm

    def get_form_kwargs(self) -> dict[str, Any]:
        publishes = "action-publish" in self.request.POST
        return super().get_form_kwargs() | {"summary": self.summary, "publishes": publishes}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.object = self.get_object()
        if self.summary is None:
            messages.error(request, _("Zoom no longer has this summary. Nothing was saved."))
            return redirect(self.get_success_url())
        if "action-preview" in request.POST:
            return self.render_to_response(self.get_context_data(form=self.get_form()))
        for action, takes_zoom in (("action-take", True), ("action-keep", False)):
            if action in request.POST:
                return self._decide_difference(self.summary, takes_zoom=takes_zoom)
        return super().post(request, *args, **kwargs)

    def _decide_difference(self, summary: Summary, *, takes_zoom: bool) -> HttpResponse:
        """Take Zoom's version, or keep the own one: the version that the page showed."""
        review = review_of(self.object)
        if review is None or self.request.POST.get("zoom_version") != summary.version:
            text = _("Zoom has changed the summary again. Please review it again.")
            messages.warning(self.request, text)
        else:
            curation.decide_difference(
                self.object, summary, review, self.request.user, takes_zoom=takes_zoom
            )
            taken = _("Saved. Zoom’s version is used now.")
            messages.success(self.request, taken if takes_zoom else _("Saved. Your text stays."))
        return redirect(self.get_edit_url())

    def save_instance(self) -> SiteItem:
        is_decided = "action-publish" in self.request.POST
        if is_decided or "text" in self.form.changed_data:
            version = self.request.POST.get("zoom_version", "")[:64]
            self.form.save_review(self.request.user, version)
        return super().save_instance()

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        review, summary = review_of(self.object), self.summary
        shown_text = context["form"]["text"].value() or ""
        current = summary.version if summary else ""
        return context | {
            "is_available": summary is not None,
            "zoom_version": self.request.POST.get("zoom_version", current)[:64],
            "current_version": current,
            "preview": markdown_to_html(shown_text, 3),
            "is_preview": "action-preview" in self.request.POST,
            "own_html": markdown_to_html(review.text, 3) if review else "",
            "zoom_html": markdown_to_html(summary.text, 3) if summary else "",
            "differs": bool(review and summary and review.differs_from(summary)),
            "is_new": self.object.visibility == curation.AUTO,
        }
