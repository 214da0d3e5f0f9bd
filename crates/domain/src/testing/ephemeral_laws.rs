//! The laws of the ephemeral store: one list, which every adapter keeps.
//!
//! An adapter's test gives the macro [`ephemeral_laws!`](crate::ephemeral_laws)
//! a function that sets a store up, and each law becomes a test of its own.
//! Laws name their own keys, so that they can share a server.

mod budgets;
mod charged_secrets;
mod comparisons;
mod guards;
mod races;
mod refunds;
mod rewards;
mod secrets;
mod subject;
mod values;

pub use budgets::*;
pub use charged_secrets::*;
pub use comparisons::*;
pub use guards::*;
pub use races::*;
pub use refunds::*;
pub use rewards::*;
pub use secrets::*;
pub use subject::EphemeralSubject;
pub use values::*;

/// Makes each law a test. The function that is given returns a future of
/// `Option<EphemeralSubject>`; without a subject the tests pass, so it has to
/// say why there is none.
#[macro_export]
macro_rules! ephemeral_laws {
    ($set_up:path) => {
        $crate::ephemeral_laws! { $set_up =>
            what_is_put_is_got
            what_was_not_put_is_not_got
            a_value_expires
            a_value_is_taken_once
            of_64_takers_at_once_one_gets_the_value
            put_replaces_the_value_and_its_time
            put_if_absent_leaves_a_value_alone
            put_if_absent_sees_that_a_value_has_expired
            of_64_who_put_if_absent_at_once_one_does
            empty_and_binary_values_are_kept
            keys_are_told_apart_to_the_last_byte
            a_working_store_answers_a_ping
            the_value_of_a_secret_is_told
            an_unknown_series_has_no_latest
            a_secret_expires
            take_takes_a_secret
            put_takes_the_place_of_a_secret
            put_if_absent_leaves_a_secret_alone
            supersede_takes_the_place_of_a_value
            the_latest_of_a_series_ends_the_earlier
            supersede_renews_a_secret_under_its_own_key
            series_are_told_apart
            a_key_taken_over_is_left_alone
            a_series_has_no_latest_once_that_is_gone
            of_64_secrets_of_a_series_at_once_one_is_left
            a_secret_is_charged_to_each_of_its_budgets
            a_refused_secret_changes_nothing
            of_64_charged_secrets_at_once_as_many_as_the_limit_are_kept
            the_right_guess_takes_the_secret
            wrong_guesses_use_up_the_tries
            the_value_is_no_guess
            a_guess_is_compared_in_full
            tries_are_told
            without_tries_nothing_is_compared
            a_wrong_guess_does_not_renew_the_time
            only_wrong_guesses_are_charged
            the_right_guess_opens_no_window
            guesses_at_nothing_cost_nothing
            an_exhausted_budget_compares_nothing
            a_secret_names_the_budget_of_its_guesses
            an_expired_secret_is_compared_by_nobody
            guesses_are_compared_again_after_the_window
            a_match_leaves_the_exchange
            the_exchange_takes_the_place_of_what_was_there
            of_64_right_guesses_at_once_one_matches
            of_1000_wrong_guesses_at_once_as_many_as_tries_are_compared
            guesses_at_many_secrets_at_once_share_their_budget
            a_right_guess_among_many_wrong_ones_is_compared_within_the_tries
            a_budget_is_charged_up_to_its_limit
            limits_may_be_raised_and_lowered
            a_limit_of_zero_charges_nothing
            spending_nothing_is_granted
            a_refused_spend_charges_none
            a_refused_spend_opens_no_window
            of_64_spends_at_once_as_many_as_the_smallest_limit_are_granted
            a_budget_named_twice_is_charged_twice
            the_first_charge_opens_the_window
            an_open_window_keeps_its_end
            a_refusal_tells_when_the_window_ends
            a_value_and_a_budget_of_one_name_are_independent
            budgets_are_told_apart_to_the_last_byte
            a_refund_gives_back_one_of_each
            a_budget_named_twice_is_refunded_twice
            a_refund_never_goes_below_zero
            a_refund_of_nothing_does_nothing
            a_refund_leaves_the_window_alone
            a_refund_gives_nothing_back_after_the_window
            refunds_at_once_are_all_made
            a_guard_is_charged_beside_the_budgets
            a_guard_that_refuses_charges_nothing
            a_budget_beside_a_guard_refuses_first
            a_guard_that_records_only_refuses_nothing
            a_budget_of_ones_own_is_charged_before_shared_ones
            budgets_of_ones_own_are_charged_together
            limits_grow_with_the_best_slot
            a_counter_expires
            an_odd_clock_wipes_no_counter
            a_counter_keeps_the_slots_about_the_last
            of_64_guarded_at_once_as_many_as_the_limits_are_kept
            the_right_guess_gives_back_what_was_guarded
            nothing_else_gives_anything_back
            a_secret_has_a_reward_of_its_own
            a_reward_is_no_part_of_the_exchange
            secrets_with_and_without_a_reward_share_a_series
            a_late_reward_gives_nothing_back
            of_64_right_guesses_at_once_one_gives_back
        }
    };
    ($set_up:path => $($law:ident)+) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $law() {
                if let Some(subject) = $set_up().await {
                    $crate::testing::ephemeral_laws::$law(&subject).await;
                }
            }
        )+
    };
}
