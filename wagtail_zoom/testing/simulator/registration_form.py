"""What a registration asks and whether the answers will do (REFERENCE 3.4, 3.5, trap 17)."""

from __future__ import annotations

import re
from typing import Any

from .errors import ControlError, Problem
from .storage import Doc

LIMITS = {"email": 128, "first_name": 64, "last_name": 64}
TEXTS: tuple[str, ...] = (
    "address",
    "city",
    "state",
    "zip",
    "country",
    "phone",
    "comments",
    "industry",
)
TEXTS += ("job_title", "org", "last_name")
CHOICES = {
    "purchasing_time_frame": (
        "", "Within a month", "1-3 months", "4-6 months", "More than 6 months", "No timeframe",
    ),
    "role_in_purchase_process": (
        "", "Decision Maker", "Evaluator/Recommender", "Influencer", "Not involved",
    ),
    "no_of_employees": (
        "", "1-20", "21-50", "51-100", "101-500", "500-1,000", "1,001-5,000", "5,001-10,000",
        "More than 10,000",
    ),
    "language": (
        "en-US", "de-DE", "es-ES", "fr-FR", "jp-JP", "pt-PT", "ru-RU", "zh-CN", "zh-TW", "ko-KO",
        "it-IT", "vi-VN", "pl-PL", "Tr-TR",
    ),
}  # fmt: skip
AS_READ = {"101-500": "101-250", "500-1,000": "501-1,000"}
"""Trap 14: the numbers of employees are written and read in different words."""
FIELDS = (*TEXTS, *CHOICES)
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
ANSWER_LIMIT = 128


def questions(thing: Doc) -> dict[str, Any]:
    """``GET .../registrants/questions``."""
    return {
        "questions": thing.get("questions", [{"field_name": "last_name", "required": False}]),
        "custom_questions": thing.get("custom_questions", []),
    }


def kept(body: dict[str, Any]) -> dict[str, Any]:
    """What is stored of a registration; unknown members are passed over, as Zoom does."""
    names = ("first_name", *FIELDS, "custom_questions", "source_id")
    found = {name: body[name] for name in names if name in body}
    if found.get("no_of_employees") in AS_READ:
        found["no_of_employees"] = AS_READ[found["no_of_employees"]]
    return found


def check_answers(thing: Doc, body: dict[str, Any], *, webinar: bool) -> None:
    """Refuse with 400/300 and every field that is wrong."""
    wrong = [*_names(body), *_standard(thing, body), *_custom(thing, body)]
    if webinar and "auto_approve" in body:
        wrong.append(("auto_approve", "Invalid field."))
    if wrong:
        fields = [{"field": field, "message": message} for field, message in wrong]
        raise Problem(400, 300, "Validation Failed.", fields=fields)


def _names(body: dict[str, Any]) -> list[tuple[str, str]]:
    wrong = []
    for name in ("email", "first_name"):
        if not isinstance(body.get(name), str) or not body[name].strip():
            wrong.append((name, f"{name} is required."))
    if not wrong and not EMAIL.fullmatch(body["email"]):
        wrong.append(("email", "Invalid field."))
    for name, limit in LIMITS.items():
        if isinstance(body.get(name), str) and len(body[name]) > limit:
            wrong.append((name, f"{name} must be at most {limit} characters long."))
    return wrong


def _standard(thing: Doc, body: dict[str, Any]) -> list[tuple[str, str]]:
    wrong = []
    for name in TEXTS:
        if name in body and not isinstance(body[name], str):
            wrong.append((name, "Invalid field."))
    for name, choices in CHOICES.items():
        if name in body and body[name] not in choices:
            wrong.append((name, "Invalid field."))
    country = body.get("country")
    if isinstance(country, str) and country and not re.fullmatch(r"[A-Z]{2}", country):
        wrong.append(("country", "Invalid field."))
    for question in questions(thing)["questions"]:
        name = question["field_name"]
        if question.get("required") and not body.get(name):
            wrong.append((name, f"{name} is required."))
    return wrong


def _custom(thing: Doc, body: dict[str, Any]) -> list[tuple[str, str]]:
    answers = body.get("custom_questions", [])
    if not isinstance(answers, list) or not all(isinstance(one, dict) for one in answers):
        return [("custom_questions", "Invalid field.")]
    asked = {question["title"]: question for question in questions(thing)["custom_questions"]}
    given = {one.get("title"): one.get("value") for one in answers}
    wrong = []
    for title, value in given.items():
        if title not in asked or not isinstance(value, str) or len(value) > ANSWER_LIMIT:
            wrong.append(("custom_questions", f"Invalid field: {title}"))
        elif value and not _offered(asked[title], value):
            wrong.append(("custom_questions", f"Invalid answer: {title}"))
    for title, question in asked.items():
        if question.get("required") and not given.get(title):
            wrong.append(("custom_questions", f"{title} is required."))
    return wrong


def _offered(question: Doc, value: str) -> bool:
    """Several answers to a "multiple" come in one text, separated by semicolons or commas."""
    if question["type"] == "short":
        return True
    offered = question.get("answers", [])
    if question["type"] != "multiple" or value in offered:
        return value in offered
    parts = [part.strip() for part in value.split(";" if ";" in value else ",")]
    return all(part in offered for part in parts)


def check_questions(given: dict[str, Any]) -> None:
    """Refuse questions that Zoom could not have."""
    for question in given.get("custom_questions", []):
        if question.get("type") != "short" and not question.get("answers"):
            raise ControlError("custom_questions: a choice needs answers")
