"""The settings in the detail of a meeting or webinar, as long as nobody has changed them.

Those that depend on others are absent: the options of an authentication that is off, own keys, the
template of a summary.
"""

from __future__ import annotations

from typing import Any

NO: dict[str, Any] = {"enable": False}


def _off(names: str) -> dict[str, Any]:
    return dict.fromkeys(names.split(), False)


COMMON: dict[str, Any] = {
    **_off(
        "close_registration show_join_info meeting_authentication alternative_host_update_polls"
        " allow_multiple_devices host_video email_in_attendee_report enforce_login"
        " allow_host_control_participant_mute_state request_permission_to_unmute_participants"
    ),
    "registrants_confirmation_email": True,
    "registrants_email_notification": True,
    "show_share_button": True,
    "alternative_hosts": "",
    "audio": "both",
    "audio_conference_info": "",
    "auto_recording": "none",
    "global_dial_in_countries": ["US"],
    "global_dial_in_numbers": [
        {"country": "US", "country_name": "US", "number": "+1 2025550123", "type": "toll"}
    ],
    "language_interpretation": NO,
    "sign_language_interpretation": NO,
    "question_and_answer": NO,
    "additional_data_center_regions": [],
    "enforce_login_domains": "",
}
MEETING: dict[str, Any] = {
    **COMMON,
    **_off(
        "alternative_host_manage_meeting_summary alternative_host_manage_cloud_recording"
        " private_meeting internal_meeting join_before_host watermark participant_video"
        " mute_upon_entry focus_mode auto_start_meeting_summary auto_start_ai_companion_questions"
        " device_testing disable_participant_video auto_start_deepfake_detection"
        " host_pause_stop_recording host_save_video_order participant_focused_meeting"
        " push_change_to_calendar cn_meeting in_meeting"
    ),
    "alternative_hosts_email_notification": True,
    "email_notification": True,
    "waiting_room": True,
    "waiting_room_options": {"mode": "follow_setting"},
    "jbh_time": 0,
    "encryption_type": "enhanced_encryption",
    "meeting_invitees": [],
    "approved_or_denied_countries_or_regions": NO,
    "breakout_room": NO,
    "continuous_meeting_chat": NO,
    "resources": [],
    "who_will_receive_summary": 1,
    "who_can_ask_questions": 1,
    "auto_add_recording_to_video_management": NO,
}
WEBINAR: dict[str, Any] = {
    **COMMON,
    **_off(
        "panelist_authentication on_demand panelists_video practice_session hd_video"
        " hd_video_for_attendees send_1080p_video_to_attendees post_webinar_survey"
        " enable_session_branding add_watermark add_audio_watermark"
    ),
    "registrants_restrict_number": 0,
    "email_language": "en-US",
    "panelists_invitation_email_notification": True,
    "attendees_and_panelists_reminder_email_notification": NO,
    "follow_up_absentees_email_notification": NO,
    "follow_up_attendees_email_notification": NO,
    "survey_url": "",
}
