//! `Debug` for the messages that hold a password, a code, a token or a proof:
//! it names the message and shows nothing of it, so that no log can leak one.

use std::fmt;

use crate::envoy::config::core::v3::HeaderValue;
use crate::envoy::service::auth::v3::attribute_context::HttpRequest;
use crate::v1;

macro_rules! redacted {
    ($($message:path),+ $(,)?) => {$(
        impl fmt::Debug for $message {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($message), " { .. }"))
            }
        }
    )+};
}

redacted!(
    HeaderValue,
    HttpRequest,
    v1::AddIdentifierRequest,
    v1::BeginEnrollmentRequest,
    v1::BeginEnrollmentResponse,
    v1::BeginFederatedSignInRequest,
    v1::BeginFederatedSignInResponse,
    v1::BeginMfaAssertionRequest,
    v1::BeginStepUpAssertionRequest,
    v1::ChangeIdentifierRequest,
    v1::ChangePasswordRequest,
    v1::CheckCodeRequest,
    v1::CheckCodeResponse,
    v1::ConfirmEnrollmentRequest,
    v1::ConfirmEnrollmentResponse,
    v1::ConfirmSignUpRequest,
    v1::CreateMfaSessionRequest,
    v1::CreateMfaSessionResponse,
    v1::CreateServiceAccountSecretResponse,
    v1::CreateUserRequest,
    v1::FederatedAccount,
    v1::FederatedCallback,
    v1::GetProfileRequest,
    v1::GetVerificationRequest,
    v1::IdTokenGrant,
    v1::ImportUsersRequest,
    v1::ImportedUser,
    v1::IssueTokensRequest,
    v1::IssueTokensResponse,
    v1::LinkFederatedIdentityRequest,
    v1::ListFactorsRequest,
    v1::ListFederatedIdentitiesRequest,
    v1::ListIdentifiersRequest,
    v1::MfaRequired,
    v1::PasskeyGrant,
    v1::PasswordGrant,
    v1::Person,
    v1::ProviderCallback,
    v1::ReceiveProviderNotificationRequest,
    v1::RefreshTokensRequest,
    v1::RegenerateRecoveryCodesRequest,
    v1::RegenerateRecoveryCodesResponse,
    v1::RemoveFactorRequest,
    v1::RemoveIdentifierRequest,
    v1::ResetPasswordRequest,
    v1::RevokeTokenRequest,
    v1::SendCodeRequest,
    v1::SendMfaCodeRequest,
    v1::SendStepUpCodeRequest,
    v1::ServiceAccountGrant,
    v1::ServiceAccountToken,
    v1::SignUpRequest,
    v1::StartPasswordResetRequest,
    v1::StepUpSessionRequest,
    v1::StepUpSessionResponse,
    v1::Tokens,
    v1::UndoIdentifierChangeRequest,
    v1::UnlinkFederatedIdentityRequest,
    v1::UpdateProfileRequest,
    v1::ValidateMfaSessionRequest,
    v1::ValidateMfaSessionResponse,
    v1::ValidateTokenRequest,
    v1::VerifiedCodeGrant,
    v1::WithdrawProfileRequest,
);

#[cfg(test)]
mod tests {
    use crate::envoy::config::core::v3::{HeaderMap, HeaderValue};
    use crate::envoy::service::auth::v3::attribute_context::{HttpRequest, Request};
    use crate::envoy::service::auth::v3::{AttributeContext, CheckRequest};
    use crate::v1;

    #[test]
    fn a_password_is_not_shown() {
        let request = v1::IssueTokensRequest {
            grant: Some(v1::issue_tokens_request::Grant::Password(
                v1::PasswordGrant {
                    identifier: None,
                    password: "correct horse".into(),
                },
            )),
            ..Default::default()
        };
        assert!(!format!("{request:?}").contains("horse"));
    }

    #[test]
    fn the_headers_of_a_request_are_not_shown() {
        let authorization = "Bearer dG9rZW4".to_owned();
        let http = HttpRequest {
            headers: [("authorization".to_owned(), authorization.clone())].into(),
            header_map: Some(HeaderMap {
                headers: vec![HeaderValue {
                    key: "authorization".into(),
                    value: authorization,
                    raw_value: Vec::new(),
                }],
            }),
            ..Default::default()
        };
        let shown = format!("{http:?} {:?}", http.header_map);
        let request = CheckRequest {
            attributes: Some(AttributeContext {
                request: Some(Request { http: Some(http) }),
                ..Default::default()
            }),
        };
        let shown = format!("{shown} {request:?}");
        assert!(!shown.contains("dG9rZW4"), "{shown}");
    }

    #[test]
    fn the_token_of_a_link_is_not_shown() {
        let token = || "dG9rZW4".to_owned();
        let check = v1::CheckCodeRequest {
            verification: Some(v1::check_code_request::Verification::LinkToken(token())),
            ..Default::default()
        };
        let get = v1::GetVerificationRequest {
            link_token: token(),
            ..Default::default()
        };
        let shown = format!("{check:?} {get:?}");
        assert!(!shown.contains("dG9rZW4"), "{shown}");
    }
}
