//! What comes of AuthService's commands, as messages.

use countersign_domain::model::{Address, CodeFactor, KeyState, MfaFactor, VerificationRecord};
use countersign_domain::use_cases::{Issued, ServiceAccountToken, SignedUp};
use countersign_domain::validation::{Keyring, ListedKey};
use countersign_proto::v1;

use crate::grpc::convert;
use crate::grpc::federation::unlinked;

pub(super) fn signed_up(signed_up: &SignedUp) -> v1::SignUpResponse {
    use v1::sign_up_response::Outcome;
    let outcome = match signed_up {
        SignedUp::Active(user_id) => Outcome::UserId(user_id.to_string()),
        SignedUp::Pending {
            verification_id,
            expires_at,
        } => Outcome::Pending(v1::PendingSignUp {
            verification_id: verification_id.to_string(),
            expire_time: convert::timestamp(*expires_at),
        }),
    };
    v1::SignUpResponse {
        outcome: Some(outcome),
    }
}

pub(super) fn issued(issued: Issued) -> v1::IssueTokensResponse {
    use v1::issue_tokens_response::Outcome;
    let mut known = None;
    let outcome = match issued {
        Issued::Tokens(mut tokens) => {
            known = tokens.device.take();
            Outcome::Tokens(convert::tokens(tokens))
        }
        Issued::MfaRequired(required) => {
            let factors = required.factors.iter();
            let codes = required.codes.iter();
            Outcome::MfaRequired(v1::MfaRequired {
                mfa_session_id: required.id.expose().to_owned(),
                factors: factors.filter_map(|factor| kind(*factor)).collect(),
                expire_time: convert::timestamp(required.expires_at),
                code_factors: codes.map(code_factor).collect(),
                remember_device_duration: required
                    .remembered
                    .and_then(|remembered| prost_types::Duration::try_from(remembered).ok()),
            })
        }
        Issued::Unlinked(account) => Outcome::FederatedAccount(unlinked(&account)),
    };
    let (device_token, device_token_expire_time) = convert::device(known);
    v1::IssueTokensResponse {
        outcome: Some(outcome),
        device_token,
        device_token_expire_time,
    }
}

pub(super) fn service_account(token: ServiceAccountToken) -> v1::IssueTokensResponse {
    use v1::issue_tokens_response::Outcome;
    let outcome = Outcome::ServiceAccountToken(v1::ServiceAccountToken {
        access_token: token.access.token,
        access_token_expire_time: convert::timestamp(token.access.expires_at),
        service_account_id: token.id.to_string(),
        scopes: token.scopes.iter().map(ToString::to_string).collect(),
    });
    v1::IssueTokensResponse {
        outcome: Some(outcome),
        ..Default::default()
    }
}

fn kind(factor: MfaFactor) -> Option<i32> {
    match factor {
        MfaFactor::Code => None,
        MfaFactor::Totp => Some(v1::FactorKind::Totp.into()),
        MfaFactor::RecoveryCode => Some(v1::FactorKind::RecoveryCode.into()),
        MfaFactor::Passkey => Some(v1::FactorKind::Passkey.into()),
        MfaFactor::Sms => Some(v1::FactorKind::Sms.into()),
        MfaFactor::Email => Some(v1::FactorKind::Email.into()),
    }
}

fn code_factor(factor: &CodeFactor) -> v1::CodeFactor {
    let kind = match factor.address {
        Address::Phone(_) => v1::FactorKind::Sms,
        Address::Email(_) => v1::FactorKind::Email,
    };
    v1::CodeFactor {
        factor_id: factor.id.to_string(),
        kind: kind.into(),
        masked_address: factor.address.masked(),
    }
}

pub(super) fn reset_started(record: &VerificationRecord) -> v1::StartPasswordResetResponse {
    v1::StartPasswordResetResponse {
        verification_id: record.id.to_string(),
        expire_time: convert::timestamp(record.expires_at),
    }
}

pub(super) fn signing_keys(keyring: &Keyring) -> v1::ListSigningKeysResponse {
    v1::ListSigningKeysResponse {
        signing_keys: keyring.listed().into_iter().map(signing_key).collect(),
        jwks: keyring.verifying().to_jwks(),
    }
}

fn signing_key(key: ListedKey) -> v1::SigningKey {
    let state = match key.state {
        KeyState::Next => v1::SigningKeyState::Next,
        KeyState::Active => v1::SigningKeyState::Active,
        KeyState::Retired => v1::SigningKeyState::Retired,
    };
    v1::SigningKey {
        key_id: key.kid,
        algorithm: key.algorithm.as_str().to_owned(),
        state: state.into(),
        create_time: convert::timestamp(key.created_at),
    }
}
