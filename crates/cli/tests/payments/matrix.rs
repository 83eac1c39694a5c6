//! Every situation on every store, each a test of its own: `matrix::STORE::SITUATION`.

use crate::harness::soak;
use crate::stores::Kind;
use crate::{situations, two_shops};

/// The situations of a module on one store.
macro_rules! on {
    ($store:ident = $kind:ident, $module:ident: $($situation:ident)+) => {
        mod $store {
            $(#[test]
            fn $situation() {
                crate::$module::$situation(crate::stores::Kind::$kind);
            })+
        }
    };
}

/// What has to end right on every store, and more that does on this one.
macro_rules! all_on {
    ($store:ident = $kind:ident: $($more:ident)*) => {
        on!($store = $kind, situations:
            a_payment_racing_expiry
            a_double_click
            a_retry_after_a_lost_answer
            two_captures_with_one_key_and_two_without
            a_duplicate_callback
            a_late_callback
            $($more)*
        );
    };
}

all_on!(sqlite = Sqlite:
    a_callback_instead_of_an_answer
    callbacks_are_believed_when_they_are_true
    a_shop_killed_between_capture_and_finalize
    a_gateway_killed_in_mid_charge
    a_gateway_that_is_away
);
all_on!(mariadb_and_redis = MariaDb:
    a_callback_instead_of_an_answer
    callbacks_are_believed_when_they_are_true
    a_shop_killed_between_capture_and_finalize
);
all_on!(seekdb = SeekDb:);
on!(two_shops_on_mariadb_and_redis = MariaDb, two_shops:
    a_payment_racing_expiry_at_two_shops
    a_double_click_at_two_shops
    a_duplicate_callback_at_two_shops
    a_callback_racing_a_cancel_at_two_shops
    a_retry_at_another_shop_after_a_kill
);

/// The rest of the matrix takes half a minute more, and what it says of stores is mostly said above.
macro_rules! in_the_long_form_on {
    ($store:ident = $kind:ident: $($module:ident::$situation:ident)+) => {
        #[test]
        fn $store() {
            if soak() {
                let met = [$(($module::$situation as fn(Kind))),+];
                for situation in met {
                    situation(Kind::$kind);
                }
                println!(
                    "soak: payments_{}: {} situations more: audit clean",
                    stringify!($store),
                    met.len()
                );
            }
        }
    };
}

in_the_long_form_on!(the_rest_on_mariadb_and_redis = MariaDb:
    situations::a_gateway_killed_in_mid_charge
    situations::a_gateway_that_is_away
);
in_the_long_form_on!(the_rest_on_seekdb = SeekDb:
    situations::a_callback_instead_of_an_answer
    situations::callbacks_are_believed_when_they_are_true
    situations::a_shop_killed_between_capture_and_finalize
    situations::a_gateway_killed_in_mid_charge
    situations::a_gateway_that_is_away
    two_shops::a_payment_racing_expiry_at_two_shops
    two_shops::a_double_click_at_two_shops
    two_shops::a_duplicate_callback_at_two_shops
    two_shops::a_callback_racing_a_cancel_at_two_shops
    two_shops::a_retry_at_another_shop_after_a_kill
);
