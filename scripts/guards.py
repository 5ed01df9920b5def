"""The guards of the product, each with a way to switch it off and the tests that must notice.

In the code, a comment ``# guard: <id>`` marks each guard. The operations are described in
``guard_operations.py``; they name no identifier of the code.
"""

from __future__ import annotations

from guard_operations import Guard

WEBHOOKS = (
    Guard(
        "webhook-depth-limit",
        "X29: nesting that no database stores is refused for good.",
        "never",
        ("webhooks/test_odd_bodies.py::test_what_no_database_stores_is_refused_for_good",),
    ),
    Guard(
        "webhook-numbers-are-finite",
        "A number that JSON cannot hold is refused for good.",
        "never",
        ("webhooks/test_odd_bodies.py::test_what_no_database_stores_is_refused_for_good",),
    ),
    Guard(
        "webhook-constants-refused",
        "NaN and Infinity are refused for good.",
        "remove",
        ("webhooks/test_odd_bodies.py::test_what_no_database_stores_is_refused_for_good",),
    ),
    Guard(
        "webhook-event-name",
        "W10: an event whose name has another form is never processed.",
        "remove",
        ("webhooks/test_odd_bodies.py::test_an_event_of_another_form_is_never_processed",),
    ),
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
        "remove",
        (
            "webhooks/test_endpoint.py::test_nothing_personal_or_secret_is_stored",
            "webhooks/test_endpoint.py",
        ),
    ),
    Guard(
        "payload-addresses-dropped",
        "W: email addresses of an event are not stored, whatever their member is called.",
        "remove",
        ("webhooks/test_endpoint.py::test_no_address_of_whomever_zoom_names_is_stored",),
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
        "copy-emails-no-owner",
        "A copy of an installation sends owners no email.",
        "remove last",
        ("admin/test_overview.py::test_copies_send_no_email_and_are_activated_in_bulk",),
    ),
    Guard(
        "state-bound-to-browser",
        "X1: the OAuth state counts only in the browser that began the flow.",
        "remove",
        (
            "security/test_forwarded_link.py::test_strangers_cannot_end_a_flow",
            "security/test_forwarded_link.py",
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
    # Leaves the browser: whoever began could finish what another person has allowed.
    Guard(
        "ticket-required",
        "X1: a code is used only with the ticket of the browser that brought it.",
        "always",
        (
            "security/test_forwarded_link.py::test_without_the_right_ticket",
            "security/test_forwarded_link.py",
        ),
    ),
    Guard(
        "unclaimed-code-deleted",
        "X1: a code that another browser brought is deleted, and the activity says so.",
        "never",
        (
            "security/test_forwarded_link.py::test_without_the_right_ticket",
            "security/test_forwarded_link.py",
        ),
    ),
    Guard(
        "code-deleted-by-participants-only",
        "X1: who has neither session nor ticket cannot end the authorisation of another person.",
        "never",
        (
            "security/test_forwarded_link.py::test_strangers_cannot_end_a_flow",
            "security/test_forwarded_link.py",
        ),
    ),
    Guard(
        "state-consumed-as-checked",
        "X1: a code that arrives during the check is not taken without its ticket.",
        "remove",
        (
            "oauth/test_connect.py::test_a_code_that_arrives_during_the_check_is_not_taken",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "declined-redirect-to-own-origin",
        "X15: after a declined consent, too, browsers are redirected to own origins only.",
        "remove last",
        (
            "security/test_connecting.py::test_x15_redirects_go_to_own_origins_only",
            "security/test_connecting.py",
        ),
    ),
    Guard(
        "cookieless-finish-decides-nothing",
        "F: without its session cookie a browser is sent here once more, before anything ends.",
        "never",
        (
            "oauth/test_connect.py::test_connecting_with_strict_cookies",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "oauth-no-opener",
        "X1: a page that opened the window of the flow loses it.",
        "remove",
        (
            "oauth/test_connect.py::test_an_opener_cannot_hold_on_to_the_pages_of_the_flow",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "oauth-query-not-reported",
        "O22: error reports hold no state, code or ticket.",
        "remove",
        (
            "oauth/test_connect.py::test_o22_an_error_report_holds_no_state_code_or_ticket",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "switch-checks-site-permission",
        "X4: only users who may change a Site can switch its account.",
        'replace=__import__("wagtail.models", fromlist=["Site"]).Site',
        (
            "oauth/test_connect.py::test_permission_withdrawn_before_the_switch",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "switch-of-the-authorised-site",
        "X4: an authorisation for one Site switches the account of no other Site.",
        "always",
        (
            "oauth/test_connect.py::test_an_authorisation_for_one_site_switches_no_other_site",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "switch-of-the-same-authorisation",
        "X4: an old question about a switch does not lead to a later authorisation.",
        "remove",
        (
            "oauth/test_connect.py::test_an_unanswered_switch_does_not_lead_to_a_later_authorisation",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "switch-answered-within-an-hour",
        "X4: a question about a switch expires with the authorisation that nobody uses.",
        "remove last",
        (
            "oauth/test_connect.py::test_a_switch_is_answered_within_an_hour",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "generic-settings-form-is-empty",
        "X6: Wagtail's own form for settings offers no grant and no account.",
        "remove",
        (
            "security/test_tenants.py::test_wagtails_own_form_for_settings_has_no_field",
            "security/test_tenants.py",
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
        "redirect-to-own-origin",
        "X15: the browser is redirected only to origins of this installation and of the Site.",
        "remove last",
        (
            "oauth/test_connect.py::test_x15_no_redirect_to_a_hostname_that_is_no_longer_the_sites",
            "oauth/test_connect.py",
        ),
    ),
    Guard(
        "flow-starts-on-own-origin",
        "X8: a flow begins only at origins of this installation and of its Site.",
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
        "never",
        (
            "oauth/test_invitations.py::test_a_person_without_a_login_connects_and_the_owner_confirms",
            "oauth/test_invitations.py",
        ),
    ),
    Guard(
        "invited-switch-refused",
        "X55: an invitation connects a Site with no other account than its own.",
        "never",
        ("oauth/test_invitations.py::test_a_site_that_has_another_account_is_not_switched",),
    ),
    Guard(
        "connecting-ends-invitations",
        "X55: when a Site is connected, its open invitations end.",
        "remove",
        ("oauth/test_invitations.py::test_connecting_ends_the_open_links_of_the_site",),
    ),
    Guard(
        "invitation-narrows-nothing",
        "X55: by an invitation no working permission is replaced by one that covers less.",
        "never",
        ("oauth/test_invitations.py::test_a_narrower_permission_replaces_no_working_one",),
    ),
    Guard(
        "narrower-permission-confirmed",
        "X55: the owner confirms an invited permission that covers less than a broken one.",
        "remove last",
        ("oauth/test_invitations.py::test_a_narrower_permission_for_a_broken_one_is_confirmed",),
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
    Guard(
        "expired-states-deleted",
        "X20: an expired state goes, with its code and its verifier.",
        "replace=$.none()",
        ("sync/test_retention.py::test_what_began_a_connection_is_deleted_when_it_has_expired",),
    ),
    Guard(
        "expired-invitations-deleted",
        "X20: an expired invitation goes.",
        "replace=$.none()",
        ("sync/test_retention.py::test_what_began_a_connection_is_deleted_when_it_has_expired",),
    ),
    Guard(
        "reason-of-own-grant",
        "X5: why there is no client says nothing about the grant of another account.",
        "unwrap",
        ("client/test_one_factory.py::test_the_reason_is_that_of_the_accounts_own_grant",),
    ),
    Guard(
        "deleted-site-ends-own-grant",
        "X4: a deleted Site ends its own grant and no other.",
        "replace=$.model.objects.all()",
        ("oauth/test_disconnect.py::test_the_end_of_one_grant_leaves_the_others",),
    ),
    Guard(
        "copy-emails-no-removal",
        "T15: a copy of the installation mails no owner that the app was removed.",
        "always",
        ("admin/test_connection_mails.py::test_a_copy_reports_no_removed_app",),
    ),
)

TOKENS = (
    Guard(
        "missing-scope-is-worded",
        "Code 4700 is a missing scope only where the text says so.",
        "value=True",
        ("client/test_errors.py::test_w24_error_responses_are_classified",),
    ),
    Guard(
        "revocation-of-one-grant",
        "The revocation of one grant is recorded for that grant only.",
        "remove",
        ("oauth/test_disconnect.py::test_the_end_of_one_grant_leaves_the_others",),
    ),
    Guard(
        "deauthorization-of-one-grant",
        "The removal of the app by one user ends no other grant.",
        "remove",
        ("oauth/test_disconnect.py::test_the_end_of_one_grant_leaves_the_others",),
    ),
    Guard(
        "read-needs-usable-grant",
        "Without a usable grant nothing is read, and the error says why.",
        "never",
        ("client/test_one_factory.py::test_without_a_usable_grant_there_is_no_client",),
    ),
    Guard(
        "lease-in-force",
        "O7, S17, W, R: one process at a time refreshes a token, runs the sync of an account, "
        "processes the events of an object, works on a registration.",
        "remove",
        (
            "models/test_leases.py::test_one_of_many_owners",
            "oauth/test_tokens.py::test_o8_a_lease_in_force_is_waited_for",
            "sync/test_inbox.py::test_w18_an_object_has_one_worker_at_a_time",
            "sync/test_settings_changes.py::test_s16_one_slice_at_a_time_for_an_account",
            "registration/test_delivery.py::test_leased_row_is_not_processed",
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
        "gateway-timeout-may-have-rotated",
        "O10: after a gateway's timeout the pair may have been rotated.",
        "value=False",
        ("oauth/test_tokens.py::test_o13_a_gateways_timeout_may_hide_a_rotation",),
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
        "mass-removal-of-what-is-left",
        "S13: the share of a mass removal is one of the meetings that are left.",
        "remove",
        ("sync/test_removals.py::test_s13_what_was_removed_before_makes_no_deletion_small",),
    ),
    Guard(
        "expired-not-expired-again",
        "An expired meeting keeps the time at which it expired.",
        "remove",
        ("sync/test_removals.py::test_what_has_gone_goes_once",),
    ),
    Guard(
        "removed-not-removed-again",
        "A removed meeting is not looked for again.",
        "remove",
        ("sync/test_removals.py::test_what_has_gone_goes_once",),
    ),
    Guard(
        "expiry-of-one-meeting",
        "A number that Zoom no longer knows expires that meeting only.",
        "remove",
        ("sync/test_removals.py::test_one_expired_meeting_takes_no_other_along",),
    ),
    Guard(
        "refused-questions-of-one-meeting",
        "That Zoom refuses the questions of one meeting leaves the others due.",
        "remove",
        ("registration/test_capacity.py::test_refused_questions_of_one_meeting_delay_no_other",),
    ),
    Guard(
        "conversion-within-account",
        "A meeting that becomes a webinar takes no item of another account along.",
        "remove",
        ("sync/test_relations.py::test_conversion_takes_no_item_of_another_account",),
    ),
    Guard(
        "unknown-call-is-no-absence",
        "S12: that Zoom does not know a call says nothing about a meeting or a registration.",
        "never",
        (
            "client/test_errors.py::test_w24_error_responses_are_classified",
            "sync/test_removals.py::test_s12_an_unknown_path_removes_nothing",
            "registration/test_delivery.py::test_an_unknown_path_is_no_refusal",
        ),
    ),
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
        "failing-event-dead",
        "W: an event that fails again and again becomes dead.",
        "never",
        (
            "sync/test_bursts.py::test_w26_a_poison_event_is_dead_with_a_reason_and_others_are_processed",
            "sync/test_bursts.py",
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
        "always",
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
    Guard(
        "refetch-in-scope",
        "X5: an event about a host or a kind that no Site shows reads nothing.",
        "always",
        (
            "sync/test_scope_of_storing.py::test_an_event_about_a_host_that_no_site_shows_reads_nothing",
        ),
    ),
    Guard(
        "meeting-stored-in-scope",
        "X5: a meeting that no Site wants is not stored.",
        "remove",
        ("sync/test_scope_of_storing.py::test_only_what_a_site_wants_is_stored",),
    ),
    Guard(
        "recording-stored-in-scope",
        "X5: a recording that no Site wants is not stored.",
        "remove",
        ("sync/test_scope_of_storing.py::test_only_what_a_site_wants_is_stored",),
    ),
    Guard(
        "late-deletion-ignored",
        "X11: a deletion that is older than the last read cancels nothing.",
        "value=False",
        ("sync/test_removals.py::test_a_deletion_before_the_last_read_cancels_nothing",),
    ),
    Guard(
        "failed-event-told-to-own-sites",
        "X5: an event that failed is logged for the Sites of its account only.",
        "remove",
        (
            "sync/test_scope_of_storing.py::test_a_failed_event_is_logged_for_the_sites_of_its_account_only",
        ),
    ),
)

EXPOSURE = (
    Guard(
        "calendar-of-shown-sites",
        "A Site that shows nothing has no calendar, not even an empty one.",
        "never",
        ("frontend/test_ical.py::test_a_site_that_shows_nothing_has_no_calendar",),
    ),
    Guard(
        "base-url-checked-at-use",
        "A stored address of another Site reaches no mail, link or calendar.",
        'value=""',
        (
            "security/test_own_urls.py::test_and_ignored_when_it_is_stored",
            "security/test_own_urls.py",
        ),
    ),
    Guard(
        "hostname-of-another-site-refused",
        "No form and no personal page of one Site under the hostname of another.",
        "remove",
        (
            "security/test_own_urls.py::test_the_form_of_one_site_is_not_shown_at_the_installations_host_if_that_is_another_site",
            "security/test_own_urls.py",
        ),
    ),
    Guard(
        "known-values-cut-from-topic",
        "X26: what opens a meeting is cut from its topic, by value.",
        "argument=0",
        (
            "mapping/test_mapping.py::test_what_opens_a_meeting_is_cut_from_its_texts",
            "mapping/test_mapping.py",
        ),
    ),
    Guard(
        "known-values-cut-from-agenda",
        "X26: what opens a meeting is cut from its agenda, by value.",
        "argument=0",
        (
            "mapping/test_mapping.py::test_what_opens_a_meeting_is_cut_from_its_texts",
            "mapping/test_mapping.py",
        ),
    ),
    Guard(
        "known-values-cut-from-recording",
        "X26: what opens a recording is cut from its topic, by value.",
        "argument=0",
        (
            "mapping/test_mapping.py::test_what_opens_a_recording_is_cut_from_its_topic",
            "mapping/test_mapping.py",
        ),
    ),
    Guard(
        "known-values-cut-from-host",
        "X26: a personal room and links are cut from the name of a host.",
        "argument=0",
        (
            "mapping/test_mapping.py::test_the_name_and_the_room_of_a_host",
            "mapping/test_mapping.py",
        ),
    ),
    Guard(
        "known-values-cut-from-transcript",
        "X26: what opens a meeting is cut from transcripts, by value.",
        "argument=0",
        (
            "security/test_secrets_in_text.py::test_transcripts_hold_nothing_that_opens_a_meeting",
            "security/test_secrets_in_text.py",
        ),
    ),
    Guard(
        "known-values-cut-from-question",
        "X26: what opens a meeting is cut from the questions of its form.",
        "argument=0",
        (
            "security/test_secrets_in_text.py::test_questions_hold_nothing_that_opens_a_meeting",
            "security/test_secrets_in_text.py",
        ),
    ),
    Guard(
        "own-words-hold-no-secret",
        "X26: owners cannot publish what opens a meeting in their words.",
        "never",
        (
            "security/test_secrets_in_text.py::test_owners_are_refused_to_write_what_opens_the_meeting",
            "security/test_secrets_in_text.py",
        ),
    ),
    Guard(
        "payload-texts-dropped",
        "X26: texts that people write are not stored with an event.",
        "remove last",
        (
            "webhooks/test_endpoint.py::test_nothing_personal_or_secret_is_stored",
            "webhooks/test_endpoint.py",
        ),
    ),
    Guard(
        "personal-number-is-personal-room",
        "X28: a meeting with the number of a personal room is in it.",
        "remove",
        (
            "sync/test_personal_rooms.py::test_a_meeting_with_the_number_of_the_room_is_hidden",
            "sync/test_personal_rooms.py",
        ),
    ),
    Guard(
        "personal-number-needs-decision",
        "X28: no rule publishes a recording with the number of a room.",
        "remove",
        (
            "sync/test_personal_rooms.py::test_a_recording_with_the_number_of_the_room_waits",
            "sync/test_personal_rooms.py",
        ),
    ),
    Guard(
        "recording-without-link-hidden",
        "X28: a recording that nobody can open is not shown.",
        "remove",
        (
            "frontend/test_visibility.py::test_hidden_recordings",
            "frontend/test_visibility.py",
        ),
    ),
    Guard(
        "private-recording-hidden",
        "X28: a recording of a private meeting is not shown.",
        "remove",
        (
            "frontend/test_visibility.py::test_recordings_of_hidden_meetings",
            "frontend/test_visibility.py",
        ),
    ),
    Guard(
        "personal-room-recording-hidden",
        "X28: a recording of a personal room's meeting is not shown.",
        "remove",
        (
            "frontend/test_visibility.py::test_recordings_of_hidden_meetings",
            "frontend/test_visibility.py",
        ),
    ),
    Guard(
        "unclear-meeting-hidden",
        "X28: a meeting with an unknown value of a switch is not shown.",
        "remove",
        (
            "frontend/test_visibility.py::test_never_shown_even_when_published",
            "frontend/test_visibility.py",
        ),
    ),
    Guard(
        "unknown-type-hidden",
        "X28: a meeting of an unknown kind is not shown.",
        "remove",
        (
            "frontend/test_visibility.py::test_never_shown_even_when_published",
            "frontend/test_visibility.py",
        ),
    ),
    Guard(
        "watch-redirect-to-zoom-only",
        "X15: the watch page redirects to Zoom only.",
        "never",
        (
            "frontend/test_join_and_watch.py::test_a_stored_recording_outside_zoom_is_never_opened",
            "frontend/test_join_and_watch.py",
        ),
    ),
    Guard(
        "owner-watch-redirect-to-zoom-only",
        "X15: the owner's preview of a recording redirects to Zoom only.",
        "never",
        (
            "admin/test_listings.py::test_a_recording_can_be_watched_before_it_is_published",
            "admin/test_listings.py",
        ),
    ),
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
        "served-page-ends-with-request",
        "A block without a page in its context shows nothing of the page of an earlier request.",
        "remove",
        ("projects/test_blocks.py::test_another_requests_page_is_never_used",),
    ),
    Guard(
        "burst-delays-no-other-account",
        "One pass takes the oldest events of each account, however many one of them has.",
        "remove",
        ("sync/test_inbox.py::test_a_burst_of_one_account_delays_no_other",),
    ),
    Guard(
        "recordings-follow-their-meeting",
        "Cached pages drop a recording when its meeting is hidden, whoever hosts the meeting.",
        "remove",
        ("blocks/test_block_cache_hosts.py::test_a_meeting_of_another_host_hides_its_recordings",),
    ),
    Guard(
        "transferred-meeting-leaves",
        "Cached pages drop a meeting that has moved to a host that their Site does not show.",
        "remove",
        ("blocks/test_block_cache_hosts.py::test_a_transferred_meeting_leaves_and_comes_back",),
    ),
    Guard(
        "transferred-recording-leaves",
        "The same for recordings.",
        "remove",
        ("blocks/test_block_cache_hosts.py::test_a_transferred_recording_leaves",),
    ),
    Guard(
        "page-expires-at-next-change",
        "No page cache stores a page with blocks beyond the next start or end.",
        "remove",
        ("projects/test_page_caches.py::test_lifetime_ends_at_the_next_change",),
    ),
    Guard(
        "page-link-opens-no-feed",
        "X26: the id in a page's link is valid for that link only: no calendar file opens with it.",
        "remove last",
        ("security/test_restrictions.py::test_a_link_cannot_be_made_to_name_another_page_or_none",),
    ),
    Guard(
        "unpublished-page-offers-nothing",
        "X26: the links of a page that is not published open nothing.",
        "remove",
        ("security/test_restrictions.py::test_links_of_an_unpublished_page_open_nothing",),
    ),
    Guard(
        "view-restriction-applied",
        "X26: Wagtail's view restrictions apply to our URLs.",
        "never",
        ("security/test_restrictions.py::test_matrix",),
    ),
    Guard(
        "link-follows-its-page",
        "X26: whoever may not see a page cannot watch or read what it offers.",
        "never",
        ("security/test_restrictions.py::test_matrix",),
    ),
    Guard(
        "join-follows-its-page",
        "X26: whoever may not see a page cannot join what it offers.",
        "never",
        ("security/test_restrictions.py::test_matrix",),
    ),
    Guard(
        "form-follows-its-page",
        "X26: whoever may not see a page can neither read nor send its form.",
        "never",
        ("security/test_restrictions.py::test_only_who_may_see_the_page_registers",),
    ),
    Guard(
        "received-page-follows-its-page",
        "X26: the page after a registration follows the page of the form.",
        "never",
        ("security/test_restrictions.py::test_matrix",),
    ),
    Guard(
        "feed-follows-root-page",
        "X26: calendar files of a private Site are refused.",
        "never",
        ("security/test_restrictions.py::test_matrix",),
    ),
    Guard(
        "repeated-hour-in-utc",
        "A calendar file never names a local time that the clock shows twice.",
        "never",
        ("frontend/test_ical_clock_changes.py::test_every_reader_finds_the_instants",),
    ),
    Guard(
        "api-follows-root-page",
        "X26: API v2 of a private Site is refused.",
        "never",
        ("security/test_restrictions.py::test_matrix",),
    ),
    Guard(
        "api-v3-follows-root-page",
        "X26: API v3 of a private Site is refused.",
        "never",
        ("security/test_restrictions.py::test_matrix",),
        needs="wagtail.api.v3",
    ),
    Guard(
        "search-follows-root-page",
        "X26: the search of a private Site finds nothing for others.",
        "never",
        ("security/test_restrictions.py::test_search_finds_what_the_visitor_may_see",),
    ),
    Guard(
        "join-requires-login",
        "X26: a visitor's join link obeys LoginRequiredMiddleware.",
        "never",
        ("security/test_restrictions.py::test_login_required_middleware_is_obeyed",),
    ),
    Guard(
        "api-requires-login",
        "X26: API v2 obeys LoginRequiredMiddleware, which exempts its framework.",
        "never",
        ("security/test_restrictions.py::test_login_required_middleware_is_obeyed",),
    ),
    Guard(
        "restricted-response-not-cached",
        "X27: what is under a restriction is private and not stored.",
        "never",
        ("security/test_restrictions.py::test_matrix",),
    ),
    Guard(
        "private-page-not-linked",
        "X26: a public page does not link to a private page of a meeting.",
        "remove",
        ("security/test_restrictions.py::test_no_page_links_to_a_more_private_page",),
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
            "frontend/test_join_and_watch.py::"
            "test_the_passcode_of_a_recordings_link_is_removed_by_policy",
            "frontend/test_join_and_watch.py",
        ),
    ),
    # The list and one tag more.
    Guard(
        "unclosed-markup-searched-once",
        "X31: the end of hidden markup is not searched again from each of its beginnings.",
        "remove",
        ("security/test_patterns.py::test_x31_markup_without_an_end_takes_no_time",),
    ),
    Guard(
        "tags-limited",
        "X31: a text with very many tags does not keep the sanitiser busy.",
        "always",
        (
            "security/test_patterns.py::test_x31_a_text_with_very_many_tags_is_its_words",
            "security/test_patterns.py::test_x31_parsers_of_external_text_are_linear",
        ),
    ),
    Guard(
        "cue-is-text",
        "X31: entities in a transcript do not become markup.",
        "unwrap",
        ("sync/test_transcripts.py::test_webvtt_becomes_plain_text",),
    ),
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
    Guard(
        "choice-of-present-account",
        "X38: what was published for a former account publishes nothing of the present one.",
        "remove",
        ("frontend/test_visibility.py::test_an_item_of_a_former_account_publishes_nothing",),
    ),
    Guard(
        "search-titles-of-site",
        "X5: a search does not look into the titles of another Site.",
        "unwrap",
        (
            "blocks/test_search.py::test_titles_of_other_items_for_the_same_meeting_are_not_searched",
        ),
    ),
    Guard(
        "search-titles-of-account",
        "X38: a search does not look into titles for an account that was left.",
        "remove",
        (
            "blocks/test_search.py::test_titles_of_other_items_for_the_same_meeting_are_not_searched",
        ),
    ),
    Guard(
        "cached-html-limit",
        "X29: HTML over the limit does not fill the cache.",
        "never",
        ("blocks/test_block_cache.py::test_html_of_any_length_does_not_fill_the_cache",),
    ),
    Guard(
        "dates-of-the-items-account",
        "X38: an item for a former account shows no dates of the present one.",
        "remove",
        (
            "blocks/test_single.py::test_an_item_of_a_former_account_shows_no_meeting_of_the_present_one",
        ),
    ),
    Guard(
        "meeting-of-the-items-account",
        "X38: an item for a former account shows no meeting of the present one.",
        "remove",
        (
            "blocks/test_single.py::test_an_item_of_a_former_account_shows_no_meeting_of_the_present_one",
        ),
    ),
    Guard(
        "meeting-link-by-policy",
        "X26: the link of a meeting without a fixed time follows the join policy.",
        "always",
        (
            "frontend/test_visibility.py::test_the_link_of_a_meeting_without_fixed_time_follows_the_join_policy",
        ),
    ),
)

ADMIN = (
    Guard(
        "block-added-by-editors",
        "The checklist adds a block only to a page that this user may edit.",
        "never",
        ("admin/test_checklist.py::test_pages_that_the_owner_cannot_publish_to_visitors",),
    ),
    Guard(
        "action-needs-grant",
        "A Site without a grant starts, stops and approves nothing for its account.",
        "remove",
        ("admin/test_panel.py::test_a_site_without_a_grant_starts_nothing_for_its_account",),
    ),
    Guard(
        "base-url-checked-at-save",
        "An owner cannot save the address of another Site or of the installation.",
        "never",
        (
            "security/test_own_urls.py::test_an_address_that_is_not_the_sites_own_is_refused_when_saved",
        ),
    ),
    Guard(
        "organiser-without-link",
        "The organiser's name holds no web address.",
        "never",
        ("security/test_own_urls.py::test_words_of_owners_hold_no_line_and_no_link",),
    ),
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
        "chooser-hides-host-names",
        "X6: editors do not read or search names of hosts that the Site hides from visitors.",
        "always",
        (
            "admin/test_chooser_list.py"
            "::test_names_that_visitors_do_not_read_are_not_for_editors_either",
        ),
    ),
    Guard(
        "block-notes-need-the-site",
        "X5: notes about blocks are for editors of the Site's pages only.",
        "always",
        ("admin/test_block_check.py::test_only_editors_of_the_site_get_an_answer",),
    ),
    Guard(
        "block-notes-hide-titles",
        "X5: a note about a block names no item whose title the user may not read.",
        "always",
        ("admin/test_block_check.py::test_a_meeting_of_another_site",),
    ),
    Guard(
        "chooser-hides-foreign-title",
        "X6, X49: choosers and comparisons show no title of another owner's item.",
        "always",
        (
            "admin/test_choosers.py::test_a_stored_foreign_id_shows_no_title",
            "security/test_chosen_items.py",
        ),
    ),
    Guard(
        "years-limited",
        "X50: a year that no clock can compute is no year.",
        "always",
        ("security/test_extreme_dates.py::test_only_years_of_the_calendar_are_years",),
    ),
    Guard(
        "days-limited",
        "X50: a day that no clock can compute is the nearest one.",
        "argument=0",
        (
            "security/test_extreme_dates.py::test_extreme_days_that_an_editor_enters_are_the_nearest",
        ),
    ),
    Guard(
        "block-in-api-private",
        "X51: a block in an API shows no Site whose root page the visitor may not see.",
        "never",
        ("security/test_blocks_in_api.py::test_blocks_show_no_private_site_to_visitors",),
    ),
    Guard(
        "block-in-api-not-cached",
        "X51: an answer with a block of a private Site is kept out of caches.",
        "never",
        ("security/test_blocks_in_api.py::test_blocks_show_no_private_site_to_visitors",),
    ),
    Guard(
        "search-shown-text-only",
        "X52: what is cut from a text is not searched either.",
        "always",
        ("blocks/test_search.py::test_what_is_cut_from_a_text_is_not_searched",),
    ),
    Guard(
        "form-again-follows-its-page",
        "X53: the form to register again follows the page that offered it.",
        "value=None",
        (
            "security/test_restrictions.py::test_the_form_to_register_again_follows_the_page_that_offered_it",
        ),
    ),
    Guard(
        "forms-refuse-foreign-items",
        "X49: a form refuses an item that the user may not choose.",
        "never",
        (
            "security/test_chosen_items.py::test_forms_refuse_blocks_with_items_that_the_user_may_not_choose",
        ),
    ),
    Guard(
        "export-without-formulas",
        "X18: a cell of an exported file does not begin a formula.",
        "argument=1",
        (
            "admin/test_listings.py::test_exports_contain_no_formulas",
            "admin/test_listings.py",
        ),
    ),
    Guard(
        "every-list-view-limited",
        "X5: every view of our lists limits its rows.",
        "always",
        ("admin/test_walk.py::test_every_view_of_a_list_limits_its_rows",),
    ),
    Guard(
        "access-of-present-user",
        "X5: titles of items are those that the present user may read.",
        "remove last",
        ("admin/test_choosers.py::test_titles_are_those_that_the_present_user_may_read",),
    ),
    Guard(
        "incomplete-correction-not-saved",
        "X23: an incomplete correction of a registration is not saved.",
        "remove last",
        ("admin/test_listings.py::test_a_correction_that_is_incomplete_is_not_saved",),
    ),
    Guard(
        "former-hosts-not-lost-by-saving",
        "X38: saving before the hosts are read again loses none that was ticked.",
        "value=False",
        (
            "admin/test_connection_mails.py::test_hosts_stay_ticked_over_a_removal_whatever_is_saved_before_they_are_read",
        ),
    ),
    Guard(
        "inactive-superuser-owns-nothing",
        "X34: an inactive superuser looks after no Site.",
        "remove last",
        ("permissions/test_owner_policy.py::test_an_inactive_superuser_looks_after_no_site",),
    ),
    Guard(
        "failed-events-of-own-site",
        "X5: failed events that concern other Sites of the account are not counted or replayed.",
        "remove",
        ("admin/test_listings.py::test_failed_events_of_other_sites_are_not_counted",),
    ),
)

REGISTRATION = (
    Guard(
        "registrants-read-for-accepting-sites",
        "Registrants are read only while a connected Site takes registrations.",
        "remove",
        (
            "registration/test_returned.py::test_registrants_are_read_only_for_sites_that_take_registrations",
        ),
    ),
    Guard(
        "own-code-is-validated",
        "Code of a project stores only what the form accepts.",
        "never",
        ("registration/test_form.py::test_a_projects_own_code_cannot_store_wrong_answers",),
    ),
    Guard(
        "form-encoding-fixed",
        "The encoding that a header names cannot make reading a form fail.",
        "remove",
        ("registration/test_endpoint.py::test_no_encoding_makes_the_form_fail",),
    ),
    Guard(
        "error-report-without-form",
        "An error mail to ADMINS holds no value of a form.",
        "remove decorator",
        ("security/test_error_reports.py",),
    ),
    Guard(
        "error-report-without-variables",
        "An error mail to ADMINS holds no variable of a frame that handles people.",
        "remove decorator",
        ("security/test_error_reports.py",),
    ),
    Guard(
        "task-error-without-text",
        "The worker stores no text of an exception, which may name a person.",
        "remove",
        ("security/test_error_reports.py",),
    ),
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
            "registration/test_endpoint.py::test_honeypot_has_to_be_confirmed",
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
        "meeting-rate-limit",
        "X24: registrations for one meeting are limited.",
        "value=0",
        (
            "registration/test_limits.py::test_limit_of_a_meeting_refuses",
            "registration/test_limits.py",
        ),
    ),
    Guard(
        "site-rate-limit",
        "X24: registrations on one Site are limited.",
        "value=0",
        (
            "registration/test_limits.py::test_limit_of_a_site_refuses",
            "registration/test_limits.py",
        ),
    ),
    Guard(
        "email-rate-limit",
        "X24: calls to Zoom for one email address are limited; registrations are stored anyway.",
        "value=0",
        (
            "registration/test_limits.py::test_held_back_registrations_reach_zoom_later",
            "registration/test_limits.py",
        ),
    ),
    Guard(
        "email-count-limit",
        "X24: emails to one address are limited over all meetings and Sites.",
        "value=0",
        (
            "registration/test_limits.py::test_an_address_gets_a_few_emails_from_all_meetings",
            "registration/test_limits.py",
        ),
    ),
    Guard(
        "resend-rate-limit",
        "X24: an email is sent again a few times an hour only.",
        "value=0",
        (
            "registration/test_limits.py::test_limit_of_resending",
            "registration/test_limits.py",
        ),
    ),
    Guard(
        "emails-counted-by-mailbox",
        "X24: emails to one mailbox are limited, whatever stands after the plus sign.",
        "replace=$0",
        ("registration/test_limits.py::test_a_mailbox_is_counted_once_for_all_its_names",),
    ),
    Guard(
        "registrations-counted-by-mailbox",
        "X24: calls to Zoom for one mailbox are limited, too.",
        "replace=$0",
        ("registration/test_limits.py::test_a_mailbox_is_counted_once_for_all_its_names",),
    ),
    Guard(
        "replay-needs-connection",
        "X39: a failed event is replayed only by owners of Sites with its account.",
        "remove",
        ("security/test_disconnected.py::test_failed_events_of_a_left_account_are_not_replayed",),
    ),
    Guard(
        "replay-of-present-account",
        "X39: also where the Site has another account now.",
        "remove",
        ("security/test_disconnected.py::test_failed_events_of_a_left_account_are_not_replayed",),
    ),
    Guard(
        "totals-of-allowed-kinds",
        "X45: no number is shown of a kind that Zoom has not allowed to the Site's own permission.",
        "always",
        (
            "security/test_missing_permission.py::test_no_number_of_a_kind_that_zoom_has_not_allowed",
        ),
    ),
    Guard(
        "host-totals-of-allowed-kinds",
        "X45: no number is shown of a kind that Zoom has not allowed to the Site's own permission.",
        "always",
        (
            "security/test_missing_permission.py::test_no_number_of_a_kind_that_zoom_has_not_allowed",
        ),
    ),
    Guard(
        "run-counts-of-allowed-kinds",
        "X45: no number is shown of a kind that Zoom has not allowed to the Site's own permission.",
        "always",
        (
            "security/test_missing_permission.py::test_no_number_of_a_kind_that_zoom_has_not_allowed",
        ),
    ),
    Guard(
        "logged-counts-of-allowed-kinds",
        "X45: no number is shown of a kind that Zoom has not allowed to the Site's own permission.",
        "always",
        (
            "security/test_missing_permission.py::test_no_number_of_a_kind_that_zoom_has_not_allowed",
        ),
    ),
    Guard(
        "registrations-counted-of-allowed-kinds",
        "X45: nor of its meetings with registration.",
        "remove",
        (
            "security/test_missing_permission.py::test_no_number_of_a_kind_that_zoom_has_not_allowed",
        ),
    ),
    Guard(
        "hosts-that-zoom-lists",
        "X45: names of hosts are offered only where Zoom lists them for the Site's own permission.",
        "never",
        (
            "security/test_missing_permission.py::test_no_host_that_zoom_does_not_list_for_this_site",
        ),
    ),
    Guard(
        "email-title-without-links",
        "X56: no topic or title puts a link into an email to an address that anybody entered.",
        "argument=0",
        (
            "security/test_links_in_mails.py::test_a_topic_puts_no_link_into_the_mails_of_a_stranger",
        ),
    ),
    Guard(
        "email-passcode-without-links",
        "X56: nor does a passcode.",
        "never",
        (
            "security/test_links_in_mails.py::test_a_topic_puts_no_link_into_the_mails_of_a_stranger",
        ),
    ),
    Guard(
        "email-calendar-without-links",
        "X56: nor does the calendar file.",
        "never",
        (
            "security/test_links_in_mails.py::test_a_topic_puts_no_link_into_the_mails_of_a_stranger",
        ),
    ),
    Guard(
        "email-names-without-links",
        "X56: no name at Zoom puts a link into an email to an owner.",
        "argument=0",
        (
            "security/test_links_in_mails.py::test_a_name_at_zoom_writes_nothing_into_the_mail_to_the_owner",
        ),
    ),
    Guard(
        "greeting-without-links",
        "R: an email to an address that anybody may have entered holds no name with a link.",
        "always",
        (
            "registration/test_mails.py::test_names_that_are_not_greeted",
            "registration/test_mails.py",
        ),
    ),
    Guard(
        "one-spelling-of-email",
        "R: an address is accepted in one spelling, which limits and mail servers read alike.",
        "never",
        (
            "registration/test_form.py::test_other_spellings_of_an_address_are_refused",
            "registration/test_form.py",
        ),
    ),
    Guard(
        "no-null-in-queries",
        "R: a NUL in a URL reaches no query, so that PostgreSQL does not fail.",
        "unwrap",
        (
            "api/test_v2.py::test_no_nul_from_a_url_reaches_a_query",
            "admin/test_panel.py::test_no_nul_in_the_search_for_hosts_reaches_a_query",
        ),
    ),
    Guard(
        "deliverable-email",
        "R: an address that no email reaches is refused by the form.",
        "never",
        (
            "registration/test_form.py::test_undeliverable_emails_are_refused",
            "registration/test_form.py",
        ),
    ),
    Guard(
        "emails-compared-by-domain",
        "R: two addresses are one person only when their domains are the same (IDNA 2008).",
        "always",
        (
            "registration/test_form.py::test_domains_that_look_alike_are_different_people",
            "registration/test_form.py",
        ),
    ),
    Guard(
        "thanked-registration-stays",
        "X40: a refusal of one request withdraws nothing that another has thanked for.",
        "never",
        (
            "registration/test_registered_again.py::test_what_another_request_has_thanked_for_stays",
            "registration/test_registered_again.py",
        ),
    ),
    Guard(
        "refusal-not-thanked",
        "R: whom Zoom has just refused reads so at once.",
        "never",
        (
            "registration/test_refusals.py::test_refusal_is_shown_immediately",
            "registration/test_refusals.py",
        ),
    ),
    Guard(
        "form-confirmation-expires",
        "X: the signed confirmation of a form expires.",
        "remove",
        (
            "registration/test_limits.py::test_confirmation_of_a_form_expires",
            "registration/test_limits.py",
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
        "lost-meeting-looked-up",
        "After a lost answer a new meeting is looked up before it is sent again.",
        "never",
        (
            "scheduling/test_delivery.py::test_a_lost_answer_creates_no_second_meeting",
            "scheduling/test_delivery.py",
        ),
    ),
    Guard(
        "updates-in-their-order",
        "An update that is tried again does not overwrite a later one of the same meeting.",
        "never",
        ("scheduling/test_delivery.py::test_updates_of_a_meeting_go_in_their_order",),
    ),
    Guard(
        "lease-held-before-sending",
        "A process that stood still while another took its row over sends nothing.",
        "never",
        (
            "scheduling/test_delivery.py::"
            "test_a_process_that_lost_its_lease_sends_and_records_nothing",
        ),
    ),
    Guard(
        "copy-before-visibility",
        "A new meeting is shown or hidden as requested, even if it could not be read at first.",
        "never",
        ("scheduling/test_delivery.py::test_its_visibility_is_set_after_a_failed_read",),
    ),
    Guard(
        "change-made-elsewhere-not-overwritten",
        "A change is not sent over what somebody has changed at Zoom in between.",
        "never",
        ("scheduling/test_admin.py::test_a_difference_is_shown_and_chosen",),
    ),
    Guard(
        "private-meeting-not-opened",
        "The form to change a meeting does not show what has become private in Zoom.",
        "never",
        ("scheduling/test_admin.py::test_a_meeting_that_became_private_is_not_shown",),
    ),
    Guard(
        "schedule-permission",
        "Only the owner, and editors whom the owner allows it, schedule for a Site.",
        "never",
        ("scheduling/test_admin.py::test_an_owner_of_another_site_changes_nothing",),
    ),
    Guard(
        "editors-schedule-if-allowed",
        "Editors schedule only on Sites whose owner allows it.",
        "never",
        ("scheduling/test_admin.py::test_editors_schedule_if_the_owner_allows_it",),
    ),
    Guard(
        "editors-change-what-they-may-choose",
        "Editors neither read nor change a meeting that visitors do not see.",
        "never",
        ("scheduling/test_admin.py::test_editors_schedule_if_the_owner_allows_it",),
    ),
    Guard(
        "editors-decide-on-own-changes",
        "Editors neither read nor decide on changes that others have asked for.",
        "never",
        ("scheduling/test_admin_forms.py::test_an_editor_decides_on_own_changes_only",),
    ),
    Guard(
        "change-needs-write-access",
        "A Site schedules and changes only what its own connection covers and it shows.",
        "never",
        ("scheduling/test_service.py::test_a_site_without_access_is_refused",),
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
        "R: the row of a rate limit does not reveal what it counts.",
        'replace=__import__("hashlib").sha256($0.encode()).hexdigest()',
        (
            "registration/test_limits.py::test_a_counter_does_not_reveal_what_it_counts",
            "registration/test_forget.py::test_no_trace_is_left",
            "registration/test_forget.py",
        ),
    ),
    Guard(
        "site-grant-writes",
        "X: registrations are changed at Zoom only with the grant of their Site.",
        "never",
        (
            "registration/test_disconnected.py::test_who_has_left_changes_nothing_at_zoom",
            "registration/test_disconnected.py",
        ),
    ),
    Guard(
        "write-covered-by-grant",
        "X: a grant of one user changes only the meetings of this user.",
        "never",
        (
            "registration/test_disconnected.py::test_who_has_left_changes_nothing_at_zoom",
            "registration/test_disconnected.py",
        ),
    ),
    Guard(
        "hidden-host-not-written",
        "X: nobody is added while the Site does not show the host or the kind.",
        "never",
        (
            "registration/test_disconnected.py::test_who_has_left_changes_nothing_at_zoom",
            "registration/test_disconnected.py",
        ),
    ),
    Guard(
        "moderation-by-linked-site",
        "X: actions of an owner who may not change the meeting at Zoom are not offered.",
        "never",
        (
            "registration/test_disconnected.py::test_actions_are_not_offered_and_the_reason_is_said",
            "registration/test_disconnected.py",
        ),
    ),
    Guard(
        "reconcile-linked-sites-only",
        "X: a Site that has left does not learn what is decided at Zoom later.",
        "remove",
        (
            "registration/test_disconnected.py::test_what_happens_at_zoom_later_is_not_learnt",
            "registration/test_disconnected.py",
        ),
    ),
    Guard(
        "event-linked-sites-only",
        "X: an event changes only registrations of Sites that are linked now.",
        "remove",
        (
            "registration/test_disconnected.py::test_what_happens_at_zoom_later_is_not_learnt",
            "registration/test_disconnected.py",
        ),
    ),
    Guard(
        "unknown-answer-read-back",
        "R: a state that Zoom has not named is read back before it is told.",
        "never",
        (
            "registration/test_known_states.py::test_an_answer_without_a_known_state_is_read_back_before_anything_is_told",
            "registration/test_known_states.py",
        ),
    ),
    Guard(
        "confirmed-as-shown",
        "R: a person confirms only the entries that she was shown.",
        "never",
        (
            "registration/test_registered_again.py::test_nothing_is_confirmed_that_was_not_shown",
            "registration/test_registered_again.py",
        ),
    ),
    Guard(
        "confirmed-answers-kept",
        "R: unconfirmed answers do not replace confirmed or sent ones.",
        "always",
        (
            "registration/test_registered_again.py::test_confirmed_answers_are_not_replaced_by_unconfirmed_ones",
            "registration/test_registered_again.py",
        ),
    ),
    Guard(
        "older-task-leaves-unconfirmed",
        "R: what Zoom says about an older registration leaves one that is not confirmed yet.",
        "never",
        (
            "registration/test_registered_again.py::test_an_older_cancellation_leaves_a_newer_registration",
            "registration/test_registered_again.py",
        ),
    ),
    Guard(
        "denied-stays-denied",
        "R: who was denied for one date is not approved for another.",
        "never",
        (
            "registration/test_known_states.py::test_who_was_denied_for_one_date_does_not_get_in_by_another",
            "registration/test_known_states.py",
        ),
    ),
    Guard(
        "denied-cannot-cancel",
        "R: who was denied does not get in by cancelling and registering again.",
        "never",
        (
            "registration/test_known_states.py::test_who_was_denied_does_not_get_in_by_cancelling",
            "registration/test_known_states.py",
        ),
    ),
    Guard(
        "older-task-counts-no-failure",
        "R: the failure of an older task is not an attempt of a cancellation.",
        "always",
        (
            "registration/test_unanswered.py::test_who_was_denied_does_not_get_in_when_an_older_task_failed",
            "registration/test_unanswered.py",
        ),
    ),
    Guard(
        "unanswered-task-awaited",
        "R: what Zoom did not answer is not overtaken by what follows.",
        "value=False",
        (
            "registration/test_unanswered.py::test_a_late_approval_does_not_undo_a_cancellation",
            "registration/test_unanswered.py",
        ),
    ),
    Guard(
        "registrations-find-their-meeting",
        "R: registrations are linked again when their meeting is stored again.",
        "remove",
        (
            "registration/test_coming_back.py::test_everything_works_as_before",
            "registration/test_coming_back.py",
        ),
    ),
    Guard(
        "dates-of-registrations-saved",
        "R: dates keep their ids while people are registered for them.",
        "remove",
        (
            "registration/test_coming_back.py::test_everything_works_as_before",
            "registration/test_coming_back.py",
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
        "closed-registration-not-confirmed",
        "R: where registration is not possible, an older one cannot be confirmed.",
        "remove last",
        (
            "frontend/test_registration_states.py::test_a_closed_registration_is_not_confirmed",
            "frontend/test_registration_states.py",
        ),
    ),
    Guard(
        "public-calendar-without-registrants-link",
        "X26: public calendar files of meetings with registration have no join link.",
        "never",
        (
            "registration/test_calendar_files.py::test_public_files_of_meetings_with_registration_have_no_join_link",
            "registration/test_calendar_files.py",
        ),
    ),
    Guard(
        "personal-page-links-personal-calendar",
        "Whoever is registered is led to her own calendar file.",
        "never",
        (
            "registration/test_calendar_files.py::test_personal_pages_link_to_the_personal_file",
            "registration/test_calendar_files.py",
        ),
    ),
    Guard(
        "registrant-gets-own-link-only",
        "Whoever is registered is not sent to the public link of a meeting with registration.",
        "never",
        (
            "registration/test_calendar_files.py::test_a_registrant_without_a_link_is_not_sent_to_the_public_one",
            "registration/test_calendar_files.py",
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
    Guard(
        "unconfirmed-account-not-written",
        "X1: nothing is changed at Zoom before the owner has confirmed the account.",
        "never",
        (
            "client/test_one_factory.py::test_nothing_is_changed_at_zoom_before_the_owner_has_confirmed_the_account",
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
        "job-meeting-changes",
        "Wiring: every tick runs the sweep of the changes of meetings.",
        "remove",
        ("test_tasks.py",),
    ),
    Guard(
        "job-attendance",
        "Wiring: every tick runs the sweep of the readings of attendance.",
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
        "job-registrant-count",
        "Wiring: every tick has registrants counted.",
        "remove",
        ("test_tasks.py::test_a_tick_has_registrants_counted", "test_tasks.py"),
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
        "wire-admin-user",
        "X7: for whom the admin rendered is not remembered for the next request.",
        "remove",
        (
            "test_apps.py::test_every_connection_is_named",
            "admin/test_choosers.py::test_no_user_is_remembered_after_the_request",
        ),
    ),
    Guard(
        "wire-moved-dates",
        "Wiring: registered people are told that a date has moved.",
        "remove",
        ("test_apps.py::test_every_connection_is_named",),
    ),
    Guard(
        "moved-mail-for-connected-sites",
        "R: nobody is written to about a date for a Site that has left the account.",
        "remove",
        ("registration/test_moved_dates.py::test_a_disconnected_site_sends_no_email",),
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
        "wire-served-page-start",
        "Wiring: the page of an earlier request is forgotten when a request starts.",
        "remove",
        ("test_apps.py::test_every_connection_is_named",),
    ),
    Guard(
        "wire-served-page-end",
        "Wiring: the page of a request is forgotten when the request ends.",
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
        "wire-restriction-purge",
        "Wiring: a page that becomes private is purged.",
        "remove",
        ("test_apps.py::test_every_connection_is_named",),
    ),
    Guard(
        "wire-opened-purge",
        "Wiring: a page that becomes public is purged.",
        "remove",
        ("test_apps.py::test_every_connection_is_named",),
    ),
    Guard(
        "wire-deleted-site",
        "S24: with a Site everything from Zoom is deleted that no other Site uses.",
        "remove",
        ("oauth/test_disconnect.py::test_a_deleted_site_leaves_nothing_from_zoom",),
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

ATTENDANCE = (
    Guard(
        "attendance-not-retroactive",
        "Nothing is read of what ended before attendance was switched on.",
        "remove",
        ("sync/test_attendance.py::test_what_ended_before_is_not_read_when_it_is_switched_on",),
    ),
    Guard(
        "attendance-of-recording-sites",
        "Attendance is stored only for registrations of the Sites that record it.",
        "remove",
        ("sync/test_attendance.py::test_another_site_of_the_account_gets_nothing",),
    ),
    Guard(
        "attendance-scope-of-own-grant",
        "A Site gets attendance only if Zoom has allowed it to the Site's own grant.",
        "remove",
        ("sync/test_attendance.py::test_a_missing_permission_is_awaited",),
    ),
    Guard(
        "empty-list-proves-nothing",
        "A list that is missing or empty makes nobody absent.",
        "remove",
        ("sync/test_attendance.py::test_a_list_that_never_comes_says_nothing_about_anybody",),
    ),
    Guard(
        "absent-only-when-final",
        "Whoever is not in a list that may be incomplete is not known yet.",
        "always",
        ("sync/test_attendance.py::test_ten_registered_seven_came",),
    ),
    Guard(
        "waiting-room-not-attended",
        "Whoever was only in the waiting room did not come.",
        "never",
        ("mapping/test_participants.py::test_the_waiting_room_is_no_stay",),
    ),
)

DISCONNECTED = (
    Guard(
        "registrations-of-left-sites-stay-apart",
        "X5: what another Site imports anew is not linked to registrations of a Site that left.",
        "remove",
        ("security/test_disconnected.py::test_registrations_of_a_site_that_left_stay_apart",),
    ),
    Guard(
        "dates-of-left-sites-stay-apart",
        "X5: nor are its dates.",
        "remove",
        ("security/test_disconnected.py::test_registrations_of_a_site_that_left_stay_apart",),
    ),
    Guard(
        "ended-grant-shows-nothing",
        "X5: a Site whose permission has ended reads and shows nothing.",
        "value=True",
        ("security/test_disconnected.py::test_no_user_reads_what_came_after_disconnecting",),
    ),
    Guard(
        "archive-gets-no-news",
        "X5: what another Site imports later changes no item and no log of an archive.",
        "never",
        ("security/test_disconnected.py::test_no_user_reads_what_came_after_disconnecting",),
    ),
    Guard(
        "recordings-off-not-read",
        "X28: with recordings switched off, the admin reads none.",
        "remove",
        ("security/test_disconnected.py::test_no_user_reads_what_came_after_disconnecting",),
    ),
    Guard(
        "archive-recordings-frozen",
        "X5: an archive shows only recordings that it showed, unchanged.",
        "remove",
        (
            "security/test_disconnected.py::test_an_archive_shows_what_was_shown_and_is_never_widened",
        ),
    ),
    Guard(
        "missing-kind-gets-no-news",
        "X38: a kind that Zoom refused gives a Site no items and no log of another Site's import.",
        "never",
        ("security/test_missing_permission.py",),
    ),
    Guard(
        "missing-recordings-not-read",
        "X38: recordings that Zoom refused are not read with another Site's permission.",
        "remove",
        ("security/test_missing_permission.py",),
    ),
    Guard(
        "missing-meetings-not-read",
        "X38: meetings that Zoom refused are not read with another Site's permission.",
        "remove",
        ("security/test_missing_permission.py",),
    ),
    Guard(
        "grant-allowed-for-kind",
        "A permission without a kind does not stop the import of that kind for other Sites.",
        "remove",
        ("security/test_missing_permission.py",),
    ),
    Guard(
        "narrowed-refresh-narrows",
        "X38: scopes that Zoom gives no more at a refresh narrow what the Sites read.",
        "never",
        ("security/test_missing_permission.py",),
    ),
    Guard(
        "private-date-not-cached",
        "X42: the page of a date is kept out of caches where its page is private.",
        "argument=1",
        (
            "security/test_restrictions.py::test_the_page_of_a_date_is_private_where_everybody_logs_in",
            "security/test_restrictions.py::test_the_page_of_a_date_is_as_private_as_its_page",
        ),
    ),
    Guard(
        "account-decided-by-its-grant",
        "A personal permission decides nothing about an account that other Sites use.",
        "never",
        ("admin/test_account_decisions.py",),
    ),
    Guard(
        "plan-stated-by-its-grant",
        "A personal permission does not state the plan of an account that other Sites use.",
        "value=False",
        ("admin/test_account_decisions.py",),
    ),
    Guard(
        "archive-meetings-frozen",
        "X5: an archive shows only meetings that it showed, unchanged.",
        "remove",
        (
            "security/test_disconnected.py::test_an_archive_shows_what_was_shown_and_is_never_widened",
        ),
    ),
    Guard(
        "archive-dates-frozen",
        "X5: an archive shows no date that came or moved later.",
        "remove",
        ("security/test_disconnected.py::test_an_archive_shows_no_new_date_and_no_new_transcript",),
    ),
    Guard(
        "hidden-date-not-shown",
        "X5: a visitor sees no date that the owner hides.",
        "remove",
        ("admin/test_hidden_dates.py::test_no_visitor_sees_it_and_the_others_stay",),
    ),
    Guard(
        "archive-transcripts-frozen",
        "X5: an archive shows no transcript that was read later.",
        "remove",
        ("security/test_disconnected.py::test_an_archive_shows_no_new_date_and_no_new_transcript",),
    ),
    Guard(
        "archive-row-unchanged",
        "X5: what has changed since the Site left is not in its archive.",
        "remove",
        (
            "security/test_disconnected.py::test_an_archive_shows_what_was_shown_and_is_never_widened",
        ),
    ),
    Guard(
        "archive-host-name-unchanged",
        "X5: a new name of a host is not in an archive.",
        "remove",
        (
            "security/test_disconnected.py::test_an_archive_shows_what_was_shown_and_is_never_widened",
        ),
    ),
    Guard(
        "archive-host-names-frozen",
        "X5: filters of an archive name only hosts as they were called then.",
        "unwrap",
        ("security/test_disconnected.py::test_lists_name_only_hosts_that_the_site_may_read",),
    ),
    Guard(
        "personal-grant-names-own-host",
        "X5: filters name only the person that a personal grant covers.",
        "unwrap",
        ("security/test_disconnected.py::test_lists_name_only_hosts_that_the_site_may_read",),
    ),
    Guard(
        "item-row-of-account",
        "X5: an item stands for no row of another account, not even with the same number.",
        "always",
        ("security/test_disconnected.py::test_another_account_never_gets_the_old_hosts_or_items",),
    ),
    Guard(
        "item-row-needs-use",
        "X5: lists hold only items whose row the Site may use now.",
        "remove",
        ("security/test_disconnected.py::test_lists_hold_only_items_whose_row_may_be_used",),
    ),
    Guard(
        "archive-joins-no-meeting",
        "X28: an archive gives nobody the link of a meeting without dates.",
        "never",
        ("security/test_disconnected.py::test_an_archive_lets_no_user_join",),
    ),
    Guard(
        "archive-joins-nothing",
        "X28: an archive gives nobody a join link.",
        "never",
        ("security/test_disconnected.py::test_an_archive_lets_no_user_join",),
    ),
    Guard(
        "archive-offers-no-registration",
        "X28: an archive does not lead to its closed form.",
        "remove",
        ("security/test_disconnected.py::test_an_archive_has_no_registration_and_no_join_link",),
    ),
    Guard(
        "archive-offers-no-joining",
        "X28: an archive does not lead to a link that lets nobody in.",
        "never",
        ("security/test_disconnected.py::test_an_archive_has_no_registration_and_no_join_link",),
    ),
    Guard(
        "removed-app-ends-archives",
        "S24: when its user removes the app in Zoom, an archive ends.",
        "remove",
        ("security/test_disconnected.py::test_our_own_revocation_does_not_end_the_archive",),
    ),
    Guard(
        "archive-settings-closed",
        "X5: the settings of an archive cannot be saved.",
        "never",
        ("security/test_disconnected.py::test_the_settings_of_an_archive_are_closed",),
    ),
    Guard(
        "ended-grant-offers-no-host",
        "X5: an ended permission offers no names of hosts.",
        "remove",
        ("security/test_disconnected.py::test_lists_name_only_hosts_that_the_site_may_read",),
    ),
    Guard(
        "former-hosts-of-present-account",
        "X38: a choice for the present account leaves what was ticked for the former one.",
        "remove",
        ("security/test_disconnected.py::test_another_account_never_gets_the_old_hosts_or_items",),
    ),
    Guard(
        "unlinks-own-registrations",
        "X38: leaving an account unlinks the registrations of that Site only.",
        "remove",
        (
            "security/test_disconnected.py::test_disconnecting_leaves_the_registrations_of_other_sites_linked",
        ),
    ),
    Guard(
        "ended-grant-unlinks",
        "X38: a permission that has ended unlinks items and registrations.",
        "never",
        ("security/test_disconnected.py::test_a_permission_that_has_ended_unlinks_registrations",),
    ),
    Guard(
        "resumes-own-account",
        "X39: a new connection revives no registration of another account.",
        "unwrap",
        (
            "security/test_disconnected.py::test_a_new_connection_revives_no_registrations_of_another_account",
        ),
    ),
)

SUMMARIES = (
    Guard(
        "summary-tags",
        "X16: the Markdown of a summary is reduced to a short list of tags.",
        'replace={*$, "h1"}',
        ("utils/test_markdown.py",),
    ),
    Guard(
        "summary-attributes",
        "X16: nothing in a summary has an attribute but the address of a link.",
        'replace={**$, "a": {"href", "title"}}',
        ("utils/test_markdown.py::test_tags_and_attributes_are_limited", "utils/test_markdown.py"),
    ),
    Guard(
        "summary-link-schemes",
        "X16: a link in a summary leads to a website.",
        'replace={*$, "mailto"}',
        (
            "utils/test_markdown.py::test_the_words_of_what_is_removed_stay",
            "utils/test_markdown.py",
        ),
    ),
    Guard(
        "summary-links-elsewhere",
        "X26: no link in a summary leads to Zoom.",
        "replace=$0",
        ("utils/test_markdown.py::test_no_link_leads_to_zoom", "utils/test_markdown.py"),
    ),
    Guard(
        "summary-emails-cut",
        "X26: email addresses in a summary are not stored.",
        "remove",
        ("utils/test_markdown.py::test_emails_and_images_are_not_stored",),
    ),
    Guard(
        "escaped-secrets-cut",
        "X26: what opens a meeting is cut from its summary, also with backslashes in it.",
        "argument=0",
        ("sync/test_summaries.py::test_what_is_cut_may_be_escaped",),
    ),
    Guard(
        "known-values-cut-from-summary",
        "X26: what opens a meeting is cut from its summary, by value.",
        "argument=0",
        ("sync/test_summaries.py::test_only_the_text_is_stored",),
    ),
    Guard(
        "late-summary-trash-ignored",
        "W: an event that is older than what was read withdraws nothing.",
        "unwrap",
        ("sync/test_summaries.py::test_an_old_trash_event_does_not_withdraw",),
    ),
    Guard(
        "missing-summary-needs-two-runs",
        "S: a summary that no event reported as gone needs two runs.",
        "always",
        ("sync/test_summaries.py::test_one_run_withdraws_nothing_twice",),
    ),
    Guard(
        "withdrawn-summary-needs-review",
        "X28: a summary that comes back waits for review.",
        "value=0",
        ("sync/test_summaries.py::test_trashed_is_withdrawn_and_recovered_waits_again",),
    ),
    Guard(
        "summary-stored-in-scope",
        "X5: a summary that no Site wants is not stored.",
        "never",
        ("sync/test_summaries.py::test_what_changed_while_it_was_read_is_not_stored",),
    ),
    Guard(
        "private-summary-not-stored",
        "X28: the summary of a private or unknown meeting is not stored.",
        "remove",
        ("sync/test_summaries.py::test_private_and_unknown_meetings_are_not_stored",),
    ),
    Guard(
        "left-summary-needs-review",
        "X5: a Site that shows summaries no longer keeps none of its reviewed texts.",
        "never",
        ("sync/test_summaries.py::test_switching_on_reads_the_last_month_and_off_deletes",),
    ),
    Guard(
        "summaries-off-not-read",
        "X28: with summaries switched off, nobody reads one.",
        "remove",
        ("frontend/test_summaries.py::test_switched_off_nothing_is_read",),
    ),
    Guard(
        "archive-summaries-frozen",
        "X5: an archive shows only summaries that it showed, unchanged.",
        "remove",
        ("frontend/test_summaries.py::test_an_archive_shows_what_it_showed",),
    ),
    Guard(
        "missing-summaries-not-read",
        "X28: a Site without the scope reads no summary that another Site's grant has read.",
        "remove",
        ("frontend/test_summaries.py::test_a_grant_without_the_scope_keeps_what_it_had",),
    ),
    Guard(
        "summary-needs-review",
        "X28: nothing of a summary is shown before a person has reviewed it.",
        "remove",
        ("frontend/test_summaries.py::test_nothing_without_a_review",),
    ),
    Guard(
        "deleted-summary-hidden",
        "X28: a summary that was deleted at Zoom is not shown.",
        "remove",
        ("frontend/test_summaries.py::test_what_zoom_no_longer_has_is_not_shown",),
    ),
    Guard(
        "trashed-summary-hidden",
        "X28: a summary in Zoom's trash is not shown.",
        "remove",
        ("frontend/test_summaries.py::test_what_zoom_no_longer_has_is_not_shown",),
    ),
    Guard(
        "private-summary-hidden",
        "X28: the summary of a private meeting is not shown.",
        "remove",
        ("frontend/test_summaries.py::test_summaries_of_hidden_meetings",),
    ),
    Guard(
        "personal-room-summary-hidden",
        "X28: the summary of a personal room's meeting is not shown.",
        "remove",
        ("frontend/test_summaries.py::test_summaries_of_hidden_meetings",),
    ),
    Guard(
        "review-of-own-site",
        "X1: visitors read the words of their own Site's person.",
        "remove",
        ("frontend/test_summaries.py::test_another_site_of_the_account_decides_for_itself",),
    ),
    Guard(
        "summary-purge-of-sites-that-show-it",
        "A changed summary purges no page of a Site that shows none.",
        "never",
        ("frontend/test_summaries.py::test_the_purge_is_exact",),
    ),
)

HUB = (
    Guard(
        "hub-urls-https",
        "Hub: A deployment's URLs are https outside DEBUG.",
        "remove",
        ("hub/test_commands.py::test_add_refuses_urls_that_are_not_allowed",),
    ),
    Guard(
        "hub-client-secret-compared",
        "Hub: A deployment's calls have its secret.",
        "always",
        ("hub/test_tokens.py::test_wrong_secret_is_refused_without_asking_zoom",),
    ),
    Guard(
        "hub-rotated-secret-expires",
        "Hub: A rotated client secret ends after a week.",
        "remove",
        ("hub/test_tokens.py::test_previous_secret_works_for_a_week",),
    ),
    Guard(
        "hub-removed-deployment-refused",
        "Hub: A removed deployment may not begin, finish, nor call.",
        "unwrap",
        ("hub/test_tokens.py::test_removed_deployment_is_refused",),
    ),
    Guard(
        "hub-code-own-deployment-only",
        "Hub: A code is exchanged by the deployment that it was issued to.",
        "remove",
        ("hub/test_authorization.py::test_attack_hostile_deployment_redeems_a_stolen_code",),
    ),
    Guard(
        "hub-code-expires",
        "Hub: A code is valid for five minutes.",
        "remove",
        ("hub/test_authorization.py::test_code_expires",),
    ),
    Guard(
        "hub-verifier-checked",
        "Hub: A code needs the verifier of its challenge, before Zoom is called.",
        "never",
        ("hub/test_authorization.py::test_attack_code_without_the_verifier",),
    ),
    Guard(
        "hub-refresh-after-end-refused",
        "Hub: A binding that ends during a refresh gives no token.",
        "never",
        ("hub/test_tokens.py::test_binding_that_ends_during_a_refresh_gives_no_token",),
    ),
    Guard(
        "hub-unsaved",
        "Hub: An event that could not be stored is repeated by Zoom.",
        "remove",
        ("hub/test_events.py::test_event_that_could_not_be_stored_is_repeated_by_zoom",),
    ),
    Guard(
        "hub-event-once",
        "Hub: A replayed event is one delivery.",
        "remove",
        ("hub/test_events.py::test_replayed_event_is_one_delivery",),
    ),
    Guard(
        "hub-event-own-account",
        "Hub: An event reaches deployments of its account only.",
        "unwrap",
        ("hub/test_events.py::test_matrix_of_accounts_levels_and_events",),
    ),
    Guard(
        "hub-deauthorization-to-its-user",
        "Hub: The removal of the app reaches the deployment of that user only.",
        "value=True",
        ("hub/test_events.py::test_removal_of_the_app_ends_the_binding_and_is_delivered",),
    ),
    Guard(
        "hub-event-own-host",
        "Hub: A user-level binding receives its own user's events only.",
        "value=True",
        ("hub/test_events.py::test_matrix_of_accounts_levels_and_events",),
    ),
    Guard(
        "hub-no-private-address",
        "Hub: No event goes into a private network.",
        "never",
        ("hub/test_events.py::test_private_address_is_refused_before_anything_is_sent",),
    ),
    Guard(
        "hub-follows-no-redirect",
        "Hub: No event follows a redirect.",
        "value=True",
        ("hub/test_events.py::test_redirect_is_not_followed",),
    ),
    Guard(
        "hub-user-moves-by-consent",
        "Hub: A Zoom user moves to another website by that person's word only.",
        "never",
        ("hub/test_authorization.py::test_second_website_needs_the_persons_word",),
    ),
    Guard(
        "hub-refresh-own-token-only",
        "Hub: A refresh token is used by its own deployment only.",
        "remove",
        ("hub/test_tokens.py::test_attack_refresh_token_of_another_deployment",),
    ),
    Guard(
        "hub-revoke-own-user-only",
        "Hub: A website cannot revoke a user's connection with another one.",
        "never",
        ("hub/test_tokens.py::test_attack_website_that_had_the_user_revokes_the_new_connection",),
    ),
    Guard(
        "hub-again-while-bound",
        "Hub: An event is not sent again to a website that lost the account.",
        "remove",
        (
            "hub/test_wagtail_admin.py::test_event_of_an_account_that_is_no_longer_connected_is_not_sent",
        ),
    ),
    Guard(
        "hub-again-with-content",
        "Hub: An event whose content was deleted is not sent again.",
        "remove",
        ("hub/test_wagtail_admin.py::test_event_whose_content_was_deleted_is_not_sent",),
    ),
    Guard(
        "hub-admin-list-permission",
        "Hub: The list of deployments needs a permission.",
        "value=None",
        ("hub/test_wagtail_admin.py::test_matrix_of_permissions",),
    ),
    Guard(
        "hub-admin-page-permission",
        "Hub: The page of a deployment needs a permission.",
        "value=None",
        ("hub/test_wagtail_admin.py::test_matrix_of_permissions",),
    ),
    Guard(
        "hub-admin-again-permission",
        "Hub: Sending again needs the permission to change.",
        "value=None",
        ("hub/test_wagtail_admin.py::test_matrix_of_permissions",),
    ),
    Guard(
        "hub-admin-shows-no-secret",
        "Hub: No secret is shown in the admin.",
        'value=["client_id", "secret_hash"]',
        ("hub/test_wagtail_admin.py::test_no_secret_and_no_content_of_an_event_is_shown",),
    ),
    Guard(
        "health-numbers-with-token",
        "The numbers of a health check need the token.",
        "always",
        ("hub/test_health.py::test_numbers_need_the_token",),
    ),
    Guard(
        "hub-older-keys-needed",
        "Hub: Older keys are needed until every website has refreshed its tokens.",
        "always",
        ("hub/test_key_rotation.py::test_older_keys_are_needed_until_every_website_has_refreshed",),
    ),
    Guard(
        "hub-digest-key-renewed",
        "Hub: A refresh brings a connection under the newest key.",
        "remove",
        ("hub/test_key_rotation.py::test_older_keys_are_needed_until_every_website_has_refreshed",),
    ),
    Guard(
        "hub-deauthorization-of-one-user",
        "Hub: The removal of the app ends that user's binding only.",
        "remove",
        ("hub/test_events.py::test_removal_of_the_app_ends_the_binding_and_is_delivered",),
    ),
    Guard(
        "hub-deauthorization-ignores-outdated",
        "Hub: A removal from before the connection ends nothing.",
        "remove",
        ("hub/test_events.py::test_removal_from_before_the_connection_ends_nothing",),
    ),
    Guard(
        "hub-parameters-once",
        "Hub: A repeated parameter is refused.",
        "remove",
        ("hub/test_authorization.py::test_repeated_parameter_is_refused",),
    ),
    Guard(
        "hub-redirect-uri-exact",
        "Hub: The browser is sent to the deployment's own redirect URL only.",
        "remove",
        ("hub/test_authorization.py::test_another_deployments_redirect_url_is_refused",),
    ),
    Guard(
        "hub-pkce-required",
        "Hub: A deployment has to use PKCE with S256.",
        "remove",
        ("hub/test_authorization.py::test_wrong_request_of_a_known_deployment_goes_back_to_it",),
    ),
    Guard(
        "hub-callback-bound-to-browser",
        "Hub: A code is accepted in the browser that pressed the button only.",
        "remove",
        ("hub/test_authorization.py::test_attack_victim_has_a_cookie_of_an_own_connection",),
    ),
    Guard(
        "hub-state-expires",
        "Hub: A state is valid for ten minutes.",
        "remove",
        ("hub/test_authorization.py::test_state_expires",),
    ),
    Guard(
        "hub-state-once",
        "Hub: A state brings one code.",
        "remove",
        ("hub/test_authorization.py::test_callback_works_once",),
    ),
    Guard(
        "hub-binding-in-force",
        "Hub: An ended binding receives nothing.",
        "remove",
        ("hub/test_events.py::test_ended_and_removed_bindings_receive_nothing",),
    ),
    Guard(
        "hub-removed-deployment-unbound",
        "Hub: A removed deployment receives nothing.",
        "remove",
        ("hub/test_events.py::test_ended_and_removed_bindings_receive_nothing",),
    ),
    Guard(
        "hub-not-framed",
        "Hub: The hub's page with the button is not framed.",
        'value="ALLOWALL"',
        ("hub/test_authorization.py::test_page_names_the_deployment_and_begins_nothing",),
    ),
    Guard(
        "hub-authorize-limit",
        "Hub: Attempts of one network are limited.",
        "never",
        ("hub/test_authorization.py::test_too_many_attempts_of_one_network_do_not_stop_another",),
    ),
    Guard(
        "hub-token-limit",
        "Hub: Calls of one deployment are limited.",
        "never",
        ("hub/test_tokens.py::test_limit_of_one_deployment_does_not_stop_another",),
    ),
    Guard(
        "hub-job-give-up",
        "Hub: Wiring: every tick of the hub ends what was tried for a day.",
        "remove",
        ("hub/test_events.py::test_given_up_after_a_day_with_one_mail",),
    ),
    Guard(
        "hub-job-deliver",
        "Hub: Wiring: every tick of the hub wakes the worker for what is due.",
        "remove",
        ("hub/test_events.py::test_delivery_whose_task_was_lost_is_sent_by_the_next_tick",),
    ),
    Guard(
        "hub-job-emails",
        "Hub: Wiring: every tick of the hub sends its emails.",
        "remove",
        ("hub/test_events.py::test_given_up_after_a_day_with_one_mail",),
    ),
    Guard(
        "hub-job-retention",
        "Hub: Wiring: every tick of the hub applies retention.",
        "remove",
        ("hub/test_events.py::test_retention",),
    ),
)

GUARDS = (
    *WEBHOOKS,
    *OAUTH,
    *TOKENS,
    *SYNC,
    *EXPOSURE,
    *ATTENDANCE,
    *DISCONNECTED,
    *ADMIN,
    *REGISTRATION,
    *WIRING,
    *SUMMARIES,
    *HUB,
)
