//! What messages say, in every language, short enough for one text message.

use countersign_domain::model::{Locale, Purpose};
use countersign_domain::ports::Content;

/// A message in words. There is no `Debug`, because there may be a code in it.
///
/// The body fits into one text message: 80 bytes of EUC-KR, 90 characters of
/// English, with a code of up to 10 characters.
pub struct Text {
    /// The subject, where there is one (e-mail). It never holds a code.
    pub subject: &'static str,
    /// The message itself.
    pub body: String,
}

impl Text {
    /// Puts a message into words.
    #[must_use]
    pub fn of(content: &Content, locale: Locale) -> Self {
        match locale {
            Locale::English => english(content),
            Locale::Korean => korean(content),
        }
    }
}

fn english(content: &Content) -> Text {
    match content {
        Content::Code { code, purpose, .. } => {
            let end = match purpose {
                Purpose::SignUp | Purpose::ConfirmSignUp => "to sign up",
                Purpose::SignIn => "to sign in",
                Purpose::PasswordReset => "to reset your password",
            };
            Text {
                subject: "Your verification code",
                body: format!("{} is your code {end}. Do not share it.", code.expose()),
            }
        }
        Content::AlreadySignedUp => Text {
            subject: "You already have an account",
            body: "You already have an account. If you tried to sign up, sign in instead.".into(),
        },
        Content::PasswordChanged => Text {
            subject: "Your password was changed",
            body: "Your password was changed. If it was not you, reset it now.".into(),
        },
        Content::PasswordReset => Text {
            subject: "Your password was reset",
            body: "Your password was reset by a code. If it was not you, reset it now.".into(),
        },
    }
}

fn korean(content: &Content) -> Text {
    match content {
        Content::Code { code, purpose, .. } => {
            let end = match purpose {
                Purpose::SignUp | Purpose::ConfirmSignUp => "회원가입",
                Purpose::SignIn => "로그인",
                Purpose::PasswordReset => "비밀번호 재설정",
            };
            Text {
                subject: "인증번호 안내",
                body: format!(
                    "{end} 인증번호는 [{}]입니다. 타인에게 알려주지 마세요.",
                    code.expose()
                ),
            }
        }
        Content::AlreadySignedUp => Text {
            subject: "이미 가입된 계정이 있습니다",
            body: "이미 가입된 계정이 있습니다. 가입을 시도하셨다면 로그인해 주세요.".into(),
        },
        Content::PasswordChanged => Text {
            subject: "비밀번호가 변경되었습니다",
            body: "비밀번호가 변경되었습니다. 본인이 아니면 즉시 재설정해 주세요.".into(),
        },
        Content::PasswordReset => Text {
            subject: "비밀번호가 재설정되었습니다",
            body: "비밀번호가 재설정되었습니다. 본인이 아니면 즉시 다시 재설정해 주세요.".into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use countersign_domain::model::{Code, Timestamp};

    use super::*;

    const LONGEST_NUMERIC_CODE: &str = "1234567890";

    fn contents() -> Vec<Content> {
        let mut contents = vec![
            Content::AlreadySignedUp,
            Content::PasswordChanged,
            Content::PasswordReset,
        ];
        for purpose in [
            Purpose::SignUp,
            Purpose::SignIn,
            Purpose::PasswordReset,
            Purpose::ConfirmSignUp,
        ] {
            contents.push(Content::Code {
                code: Code::parse(LONGEST_NUMERIC_CODE.into()).expect("a code"),
                purpose,
                expires_at: Timestamp::from_seconds(0),
            });
        }
        contents
    }

    /// EUC-KR writes ASCII in one byte and Hangul in two.
    fn euc_kr_bytes(text: &str) -> usize {
        text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
    }

    #[test]
    fn every_body_fits_into_one_text_message() {
        for content in contents() {
            let korean = Text::of(&content, Locale::Korean).body;
            assert!(euc_kr_bytes(&korean) <= 80, "{korean}");
            let english = Text::of(&content, Locale::English).body;
            assert!(english.is_ascii() && english.len() <= 90, "{english}");
        }
    }

    #[test]
    fn a_code_is_in_the_body_once_and_never_in_the_subject() {
        for content in contents() {
            let codes = usize::from(matches!(content, Content::Code { .. }));
            for locale in [Locale::English, Locale::Korean] {
                let text = Text::of(&content, locale);
                let found = text.body.matches(LONGEST_NUMERIC_CODE).count();
                assert_eq!(found, codes, "{}", text.body);
                assert!(!text.subject.contains(LONGEST_NUMERIC_CODE));
            }
        }
    }
}
