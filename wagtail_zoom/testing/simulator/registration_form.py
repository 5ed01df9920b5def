"""Questions of a registration and validation of the answers."""

from __future__ import annotations

import re
from typing import Any

from .errors import ControlError, Problem, invalid
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
VALUES_WHEN_READ = {"101-500": "101-250", "500-1,000": "501-1,000"}
"""Zoom returns some values of ``no_of_employees`` differently than it accepts them."""
FIELDS = (*TEXTS, *CHOICES)
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
ANSWER_LIMIT = 128


def questions(item: Doc) -> dict[str, Any]:
    """``GET .../registrants/questions``."""
    return {
        "questions": item.get("questions", [{"field_name": "last_name", "required": False}]),
        "custom_questions": item.get("custom_questions", []),
    }


def stored_answers(body: dict[str, Any]) -> dict[str, Any]:
    """The stored fields of a registration; unknown fields are ignored, as Zoom does."""
    names = ("first_name", *FIELDS, "custom_questions", "source_id")
    stored = {name: body[name] for name in names if name in body}
    if stored.get("no_of_employees") in VALUES_WHEN_READ:
        stored["no_of_employees"] = VALUES_WHEN_READ[stored["no_of_employees"]]
    return stored


def check_answers(item: Doc, body: dict[str, Any], *, webinar: bool) -> None:
    """Raise 400/300 with every invalid field."""
    wrong = [*_names(body), *_standard(item, body), *_custom(item, body)]
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


def _standard(item: Doc, body: dict[str, Any]) -> list[tuple[str, str]]:
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
    for question in questions(item)["questions"]:
        name = question["field_name"]
        if question.get("required") and not body.get(name):
            wrong.append((name, f"{name} is required."))
    return wrong


def _custom(item: Doc, body: dict[str, Any]) -> list[tuple[str, str]]:
    answers = body.get("custom_questions", [])
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        return [("custom_questions", "Invalid field.")]
    questions_by_title = {
        question["title"]: question for question in questions(item)["custom_questions"]
    }
    values_by_title = {answer.get("title"): answer.get("value") for answer in answers}
    wrong = []
    for title, value in values_by_title.items():
        if (
            title not in questions_by_title
            or not isinstance(value, str)
            or (len(value) > ANSWER_LIMIT and not _offered_whole(questions_by_title[title], value))
        ):
            wrong.append(("custom_questions", f"Invalid field: {title}"))
        elif value and not _offered(questions_by_title[title], value):
            wrong.append(("custom_questions", f"Invalid answer: {title}"))
    for title, question in questions_by_title.items():
        if question.get("required") and not values_by_title.get(title):
            wrong.append(("custom_questions", f"{title} is required."))
    return wrong


def _offered_whole(question: Doc, value: str) -> bool:
    """Whether it is one of the options, which may be longer than a text may be."""
    return question["type"] != "short" and value in question.get("answers", [])


def _offered(question: Doc, value: str) -> bool:
    """Whether an answer is allowed; answers to "multiple" are separated by semicolons or commas."""
    if question["type"] == "short":
        return True
    offered = question.get("answers", [])
    if question["type"] != "multiple" or value in offered:
        return value in offered
    parts = [part.strip() for part in value.split(";" if ";" in value else ",")]
    return all(part in offered for part in parts)


def check_form(given: dict[str, Any]) -> dict[str, Any]:
    """The questions of a request that replaces all; raises 400/300 for an invalid one."""
    new = {name: given.get(name, []) for name in ("questions", "custom_questions")}
    for name, values in new.items():
        is_valid = _is_question if name == "questions" else _is_custom_question
        if not isinstance(values, list) or not all(map(is_valid, values)):
            raise invalid(name, "Invalid field.")
    return new


def _is_question(question: Any) -> bool:
    return (
        isinstance(question, dict)
        and question.get("field_name") in set(FIELDS) - {"language"}
        and isinstance(question.get("required", False), bool)
    )


def _is_custom_question(question: Any) -> bool:
    if not isinstance(question, dict) or question.get("type") not in ("short", "single"):
        return False
    title, answers = question.get("title"), question.get("answers", [])
    is_list = isinstance(answers, list) and all(isinstance(answer, str) for answer in answers)
    return (
        isinstance(title, str)
        and bool(title.strip())
        and isinstance(question.get("required", False), bool)
        and is_list
        and (bool(answers) or question["type"] == "short")
    )


def check_questions(given: dict[str, Any]) -> None:
    """Raise for questions that Zoom does not allow."""
    for question in given.get("custom_questions", []):
        if question.get("type") != "short" and not question.get("answers"):
            raise ControlError("custom_questions: a choice needs answers")
