//! What may be done to which thing: for each RPC the objects that a call of it can be
//! about, and what is answered to a caller that may call it at all.

use countersign_proto::v1::CallerRole;

use self::Object::{
    Absent, AbsentById, AbsentGroup, ById, Ended, ExpiredToken, NoToken, OfOtherCaller,
    OfOtherGroup, OfSameGroup, OfSameGroupById, Own, RefreshToken, RevokedToken,
    TokenOfServiceAccount, TokenOfSuspended,
};

/// What a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Object {
    /// What the person may have, or the operator look after.
    Own,
    /// Another user's thing, asked for by somebody of the same group.
    OfSameGroup,
    /// Another user's thing, asked for by somebody of another group, or in it.
    OfOtherGroup,
    /// What another gateway has opened.
    OfOtherCaller,
    /// What there never was.
    Absent,
    /// A group that there is not.
    AbsentGroup,
    /// What is over: ended, spent, removed.
    Ended,
    /// The person's own, without a token for the person.
    NoToken,
    /// By a refresh token in place of an access token.
    RefreshToken,
    /// By an access token that has expired.
    ExpiredToken,
    /// By an access token that was revoked.
    RevokedToken,
    /// By an access token of somebody who was suspended.
    TokenOfSuspended,
    /// By an access token of a service account.
    TokenOfServiceAccount,
    /// A person's own, who is named by its id.
    ById,
    /// Another user's thing, with the id of somebody else.
    OfSameGroupById,
    /// Of a user that there never was.
    AbsentById,
}

/// An RPC, and what is answered by object.
pub(crate) struct Row {
    pub(crate) rpc: &'static str,
    cells: &'static [(Object, &'static str)],
    /// Whether an access token says for whom it acts.
    is_for_person: bool,
}

/// An access token of each kind that is none.
const BAD_TOKENS: [(Object, &str); 6] = [
    (NoToken, "FIELD_INVALID"),
    (RefreshToken, "ACCESS_TOKEN_INVALID"),
    (ExpiredToken, "ACCESS_TOKEN_INVALID"),
    (RevokedToken, "ACCESS_TOKEN_INVALID"),
    (TokenOfSuspended, "ACCESS_TOKEN_INVALID"),
    (TokenOfServiceAccount, "TOKEN_OF_SERVICE_ACCOUNT"),
];

/// All RPCs of the contract.
pub(crate) const ROWS: &[Row] = &[
    // AuthService
    row(
        "SignUp",
        &[
            (Own, "OK"),
            (OfSameGroup, "PROOF_INVALID"),
            (OfOtherGroup, "PROOF_INVALID"),
            (Absent, "PROOF_INVALID"),
            (AbsentGroup, "GROUP_NOT_FOUND"),
            (Ended, "PROOF_INVALID"),
        ],
    ),
    row(
        "ConfirmSignUp",
        &[
            (Own, "OK"),
            (OfSameGroup, "CODE_WRONG"),
            (Absent, "VERIFICATION_NOT_FOUND"),
            (Ended, "VERIFICATION_NOT_FOUND"),
        ],
    ),
    row(
        "BeginPasskeySignIn",
        &[(Own, "OK"), (AbsentGroup, "GROUP_NOT_FOUND")],
    ),
    row(
        "BeginFederatedSignIn",
        &[
            (Own, "OK"),
            (Absent, "PROVIDER_NOT_FOUND"),
            (AbsentGroup, "GROUP_NOT_FOUND"),
        ],
    ),
    row(
        "IssueTokens",
        &[
            (Own, "OK"),
            (OfSameGroup, "SIGN_IN_REFUSED"),
            (OfOtherGroup, "SIGN_IN_REFUSED"),
            (Absent, "SIGN_IN_REFUSED"),
            (AbsentGroup, "GROUP_NOT_FOUND"),
            (Ended, "USER_WITHDRAWN"),
        ],
    ),
    row(
        "RefreshTokens",
        &[
            (Own, "OK"),
            (OfOtherCaller, "REFRESH_TOKEN_INVALID"),
            (Absent, "REFRESH_TOKEN_INVALID"),
            (Ended, "SESSION_ENDED"),
        ],
    ),
    row("ValidateToken", ABOUT_A_TOKEN),
    row("ValidateTokens", ABOUT_A_TOKEN),
    // What is no token of the service ends nothing, and that is no error (RFC 7009).
    row("RevokeToken", &[(Own, "OK"), (Absent, "OK"), (Ended, "OK")]),
    of_person(
        "ChangePassword",
        &[
            (Own, "OK"),
            (OfSameGroup, "PASSWORD_WRONG"),
            (OfOtherGroup, "PASSWORD_WRONG"),
        ],
    ),
    row(
        "StartPasswordReset",
        &[
            (Own, "OK"),
            (Absent, "OK"),
            (AbsentGroup, "GROUP_NOT_FOUND"),
        ],
    ),
    row(
        "ResetPassword",
        &[
            (Own, "OK"),
            (OfSameGroup, "PROOF_INVALID"),
            (Absent, "PROOF_INVALID"),
            (Ended, "PROOF_INVALID"),
        ],
    ),
    row("ListSigningKeys", &[(Own, "OK")]),
    // FederationService
    row(
        "ListProviders",
        &[(Own, "OK"), (AbsentGroup, "GROUP_NOT_FOUND")],
    ),
    of_person("ListFederatedIdentities", &[(Own, "OK")]),
    of_person(
        "LinkFederatedIdentity",
        &[
            (Own, "OK"),
            (OfOtherGroup, "FEDERATION_TOKEN_INVALID"),
            (OfOtherCaller, "FEDERATION_TOKEN_INVALID"),
            (Absent, "FEDERATION_TOKEN_INVALID"),
            (Ended, "FEDERATION_TOKEN_INVALID"),
        ],
    ),
    of_person(
        "UnlinkFederatedIdentity",
        &[
            (Own, "OK"),
            (OfSameGroup, "FEDERATED_IDENTITY_NOT_FOUND"),
            (OfOtherGroup, "FEDERATED_IDENTITY_NOT_FOUND"),
            (Absent, "FEDERATED_IDENTITY_NOT_FOUND"),
            (Ended, "FEDERATED_IDENTITY_NOT_FOUND"),
        ],
    ),
    row(
        "ReceiveProviderNotification",
        &[
            (Own, "OK"),
            (Absent, "PROVIDER_NOT_FOUND"),
            (NoToken, "PROVIDER_NOTIFICATION_REFUSED"),
        ],
    ),
    // FactorService
    of_person(
        "BeginEnrollment",
        &[
            (Own, "OK"),
            (OfSameGroup, "ADDRESS_NOT_VERIFIED"),
            (OfOtherGroup, "ADDRESS_NOT_VERIFIED"),
            (Absent, "ADDRESS_NOT_VERIFIED"),
        ],
    ),
    of_person(
        "ConfirmEnrollment",
        &[
            (Own, "OK"),
            (OfSameGroup, "ENROLLMENT_NOT_FOUND"),
            (OfOtherGroup, "ENROLLMENT_NOT_FOUND"),
            (Absent, "ENROLLMENT_NOT_FOUND"),
            (Ended, "ENROLLMENT_NOT_FOUND"),
        ],
    ),
    of_person("ListFactors", &[(Own, "OK")]),
    of_person(
        "RemoveFactor",
        &[
            (Own, "OK"),
            (OfSameGroup, "FACTOR_NOT_FOUND"),
            (OfOtherGroup, "FACTOR_NOT_FOUND"),
            (Absent, "FACTOR_NOT_FOUND"),
            (Ended, "FACTOR_NOT_FOUND"),
        ],
    ),
    of_person(
        "RegenerateRecoveryCodes",
        &[(Own, "OK"), (Absent, "FACTOR_NOT_FOUND")],
    ),
    // GroupService
    row(
        "CreateGroup",
        &[(Own, "OK"), (Ended, "GROUP_ALREADY_EXISTS")],
    ),
    row("GetGroup", &[(Own, "OK"), (AbsentGroup, "GROUP_NOT_FOUND")]),
    row("ListGroups", &[(Own, "OK")]),
    row(
        "UpdateGroup",
        &[(Own, "OK"), (AbsentGroup, "GROUP_NOT_FOUND")],
    ),
    row(
        "DeleteGroup",
        &[
            (Own, "OK"),
            (OfOtherGroup, "GROUP_NOT_EMPTY"),
            (AbsentGroup, "GROUP_NOT_FOUND"),
        ],
    ),
    // ServiceAccountService
    row(
        "CreateServiceAccount",
        &[(Own, "OK"), (AbsentGroup, "GROUP_NOT_FOUND")],
    ),
    row("GetServiceAccount", ONE_SERVICE_ACCOUNT),
    row("ListServiceAccounts", &[(Own, "OK"), (AbsentGroup, "OK")]),
    row("UpdateServiceAccount", ONE_SERVICE_ACCOUNT),
    row("DeleteServiceAccount", ONE_SERVICE_ACCOUNT),
    row("CreateServiceAccountSecret", ONE_SERVICE_ACCOUNT),
    row("AddServiceAccountKey", ONE_SERVICE_ACCOUNT),
    row(
        "RemoveServiceAccountCredential",
        &[
            (Own, "OK"),
            (OfSameGroup, "SERVICE_ACCOUNT_NOT_FOUND"),
            (Absent, "SERVICE_ACCOUNT_NOT_FOUND"),
        ],
    ),
    // SessionService
    of_person(
        "ListSessions",
        &[(Own, "OK"), (ById, "OK"), (AbsentById, "OK")],
    ),
    of_person("GetSession", ONE_SESSION),
    of_person("RevokeSession", ONE_SESSION),
    of_person(
        "RevokeUserSessions",
        &[(Own, "OK"), (ById, "OK"), (AbsentById, "OK")],
    ),
    of_person(
        "BeginStepUpAssertion",
        &[(Own, "OK"), (OfOtherCaller, "SESSION_OF_ANOTHER_CALLER")],
    ),
    of_person(
        "SendStepUpCode",
        &[
            (Own, "OK"),
            (OfSameGroup, "FACTOR_NOT_FOUND"),
            (OfOtherGroup, "FACTOR_NOT_FOUND"),
            (OfOtherCaller, "SESSION_OF_ANOTHER_CALLER"),
            (Absent, "FACTOR_NOT_FOUND"),
        ],
    ),
    of_person(
        "StepUpSession",
        &[
            (Own, "OK"),
            (OfSameGroup, "PASSWORD_WRONG"),
            (OfOtherGroup, "PASSWORD_WRONG"),
            (OfOtherCaller, "SESSION_OF_ANOTHER_CALLER"),
        ],
    ),
    // Whether there is such a user is told by no answer, and the code opens nothing.
    row(
        "CreateMfaSession",
        &[
            (Own, "OK"),
            (OfOtherGroup, "OK"),
            (Absent, "OK"),
            (AbsentGroup, "GROUP_NOT_FOUND"),
        ],
    ),
    row("BeginMfaAssertion", OPEN_MFA_SESSION),
    row("SendMfaCode", OPEN_MFA_SESSION),
    row(
        "ValidateMfaSession",
        &[
            (Own, "OK"),
            (OfOtherGroup, "MFA_SESSION_NOT_FOUND"),
            (OfOtherCaller, "MFA_SESSION_NOT_FOUND"),
            (Absent, "MFA_SESSION_NOT_FOUND"),
            (Ended, "MFA_SESSION_NOT_FOUND"),
        ],
    ),
    // UserService
    row(
        "CreateUser",
        &[
            (Own, "OK"),
            (OfSameGroup, "IDENTIFIER_TAKEN"),
            (AbsentGroup, "GROUP_NOT_FOUND"),
        ],
    ),
    row("GetUser", &[(Own, "OK"), (Absent, "USER_NOT_FOUND")]),
    row("ListUsers", &[(Own, "OK"), (AbsentGroup, "OK")]),
    row("ImportUsers", &[(Own, "OK"), (Absent, "FIELD_INVALID")]),
    row("ListAuditEvents", &[(Own, "OK")]),
    row("UpdateUser", &[(Own, "OK"), (Absent, "USER_NOT_FOUND")]),
    row(
        "DeleteUser",
        &[
            (Own, "OK"),
            (Absent, "USER_NOT_FOUND"),
            (Ended, "USER_NOT_FOUND"),
        ],
    ),
    row("SuspendUser", CHANGE_OF_STATE),
    row("ReinstateUser", CHANGE_OF_STATE),
    row("WithdrawUser", CHANGE_OF_STATE),
    of_person("GetProfile", &[(Own, "OK")]),
    of_person("UpdateProfile", &[(Own, "OK")]),
    of_person("WithdrawProfile", &[(Own, "OK")]),
    of_person("ListIdentifiers", &[(Own, "OK")]),
    of_person(
        "AddIdentifier",
        &[
            (Own, "OK"),
            (OfSameGroup, "PROOF_INVALID"),
            (OfOtherGroup, "PROOF_INVALID"),
            (Absent, "PROOF_INVALID"),
            (Ended, "PROOF_INVALID"),
        ],
    ),
    of_person("ChangeIdentifier", ONE_ADDRESS),
    of_person("RemoveIdentifier", ONE_ADDRESS),
    row(
        "UndoIdentifierChange",
        &[
            (Own, "OK"),
            (OfOtherGroup, "UNDO_NOT_FOUND"),
            (Absent, "UNDO_NOT_FOUND"),
            (Ended, "UNDO_NOT_FOUND"),
        ],
    ),
    // VerificationService
    of_person(
        "SendCode",
        &[
            (Own, "OK"),
            (OfOtherGroup, "FIELD_INVALID"),
            (AbsentGroup, "GROUP_NOT_FOUND"),
        ],
    ),
    row(
        "CheckCode",
        &[
            (Own, "OK"),
            (OfSameGroup, "CODE_WRONG"),
            (OfOtherGroup, "VERIFICATION_NOT_FOUND"),
            (Absent, "VERIFICATION_NOT_FOUND"),
            (Ended, "VERIFICATION_NOT_FOUND"),
        ],
    ),
    row(
        "GetVerification",
        &[
            (Own, "OK"),
            (Absent, "VERIFICATION_NOT_FOUND"),
            (Ended, "VERIFICATION_NOT_FOUND"),
        ],
    ),
    // What is dead already is no error.
    row(
        "CancelVerification",
        &[(Own, "OK"), (Absent, "OK"), (Ended, "OK")],
    ),
    // Authorization
    row("Check", ABOUT_A_REQUEST),
];

const ABOUT_A_TOKEN: &[(Object, &str)] = &[
    (Own, "VALID"),
    (OfOtherGroup, "VALID"),
    (Absent, "BAD_SIGNATURE"),
    (RefreshToken, "MALFORMED"),
    (ExpiredToken, "EXPIRED"),
    (RevokedToken, "REVOKED"),
    (TokenOfSuspended, "REVOKED"),
];

/// A denial is an answer, too.
const ABOUT_A_REQUEST: &[(Object, &str)] = &[
    (Own, "OK"),
    (OfOtherGroup, "OK"),
    (NoToken, "401 Bearer"),
    (Absent, INVALID_TOKEN),
    (RefreshToken, INVALID_TOKEN),
    (ExpiredToken, INVALID_TOKEN),
    (RevokedToken, INVALID_TOKEN),
    (TokenOfSuspended, INVALID_TOKEN),
    (TokenOfServiceAccount, "OK"),
];

const INVALID_TOKEN: &str = "401 Bearer error=\"invalid_token\"";

const ONE_SESSION: &[(Object, &str)] = &[
    (Own, "OK"),
    (OfSameGroup, "SESSION_NOT_FOUND"),
    (OfOtherGroup, "SESSION_NOT_FOUND"),
    (Absent, "SESSION_NOT_FOUND"),
    (Ended, "OK"),
    (ById, "OK"),
    (OfSameGroupById, "SESSION_NOT_FOUND"),
    (AbsentById, "SESSION_NOT_FOUND"),
];

const ONE_SERVICE_ACCOUNT: &[(Object, &str)] =
    &[(Own, "OK"), (Absent, "SERVICE_ACCOUNT_NOT_FOUND")];

const OPEN_MFA_SESSION: &[(Object, &str)] = &[
    (Own, "OK"),
    (OfOtherGroup, "MFA_SESSION_NOT_FOUND"),
    (OfOtherCaller, "MFA_SESSION_NOT_FOUND"),
    (Absent, "MFA_SESSION_NOT_FOUND"),
];

const CHANGE_OF_STATE: &[(Object, &str)] = &[
    (Own, "OK"),
    (Absent, "USER_NOT_FOUND"),
    (Ended, "USER_STATE_CONFLICT"),
];

const ONE_ADDRESS: &[(Object, &str)] = &[
    (Own, "OK"),
    (OfSameGroup, "IDENTIFIER_NOT_FOUND"),
    (OfOtherGroup, "IDENTIFIER_NOT_FOUND"),
    (Absent, "IDENTIFIER_NOT_FOUND"),
];

const fn row(rpc: &'static str, cells: &'static [(Object, &'static str)]) -> Row {
    Row {
        rpc,
        cells,
        is_for_person: false,
    }
}

/// The row of an RPC that an access token authorizes.
const fn of_person(rpc: &'static str, cells: &'static [(Object, &'static str)]) -> Row {
    Row {
        rpc,
        cells,
        is_for_person: true,
    }
}

impl Row {
    /// The objects, and what is answered.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (Object, &'static str)> {
        let bad_tokens = self.is_for_person.then_some(BAD_TOKENS);
        let cells = self.cells.iter().copied();
        cells.chain(bad_tokens.into_iter().flatten())
    }

    /// What is answered to a caller of this role: gateways name people by their tokens,
    /// operators by their ids.
    pub(crate) fn expected_by(
        &self,
        role: Option<CallerRole>,
        object: Object,
        expected: &'static str,
    ) -> &'static str {
        let is_by_id = matches!(object, ById | OfSameGroupById | AbsentById);
        let is_good = match role {
            Some(CallerRole::Operator) => !self.is_for_person || is_by_id,
            _ => !is_by_id,
        };
        match is_good {
            true => expected,
            false => "CALLER_NOT_PERMITTED",
        }
    }
}
