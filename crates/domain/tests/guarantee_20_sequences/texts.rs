//! What the numbers and texts of calls are to the use-cases.

use countersign_domain::Refusal;
use countersign_domain::model::{
    Address, Code, DeviceClaim, DeviceToken, GroupId, Password, Phone, Proof, Timestamp,
    TotpSecret, Username,
};
use countersign_domain::ports::Content;
use countersign_domain::testing::reference::{FIRST_PHONE, FactorCode};
use countersign_domain::testing::{address, password};

const GROUPS: [&str; 2] = ["default", "staff"];
const ADDRESSES: [&str; 4] = [
    "mina@example.com",
    "juno@example.com",
    "nari@example.com",
    "hana@example.com",
];
const PHONES: [&str; 2] = ["+821012345678", "+821087654321"];
const USERNAMES: [&str; 3] = ["otter", "heron", "crane"];
const PASSWORDS: [&str; 3] = [
    "seven lanterns over the harbour",
    "nine herons on the far pier",
    "four otters under the bridge",
];
const CLIENTS: [&str; 2] = ["gateway", "kiosk"];

/// As `ErrorInfo` has it.
pub(crate) fn reason(refusal: Refusal) -> Result<&'static str, String> {
    Ok(match refusal {
        Refusal::SignIn => "SIGN_IN_REFUSED",
        Refusal::AccessToken(_) => "ACCESS_TOKEN_INVALID",
        Refusal::RefreshToken => "REFRESH_TOKEN_INVALID",
        Refusal::RefreshTokenReused => "REFRESH_TOKEN_REUSED",
        Refusal::SessionEnded => "SESSION_ENDED",
        Refusal::Password => "PASSWORD_WRONG",
        Refusal::Code { .. } => "CODE_WRONG",
        Refusal::Verification => "VERIFICATION_NOT_FOUND",
        Refusal::Proof => "PROOF_INVALID",
        Refusal::IdentifierTaken => "IDENTIFIER_TAKEN",
        Refusal::UsernameTaken => "USERNAME_TAKEN",
        Refusal::Session => "SESSION_NOT_FOUND",
        Refusal::AuthenticationTooOld { .. } => "AUTHENTICATION_TOO_OLD",
        Refusal::SecondFactorRequired => "SECOND_FACTOR_REQUIRED",
        Refusal::Enrollment => "ENROLLMENT_NOT_FOUND",
        Refusal::Factor => "FACTOR_NOT_FOUND",
        Refusal::TooManyFactors => "FACTOR_LIMIT_REACHED",
        Refusal::SecondFactor => "SECOND_FACTOR_WRONG",
        Refusal::MfaSession => "MFA_SESSION_NOT_FOUND",
        Refusal::SessionOfAnotherCaller => "SESSION_OF_ANOTHER_CALLER",
        Refusal::AddressUnverified => "ADDRESS_NOT_VERIFIED",
        Refusal::FactorEnrolled => "FACTOR_ALREADY_ENROLLED",
        Refusal::Identifier => "IDENTIFIER_NOT_FOUND",
        Refusal::LastIdentifier => "LAST_IDENTIFIER",
        Refusal::Undo => "UNDO_NOT_FOUND",
        Refusal::UserSuspended => "USER_SUSPENDED",
        Refusal::UserState => "USER_STATE_CONFLICT",
        other => return Err(other.to_string()),
    })
}

pub(crate) fn group(number: u8) -> GroupId {
    GroupId::parse(GROUPS[usize::from(number)]).expect("a group")
}

pub(crate) fn at(number: u8) -> Address {
    match number.checked_sub(FIRST_PHONE) {
        Some(number) => {
            let phone = Phone::restore(PHONES[usize::from(number)]);
            Address::Phone(phone.expect("a number"))
        }
        None => address(ADDRESSES[usize::from(number)]),
    }
}

/// The number of an address.
pub(crate) fn number(address: &Address) -> u8 {
    let is_it = |number: &u8| at(*number) == *address;
    (0..6).find(is_it).expect("an address that has a number")
}

pub(crate) fn username(number: u8) -> Username {
    Username::parse(USERNAMES[usize::from(number)]).expect("a user name")
}

pub(crate) fn client_id(number: u8) -> String {
    CLIENTS[usize::from(number)].into()
}

pub(crate) fn known(number: u8) -> Password {
    Password::to_compare(PASSWORDS[usize::from(number)].into()).expect("a password")
}

pub(crate) fn proof(text: String) -> Proof {
    Proof::parse(text).expect("a proof")
}

pub(crate) fn code(text: &str) -> Code {
    Code::typed(text).expect("a code")
}

pub(crate) fn typed(answer: &FactorCode) -> Code {
    match answer {
        FactorCode::Text(text) => code(text),
        FactorCode::Totp { secret, step } => {
            let digits = secret.as_bytes().chunks(2);
            let bytes = digits.map(|pair| {
                let pair = std::str::from_utf8(pair).expect("ASCII");
                u8::from_str_radix(pair, 16).expect("hexadecimal digits")
            });
            let secret = TotpSecret::from_bytes(&bytes.collect::<Vec<_>>());
            code(&secret.code_at(Timestamp::from_seconds(30 * step)))
        }
        FactorCode::NewPasskey { .. } | FactorCode::Passkey { .. } => panic!("it is not typed"),
    }
}

pub(crate) fn claim(device: Option<String>) -> DeviceClaim {
    match device {
        None => DeviceClaim::Untold,
        Some(token) if token.is_empty() => DeviceClaim::Unknown,
        Some(token) => {
            DeviceClaim::Token(DeviceToken::parse(token).expect("a device token").digest())
        }
    }
}

pub(crate) fn code_of(content: Content) -> Option<String> {
    match content {
        Content::Code { code, .. } => Some(code.expose().to_owned()),
        _ => None,
    }
}

pub(crate) fn link_of(content: Content) -> Option<String> {
    match content {
        Content::Link { link, .. } => Some(link.token.expose().to_string()),
        _ => None,
    }
}

pub(crate) fn new_password(number: u8) -> Password {
    password(PASSWORDS[usize::from(number)])
}
