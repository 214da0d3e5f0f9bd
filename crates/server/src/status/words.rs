//! What each reason says: its code, and its words for developers and people.

use std::time::Duration;

use countersign_domain::model::{Locale, Timestamp};
use countersign_proto::v1::ErrorReason;
use tonic::Code;

use crate::rfc3339::rfc3339;

const DAY: Duration = Duration::from_secs(86_400);

/// What somebody is told who has left: for how many days after that it may not join
/// again, and on which day it may. The day is the first that begins later: of Korea in
/// Korean, of UTC in English.
pub(super) fn withdrawn(at: Timestamp, rejoin_at: Timestamp, locale: Locale) -> String {
    let days = rejoin_at.since(at).as_secs().div_ceil(DAY.as_secs());
    let zone = match locale {
        Locale::Korean => Duration::from_secs(9 * 3_600),
        Locale::English => Duration::ZERO,
    };
    let almost_a_day = DAY - Duration::from_millis(1);
    let mut day = rfc3339(rejoin_at.plus(zone).plus(almost_a_day));
    day.truncate("2026-12-06".len());
    match locale {
        Locale::Korean => format!(
            "탈퇴 회원입니다. 탈퇴 후 {days}일동안 다시 가입할수 없어요. {day}부터 다시 가입할 수 \
             있어요."
        ),
        Locale::English => format!(
            "The account was closed. For {days} days after that you cannot join again; you can \
             from {day} on."
        ),
    }
}

/// The code of a reason, and what it says in English and in Korean.
pub(super) fn words(reason: ErrorReason) -> (Code, &'static str, &'static str) {
    use ErrorReason as R;
    match reason {
        R::FieldInvalid => (
            Code::InvalidArgument,
            "Fields are not valid.",
            "입력값이 올바르지 않습니다.",
        ),
        R::CallerUnknown => (
            Code::Unauthenticated,
            "The call carries no API key, and no client certificate, of a known caller.",
            "알 수 없는 호출자입니다. API 키나 인증서를 확인해 주세요.",
        ),
        R::CallerNotPermitted => (
            Code::PermissionDenied,
            "The caller may not call this RPC.",
            "호출 권한이 없습니다.",
        ),
        R::SignInRefused => (
            Code::Unauthenticated,
            "The sign-in details are not correct.",
            "이메일 또는 패스워드가 올바르지 않습니다. 다시 입력해주세요.",
        ),
        R::AccessTokenInvalid => (
            Code::Unauthenticated,
            "Please sign in again.",
            "인증이 만료되었습니다. 다시 로그인해 주세요.",
        ),
        R::RefreshTokenInvalid => (
            Code::Unauthenticated,
            "The refresh token is not valid.",
            "다시 로그인해 주세요.",
        ),
        R::RefreshTokenReused => (
            Code::Unauthenticated,
            "The refresh token was used before; the session is ended.",
            "보안을 위해 로그아웃되었습니다. 다시 로그인해 주세요.",
        ),
        R::SessionEnded => (
            Code::Unauthenticated,
            "The session has ended.",
            "로그아웃된 상태입니다. 다시 로그인해 주세요.",
        ),
        R::PasswordWrong => (
            Code::PermissionDenied,
            "The current password is wrong.",
            "현재 비밀번호가 올바르지 않습니다.",
        ),
        R::CodeWrong => (
            Code::PermissionDenied,
            "The code is wrong.",
            "인증번호가 올바르지 않습니다.",
        ),
        R::VerificationNotFound => (
            Code::NotFound,
            "The code has expired or was replaced; ask for a new one.",
            "인증번호가 만료되었습니다. 다시 요청해 주세요.",
        ),
        R::ProofInvalid => (
            Code::PermissionDenied,
            "The proof is not valid here, or was spent; verify the address again.",
            "인증이 만료되었습니다. 다시 인증해 주세요.",
        ),
        R::IdentifierTaken => (
            Code::AlreadyExists,
            "The address belongs to an account, or is kept for one. If it is yours, sign in.",
            "이미 사용 중이거나 보류된 주소입니다. 본인의 주소라면 로그인해 주세요.",
        ),
        R::UsernameTaken => (
            Code::AlreadyExists,
            "The user name is taken.",
            "이미 사용 중인 사용자 이름입니다.",
        ),
        R::MfaSessionNotFound => (
            Code::NotFound,
            "The second step of the sign-in has expired or was replaced; begin anew.",
            "추가 인증이 만료되었습니다. 다시 로그인해 주세요.",
        ),
        R::SessionNotFound => (
            Code::NotFound,
            "The user has no such session.",
            "해당 로그인 기록이 없습니다.",
        ),
        R::AuthenticationTooOld => (
            Code::FailedPrecondition,
            "It has been too long for this since the person was authenticated; please show the \
             password or a second factor again.",
            "보안을 위해 본인 확인을 다시 한 후 진행해 주세요.",
        ),
        R::SecondFactorRequired => (
            Code::FailedPrecondition,
            "This needs a second factor.",
            "추가 인증을 한 후 진행해 주세요.",
        ),
        R::SessionOfAnotherCaller => (
            Code::PermissionDenied,
            "The session is one of another caller.",
            "다른 서비스에서 시작된 로그인입니다. 로그인한 서비스에서 진행해 주세요.",
        ),
        R::EnrollmentNotFound => (
            Code::NotFound,
            "The enrolment has expired or was confirmed; please begin again.",
            "등록 시간이 만료되었습니다. 처음부터 다시 등록해 주세요.",
        ),
        R::FactorNotFound => (
            Code::NotFound,
            "The person has no such second factor.",
            "등록된 2단계 인증 수단이 없습니다.",
        ),
        R::FactorLimitReached => (
            Code::FailedPrecondition,
            "The person has as many second factors as one may have.",
            "2단계 인증 수단을 더 등록할 수 없습니다.",
        ),
        R::AddressNotVerified => (
            Code::FailedPrecondition,
            "The person has no such verified address, or several, of which one must be named.",
            "인증된 연락처가 아니거나 여러 개입니다. 연락처를 확인해 주세요.",
        ),
        R::FactorAlreadyEnrolled => (
            Code::FailedPrecondition,
            "The address is a second factor already.",
            "이미 2단계 인증 수단으로 등록된 연락처입니다.",
        ),
        R::SecondFactorUnavailable => (
            Code::FailedPrecondition,
            "A second factor is required, and there is no address to which a code can be sent.",
            "2단계 인증이 필요하지만 인증번호를 받을 연락처가 없습니다. 고객센터에 문의해 주세요.",
        ),
        R::SecondFactorWrong => (
            Code::PermissionDenied,
            "The answer of the second factor is wrong, or was used; wait for the next code.",
            "인증 코드가 올바르지 않거나 이미 사용되었습니다. 새 코드를 입력해 주세요.",
        ),
        R::PasskeysNotConfigured => (
            Code::FailedPrecondition,
            "The server takes no passkeys: passkeys.rp_id and passkeys.origins are not set.",
            "패스키를 사용할 수 없습니다. 서버에 패스키 설정이 없습니다.",
        ),
        R::SenderNotConfigured => (
            Code::FailedPrecondition,
            "No message can be sent: the server has no sender (delivery.sms, delivery.email).",
            "메시지를 보낼 수 없습니다. 서버에 발송 설정이 없습니다.",
        ),
        R::IdentifierNotFound => (
            Code::NotFound,
            "The person has no such address.",
            "등록된 연락처가 아닙니다.",
        ),
        R::IdentifierLimitReached => (
            Code::FailedPrecondition,
            "The person has as many addresses as one may have.",
            "연락처를 더 등록할 수 없습니다.",
        ),
        R::ExternalIdMissing => (
            Code::FailedPrecondition,
            "The account has no id that the service's tokens could name.",
            "이 서비스의 토큰을 발급할 수 없는 계정입니다.",
        ),
        R::LastIdentifier => (
            Code::FailedPrecondition,
            "The last address cannot be removed.",
            "마지막 연락처는 삭제할 수 없습니다.",
        ),
        R::UndoNotFound => (
            Code::NotFound,
            "There is no change to undo, or not any more.",
            "취소할 변경이 없거나 취소 기간이 지났습니다.",
        ),
        R::UserSuspended => (
            Code::PermissionDenied,
            "The account is suspended.",
            "보호조치된 계정입니다.",
        ),
        // With the days of its facts: see `withdrawn`.
        R::UserWithdrawn => (
            Code::PermissionDenied,
            "The account was closed.",
            "탈퇴 회원입니다.",
        ),
        R::UserNotFound => (
            Code::NotFound,
            "There is no such user.",
            "해당 회원이 없습니다.",
        ),
        R::UserStateConflict => (
            Code::FailedPrecondition,
            "The state of the user does not allow that.",
            "회원의 현재 상태에서는 처리할 수 없습니다.",
        ),
        R::EtagMismatch => (
            Code::Aborted,
            "It was changed since it was read; read it again.",
            "그 사이 정보가 변경되었습니다. 다시 조회해 주세요.",
        ),
        R::ExternalIdTaken => (
            Code::AlreadyExists,
            "Another user of the group has the external id.",
            "이미 사용 중인 외부 ID입니다.",
        ),
        R::GroupNotFound => (
            Code::NotFound,
            "There is no such group.",
            "존재하지 않는 그룹입니다.",
        ),
        R::DoubleInBatch => (
            Code::AlreadyExists,
            "An earlier user of the batch has the same id or identifier.",
            "같은 묶음의 앞선 회원과 아이디 또는 연락처가 겹칩니다.",
        ),
        R::GroupAlreadyExists => (
            Code::AlreadyExists,
            "There is a group of this id.",
            "이미 존재하는 그룹입니다.",
        ),
        R::GroupChanged => (
            Code::Aborted,
            "The group was changed meanwhile; read it again.",
            "그룹이 그사이 변경되었습니다. 다시 조회해 주세요.",
        ),
        R::GroupNotEmpty => (
            Code::FailedPrecondition,
            "The group has users or service accounts.",
            "사용자나 서비스 계정이 있는 그룹은 삭제할 수 없습니다.",
        ),
        R::SignInWayNotAllowed => (
            Code::FailedPrecondition,
            "The group does not let people sign in this way.",
            "이 그룹에서 허용되지 않는 로그인 방식입니다.",
        ),
        R::SignUpNotAllowed => (
            Code::FailedPrecondition,
            "People do not sign up for this group by themselves.",
            "이 그룹은 직접 가입할 수 없습니다. 관리자에게 문의해 주세요.",
        ),
        R::FederatedSignInRefused => (
            Code::PermissionDenied,
            "The sign-in with the other service did not succeed; please try again.",
            "다른 서비스로 로그인하지 못했습니다. 다시 시도해 주세요.",
        ),
        R::ProviderNotFound => (
            Code::NotFound,
            "No provider of sign-ins has this name.",
            "해당 로그인 제공자가 없습니다.",
        ),
        R::ProviderUnavailable => (
            Code::Unavailable,
            "The other service does not answer right now; please try again later.",
            "다른 서비스가 지금 응답하지 않습니다. 잠시 후 다시 시도해 주세요.",
        ),
        R::FederationTokenInvalid => (
            Code::PermissionDenied,
            "The sign-in with the other service is over; please sign in there again.",
            "다른 서비스의 로그인이 만료되었습니다. 다시 로그인해 주세요.",
        ),
        R::FederatedIdentityTaken => (
            Code::AlreadyExists,
            "That account is linked to another user.",
            "이미 다른 계정에 연결되어 있습니다.",
        ),
        R::FederatedIdentityNotFound => (
            Code::NotFound,
            "There is no such linked account.",
            "연결된 계정이 없습니다.",
        ),
        R::FederatedIdentityLimitReached => (
            Code::FailedPrecondition,
            "No more accounts can be linked; unlink one first.",
            "계정을 더 연결할 수 없습니다. 먼저 하나를 해제해 주세요.",
        ),
        R::LastWayIn => (
            Code::FailedPrecondition,
            "You could not sign in any more; set a password or add another way first.",
            "이 계정을 해제하면 로그인할 수 없습니다. 먼저 비밀번호를 설정하거나 다른 로그인 방법을 추가해 주세요.",
        ),
        R::ProviderNotificationRefused => (
            Code::PermissionDenied,
            "The message is not the provider's.",
            "제공자가 보낸 메시지가 아닙니다.",
        ),
        R::ServiceAccountNotFound => (
            Code::NotFound,
            "There is no such service account, or it has no such credential.",
            "해당 서비스 계정이나 자격 증명이 없습니다.",
        ),
        R::ServiceAccountCredentialLimitReached => (
            Code::FailedPrecondition,
            "The service account has as many credentials of this kind as it may have; remove one first.",
            "서비스 계정의 자격 증명을 더 추가할 수 없습니다. 먼저 하나를 삭제해 주세요.",
        ),
        R::TokenOfServiceAccount => (
            Code::PermissionDenied,
            "This is for people, and the access token is one of a service account.",
            "서비스 계정의 토큰으로는 사용할 수 없습니다.",
        ),
        R::TooManyMessages => (
            Code::ResourceExhausted,
            "Too many messages; please wait.",
            "인증 요청이 너무 많습니다. 잠시 후 다시 시도해 주세요.",
        ),
        R::TooManyAttempts => (
            Code::ResourceExhausted,
            "Too many attempts; please wait.",
            "시도 횟수를 초과했습니다. 잠시 후 다시 시도해 주세요.",
        ),
        R::Overloaded => (
            Code::ResourceExhausted,
            "Too many requests at once; please try again.",
            "요청이 많습니다. 잠시 후 다시 시도해 주세요.",
        ),
        R::DependencyUnavailable => (
            Code::Unavailable,
            "The service cannot answer right now; please try again.",
            "일시적인 오류입니다. 잠시 후 다시 시도해 주세요.",
        ),
        R::DeadlineExceeded => (
            Code::DeadlineExceeded,
            "The call took too long.",
            "응답 시간이 초과되었습니다. 다시 시도해 주세요.",
        ),
        R::RpcUnknown => (
            Code::Unimplemented,
            "There is no such RPC.",
            "지원하지 않는 요청입니다.",
        ),
        R::EncodingUnknown => (
            Code::Unimplemented,
            "The message is compressed in a way that is not known; gzip is.",
            "지원하지 않는 압축 방식입니다.",
        ),
        R::MessageUnreadable => (
            Code::InvalidArgument,
            "The message cannot be read.",
            "요청을 해석할 수 없습니다.",
        ),
        R::Internal | R::Unspecified => (
            Code::Internal,
            "Something went wrong on our side.",
            "서버 오류가 발생했습니다.",
        ),
    }
}
