//! The laws of the store: one list, which every adapter keeps.
//!
//! An adapter's test gives the macro [`store_laws!`](crate::store_laws) a
//! function that sets a store up, and each law becomes a test of its own. Laws
//! draw their own ids and groups, so that most of them can share a database;
//! those about what is one for all, such as the active signing key, are given
//! one of their own. Whatever a law finds at first, it is empty then.

mod audit_log;
mod callers;
mod cleaning;
mod clock;
mod credentials;
mod devices;
mod factors;
mod federated_identities;
mod groups;
mod identifier_undos;
mod identifiers;
mod many_users;
mod outbox;
mod reauthentications;
mod revocations;
mod revoked_tokens;
mod service_accounts;
mod sessions;
mod signing_keys;
mod subject;
mod tombstones;
mod units_of_work;
mod user_lists;
mod users;

pub use audit_log::*;
pub use callers::*;
pub use cleaning::*;
pub use clock::*;
pub use credentials::*;
pub use devices::*;
pub use factors::*;
pub use federated_identities::*;
pub use groups::*;
pub use identifier_undos::*;
pub use identifiers::*;
pub use many_users::*;
pub use outbox::*;
pub use reauthentications::*;
pub use revocations::*;
pub use revoked_tokens::*;
pub use service_accounts::*;
pub use sessions::*;
pub use signing_keys::*;
pub use subject::{StoreSubject, Tenancy};
pub use tombstones::*;
pub use units_of_work::*;
pub use user_lists::*;
pub use users::*;

/// Makes each law a test. The function that is given takes a [`Tenancy`] and
/// returns a future of `Option<StoreSubject>`; without a subject the tests pass,
/// so it has to say why there is none.
#[macro_export]
macro_rules! store_laws {
    ($set_up:path) => {
        $crate::store_laws! { $set_up, Shared =>
            a_working_store_answers_a_ping
            time_does_not_go_back
            a_user_is_read_as_written
            a_change_of_a_user_is_read_as_written
            an_external_id_is_held_once_in_a_group
            a_user_id_is_taken_once
            an_account_without_a_password_is_found
            deleting_a_user_deletes_all_that_is_its_own
            users_are_listed_page_by_page
            users_are_listed_by_their_roles
            users_are_listed_by_their_states
            users_are_listed_by_the_beginning_of_an_identifier
            a_tombstone_is_there_until_its_time
            users_whose_time_has_come_are_told
            an_identifier_is_held_once_in_a_group
            two_groups_may_share_an_identifier
            identifiers_compare_byte_for_byte
            the_longest_identifiers_are_kept
            the_addresses_of_a_user_are_listed
            an_identifier_needs_its_user
            accounts_at_once_are_read_as_written
            of_accounts_at_once_all_are_inserted_or_none
            hundreds_of_accounts_are_inserted_at_once
            of_many_those_are_told_that_are_there
            what_is_kept_of_many_addresses_is_told
            of_8_who_insert_the_same_accounts_at_once_one_does
            of_16_who_take_an_identifier_at_once_one_gets_it
            of_16_who_take_different_identifiers_all_get_them
            a_password_is_read_as_written
            attempts_of_nobody_are_counted_for_no_user
            a_password_takes_the_place_of_the_earlier
            a_password_needs_its_user
            setting_a_password_raises_the_credential_version
            clearing_failures_keeps_the_password
            of_64_attempts_at_once_10_are_counted
            an_attempt_without_a_password_is_not_counted
            a_session_is_read_as_written
            a_session_needs_its_user
            a_session_id_is_taken_once
            a_rotation_changes_what_it_says
            a_rotation_to_what_is_there_already_succeeds
            a_rotation_starts_from_its_generation
            of_32_rotations_at_once_one_succeeds
            rotations_of_many_sessions_at_once_are_each_answered
            an_ended_session_does_not_rotate
            a_reauthentication_changes_what_it_says
            a_reauthentication_lets_no_access_token_expire_earlier
            what_is_not_alive_is_not_reauthenticated
            a_rotation_starts_from_its_authentication
            of_16_reauthentications_at_once_none_is_lost
            rotations_and_reauthentications_at_once_keep_each_other
            live_sessions_are_listed_page_by_page
            only_live_sessions_of_the_user_are_listed
            revoking_ends_a_session_once
            a_revocation_is_stamped_by_the_store
            a_revocation_is_kept_until_the_last_access_token_is_long_gone
            a_revocation_is_in_the_feed_from_the_commit_on
            what_is_not_alive_is_not_revoked
            of_16_revocations_at_once_one_ends_the_session
            all_sessions_but_one_are_revoked
            hundreds_of_sessions_are_revoked_at_once
            a_token_without_a_session_is_revoked_and_again
            a_token_is_entered_once
            of_16_who_enter_a_token_at_once_one_does
            pages_of_the_feed_tell_each_revocation_once
            the_feed_tells_what_is_recent_and_needed
            a_retired_signing_key_is_read_as_written
            a_caller_is_read_as_written
            a_callers_name_is_taken_once
            a_name_in_a_certificate_is_taken_once
            the_keys_of_a_caller_come_and_go_one_by_one
            a_key_needs_its_caller
            the_names_of_a_caller_come_and_go_one_by_one
            of_16_who_add_a_second_key_at_once_one_does
            the_last_use_of_a_key_does_not_go_back
            a_message_id_is_taken_once_and_spoils_no_other
            of_64_messages_queued_at_once_all_are_there
            a_factor_is_read_as_written
            a_factor_needs_its_user
            a_factor_is_deleted_once_by_its_user
            a_credential_is_of_one_factor
            a_factor_moves_forward_alone
            of_64_who_move_a_factor_forward_at_once_one_does
            recovery_codes_are_taken_once_and_replaced_as_a_whole
            a_code_and_a_step_are_taken_with_the_unit_of_work
            of_64_who_take_a_recovery_code_at_once_one_gets_it
            deleting_a_user_deletes_its_factors
            a_linked_account_is_read_as_written
            a_linked_account_needs_its_user
            an_account_is_linked_once_in_a_group
            of_16_who_link_an_account_at_once_one_does
            a_linked_account_is_used_and_deleted_by_its_user
            linked_accounts_are_deleted_from_a_time_on
            linked_accounts_go_with_their_user
            a_device_is_read_as_written
            a_device_needs_its_user
            a_device_too_many_takes_the_place_of_the_first
            of_30_devices_at_once_20_are_left
            a_device_is_touched_for_its_user_alone
            of_64_attempts_from_a_device_at_once_10_are_counted
            forgotten_devices_are_known_to_nobody
            deleting_a_user_deletes_its_devices
            an_undo_is_read_as_written
            an_undo_needs_its_user
            undos_are_listed_as_they_were_made
            the_last_expiry_of_undos_is_told
            an_undo_takes_all_later_ones_with_it
            an_undo_is_good_until_its_time_is_over
            of_64_who_take_an_undo_at_once_one_does
            an_address_is_held_for_its_user
            an_address_that_is_given_up_is_nobodys_in_between
            an_identifier_is_taken_from_its_user_alone
            a_password_is_taken_and_the_version_raised
            factors_are_deleted_from_a_time_on
            a_factor_is_deleted_by_its_credential
            deleting_a_user_deletes_its_undos
            a_group_is_read_as_written
            a_group_id_is_taken_once
            a_group_is_changed_and_deleted
            groups_are_listed_page_by_page
            groups_of_users_are_told
            an_audit_event_is_read_as_written
            an_audit_event_outlives_its_user
            a_user_is_erased_from_the_audit_log
            a_user_is_erased_from_the_audit_log_part_by_part
            an_audit_event_falls_with_its_unit_of_work
            audit_events_are_listed_by_each_filter
            audit_events_are_listed_page_by_page_while_more_come
            refused_attempts_of_an_hour_are_counted_in_one_event
            of_16_who_count_refused_attempts_at_once_none_is_lost
            a_held_group_is_not_deleted_meanwhile
            a_service_account_is_read_as_written
            ids_of_service_accounts_are_taken_once
            a_service_account_is_changed_and_deleted
            credentials_of_service_accounts_come_and_go_one_by_one
            service_accounts_are_listed_page_by_page
            a_locked_service_account_makes_others_wait
            service_accounts_are_in_their_group
            a_dropped_unit_of_work_leaves_no_trace
            a_unit_of_work_sees_its_own_changes
            a_locked_user_makes_others_wait
            a_user_locked_by_identifier_makes_others_wait
            a_locked_credential_makes_attempts_wait
            after_a_conflict_the_store_goes_on
            abandoned_units_of_work_leave_nothing_open
        }
        $crate::store_laws! { $set_up, Own =>
            there_is_one_active_and_one_next_signing_key
            the_place_of_a_signing_key_is_cleared
            what_has_outlived_its_use_is_deleted
            a_message_is_claimed_as_it_was_queued
            a_message_is_claimed_by_one_of_16_who_ask_at_once
            the_oldest_messages_are_claimed_first
            a_code_is_claimed_before_all_notices
            a_lapsed_claim_comes_back_in_doubt
            a_message_to_be_tried_again_waits_for_its_time
            what_is_settled_is_not_claimed
            an_expired_message_is_never_claimed
            the_backlog_tells_what_waits_and_since_when
            a_message_of_a_dropped_unit_of_work_is_never_sent
        }
    };
    ($set_up:path, $tenancy:ident => $($law:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                let tenancy = $crate::testing::store_laws::Tenancy::$tenancy;
                if let Some(subject) = $set_up(tenancy).await {
                    $crate::testing::store_laws::$law(&subject).await;
                }
            }
        )+
    };
}
