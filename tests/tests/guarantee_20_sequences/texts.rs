//! What the numbers of calls are to a server.

use countersign_domain::model::Purpose;
use countersign_domain::testing::reference::{FIRST_PHONE, FactorCode, Who};
use countersign_proto::v1;
use countersign_tests::{Authenticator, email, masked, masked_number, phone, username};

const GROUPS: [&str; 2] = ["", "staff"];
const ADDRESSES: [u8; 6] = [0, 1, 2, 3, 4, 5];
const PASSWORDS: [&str; 3] = [
    "seven lanterns over the harbour",
    "nine herons on the far pier",
    "four otters under the old bridge",
];

/// People of one sequence, who are nobody else's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct People(pub(crate) u64);

impl People {
    fn address(self, number: u8) -> String {
        match number.checked_sub(FIRST_PHONE) {
            Some(number) => format!("+821023{:06}", 2 * self.0 + u64::from(number)),
            None => format!("mina@s{}-{number}.example", self.0),
        }
    }

    pub(crate) fn at(self, number: u8) -> Option<v1::Identifier> {
        let address = self.address(number);
        Some(match number < FIRST_PHONE {
            true => email(&address),
            false => phone(&address),
        })
    }

    /// An address as messages show it.
    pub(crate) fn masked(self, number: u8) -> String {
        masked_number(&masked(&self.address(number)))
    }

    /// The number of an address.
    pub(crate) fn number(self, address: &v1::Identifier) -> u8 {
        let is_it = |number: &u8| self.at(*number).as_ref() == Some(address);
        ADDRESSES.into_iter().find(is_it).expect("it is theirs")
    }

    /// The number of an address as messages show it.
    pub(crate) fn number_of_masked(self, masked: &str) -> u8 {
        let is_it = |number: &u8| self.masked(*number) == masked;
        ADDRESSES.into_iter().find(is_it).expect("it is theirs")
    }

    pub(crate) fn name(self, number: u8) -> String {
        format!("otter{}x{number}", self.0)
    }

    pub(crate) fn who(self, who: Who) -> Option<v1::Identifier> {
        Some(match who {
            Who::Address(number) => return self.at(number),
            Who::Username(number) => username(&self.name(number)),
        })
    }
}

pub(crate) fn group(number: u8) -> String {
    GROUPS[usize::from(number)].into()
}

pub(crate) fn password(number: u8) -> String {
    PASSWORDS[usize::from(number)].into()
}

pub(crate) fn purpose(purpose: Purpose) -> v1::Purpose {
    match purpose {
        Purpose::SignUp => v1::Purpose::SignUp,
        Purpose::SignIn => v1::Purpose::SignIn,
        Purpose::PasswordReset => v1::Purpose::PasswordReset,
        Purpose::ChangeIdentifier => v1::Purpose::ChangeIdentifier,
        Purpose::ConfirmSignUp => panic!("a sign-up asks for it by itself"),
        Purpose::AddFactor | Purpose::SecondFactor | Purpose::StepUp => {
            panic!("no sequence asks for it alone")
        }
    }
}

pub(crate) fn typed(code: &FactorCode) -> String {
    match code {
        FactorCode::Text(text) => text.clone(),
        FactorCode::Totp { secret, step } => {
            let step = u64::try_from(*step).expect("after 1970");
            Authenticator::holding(secret).code_of_step(step)
        }
        FactorCode::NewPasskey { .. } | FactorCode::Passkey { .. } => panic!("it is not typed"),
    }
}

pub(crate) fn person(access_token: String) -> Option<v1::Person> {
    let by = Some(v1::person::By::AccessToken(access_token));
    Some(v1::Person { by })
}
