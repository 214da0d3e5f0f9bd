//! What the numbers of calls are to a server.

use countersign_domain::model::Purpose;
use countersign_domain::testing::reference::{FactorCode, Who};
use countersign_proto::v1;
use countersign_tests::{Authenticator, email, username};

const GROUPS: [&str; 2] = ["", "staff"];
const PASSWORDS: [&str; 3] = [
    "seven lanterns over the harbour",
    "nine herons on the far pier",
    "four otters under the old bridge",
];

/// People of one sequence, who are nobody else's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct People(pub(crate) u64);

impl People {
    pub(crate) fn address(self, number: u8) -> String {
        format!("mina@s{}-{number}.example", self.0)
    }

    pub(crate) fn at(self, number: u8) -> Option<v1::Identifier> {
        Some(email(&self.address(number)))
    }

    pub(crate) fn name(self, number: u8) -> String {
        format!("otter{}x{number}", self.0)
    }

    pub(crate) fn who(self, who: Who) -> Option<v1::Identifier> {
        Some(match who {
            Who::Address(number) => email(&self.address(number)),
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
        Purpose::ConfirmSignUp => panic!("a sign-up asks for it by itself"),
        Purpose::ChangeIdentifier | Purpose::AddFactor | Purpose::StepUp => {
            panic!("no sequence asks for it")
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
    }
}

pub(crate) fn person(access_token: String) -> Option<v1::Person> {
    let by = Some(v1::person::By::AccessToken(access_token));
    Some(v1::Person { by })
}
