//! The table of REST: which RPC stands where, and who is asked for.

use std::sync::LazyLock;

use countersign_client::FILE_DESCRIPTOR_SET;
use http::Method;
use prost_reflect::{DescriptorPool, MethodDescriptor};

/// Who may use an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Auth {
    /// Anybody: it is how people come to be signed in.
    Nobody,
    /// A person, for itself: by `Authorization: Bearer …` or the cookie of a sign-in.
    Person,
    /// A caller with an API key, such as an operator's tool.
    Caller,
}

/// An RPC under a path.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) method: Method,
    /// With the names of fields in braces.
    pub(crate) path: &'static str,
    pub(crate) rpc: MethodDescriptor,
    pub(crate) auth: Auth,
}

const TABLE: &[(Method, &str, &str, Auth)] = &[
    // Signing up and in.
    (
        Method::POST,
        "/v1/sign-up",
        "AuthService.SignUp",
        Auth::Nobody,
    ),
    (
        Method::POST,
        "/v1/sign-up/confirm",
        "AuthService.ConfirmSignUp",
        Auth::Nobody,
    ),
    (
        Method::POST,
        "/v1/tokens",
        "AuthService.IssueTokens",
        Auth::Nobody,
    ),
    (
        Method::POST,
        "/v1/tokens/refresh",
        "AuthService.RefreshTokens",
        Auth::Nobody,
    ),
    (
        Method::POST,
        "/v1/tokens/revoke",
        "AuthService.RevokeToken",
        Auth::Nobody,
    ),
    (
        Method::POST,
        "/v1/passkeys/begin",
        "AuthService.BeginPasskeySignIn",
        Auth::Nobody,
    ),
    (
        Method::POST,
        "/v1/mfa-sessions/validate",
        "SessionService.ValidateMfaSession",
        Auth::Nobody,
    ),
    (
        Method::POST,
        "/v1/mfa-sessions/code",
        "SessionService.SendMfaCode",
        Auth::Nobody,
    ),
    (
        Method::POST,
        "/v1/mfa-sessions/assertion",
        "SessionService.BeginMfaAssertion",
        Auth::Nobody,
    ),
    (
        Method::GET,
        "/v1/providers",
        "FederationService.ListProviders",
        Auth::Nobody,
    ),
    (
        Method::POST,
        "/v1/federated-sign-ins",
        "AuthService.BeginFederatedSignIn",
        Auth::Nobody,
    ),
    // Codes and links.
    (
        Method::POST,
        "/v1/verifications",
        "VerificationService.SendCode",
        Auth::Nobody,
    ),
    (
        Method::POST,
        "/v1/verifications/check",
        "VerificationService.CheckCode",
        Auth::Nobody,
    ),
    (
        Method::GET,
        "/v1/verifications/{verification_id}",
        "VerificationService.GetVerification",
        Auth::Nobody,
    ),
    (
        Method::DELETE,
        "/v1/verifications/{verification_id}",
        "VerificationService.CancelVerification",
        Auth::Nobody,
    ),
    // Passwords.
    (
        Method::POST,
        "/v1/password/change",
        "AuthService.ChangePassword",
        Auth::Person,
    ),
    (
        Method::POST,
        "/v1/password/forgotten",
        "AuthService.StartPasswordReset",
        Auth::Nobody,
    ),
    (
        Method::POST,
        "/v1/password/reset",
        "AuthService.ResetPassword",
        Auth::Nobody,
    ),
    // The person's own.
    (
        Method::POST,
        "/v1/identifiers/code",
        "VerificationService.SendCode",
        Auth::Person,
    ),
    (
        Method::GET,
        "/v1/profile",
        "UserService.GetProfile",
        Auth::Person,
    ),
    (
        Method::PATCH,
        "/v1/profile",
        "UserService.UpdateProfile",
        Auth::Person,
    ),
    (
        Method::POST,
        "/v1/profile/withdraw",
        "UserService.WithdrawProfile",
        Auth::Person,
    ),
    (
        Method::GET,
        "/v1/identifiers",
        "UserService.ListIdentifiers",
        Auth::Person,
    ),
    (
        Method::POST,
        "/v1/identifiers/add",
        "UserService.AddIdentifier",
        Auth::Person,
    ),
    (
        Method::POST,
        "/v1/identifiers/change",
        "UserService.ChangeIdentifier",
        Auth::Person,
    ),
    (
        Method::POST,
        "/v1/identifiers/remove",
        "UserService.RemoveIdentifier",
        Auth::Person,
    ),
    (
        Method::POST,
        "/v1/identifiers/undo",
        "UserService.UndoIdentifierChange",
        Auth::Nobody,
    ),
    (
        Method::GET,
        "/v1/federated-identities",
        "FederationService.ListFederatedIdentities",
        Auth::Person,
    ),
    (
        Method::POST,
        "/v1/federated-identities/begin",
        "AuthService.BeginFederatedSignIn",
        Auth::Person,
    ),
    (
        Method::POST,
        "/v1/federated-identities/link",
        "FederationService.LinkFederatedIdentity",
        Auth::Person,
    ),
    (
        Method::DELETE,
        "/v1/federated-identities/{federated_identity_id}",
        "FederationService.UnlinkFederatedIdentity",
        Auth::Person,
    ),
    (
        Method::GET,
        "/v1/sessions",
        "SessionService.ListSessions",
        Auth::Person,
    ),
    (
        Method::DELETE,
        "/v1/sessions",
        "SessionService.RevokeUserSessions",
        Auth::Person,
    ),
    (
        Method::GET,
        "/v1/sessions/{session_id}",
        "SessionService.GetSession",
        Auth::Person,
    ),
    (
        Method::DELETE,
        "/v1/sessions/{session_id}",
        "SessionService.RevokeSession",
        Auth::Person,
    ),
    (
        Method::POST,
        "/v1/step-up",
        "SessionService.StepUpSession",
        Auth::Person,
    ),
    (
        Method::POST,
        "/v1/step-up/code",
        "SessionService.SendStepUpCode",
        Auth::Person,
    ),
    (
        Method::POST,
        "/v1/step-up/assertion",
        "SessionService.BeginStepUpAssertion",
        Auth::Person,
    ),
    (
        Method::GET,
        "/v1/factors",
        "FactorService.ListFactors",
        Auth::Person,
    ),
    (
        Method::POST,
        "/v1/factors/begin",
        "FactorService.BeginEnrollment",
        Auth::Person,
    ),
    (
        Method::POST,
        "/v1/factors/confirm",
        "FactorService.ConfirmEnrollment",
        Auth::Person,
    ),
    (
        Method::POST,
        "/v1/factors/recovery-codes",
        "FactorService.RegenerateRecoveryCodes",
        Auth::Person,
    ),
    (
        Method::DELETE,
        "/v1/factors/{factor_id}",
        "FactorService.RemoveFactor",
        Auth::Person,
    ),
    // For operators' tools.
    (
        Method::GET,
        "/v1/users",
        "UserService.ListUsers",
        Auth::Caller,
    ),
    (
        Method::POST,
        "/v1/users",
        "UserService.CreateUser",
        Auth::Caller,
    ),
    (
        Method::GET,
        "/v1/users/{user_id}",
        "UserService.GetUser",
        Auth::Caller,
    ),
    (
        Method::PATCH,
        "/v1/users/{user_id}",
        "UserService.UpdateUser",
        Auth::Caller,
    ),
    (
        Method::DELETE,
        "/v1/users/{user_id}",
        "UserService.DeleteUser",
        Auth::Caller,
    ),
    (
        Method::POST,
        "/v1/users/{user_id}/suspend",
        "UserService.SuspendUser",
        Auth::Caller,
    ),
    (
        Method::POST,
        "/v1/users/{user_id}/reinstate",
        "UserService.ReinstateUser",
        Auth::Caller,
    ),
    (
        Method::POST,
        "/v1/users/{user_id}/withdraw",
        "UserService.WithdrawUser",
        Auth::Caller,
    ),
    (
        Method::GET,
        "/v1/audit-events",
        "UserService.ListAuditEvents",
        Auth::Caller,
    ),
];

/// What the gateway sets itself: from the headers, and from the connection.
pub(super) const FILLED: [&str; 3] = ["access_token", "client_context", "person"];

/// Fields that a gateway alone may set: with a code of its own choice anybody could prove any address.
const WITHHELD: &[(&str, &[&str])] = &[
    ("SendCode", &["code", "ttl"]),
    ("StartPasswordReset", &["code", "ttl"]),
];

static ENDPOINTS: LazyLock<Vec<Endpoint>> = LazyLock::new(|| {
    let pool =
        DescriptorPool::decode(FILE_DESCRIPTOR_SET).expect("the contract is a good descriptor set");
    let endpoint = |(method, path, rpc, auth): &(Method, &'static str, &str, Auth)| {
        let (service, name) = rpc
            .split_once('.')
            .expect("the table names service and RPC");
        let service = pool.get_service_by_name(&format!("countersign.v1.{service}"));
        let service = service.expect("the table names services of the contract");
        let rpc = service.methods().find(|rpc| rpc.name() == name);
        Endpoint {
            method: method.clone(),
            path,
            rpc: rpc.expect("the table names RPCs of the contract"),
            auth: *auth,
        }
    };
    TABLE.iter().map(endpoint).collect()
});

impl Endpoint {
    /// The fields of the request that clients must not set.
    pub(super) fn withheld(&self) -> impl Iterator<Item = &'static str> {
        let found = WITHHELD.iter().find(|(rpc, _)| *rpc == self.rpc.name());
        let fields = found.map_or(&[][..], |(_, fields)| fields);
        fields.iter().copied().chain(FILLED)
    }

    /// Whether the message stands in the body; otherwise in the query.
    pub(super) fn has_body(&self) -> bool {
        self.method != Method::GET && self.method != Method::DELETE
    }
}

/// All of them.
pub(crate) fn endpoints() -> &'static [Endpoint] {
    &ENDPOINTS
}
