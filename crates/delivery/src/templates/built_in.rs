//! The texts that are built in. Text messages with a code and notices leave room
//! for a product name of 11 letters and the line of an origin as long as
//! `example.com`.

use countersign_domain::model::Locale;

use crate::outgoing::MessageName;

/// One message in one language.
pub(super) struct BuiltIn {
    pub(super) sms: &'static str,
    pub(super) subject: &'static str,
    pub(super) text: &'static str,
}

/// Before a text, if the product has a name.
const SIGNED: &str = "[{product}] ";

/// A text as it is for a product, or without one.
pub(super) fn of_product<'a>(text: &'a str, product: &str) -> &'a str {
    let signed = if product.is_empty() { SIGNED } else { "" };
    text.strip_prefix(signed).unwrap_or(text)
}

pub(super) fn texts(name: MessageName, locale: Locale) -> BuiltIn {
    match locale {
        Locale::English => english(name),
        Locale::Korean => korean(name),
    }
}

fn english(name: MessageName) -> BuiltIn {
    match name {
        MessageName::SignUp => BuiltIn {
            sms: "[{product}] {code} is your code to sign up. Do not share it.",
            subject: "[{product}] Your verification code",
            text: "Your code to sign up:\n\n{code}\n\n\
                   It expires in {minutes} min. Do not share it. If you did not ask for it, \
                   ignore this message.",
        },
        MessageName::SignIn => BuiltIn {
            sms: "[{product}] {code} is your code to sign in. Do not share it.",
            subject: "[{product}] Your verification code",
            text: "Your code to sign in:\n\n{code}\n\n\
                   It expires in {minutes} min. Do not share it. If you did not ask for it, \
                   ignore this message.",
        },
        MessageName::SecondFactor => BuiltIn {
            sms: "[{product}] {code} to sign in. Not you? Change your password.",
            subject: "[{product}] Your verification code",
            text: "Your code for the second step of signing in:\n\n{code}\n\n\
                   It expires in {minutes} min. Do not share it. If you did not ask for it, \
                   somebody has passed the first step and may know your password: change it now.",
        },
        MessageName::StepUp => BuiltIn {
            sms: "[{product}] {code} confirms that it is you. Do not share it.",
            subject: "[{product}] Your verification code",
            text: "Your code to confirm that it is you:\n\n{code}\n\n\
                   It expires in {minutes} min. Do not share it. If you did not ask for it, \
                   somebody is signed in to your account: reset your password now.",
        },
        MessageName::PasswordReset => BuiltIn {
            sms: "[{product}] {code} is your password reset code. Do not share it.",
            subject: "[{product}] Your verification code",
            text: "Your code to reset your password:\n\n{code}\n\n\
                   It expires in {minutes} min. Do not share it. If you did not ask for it, \
                   ignore this message: your password stays as it is.",
        },
        MessageName::AddFactor => BuiltIn {
            sms: "[{product}] {code} is your two-step setup code. Do not share it.",
            subject: "[{product}] Your verification code",
            text: "Your code to turn on two-step sign-in by this address:\n\n{code}\n\n\
                   It expires in {minutes} min. Do not share it. If you did not ask for it, \
                   somebody is signed in to your account: reset your password now.",
        },
        MessageName::SignUpLink => BuiltIn {
            sms: "[{product}] Open this link to sign up. Do not share it.\n{link}",
            subject: "[{product}] Your link to sign up",
            text: "Open this link to sign up:\n\n{link}\n\n\
                   It works once and expires in {minutes} min. Do not share it. If you did not ask \
                   for it, ignore this message.",
        },
        MessageName::SignInLink => BuiltIn {
            sms: "[{product}] Open this link to sign in. Do not share it.\n{link}",
            subject: "[{product}] Your link to sign in",
            text: "Open this link to sign in:\n\n{link}\n\n\
                   It works once and expires in {minutes} min. Do not share it. If you did not ask \
                   for it, ignore this message.",
        },
        MessageName::PasswordResetLink => BuiltIn {
            sms: "[{product}] Open this link to reset your password. Do not share it.\n{link}",
            subject: "[{product}] Your link to reset your password",
            text: "Open this link to reset your password:\n\n{link}\n\n\
                   It works once and expires in {minutes} min. Do not share it. If you did not ask \
                   for it, ignore this message: your password stays as it \
                   is.",
        },
        MessageName::AlreadySignedUp => BuiltIn {
            sms: "[{product}] You already have an account. If you tried to sign up, sign in instead.",
            subject: "[{product}] You already have an account",
            text: "You already have an account. If you tried to sign up, sign in instead.\n\n\
                   If it was not you, there is nothing to do.",
        },
        MessageName::PasswordChanged => BuiltIn {
            sms: "[{product}] Your password was changed. If it was not you, reset it now.",
            subject: "[{product}] Your password was changed",
            text: "Your password was changed. If it was not you, reset it now.",
        },
        MessageName::PasswordWasReset => BuiltIn {
            sms: "[{product}] Your password was reset. If it was not you, reset it now.",
            subject: "[{product}] Your password was reset",
            text: "Your password was reset. If it was not you, reset it now.",
        },
        MessageName::FactorAdded => BuiltIn {
            sms: "[{product}] Two-step sign-in was added. If it was not you, reset your password.",
            subject: "[{product}] Two-step sign-in was added",
            text: "An authenticator was added to your account. If it was not you, reset your \
                   password now.",
        },
        MessageName::FactorRemoved => BuiltIn {
            sms: "[{product}] An authenticator was removed. If it was not you, reset your password.",
            subject: "[{product}] An authenticator was removed",
            text: "An authenticator was removed from your account. If it was not you, reset your \
                   password now.",
        },
        MessageName::FederatedIdentityLinked => BuiltIn {
            sms: "[{product}] A new way to sign in was added. If it was not you, reset your password.",
            subject: "[{product}] A new way to sign in was added",
            text: "Your account can now be signed in to with an account at another service. If it \
                   was not you, reset your password now and remove it from your linked accounts.",
        },
        MessageName::FederatedIdentityUnlinked => BuiltIn {
            sms: "[{product}] A linked account was removed. If it was not you, reset your password.",
            subject: "[{product}] A linked account was removed",
            text: "An account at another service can no longer be used to sign in to your account. \
                   If it was not you, reset your password now.",
        },
        MessageName::RecoveryCodesReplaced => BuiltIn {
            sms: "[{product}] New recovery codes were made. If it was not you, reset your password.",
            subject: "[{product}] New recovery codes were made",
            text: "New recovery codes were made for your account, and the earlier ones are worth \
                   nothing. If it was not you, reset your password now.",
        },
        MessageName::NewDevice => BuiltIn {
            sms: "[{product}] Signed in on a new device. If it was not you, reset your password.",
            subject: "[{product}] A sign-in on a new device",
            text: "Somebody signed in to your account on a device that was not used before. If it \
                   was not you, reset your password now.",
        },
        MessageName::AccountClosed => BuiltIn {
            sms: "[{product}] Your account was closed. If it was not you, contact us at once.",
            subject: "[{product}] Your account was closed",
            text: "Your account was closed, and its data will be erased. If it was not you, contact \
                   us at once: until then the account can be given back to you.",
        },
        MessageName::ChangeIdentifier => BuiltIn {
            sms: "[{product}] {code} confirms your number. Do not share it.",
            subject: "[{product}] Your verification code",
            text: "Your code to use this address for your account:\n\n{code}\n\n\
                   It expires in {minutes} min. Do not share it. If you did not ask for it, \
                   ignore this message.",
        },
        MessageName::ChangeIdentifierLink => BuiltIn {
            sms: "[{product}] Open this link to use this number for your account. Do not share it.\n\
                  {link}",
            subject: "[{product}] Confirm your address",
            text: "Open this link to use this address for your account:\n\n{link}\n\n\
                   It works once and expires in {minutes} min. Do not share it. If you did not ask \
                   for it, ignore this message.",
        },
        MessageName::IdentifierAdded => BuiltIn {
            sms: "[{product}] {address} was added to your account. Was it not you? Undo it within \
                  {hours} h:\n{link}",
            subject: "[{product}] An address was added to your account",
            text: "An address was added to your account:\n\n{address}\n\n\
                   If it was you, there is nothing to do.\n\n\
                   If it was not you, undo it within {hours} h:\n\n{link}\n\n\
                   That ends all sessions and removes the password; then set a new one.",
        },
        MessageName::IdentifierChanged => BuiltIn {
            sms: "[{product}] An address of your account was changed ({address}). Was it not you? Undo \
                  it within {hours} h:\n{link}",
            subject: "[{product}] An address of your account was changed",
            text: "An address of your account was changed:\n\n{address}\n\n\
                   If it was you, there is nothing to do.\n\n\
                   If it was not you, undo it within {hours} h:\n\n{link}\n\n\
                   That ends all sessions and removes the password; then set a new one.",
        },
        MessageName::IdentifierRemoved => BuiltIn {
            sms: "[{product}] {address} was removed from your account. Was it not you? Undo it \
                  within {hours} h:\n{link}",
            subject: "[{product}] An address was removed from your account",
            text: "An address was removed from your account:\n\n{address}\n\n\
                   If it was you, there is nothing to do.\n\n\
                   If it was not you, undo it within {hours} h:\n\n{link}\n\n\
                   That ends all sessions and removes the password; then set a new one.",
        },
        MessageName::IdentifierChangeUndone => BuiltIn {
            sms: "[{product}] An address change was undone. Please set a new password.",
            subject: "[{product}] A change of your addresses was undone",
            text: "A change of the addresses of your account was undone. All sessions have ended, \
                   and the password was removed. Please set a new one.",
        },
        MessageName::Test => BuiltIn {
            sms: "[{product}] This is a test message.",
            subject: "[{product}] A test message",
            text: "This is a test message. It arrived.",
        },
    }
}

fn korean(name: MessageName) -> BuiltIn {
    match name {
        MessageName::SignUp => BuiltIn {
            sms: "[{product}] 회원가입 인증번호 [{code}] 타인노출금지",
            subject: "[{product}] 인증번호 안내",
            text: "회원가입 인증번호입니다.\n\n{code}\n\n\
                   {minutes}분 동안 유효합니다. 타인에게 알려주지 마세요. 요청하지 않으셨다면 이 \
                   메일을 무시해 주세요.",
        },
        MessageName::SignIn => BuiltIn {
            sms: "[{product}] 로그인 인증번호 [{code}] 타인노출금지",
            subject: "[{product}] 인증번호 안내",
            text: "로그인 인증번호입니다.\n\n{code}\n\n\
                   {minutes}분 동안 유효합니다. 타인에게 알려주지 마세요. 요청하지 않으셨다면 이 \
                   메일을 무시해 주세요.",
        },
        MessageName::SecondFactor => BuiltIn {
            sms: "[{product}] 2단계 인증번호 [{code}] 본인 아니면 비밀번호 변경",
            subject: "[{product}] 인증번호 안내",
            text: "로그인 2단계 인증번호입니다.\n\n{code}\n\n\
                   {minutes}분 동안 유효합니다. 타인에게 알려주지 마세요. 요청하지 않으셨다면 다른 \
                   사람이 1단계 인증을 통과하여 비밀번호를 알고 있을 수 있으니 즉시 비밀번호를 \
                   변경해 주세요.",
        },
        MessageName::StepUp => BuiltIn {
            sms: "[{product}] 본인확인 인증번호 [{code}] 타인노출금지",
            subject: "[{product}] 인증번호 안내",
            text: "본인 확인을 위한 인증번호입니다.\n\n{code}\n\n\
                   {minutes}분 동안 유효합니다. 타인에게 알려주지 마세요. 요청하지 않으셨다면 다른 \
                   사람이 로그인한 상태이니 즉시 비밀번호를 재설정해 주세요.",
        },
        MessageName::PasswordReset => BuiltIn {
            sms: "[{product}] 비밀번호 재설정 인증번호 [{code}] 타인노출금지",
            subject: "[{product}] 인증번호 안내",
            text: "비밀번호 재설정 인증번호입니다.\n\n{code}\n\n\
                   {minutes}분 동안 유효합니다. 타인에게 알려주지 마세요. 요청하지 않으셨다면 이 \
                   메일을 무시해 주세요. 비밀번호는 바뀌지 않습니다.",
        },
        MessageName::AddFactor => BuiltIn {
            sms: "[{product}] 2단계 인증 등록 인증번호 [{code}] 타인노출금지",
            subject: "[{product}] 인증번호 안내",
            text: "이 주소를 2단계 인증으로 등록하기 위한 인증번호입니다.\n\n{code}\n\n\
                   {minutes}분 동안 유효합니다. 타인에게 알려주지 마세요. 요청하지 않으셨다면 다른 \
                   사람이 로그인한 상태이니 즉시 비밀번호를 재설정해 주세요.",
        },
        MessageName::SignUpLink => BuiltIn {
            sms: "[{product}] 회원가입 링크입니다. 타인에게 전달하지 마세요.\n{link}",
            subject: "[{product}] 회원가입 링크 안내",
            text: "아래 링크를 열어 회원가입을 계속해 주세요.\n\n{link}\n\n\
                   한 번만 사용할 수 있으며 {minutes}분 동안 유효합니다. 타인에게 전달하지 마세요. \
                   요청하지 않으셨다면 이 메일을 무시해 주세요.",
        },
        MessageName::SignInLink => BuiltIn {
            sms: "[{product}] 로그인 링크입니다. 타인에게 전달하지 마세요.\n{link}",
            subject: "[{product}] 로그인 링크 안내",
            text: "아래 링크를 열어 로그인해 주세요.\n\n{link}\n\n\
                   한 번만 사용할 수 있으며 {minutes}분 동안 유효합니다. 타인에게 전달하지 마세요. \
                   요청하지 않으셨다면 이 메일을 무시해 주세요.",
        },
        MessageName::PasswordResetLink => BuiltIn {
            sms: "[{product}] 비밀번호 재설정 링크입니다. 타인에게 전달하지 마세요.\n{link}",
            subject: "[{product}] 비밀번호 재설정 링크 안내",
            text: "아래 링크를 열어 비밀번호를 재설정해 주세요.\n\n{link}\n\n\
                   한 번만 사용할 수 있으며 {minutes}분 동안 유효합니다. 타인에게 전달하지 마세요. \
                   요청하지 않으셨다면 이 메일을 무시해 주세요. 비밀번호는 바뀌지 \
                   않습니다.",
        },
        MessageName::AlreadySignedUp => BuiltIn {
            sms: "[{product}] 이미 가입된 계정이 있습니다. 로그인해 주세요.",
            subject: "[{product}] 이미 가입된 계정이 있습니다",
            text: "이미 가입된 계정이 있습니다. 가입을 시도하셨다면 로그인해 주세요.\n\n\
                   본인이 아니라면 하실 일은 없습니다.",
        },
        MessageName::PasswordChanged => BuiltIn {
            sms: "[{product}] 비밀번호가 변경되었습니다. 본인이 아니면 재설정해 주세요.",
            subject: "[{product}] 비밀번호가 변경되었습니다",
            text: "비밀번호가 변경되었습니다. 본인이 아니면 즉시 재설정해 주세요.",
        },
        MessageName::PasswordWasReset => BuiltIn {
            sms: "[{product}] 비밀번호가 재설정되었습니다. 본인이 아니면 재설정해 주세요.",
            subject: "[{product}] 비밀번호가 재설정되었습니다",
            text: "비밀번호가 재설정되었습니다. 본인이 아니면 즉시 다시 재설정해 주세요.",
        },
        MessageName::FactorAdded => BuiltIn {
            sms: "[{product}] 2단계 인증이 추가되었습니다. 본인이 아니면 비밀번호를 바꾸세요.",
            subject: "[{product}] 2단계 인증이 추가되었습니다",
            text: "계정에 인증 앱이 추가되었습니다. 본인이 아니면 즉시 비밀번호를 재설정해 주세요.",
        },
        MessageName::FactorRemoved => BuiltIn {
            sms: "[{product}] 2단계 인증이 삭제되었습니다. 본인이 아니면 비밀번호를 바꾸세요.",
            subject: "[{product}] 2단계 인증이 삭제되었습니다",
            text: "계정에서 인증 앱이 삭제되었습니다. 본인이 아니면 즉시 비밀번호를 재설정해 주세요.",
        },
        MessageName::FederatedIdentityLinked => BuiltIn {
            sms: "[{product}] 간편 로그인이 연결되었습니다. 본인이 아니면 비밀번호를 바꾸세요.",
            subject: "[{product}] 간편 로그인이 연결되었습니다",
            text: "다른 서비스의 계정으로 로그인할 수 있게 되었습니다. 본인이 아니면 즉시 비밀번호를 \
                   재설정하고 연결된 계정에서 해제해 주세요.",
        },
        MessageName::FederatedIdentityUnlinked => BuiltIn {
            sms: "[{product}] 간편 로그인이 해제되었습니다. 본인이 아니면 비밀번호를 바꾸세요.",
            subject: "[{product}] 간편 로그인이 해제되었습니다",
            text: "다른 서비스의 계정으로 더 이상 로그인할 수 없습니다. 본인이 아니면 즉시 \
                   비밀번호를 재설정해 주세요.",
        },
        MessageName::RecoveryCodesReplaced => BuiltIn {
            sms: "[{product}] 복구 코드가 새로 발급되었습니다. 본인이 아니면 비밀번호를 바꾸세요.",
            subject: "[{product}] 복구 코드가 새로 발급되었습니다",
            text: "계정의 복구 코드가 새로 발급되어 이전 코드는 사용할 수 없습니다. 본인이 아니면 \
                   즉시 비밀번호를 재설정해 주세요.",
        },
        MessageName::NewDevice => BuiltIn {
            sms: "[{product}] 새 기기에서 로그인되었습니다. 본인이 아니면 비밀번호를 바꾸세요.",
            subject: "[{product}] 새 기기에서 로그인되었습니다",
            text: "사용한 적이 없는 기기에서 계정에 로그인되었습니다. 본인이 아니면 즉시 비밀번호를 \
                   재설정해 주세요.",
        },
        MessageName::AccountClosed => BuiltIn {
            sms: "[{product}] 회원 탈퇴가 처리되었습니다. 본인이 아니면 즉시 문의해 주세요.",
            subject: "[{product}] 회원 탈퇴가 처리되었습니다",
            text: "회원 탈퇴가 처리되었으며 개인정보는 곧 삭제됩니다. 본인이 아니면 즉시 문의해 \
                   주세요. 삭제되기 전에는 계정을 되돌릴 수 있습니다.",
        },
        MessageName::ChangeIdentifier => BuiltIn {
            sms: "[{product}] 연락처 변경 인증번호 [{code}] 타인노출금지",
            subject: "[{product}] 인증번호 안내",
            text: "연락처 변경 인증번호입니다.\n\n{code}\n\n\
                   {minutes}분 동안 유효합니다. 타인에게 알려주지 마세요. 요청하지 않으셨다면 이 \
                   메일을 무시해 주세요.",
        },
        MessageName::ChangeIdentifierLink => BuiltIn {
            sms: "[{product}] 연락처 변경 링크입니다. 타인에게 전달하지 마세요.\n{link}",
            subject: "[{product}] 연락처 변경 링크 안내",
            text: "아래 링크를 열어 이 주소를 계정의 연락처로 확인해 주세요.\n\n{link}\n\n\
                   한 번만 사용할 수 있으며 {minutes}분 동안 유효합니다. 타인에게 전달하지 마세요. \
                   요청하지 않으셨다면 이 메일을 무시해 주세요.",
        },
        MessageName::IdentifierAdded => BuiltIn {
            sms: "[{product}] 계정에 연락처({address})가 추가되었습니다. 본인이 아니면 {hours}시간 안에 \
                  취소해 주세요.\n{link}",
            subject: "[{product}] 계정에 연락처가 추가되었습니다",
            text: "계정에 연락처가 추가되었습니다.\n\n{address}\n\n본인이 하셨다면 하실 일은 없습니다.\n\n\
                   본인이 아니면 {hours}시간 안에 취소해 주세요.\n\n{link}\n\n\
                   취소하면 모든 기기에서 로그아웃되고 비밀번호가 삭제됩니다. 이후 새 비밀번호를 \
                   설정해 주세요.",
        },
        MessageName::IdentifierChanged => BuiltIn {
            sms: "[{product}] 계정의 연락처가 변경되었습니다({address}). 본인이 아니면 {hours}시간 안에 \
                  취소해 주세요.\n{link}",
            subject: "[{product}] 계정의 연락처가 변경되었습니다",
            text: "계정의 연락처가 변경되었습니다.\n\n{address}\n\n본인이 하셨다면 하실 일은 없습니다.\n\n\
                   본인이 아니면 {hours}시간 안에 취소해 주세요.\n\n{link}\n\n\
                   취소하면 모든 기기에서 로그아웃되고 비밀번호가 삭제됩니다. 이후 새 비밀번호를 \
                   설정해 주세요.",
        },
        MessageName::IdentifierRemoved => BuiltIn {
            sms: "[{product}] 계정의 연락처({address})가 삭제되었습니다. 본인이 아니면 {hours}시간 안에 \
                  취소해 주세요.\n{link}",
            subject: "[{product}] 계정의 연락처가 삭제되었습니다",
            text: "계정의 연락처가 삭제되었습니다.\n\n{address}\n\n본인이 하셨다면 하실 일은 없습니다.\n\n\
                   본인이 아니면 {hours}시간 안에 취소해 주세요.\n\n{link}\n\n\
                   취소하면 모든 기기에서 로그아웃되고 비밀번호가 삭제됩니다. 이후 새 비밀번호를 \
                   설정해 주세요.",
        },
        MessageName::IdentifierChangeUndone => BuiltIn {
            sms: "[{product}] 연락처 변경이 취소되었습니다. 새 비밀번호를 설정해 주세요.",
            subject: "[{product}] 연락처 변경이 취소되었습니다",
            text: "계정의 연락처 변경이 취소되었습니다. 모든 기기에서 로그아웃되고 비밀번호가 \
                   삭제되었습니다. 새 비밀번호를 설정해 주세요.",
        },
        MessageName::Test => BuiltIn {
            sms: "[{product}] 시험 메시지입니다.",
            subject: "[{product}] 시험 메시지",
            text: "시험 메시지입니다. 잘 도착했습니다.",
        },
    }
}
