"""Meetings and webinars of the three demo organisations, for :mod:`.demo`.

Each entry has the control API's fields of a meeting, with ``host`` an index in the list of users,
and additionally: ``move`` and ``cancel`` (index of an upcoming occurrence of a series), ``record``
(number of past occurrences with a recording), ``summary`` (what AI Companion wrote about the newest
of them), ``people`` (number of registrants), ``waiting``
(number of registrants that wait for approval) and ``attended`` (number of registrants who came).
"""

from __future__ import annotations

from typing import Any

from .storage import Doc


def weekly(days: str, times: int, every: int = 1) -> dict[str, Any]:
    """Zoom's rule for a weekly series; days are numbered from Sunday, 1."""
    return {"type": 2, "repeat_interval": every, "weekly_days": days, "end_times": times}


MONTHLY = {"type": 3, "repeat_interval": 1, "monthly_week": 2, "monthly_week_day": 5}
EACH_DATE, SEVERAL_DATES = {"registration_type": 2}, {"registration_type": 3}

YIN_SUMMARY = """# Quick recap

The group practised five long-held postures and talked about sleep afterwards.

## What was discussed

- Ines showed how to support the knees with two cushions.
- Mika asked whether the class could begin ten minutes earlier in winter.
- Several people wish for a short breathing exercise at the end.

## Next steps

- Ines decides about the earlier beginning.
- Everybody brings a second blanket.
"""
RETREAT_SUMMARY = """# Quick recap

The weekend begins with a circle in which everybody says what they *leave behind* for two days.

## What was agreed

1. Mornings are silent until **ten o'clock**.
2. The walk by the lake takes place in any weather.
3. Phones stay in the basket at the door.

## Next steps

- Mika sends the packing list to everybody.
"""

AURORA: list[Doc] = [
    {
        "host": 1, "topic": "Morning flow", "start_time": "-13d 07:00", "duration": 45,
        "recurrence": weekly("2,4,6", 48), "record": 2,
        "agenda": "Forty-five minutes of gentle movement before the day gets loud. All levels. "
        "You need a mat, nothing else; coffee comes afterwards.",
    },
    {
        "host": 1, "topic": "Yin and rest", "start_time": "-27d 19:30", "duration": 75,
        "recurrence": weekly("1", 36), "record": 3, "move": 1, "cancel": 3,
        "summary": YIN_SUMMARY,
        "agenda": "Long-held, quiet postures to end the week. Have two cushions, a blanket and "
        "something warm to drink within reach.",
    },
    {
        "host": 0, "topic": "Yoga für den Rücken", "start_time": "-27d 18:00", "duration": 60,
        "recurrence": weekly("3", 36), "registration": "auto", "settings": EACH_DATE, "record": 2,
        "people": 4,
        "agenda": "Für alle, die viel sitzen. Wir kräftigen, dehnen und lassen los. "
        "Bitte vorher zwei Stunden nichts Schweres essen.",
    },
    {
        "host": 2, "topic": "Breath and stillness", "start_time": "-13d 20:30", "duration": 30,
        "recurrence": weekly("5", 30), "cancel": 1, "record": 1,
        "agenda": "Half an hour of guided breathing and silence. Sitting, lying, as you like.",
    },
    {
        "host": 2, "topic": "Prenatal yoga", "start_time": "-13d 10:00", "duration": 60,
        "recurrence": weekly("7", 20, every=2), "registration": "auto", "settings": SEVERAL_DATES,
        "agenda": "From the fourteenth week on. Book the dates that suit you, one or all.",
    },
    {
        "host": 1, "topic": "First steps: an evening for beginners", "start_time": "+5d 18:30",
        "duration": 90, "registration": "auto", "people": 6,
        "agenda": "Never been on a mat? We take one breath and one posture at a time, and "
        "nobody has to touch their toes.",
        "questions": [{"field_name": "last_name", "required": False}],
        "custom_questions": [
            {"title": "Is there anything I should know about your back, knees or heart?",
             "type": "short", "required": False},
            {"title": "How did you hear of us?", "type": "single", "required": False,
             "answers": ["From a friend", "A search", "The notice in the bakery"]},
        ],
    },
    {
        "host": 1, "topic": "A hundred and eight breaths", "start_time": "+27d 16:00",
        "duration": 120, "registration": "manual", "people": 5, "waiting": 3,
        "agenda": "A long, slow practice counted in breaths, with candles. Places "
        "are few, so I confirm each one by hand.",
        "questions": [{"field_name": "last_name", "required": True},
                      {"field_name": "phone", "required": False}],
    },
    {
        "host": 2, "topic": "Restorative evening by candlelight", "start_time": "+8d 20:00",
        "duration": 75, "registration": "auto", "capacity": 4, "people": 4,
        "agenda": "Bolsters, blankets and no effort at all.",
    },
    {
        "host": 1, "topic": "Slow strength: 60 minutes with blocks", "start_time": "+2d 18:30",
        "duration": 60, "agenda": "A steady practice for legs and shoulders.",
    },
    {
        "host": 0, "topic": "Open questions about practising at home", "start_time": "+11d 19:00",
        "duration": 45, "registration": "closed", "people": 9,
    },
    {"host": 1, "topic": "One to one with Ines", "start_time": "+4d 12:00", "duration": 50,
     "settings": {"use_pmi": True}, "private": True},
    {"host": 0, "topic": "Teachers' round", "start_time": "+6d 21:00", "private": True},
    {"host": 0, "topic": "Drop in and sit with us", "type": 3, "duration": 20},
    {"host": 1, "topic": "Weekend retreat: opening circle", "start_time": "-16d 18:00",
     "duration": 90, "record": 1, "summary": RETREAT_SUMMARY},
    {"host": 0, "topic": "Open evening: breathing for beginners", "start_time": "-2d 19:00",
     "duration": 60, "registration": "auto", "people": 12, "attended": 8},
]  # fmt: skip

BOREALIS: list[Doc] = [
    {
        "host": 0, "kind": "webinar", "topic": "Heat pumps in old houses: questions and answers",
        "start_time": "+3d 18:30", "duration": 60, "registration": "auto", "people": 14,
        "agenda": "What a seventy-year-old farmhouse in Craftsbury taught us about flow "
        "temperatures. Half an hour of talk, half an hour of your questions.",
        "questions": [
            {"field_name": "last_name", "required": True},
            {"field_name": "country", "required": False},
            {"field_name": "no_of_employees", "required": False},
        ],
        "custom_questions": [
            {"title": "What would you like to ask?", "type": "short", "required": False},
            {"title": "Do you own or rent?", "type": "single_radio", "required": True,
             "answers": ["I own", "I rent", "Neither"]},
            {"title": "When was the house built?", "type": "single_dropdown", "required": False,
             "answers": ["Before 1900", "1900 to 1949", "1950 to 1979", "Later"]},
            {"title": "What interests you?", "type": "multiple", "required": False,
             "answers": ["Costs", "Noise", "Insulation", "Grants"]},
        ],
        "tracking_sources": [
            {"id": "newsletter", "source_name": "Newsletter", "visitor_count": 61,
             "tracking_url": "https://example.org/newsletter"},
        ],
    },
    {
        "host": 2, "kind": "webinar", "topic": "The city after dark: six lectures",
        "start_time": "-13d 19:00", "duration": 75, "recurrence": weekly("4", 8),
        "registration": "auto", "settings": SEVERAL_DATES, "people": 9, "record": 2, "cancel": 3,
        "agenda": "Light, foxes, night buses, bakers, astronomers and the people who cannot "
        "sleep. Each lecture stands alone; book one or all of them.",
    },
    {
        "host": 1, "kind": "webinar", "topic": "What the lake remembers",
        "start_time": "+10d 19:30", "duration": 90, "registration": "manual", "people": 6,
        "waiting": 4,
        "agenda": "Sediment cores, logbooks and eleven thousand years of pollen.",
        "questions": [{"field_name": "last_name", "required": True},
                      {"field_name": "org", "required": False},
                      {"field_name": "job_title", "required": False}],
        "custom_questions": [
            {"title": "Are you a member of the Institute?", "type": "single_radio",
             "required": True, "answers": ["Yes", "No", "Not yet"]},
        ],
    },
    {
        "host": 3, "kind": "webinar", "topic": "Ink, water, paper: 王芳 at her table",
        "start_time": "+15d 20:00", "duration": 60, "registration": "auto", "people": 5,
        "settings": {"registrants_restrict_number": 5},
        "agenda": "A live demonstration of one painting, from grinding the ink to the seal.",
    },
    {"host": 0, "kind": "webinar", "topic": "Welcome evening for new members",
     "start_time": "+20d 18:00", "duration": 45},
    {
        "host": 1, "topic": "Reading group: The Living Mountain", "start_time": "-41d 19:00",
        "duration": 90, "recurrence": weekly("3", 20, every=2), "registration": "auto",
        "record": 2, "move": 0, "people": 7,
        "agenda": "Nan Shepherd, slowly. We read about twenty pages for each evening; come even "
        "if you did not finish them.",
    },
    {
        "host": 0, "topic": "German for beginners", "start_time": "-48d 17:00", "duration": 60,
        "recurrence": weekly("2", 36), "registration": "auto", "settings": EACH_DATE, "record": 2,
        "cancel": 1, "people": 8,
        "agenda": "Level A1. We speak from the first minute. The book is called Menschen.",
    },
    {
        "host": 2, "topic": "Open studio: drawing from memory", "start_time": "-12d 14:00",
        "duration": 120, "recurrence": weekly("7", 30, every=2), "record": 1,
        "agenda": "Charcoal, brown paper, and the kitchen of your childhood.",
    },
    {
        "host": 3, "topic": "Mandarin table 中文桌", "start_time": "-13d 20:00", "duration": 60,
        "recurrence": weekly("6", 24), "timezone": "Asia/Shanghai",
        "agenda": "Conversation for people who already know some. 欢迎!",
    },
    {
        "host": 0, "topic": "Members' assembly", "start_time": "+0d 18:00", "duration": 90,
        "recurrence": {**MONTHLY, "end_times": 6}, "registration": "auto", "people": 11,
        "questions": [{"field_name": "last_name", "required": True}],
        "agenda": "Accounts, the wind turbine, and elections in the spring.",
    },
    {
        "host": 2, "topic": "Writing with others: an open table", "start_time": "+6d 18:00",
        "duration": 120, "registration": "manual", "people": 3, "waiting": 4,
        "agenda": "Bring a page of anything. We listen first and say what we heard.",
        "custom_questions": [
            {"title": "What are you working on?", "type": "short", "required": True},
            {"title": "Would you read aloud?", "type": "single", "required": False,
             "answers": ["Yes, gladly", "Perhaps", "I would rather listen"]},
        ],
    },
    {
        "host": 1, "topic": "Repair café: planning evening", "start_time": "+7d 19:30",
        "duration": 45, "registration": "closed", "people": 5,
    },
    {"host": 1, "topic": "Bird walk: the evening before", "start_time": "+1d 19:00",
     "duration": 30, "agenda": "Where we meet, what to wear, whom we hope to hear."},
    {"host": 1, "topic": "Office hours with Tomás", "type": 3, "duration": 30},
    {"host": 0, "topic": "Board meeting", "start_time": "+9d 17:00", "private": True},
    {"host": 3, "topic": "Conservation lab: how paper ages", "start_time": "-30d 18:00",
     "duration": 60, "record": 1},
    {"host": 2, "topic": "Night sky over the ridge, live", "start_time": "-104d 22:00",
     "duration": 80, "record": 1},
]  # fmt: skip

HARBOUR: list[Doc] = [
    {"host": 0, "topic": "Sourdough morning", "start_time": "+5d 10:00", "duration": 120,
     "agenda": "Feed your starter the evening before. We bake from ten."},
    {"host": 0, "topic": "Repair café: planning", "start_time": "+9d 19:30", "duration": 40},
    {"host": 0, "topic": "Neighbours' choir", "start_time": "-13d 19:00", "duration": 40,
     "recurrence": weekly("4", 30)},
    {"host": 0, "topic": "Seed swap for the islands", "start_time": "+19d 18:30", "duration": 40},
]  # fmt: skip

PROGRAMMES = {"aurora": AURORA, "borealis": BOREALIS, "harbour": HARBOUR}

PEOPLE = (
    ("Hanna", "Weiss"), ("Jonas", "Okafor"), ("Mirela", "Popescu"), ("Sam", "Whitfield"),
    ("Aiko", "Tanaka"), ("Björn", "Lindqvist"), ("Fatima", "El Amrani"), ("Ruth", "Goldberg"),
    ("Mateusz", "Zieliński"), ("Chloé", "Marchand"), ("Ngozi", "Eze"), ("Peter", "O'Hara"),
    ("Zeynep", "Yılmaz"), ("Lars", "Holm"), ("Valentina", "Rossi"), ("Kiran", "Desai"),
    ("Ewa", "Nowak"), ("Thomas", "Bergmann"),
)  # fmt: skip
"""People who register; their emails are made up."""
