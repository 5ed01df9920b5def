"""The guards of the product, each with a way to switch it off and the tests that must notice.

In the code, a comment ``# guard: <id>`` marks each guard. The operations are described in
``guard_operations.py``; they name no identifier of the code.
"""

from __future__ import annotations

from guard_operations import Guard

WEBHOOKS = (
    Guard(
        "webhook-signature-compared",
        "X9: a webhook is accepted only when its signature matches.",
        "always",
        (
            "webhooks/test_endpoint.py::test_refused_without_sql",
            "webhooks/test_endpoint.py",
        ),
    ),
    # Serialises the body once more; most bodies stay the same.
    Guard(
        "webhook-signature-over-raw-body",
        "X9: the signature is computed over the raw body, not over parsed JSON.",
        'replace=b":".join([*$.split(b":", 2)[:2], '
        '__import__("json").dumps(__import__("json").loads($.split(b":", 2)[2])).encode()])',
        (
            "webhooks/test_endpoint.py::test_signature_covers_the_raw_bytes",
            "webhooks/test_endpoint.py",
        ),
    ),
    Guard(
        "webhook-secret-required",
        "X9: without a secret token no webhook is accepted.",
        "never",
        (
            "webhooks/test_endpoint.py::test_no_secret_refuses_everything",
            "webhooks/test_endpoint.py",
        ),
    ),
    Guard(
        "webhook-old-refused",
        "X11: a webhook that is too old is refused.",
        "remove",
        (
            "webhooks/test_endpoint.py::test_refused_without_sql",
            "webhooks/test_endpoint.py",
        ),
    ),
    Guard(
        "webhook-future-refused",
        "X11: a webhook from the future is refused.",
        "remove last",
        (
            "webhooks/test_endpoint.py::test_refused_without_sql",
            "webhooks/test_endpoint.py",
        ),
    ),
    Guard(
        "webhook-request-id-unique",
        "X11: a request id is stored once.",
        "value=None",
        (
            "webhooks/test_endpoint.py::test_genuine_event_is_stored_and_wakes_the_worker",
            "webhooks/test_endpoint.py",
        ),
    ),
    # A literal would make all events the same: the key has to differ each time.
    Guard(
        "webhook-content-unique",
        "X11: the same content under another request id is stored once.",
        'replace=__import__("uuid").uuid4().hex',
        (
            "webhooks/test_endpoint.py::test_duplicates_with_other_tokens_are_one_event",
            "webhooks/test_endpoint.py",
        ),
    ),
    Guard(
        "webhook-challenge-token-plain",
        "X10: the challenge signs only a plain token, never chosen text.",
        "remove last",
        (
            "webhooks/test_endpoint.py::test_endpoint_is_no_signing_oracle",
            "webhooks/test_endpoint.py",
        ),
    ),
    Guard(
        "webhook-declared-length-limit",
        "X29: a webhook is refused by its declared length before it is read.",
        "never",
        (
            "webhooks/test_endpoint.py::test_x29_a_declared_length_is_enough_to_refuse",
            "webhooks/test_endpoint.py",
        ),
    ),
    Guard(
        "webhook-read-length-limit",
        "X29: a webhook without a declared length is refused by the length that was read.",
        "never",
        (
            "webhooks/test_endpoint.py::test_x29_without_a_length_it_is_counted",
            "webhooks/test_endpoint.py",
        ),
    ),
    Guard(
        "webhook-json-only",
        "W: a webhook with another content type than JSON is refused.",
        "never",
        (
            "webhooks/test_endpoint.py::test_get_and_forms_are_refused",
            "webhooks/test_endpoint.py",
        ),
    ),
    Guard(
        "webhook-unsaved-is-503",
        "W: an event that could not be stored is answered with 503, so that Zoom repeats it.",
        "remove",
        (
            "webhooks/test_endpoint.py::test_database_away_asks_zoom_to_repeat",
            "webhooks/test_endpoint.py",
        ),
    ),
    Guard(
        "payload-personal-data-dropped",
        "W: personal data of an event is not stored.",
        "remove last",
        (
            "webhooks/test_endpoint.py::test_nothing_personal_or_secret_is_stored",
            "webhooks/test_endpoint.py",
        ),
    ),
    Guard(
        "payload-secrets-dropped",
        "W: secrets of an event are not stored.",
        "remove",
        (
            "webhooks/test_endpoint.py::test_nothing_personal_or_secret_is_stored",
            "webhooks/test_endpoint.py",
        ),
    ),
    Guard(
        "payload-registrant-reduced",
        "W: of a registrant only the id and the status are stored.",
        "never",
        (
            "webhooks/test_endpoint.py::test_nothing_personal_or_secret_is_stored",
            "webhooks/test_endpoint.py",
        ),
    ),
)

OAUTH = (
    Guard(
        "state-bound-to-browser",
        "X1: the OAuth state counts only in the browser that began the flow.",
        "remove",
        (
            "oauth/test_connect.py::test_o20_another_browser_cannot_finish",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "state-bound-to-user",
        "X1: the OAuth state counts only for the user who began the flow.",
        "remove last",
        (
            "oauth/test_connect.py::test_x1_another_user_in_the_same_browser_cannot_finish",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "state-bound-to-client",
        "X3: the OAuth state counts only for the same app and the same Zoom server.",
        "remove",
        (
            "oauth/test_connect.py::test_x3_a_state_of_another_app_or_server_is_invalid",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "state-single-use",
        "X2: an OAuth state is used once.",
        "never",
        (
            "oauth/test_connect.py::test_owner_connects_and_returns_to_the_panel",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "state-expires",
        "X2: an OAuth state expires.",
        "remove",
        (
            "oauth/test_connect.py::test_x2_a_state_expires_during_the_flow",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "code-accepted-once",
        "X2: a state accepts one code.",
        "remove",
        (
            "oauth/test_connect.py::test_x2_a_second_code_for_one_state_is_refused",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "open-flows-limit",
        "X2: a browser has at most ten open flows.",
        "remove",
        (
            "oauth/test_connect.py::test_x2_eleventh_flow_drops_the_oldest",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "user-permission-on-completion",
        "X4: the user's permission is checked again when the flow ends.",
        "remove last",
        (
            "oauth/test_connect.py::test_o20_permission_withdrawn_in_between",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "inviter-permission-on-completion",
        "X4: the permission of the person who invited is checked again when the flow ends.",
        "remove last",
        (
            "oauth/test_invitations.py::test_the_inviters_permission_was_withdrawn",
            "oauth/test_invitations.py",
        ),
    ),
    # All Sites instead of the user's own.
    Guard(
        "connect-checks-site-permission",
        "X4: only users who may change a Site can connect it.",
        'replace=__import__("wagtail.models", fromlist=["Site"]).Site',
        (
            "oauth/test_connect.py::test_x4_foreign_site_is_404",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "redirect-to-own-host",
        "X15: the browser is redirected only to hosts of this installation.",
        "remove last",
        (
            "oauth/test_connect.py::test_x15_no_redirect_to_a_hostname_that_is_no_longer_known",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "flow-starts-on-own-host",
        "X8: a flow begins only on hosts of this installation.",
        "never",
        (
            "oauth/test_connect.py::test_pkce_and_redirect_uri_come_from_settings",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "account-switch-confirmed",
        "O5: before a Site changes to another account, the user is asked.",
        "never",
        (
            "oauth/test_connect.py::test_o5_another_account_needs_confirmation",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "invitation-bound-to-browser",
        "X: an invitation is tied to the first browser that opens it.",
        "never",
        (
            "oauth/test_invitations.py::test_another_browser_cannot_use_the_link",
            "oauth/test_invitations.py",
        ),
    ),
    Guard(
        "invitation-single-use",
        "X: an invitation is used once.",
        "remove last",
        (
            "oauth/test_invitations.py::test_a_person_without_a_login_connects_and_the_owner_confirms",
            "oauth/test_invitations.py",
        ),
    ),
    Guard(
        "deauthorization-limited-to-user",
        "X12: when a person removes the app, only the grants of that person end.",
        "remove",
        (
            "oauth/test_disconnect.py::test_x12_deauthorisation_of_others_changes_nothing",
            "oauth/test_disconnect.py",
        ),
    ),
    Guard(
        "deauthorization-ignores-outdated",
        "O: a removal from before the present authorisation ends nothing.",
        "remove",
        (
            "oauth/test_disconnect.py::test_an_outdated_deauthorisation_is_ignored",
            "oauth/test_disconnect.py",
        ),
    ),
)

TOKENS = (
    Guard(
        "token-refresh-lease",
        "O7: one process at a time refreshes a token.",
        "remove",
        (
            "oauth/test_tokens.py::test_o8_a_lease_in_force_is_waited_for",
            "oauth/test_tokens.py",
        ),
    ),
    Guard(
        "no-call-in-transaction",
        "O9: Zoom is not called inside a database transaction.",
        "never",
        (
            "oauth/test_tokens.py::test_o9_no_refresh_inside_a_transaction",
            "oauth/test_tokens.py",
        ),
    ),
    Guard(
        "refresh-recorded-before-call",
        "O10: the start of a refresh is stored before Zoom is called.",
        "remove",
        (
            "oauth/test_tokens.py::test_o10_a_crash_before_the_save_is_a_lost_rotation",
            "oauth/test_tokens.py",
        ),
    ),
    Guard(
        "timeout-held-during-refresh",
        "O11: the worker's time limit does not interrupt it between refresh and save.",
        "remove with",
        (
            "oauth/test_tokens.py::test_o11_sigalrm_is_deferred_until_the_pair_is_stored",
            "oauth/test_tokens.py",
        ),
    ),
    Guard(
        "token-save-checks-generation",
        "O3: a refresh does not overwrite a newer authorisation.",
        "remove",
        (
            "oauth/test_disconnect.py::test_x32_a_refresh_under_way_stores_nothing_after_the_end",
            "oauth/test_tokens.py",
            "oauth/test_disconnect.py",
        ),
    ),
    Guard(
        "refused-refresh-takes-newer-token",
        "O13: a process that loses the race for a refresh uses the token of the winner.",
        "never",
        (
            "oauth/test_tokens.py::test_o13_the_loser_of_a_race_takes_the_winners_token",
            "oauth/test_tokens.py",
        ),
    ),
    Guard(
        "late-refresh-restores-connection",
        "O13: a refresh that was considered lost, and then succeeds, restores the connection.",
        "never",
        (
            "sync/test_clock_skew.py::test_o7_a_running_refresh_whose_lease_expired_early",
            "sync/test_clock_skew.py",
        ),
    ),
    Guard(
        "copy-sends-nothing",
        "O16: a copied installation sends nothing to Zoom.",
        "never",
        (
            "oauth/test_tokens.py::test_o16_a_copied_database_sends_nothing",
            "oauth/test_tokens.py",
        ),
    ),
    Guard(
        "token-pair-complete",
        "O12: a token response is stored only if it has both tokens.",
        "remove",
        (
            "oauth/test_tokens.py::test_o12_an_incomplete_response_is_not_stored",
            "oauth/test_tokens.py",
        ),
    ),
    Guard(
        "token-error-with-status-200",
        "O12: an error in a response with status 200 is an error.",
        "never",
        (
            "oauth/test_tokens.py::test_o12_an_error_under_200_is_an_error",
            "oauth/test_tokens.py",
        ),
    ),
    Guard(
        "token-sent-to-known-hosts",
        "X13: tokens are sent only to known hosts.",
        "value=True",
        (
            "oauth/test_tokens.py::test_x13_only_known_hosts_get_a_token",
            "oauth/test_tokens.py",
        ),
    ),
    Guard(
        "redirect-not-followed",
        "X13: a redirect of the API is not followed.",
        "never",
        (
            "oauth/test_tokens.py::test_x13_a_redirect_of_the_api_is_not_followed",
            "oauth/test_tokens.py",
        ),
    ),
    Guard(
        "http-library-follows-no-redirect",
        "X13: the HTTP library does not follow redirects either.",
        "remove",
        (
            "oauth/test_tokens.py::test_x13_a_redirect_of_the_api_is_not_followed",
            "oauth/test_tokens.py",
        ),
    ),
    Guard(
        "response-size-limit",
        "X30: the size of a response is limited after decompression.",
        "never",
        (
            "client/test_errors.py::test_x30_invalid_responses",
            "client/test_errors.py",
        ),
    ),
    Guard(
        "deauthorization-stops-refresh",
        "X32: a refresh under way stores nothing after the grant has ended.",
        "remove",
        (
            "oauth/test_disconnect.py::test_x32_a_refresh_under_way_stores_nothing_after_the_end",
            "oauth/test_disconnect.py",
        ),
    ),
    Guard(
        "id-checked-before-sending",
        "X14: an id is checked before it becomes part of a URL.",
        "never",
        (
            "client/test_urls.py::test_x14_any_text_is_one_segment_or_refused",
            "client/test_urls.py",
        ),
    ),
    Guard(
        "id-slashes-encoded-twice",
        "S10: an id with slashes is encoded twice, as Zoom requires.",
        "never",
        (
            "client/test_errors.py::test_s10_uuids_with_slashes_reach_zoom_whole",
            "client/test_urls.py",
            "client/test_errors.py",
        ),
    ),
    # What is printed has to be the text itself.
    Guard(
        "secret-hidden-when-printed",
        "X19: a secret does not print its text.",
        'replace="".join(str(getattr(self, name)) for name in self.__slots__)',
        (
            "models/test_secrets.py::test_printing_shows_nothing",
            "models/test_secrets.py",
        ),
    ),
    Guard(
        "secret-not-pickled",
        "X21: a secret cannot be pickled.",
        "remove",
        (
            "models/test_secrets.py::test_a_secret_cannot_be_pickled",
            "models/test_secrets.py",
        ),
    ),
    Guard(
        "ciphertext-bound-to-row",
        "X20: a ciphertext is valid only in the row that it was made for.",
        "remove last",
        (
            "models/test_secrets.py::test_swapped_ciphertext_is_refused",
            "models/test_secrets.py",
        ),
    ),
    Guard(
        "queue-takes-ids-only",
        "X21: a task in the queue has ids as arguments, never texts.",
        "never",
        (
            "models/test_secrets.py::test_x21_only_ids_go_into_the_queue",
            "models/test_secrets.py",
        ),
    ),
)

SYNC = (
    Guard(
        "rate-budget-shared",
        "S18: all processes share one rate budget: slots reserved by other processes count.",
        "always",
        (
            "client/test_ratelimit.py::test_s18_many_processes_get_different_slots",
            "client/test_ratelimit.py",
        ),
    ),
    Guard(
        "rate-wait-limited",
        "S18: a call waits no longer than its caller allows.",
        "never",
        (
            "client/test_ratelimit.py::test_s19_a_registration_goes_before_a_backfill",
            "client/test_ratelimit.py",
        ),
    ),
    Guard(
        "daily-limit",
        "S18: the share of the daily limit is not exceeded.",
        "never",
        (
            "client/test_ratelimit.py::test_the_daily_share_leaves_the_rest_to_registrations",
            "client/test_ratelimit.py",
        ),
    ),
    Guard(
        "rate-limit-honoured",
        "S20: every process honours a 429 response.",
        "remove",
        (
            "client/test_ratelimit.py::test_s20_a_pause_is_honoured_and_never_shortened",
            "client/test_ratelimit.py",
        ),
    ),
    Guard(
        "rate-pause-not-shortened",
        "S20: a later 429 response does not shorten the pause.",
        "unwrap",
        (
            "client/test_ratelimit.py::test_s20_a_pause_is_honoured_and_never_shortened",
            "client/test_ratelimit.py",
        ),
    ),
    Guard(
        "listing-loop-detected",
        "S5: a listing whose page tokens repeat ends with an error.",
        "remove last",
        (
            "client/test_errors.py::test_s5_a_server_that_always_returns_the_same_page_is_an_error",
            "client/test_errors.py",
        ),
    ),
    Guard(
        "storage-host-gets-no-token",
        "X13: the host that stores a file does not receive the token.",
        "always",
        (
            "client/test_files.py::test_the_storage_host_gets_no_token_and_does_not_affect_the_grant",
            "client/test_files.py",
        ),
    ),
    Guard(
        "file-call-paced",
        "S18: the download of a file is rate-limited like every call.",
        "never",
        (
            "client/test_files.py::test_files_count_as_calls_of_the_account",
            "client/test_files.py",
        ),
    ),
    Guard(
        "clock-set-back-repaired",
        "Clock: times written by a clock that ran ahead are corrected.",
        "always",
        (
            "sync/test_clock_skew.py::test_after_the_repair_work_continues_immediately",
            "sync/test_clock_skew.py",
            "registration/test_clock_skew.py",
        ),
    ),
    # No tolerance at all. No literal can say that: it would not be a duration.
    Guard(
        "clock-tolerance",
        "Clock: clocks of several machines may differ by minutes.",
        "replace=$ * 0",
        (
            "sync/test_clock_skew.py::test_clocks_that_are_minutes_apart_are_not_repaired",
            "sync/test_clock_skew.py",
        ),
    ),
    Guard(
        "schedule-corrected",
        "Clock: after the clock was set back, the schedule runs again.",
        "value=0",
        (
            "sync/test_clock_skew.py::test_the_schedule_runs_again",
            "sync/test_clock_skew.py",
        ),
    ),
    # Leaves out the time, which is a part of a text.
    Guard(
        "wake-up-not-by-cache-age",
        "Clock: a wake-up does not depend on the age of a cache entry.",
        'replace=$.rpartition(":")[0]',
        (
            "sync/test_clock_skew.py::test_wake_ups_are_not_suppressed",
            "sync/test_clock_skew.py",
        ),
    ),
    Guard(
        "removal-needs-two-runs",
        "S12: an item is removed only after two complete runs have missed it.",
        "remove",
        (
            "sync/test_removals.py::test_s12_a_recording_needs_two_complete_listings",
            "sync/test_removals.py",
        ),
    ),
    Guard(
        "mass-removal-limit",
        "S13: a run that would remove very many items removes none.",
        "never",
        (
            "sync/test_removals.py::test_s13_the_mass_delete_guard_holds_until_the_owner_approves",
            "sync/test_removals.py",
        ),
    ),
    Guard(
        "past-items-not-removed",
        "S14: an item that is over and no longer listed is kept.",
        "unwrap",
        (
            "sync/test_removals.py::test_a_past_meeting_expires_and_stays_shown",
            "sync/test_removals.py",
        ),
    ),
    Guard(
        "older-read-ignored",
        "W20: an older read does not overwrite a newer one.",
        "never",
        (
            "sync/test_upsert.py::test_event_newer_than_the_read_wins",
            "sync/test_upsert.py",
        ),
    ),
    Guard(
        "event-lock",
        "W: one worker at a time processes the events of one object.",
        "remove",
        (
            "sync/test_inbox.py::test_w18_an_object_has_one_worker_at_a_time",
            "sync/test_inbox.py",
        ),
    ),
    Guard(
        "failing-event-dead",
        "W: an event that fails again and again becomes dead.",
        "never",
        (
            "sync/test_bursts.py::test_w26_a_poison_event_is_dead_with_a_reason_and_others_are_processed",
            "sync/test_bursts.py",
        ),
    ),
    Guard(
        "sync-run-lock",
        "S17: one run of an account at a time.",
        "remove",
        (
            "sync/test_settings_changes.py::test_s16_one_slice_at_a_time_for_an_account",
            "sync/test_settings_changes.py",
        ),
    ),
    Guard(
        "event-limited-to-account",
        "X12: an event leads only to objects of its own account.",
        "remove",
        (
            "sync/test_inbox.py::test_x12_an_event_cannot_reach_a_meeting_of_another_account",
            "sync/test_inbox.py",
        ),
    ),
    Guard(
        "link-leads-to-zoom",
        "X: a link from Zoom is kept only when it leads to Zoom.",
        "remove",
        (
            "mapping/test_parsing.py::test_foreign_links_are_dropped",
            "mapping/test_parsing.py",
        ),
    ),
    Guard(
        "control-characters-removed",
        "X: a single line contains no control characters.",
        "argument=1",
        (
            "mapping/test_parsing.py::test_no_value_makes_a_parser_fail",
            "mapping/test_parsing.py",
        ),
    ),
)

EXPOSURE = (
    Guard(
        "private-meeting-hidden",
        "X28: a private meeting is not shown.",
        "remove",
        (
            "frontend/test_visibility.py::test_never_shown_even_when_published",
            "frontend/test_visibility.py",
        ),
    ),
    Guard(
        "personal-room-hidden",
        "X28: a meeting in a personal room is not shown.",
        "remove",
        (
            "frontend/test_visibility.py::test_never_shown_even_when_published",
            "frontend/test_visibility.py",
        ),
    ),
    Guard(
        "meeting-without-details-hidden",
        "X28: a meeting is not shown before its details are known.",
        "remove",
        (
            "frontend/test_visibility.py::test_never_shown_even_when_published",
            "frontend/test_visibility.py",
        ),
    ),
    Guard(
        "only-chosen-hosts-shown",
        "X28: only meetings of hosts that the Site has chosen are shown.",
        "remove",
        (
            "frontend/test_visibility.py::test_shows_occurrences_of_an_exposed_host_without_secrets",
            "frontend/test_visibility.py",
        ),
    ),
    Guard(
        "personal-grant-shows-own-meetings",
        "X5: a personal grant shows the meetings of its person only.",
        "remove last",
        (
            "frontend/test_visibility.py::test_two_user_level_grants_do_not_see_each_other",
            "frontend/test_visibility.py",
        ),
    ),
    Guard(
        "only-chosen-kinds-shown",
        "X28: only the kinds that the owner has chosen are shown.",
        "remove",
        (
            "frontend/test_visibility.py::test_never_shown_even_when_published",
            "frontend/test_visibility.py",
        ),
    ),
    Guard(
        "hidden-item-not-shown",
        "X28: an item that the owner has hidden is not shown.",
        "unwrap",
        (
            "frontend/test_visibility.py::test_hidden_and_expired",
            "frontend/test_visibility.py",
        ),
    ),
    Guard(
        "unscheduled-recording-needs-decision",
        "X28: an unscheduled recording is shown only after a person has decided so.",
        "remove",
        (
            "frontend/test_visibility.py::test_hidden_recordings",
            "frontend/test_visibility.py",
        ),
    ),
    Guard(
        "trashed-recording-hidden",
        "X28: a recording in Zoom's trash is not shown.",
        "remove",
        (
            "frontend/test_visibility.py::test_hidden_recordings",
            "frontend/test_visibility.py",
        ),
    ),
    Guard(
        "page-loads-no-join-link",
        "X26: a page does not load join links and passcodes.",
        "unwrap",
        (
            "frontend/test_visibility.py::test_shows_occurrences_of_an_exposed_host_without_secrets",
            "frontend/test_visibility.py",
        ),
    ),
    Guard(
        "join-policy-registrants",
        "X26: where only registrants may join, visitors get no link.",
        "remove last",
        (
            "frontend/test_visibility.py::test_join_policy",
            "frontend/test_visibility.py",
        ),
    ),
    # Leaves out the Site, which is a part of a text.
    Guard(
        "public-id-bound-to-site",
        "X8: the public id of an item is valid on its own Site only.",
        'replace=$.partition(":")[2]',
        (
            "frontend/test_join_and_watch.py::test_another_hostname_returns_404",
            "frontend/test_join_and_watch.py",
        ),
    ),
    Guard(
        "join-redirect-to-zoom-only",
        "X15: the join page redirects to Zoom only.",
        "never",
        (
            "frontend/test_join_and_watch.py::test_a_stored_link_outside_zoom_is_never_followed",
            "frontend/test_join_and_watch.py",
        ),
    ),
    Guard(
        "passcode-policy",
        "X26: a passcode is passed on only if the owner's settings allow it.",
        "always",
        (
            "frontend/test_join_and_watch.py::test_the_passcode_is_removed_by_policy",
            "frontend/test_join_and_watch.py",
        ),
    ),
    # The list and one tag more.
    Guard(
        "markup-allow-list",
        "X16: markup of a description is reduced to a short list of tags.",
        'replace={*$, "img"}',
        (
            "blocks/test_text.py::test_x16_markup_from_zoom_is_limited_to_an_allowlist",
            "blocks/test_text.py",
        ),
    ),
    Guard(
        "markup-link-schemes",
        "X16: a link in a description has a safe scheme.",
        'value={"http", "https", "mailto", "javascript"}',
        (
            "blocks/test_text.py::test_x16_markup_from_zoom_is_limited_to_an_allowlist",
            "blocks/test_text.py",
        ),
    ),
    Guard(
        "markup-attributes",
        "X16: a tag in a description keeps few attributes.",
        'value={"a": {"href", "onclick"}}',
        (
            "blocks/test_text.py::test_x16_markup_from_zoom_is_limited_to_an_allowlist",
            "blocks/test_text.py",
        ),
    ),
)

ADMIN = (
    Guard(
        "admin-site-permission",
        "X5: the Site of another owner is answered with 404.",
        "never",
        (
            "admin/test_walk.py::test_no_view_exposes_another_site",
            "admin/test_walk.py",
        ),
    ),
    Guard(
        "admin-rows-limited-to-own-sites",
        "X5: rows of another owner do not exist in the admin.",
        "unwrap",
        (
            "admin/test_walk.py::test_no_view_exposes_another_site",
            "admin/test_walk.py",
        ),
    ),
    # All Sites instead of the user's own.
    Guard(
        "site-permission-decides",
        "X34: the permission for one Site gives access to that Site only.",
        'replace=__import__("wagtail.models", fromlist=["Site"]).Site.objects.all()',
        (
            "permissions/test_owner_policy.py::test_owner_changes_their_own_site_only",
            "permissions",
        ),
    ),
    # All rows with the wanted keys, of all owners.
    Guard(
        "chooser-returns-own-rows",
        "X6: a chooser returns only rows that the user may choose.",
        "replace=$.model._default_manager.filter(pk__in=$0)",
        (
            "admin/test_choosers.py::test_a_foreign_item_cannot_be_chosen",
            "admin/test_choosers.py",
        ),
    ),
    Guard(
        "chooser-hides-foreign-title",
        "X6: a chooser shows no title of another owner's item.",
        "always",
        (
            "admin/test_choosers.py::test_a_stored_foreign_id_shows_no_title",
            "admin/test_choosers.py",
        ),
    ),
    Guard(
        "export-without-formulas",
        "X18: a cell of an exported file does not begin a formula.",
        "never",
        (
            "admin/test_listings.py::test_exports_contain_no_formulas",
            "admin/test_listings.py",
        ),
    ),
)

REGISTRATION = (
    # Reads the text without its signature.
    Guard(
        "form-reference-signed",
        "X23: the reference of a form is signed.",
        'replace=__import__("json").loads('
        '__import__("base64").urlsafe_b64decode($0.rpartition(":")[0] + "=="))',
        (
            "registration/test_form.py::test_form_link_is_signed",
            "registration/test_form.py",
        ),
    ),
    Guard(
        "foreign-origin-refused",
        "X: a form that another website sends is refused.",
        "never",
        (
            "registration/test_endpoint.py::test_origin_of_the_form",
            "registration/test_endpoint.py",
        ),
    ),
    Guard(
        "unknown-origin-confirmed",
        "X: a form of unknown origin has to be confirmed.",
        "remove last",
        (
            "registration/test_endpoint.py::test_origin_of_the_form",
            "registration/test_endpoint.py",
        ),
    ),
    Guard(
        "fast-form-confirmed",
        "X24: a form that was filled in very fast has to be confirmed.",
        "remove",
        (
            "registration/test_endpoint.py::test_fast_form_has_to_be_confirmed",
            "registration/test_endpoint.py",
        ),
    ),
    Guard(
        "honeypot",
        "X24: a form whose hidden field was filled in is dropped.",
        "never",
        (
            "registration/test_endpoint.py::test_honeypot_gets_the_usual_response",
            "registration/test_endpoint.py",
        ),
    ),
    Guard(
        "form-size-limit",
        "X29: the size of a form is limited.",
        "never",
        (
            "registration/test_endpoint.py::test_form_size_is_limited",
            "registration/test_endpoint.py",
        ),
    ),
    Guard(
        "network-rate-limit",
        "X24: registrations from one network are limited.",
        "value=0",
        (
            "registration/test_endpoint.py::test_limit_of_a_network",
            "registration/test_endpoint.py",
        ),
    ),
    Guard(
        "email-rate-limit",
        "X24: registrations with one email address are limited.",
        "never",
        (
            "registration/test_endpoint.py::test_limit_of_an_email_is_silent",
            "registration/test_endpoint.py",
        ),
    ),
    Guard(
        "proxy-trusted-by-name",
        "X24: a forwarded IP address counts only if a trusted proxy sent it.",
        "value=True",
        (
            "registration/test_ratelimit.py::test_network",
            "registration/test_ratelimit.py",
        ),
    ),
    Guard(
        "closed-registration-refused",
        "R: a registration is refused where registration is not possible.",
        "never",
        (
            "registration/test_endpoint.py::test_disabled_registration_is_refused",
            "registration/test_endpoint.py",
            "registration/test_availability.py",
            "registration/test_form.py",
        ),
    ),
    # Another text each time; a literal would be the same text for all.
    Guard(
        "registration-stored-once",
        "R: the same registration twice is one row.",
        'replace=$ + __import__("uuid").uuid4().hex',
        (
            "registration/test_endpoint.py::test_double_click_creates_one_row",
            "registration/test_endpoint.py",
        ),
    ),
    Guard(
        "registration-digests-rotated",
        "O25: a registration is found under the new key after a rotation.",
        "remove",
        (
            "registration/test_keys.py::test_o25_person_is_recognised_with_a_new_key",
            "registration/test_keys.py",
        ),
    ),
    Guard(
        "planned-delay-is-no-attempt",
        "W26: a planned delay does not count as an attempt.",
        "value=True",
        (
            "sync/test_order.py::test_a_wrong_client_secret_costs_no_attempt",
            "sync/test_order.py",
        ),
    ),
    Guard(
        "unsaved-registration-reported",
        "R: when a registration could not be saved, the form returns with the entries.",
        "exception",
        (
            "registration/test_full_disk.py::test_unsaved_registration_returns_the_form",
            "registration/test_full_disk.py",
        ),
    ),
    Guard(
        "unsaved-decision-reported",
        "R: when a decision could not be saved, the person sees an error.",
        "exception",
        (
            "registration/test_full_disk.py::test_unsaved_cancellation_is_reported",
            "registration/test_full_disk.py",
        ),
    ),
    Guard(
        "lost-response-looked-up",
        "S21: after a lost response the registration is looked up before it is sent again.",
        "never",
        (
            "registration/test_delivery.py::test_fault_on_the_way",
            "registration/test_delivery.py",
        ),
    ),
    Guard(
        "slow-response-time-limit",
        "R: a response that arrives byte by byte does not delay the visitor.",
        "always",
        (
            "registration/test_inline.py::test_dripping_response_does_not_delay_the_visitor",
            "registration/test_inline.py",
        ),
    ),
    Guard(
        "borrowed-rate-limit",
        "S18: a borrowed slot stays within the rate limit of the plan.",
        "argument=0",
        (
            "client/test_ratelimit.py::test_s18_urgent_work_stays_within_the_plan",
            "client/test_ratelimit.py",
        ),
    ),
    # The same digest without a key.
    Guard(
        "rate-limit-keys-keyed",
        "R: the cache key of a rate limit does not reveal what it counts.",
        'replace=__import__("hashlib").sha256($0.encode()).hexdigest()[:32]',
        (
            "registration/test_forget.py::test_no_trace_is_left",
            "registration/test_forget.py",
        ),
    ),
    Guard(
        "registration-lock",
        "R: one worker at a time works on a registration.",
        "remove",
        (
            "registration/test_delivery.py::test_leased_row_is_not_processed",
            "registration/test_delivery.py",
        ),
    ),
    Guard(
        "registration-response-not-cached",
        "X27: a response about a registration is not cached.",
        "remove",
        (
            "registration/test_form.py::test_page_shows_the_form",
            "registration/test_form.py",
        ),
    ),
    Guard(
        "personal-token-bound-to-site",
        "X: the personal token of a registrant is valid on its own Site only.",
        "always",
        (
            "registration/test_delivery.py::test_personal_url_is_bound_to_the_site",
            "registration/test_delivery.py",
            "frontend/test_join_and_watch.py",
        ),
    ),
    Guard(
        "copy-takes-no-registration",
        "R: a copied installation accepts no registrations.",
        "remove last",
        (
            "registration/test_availability.py::test_copied_database",
            "registration/test_availability.py",
        ),
    ),
    Guard(
        "missing-meeting-cancels-none",
        "R: a meeting that Zoom does not find cancels no registration.",
        "always",
        (
            "registration/test_returned.py::test_s21_check_of_a_missing_meeting_cancels_no_registration",
            "registration/test_returned.py",
        ),
    ),
)

WIRING = (
    Guard(
        "job-clock-check", "Wiring: every tick runs the clock check.", "remove", ("test_tasks.py",)
    ),
    Guard(
        "job-heartbeat",
        "Wiring: every tick runs the heartbeat of the worker.",
        "remove",
        ("test_tasks.py",),
    ),
    Guard("job-retention", "Wiring: every tick runs retention.", "remove", ("test_tasks.py",)),
    Guard(
        "job-close-past",
        "Wiring: every tick runs closing past occurrences.",
        "remove",
        ("test_tasks.py",),
    ),
    Guard(
        "job-webhook-inbox",
        "Wiring: every tick runs the sweep of the webhook inbox.",
        "remove",
        ("test_tasks.py",),
    ),
    Guard(
        "job-sync-runs",
        "Wiring: every tick runs the sweep of sync runs.",
        "remove",
        ("test_tasks.py",),
    ),
    Guard(
        "job-revocations",
        "Wiring: every tick runs pending revocations.",
        "remove",
        ("test_tasks.py",),
    ),
    Guard(
        "job-idle-tokens",
        "Wiring: every tick runs renewal of idle tokens.",
        "remove",
        ("test_tasks.py",),
    ),
    Guard(
        "job-registration-outbox",
        "Wiring: every tick runs the sweep of the registration outbox.",
        "remove",
        ("test_tasks.py",),
    ),
    Guard(
        "job-registration-reconcile",
        "Wiring: every tick runs reconciliation of registrations.",
        "remove",
        ("test_tasks.py::test_a_tick_has_registrations_reconciled", "test_tasks.py"),
    ),
    Guard(
        "job-front-end-purge",
        "Wiring: every tick runs purging at start and end times.",
        "remove",
        ("test_tasks.py::test_a_tick_purges_the_front_end_cache", "test_tasks.py"),
    ),
    Guard(
        "job-reconnect-emails",
        "Wiring: every tick runs reconnect emails.",
        "remove",
        ("test_tasks.py::test_a_tick_mails_owners_who_have_to_reconnect", "test_tasks.py"),
    ),
    Guard(
        "wire-schedule",
        "Wiring: the schedule is created after migrate.",
        "remove",
        ("test_apps.py::test_every_connection_is_named",),
    ),
    Guard(
        "wire-registrations",
        "Wiring: registration events reach their handler.",
        "remove",
        ("test_apps.py::test_every_connection_is_named",),
    ),
    Guard(
        "wire-change-purge",
        "Wiring: a change of the local copy purges pages.",
        "remove",
        ("test_apps.py::test_every_connection_is_named",),
    ),
    Guard(
        "wire-disconnect-purge",
        "Wiring: disconnecting purges pages.",
        "remove",
        ("test_apps.py::test_every_connection_is_named",),
    ),
    Guard(
        "wire-settings-purge",
        "Wiring: saved settings purge pages.",
        "remove",
        ("test_apps.py::test_every_connection_is_named",),
    ),
    Guard(
        "wire-retention",
        "Wiring: saved settings change the retention.",
        "remove",
        ("test_apps.py::test_every_connection_is_named",),
    ),
    Guard(
        "wire-block-cache",
        "Wiring: changes outside the sync invalidate block HTML.",
        "remove",
        ("test_apps.py::test_every_connection_is_named",),
    ),
    Guard(
        "admin-hosts-are-own",
        "O: connecting may start on a host in ADMIN_HOSTS.",
        "remove",
        ("oauth/test_admin_hosts.py",),
    ),
)

GUARDS = (*WEBHOOKS, *OAUTH, *TOKENS, *SYNC, *EXPOSURE, *ADMIN, *REGISTRATION, *WIRING)
