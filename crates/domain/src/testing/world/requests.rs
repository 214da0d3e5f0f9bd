//! What is asked of use-cases, and how a refusal is looked at.

use super::settings::LINK_PREFIX;
use crate::error::{Error, Refusal};
use crate::model::{
    Address, ClientContext, DeviceClaim, Email, GroupId, Identifier, LinkPrefix, Locale, Password,
    Phone, Purpose,
};
use crate::use_cases::{Grant, IssueTokens, SendCode, SignUp, SignUpBy};

/// The caller to which tokens are issued.
pub(super) const CLIENT: &str = "gateway";

/// The refusal that a use-case ended with.
///
/// # Panics
/// If it ended otherwise.
#[must_use]
pub fn refusal<T: std::fmt::Debug>(result: Result<T, Error>) -> Refusal {
    match result {
        Err(Error::Refused(refusal)) => refusal,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

/// An e-mail address.
///
/// # Panics
/// If it is none.
#[must_use]
pub fn address(email: &str) -> Address {
    Address::Email(Email::parse(email).expect("an address"))
}

/// A password to be set.
///
/// # Panics
/// If it cannot be.
#[must_use]
pub fn password(text: &str) -> Password {
    Password::to_set(text.to_owned()).expect("a password")
}

/// A request for a code.
#[must_use]
pub fn send_code(email: &str, purpose: Purpose) -> SendCode {
    SendCode {
        group: GroupId::fallback(),
        address: address(email),
        purpose,
        code: None,
        access_token: None,
        link_prefix: None,
        ttl: None,
        locale: Locale::English,
        client: ClientContext::default(),
        device: DeviceClaim::Untold,
    }
}

/// A request for a code to a number in E.164 form, from an IP address.
///
/// # Panics
/// If it is no number.
#[must_use]
pub fn phone_code(number: &str, purpose: Purpose, ip_address: &str) -> SendCode {
    SendCode {
        address: Address::Phone(Phone::restore(number).expect("a number")),
        client: ClientContext {
            ip_address: ip_address.parse().ok(),
            ..ClientContext::default()
        },
        ..send_code("nobody@example.com", purpose)
    }
}

/// A request for a link, to where links lead in the world.
///
/// # Panics
/// Never: it is a prefix.
#[must_use]
pub fn send_link(email: &str, purpose: Purpose) -> SendCode {
    let prefix = LinkPrefix::parse(LINK_PREFIX).expect("a prefix");
    SendCode {
        link_prefix: Some(prefix),
        ..send_code(email, purpose)
    }
}

/// A sign-up.
pub(super) fn sign_up(email: &str, by: SignUpBy) -> SignUp {
    SignUp {
        group: GroupId::fallback(),
        address: address(email),
        username: None,
        by,
        locale: Locale::English,
        client: ClientContext::default(),
    }
}

/// A sign-in with a password.
///
/// # Panics
/// If the password is empty.
#[must_use]
pub fn sign_in(email: &str, text: &str) -> IssueTokens {
    let identifier: Identifier = address(email).into();
    let password = Password::to_compare(text.to_owned()).expect("a password");
    IssueTokens {
        group: GroupId::fallback(),
        grant: Grant::Password {
            identifier,
            password,
        },
        audience: "shop".into(),
        scopes: Vec::new(),
        client_id: CLIENT.into(),
        client: ClientContext::default(),
        device: DeviceClaim::Untold,
        locale: Locale::English,
    }
}
