"""Bulk actions on Site items, limited to the user's own Sites."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ...models import SiteItem
from .. import curation
from .bulk_base import OwnedBulkAction


class ItemBulkAction(OwnedBulkAction):
    """Base: asks for confirmation and reports the number of changed items."""

    models = [SiteItem]
    template_name = "wagtail_zoom/admin/bulk.html"
    question: Any = ""
    button: Any = ""

    def get_actionable_objects(self) -> tuple[list[SiteItem], dict[str, list[SiteItem]]]:
        return self.selected_rows(), {"items_with_no_access": []}

    def get_execution_context(self) -> dict[str, Any]:
        return super().get_execution_context() | {"form": self.cleaned_form}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        return context | {"question": self.question, "button": self.button}

    def get_success_message(self, num_parent_objects: int, num_child_objects: int) -> str:
        n = num_parent_objects
        return ngettext("%(n)d item was changed.", "%(n)d items were changed.", n) % {"n": n}


class PublishBulkAction(ItemBulkAction):
    """Show."""

    display_name = _("Show to visitors")
    aria_label = _("Show the selected items to visitors")
    action_type = "zoom_publish"
    action_priority = 10
    question = _("Show these to visitors?")
    button = _("Show them")

    @classmethod
    def execute_action(cls, objects: list[SiteItem], **kwargs: Any) -> tuple[int, int]:
        return curation.set_visibility(objects, curation.PUBLISHED, kwargs.get("user")), 0


class HideBulkAction(ItemBulkAction):
    """Hide."""

    display_name = _("Hide")
    aria_label = _("Hide the selected items from visitors")
    action_type = "zoom_hide"
    action_priority = 20
    question = _("Hide these from visitors?")
    button = _("Hide them")

    @classmethod
    def execute_action(cls, objects: list[SiteItem], **kwargs: Any) -> tuple[int, int]:
        return curation.set_visibility(objects, curation.HIDDEN, kwargs.get("user")), 0


class TagForm(forms.Form):
    """Tags to add."""

    tags = forms.CharField(label=_("Tags"), max_length=500, help_text=_("Separate them by commas."))


class TagBulkAction(ItemBulkAction):
    """Add tags."""

    display_name = _("Add tags")
    aria_label = _("Add tags to the selected items")
    action_type = "zoom_tag"
    action_priority = 30
    form_class = TagForm
    question = _("Add tags to these?")
    button = _("Add them")

    @classmethod
    def execute_action(cls, objects: list[SiteItem], **kwargs: Any) -> tuple[int, int]:
        names = curation.split_tags(kwargs["form"].cleaned_data["tags"])
        return curation.add_tags(objects, names), 0


ACTIONS = [PublishBulkAction, HideBulkAction, TagBulkAction]
