//! The use-cases over fakes, asked in plain texts.

use std::time::Duration;

use async_trait::async_trait;
use countersign_domain::application::Tokens as Minted;
use countersign_domain::model::{
    ClientContext, Identifier, LinkToken, Locale, NewPassword, PageSize, Purpose, SuspensionReason,
    Timestamp,
};
use countersign_domain::ports::{Clock as _, Content, Sessions as _};
use countersign_domain::testing::reference::{
    Answer, Call, Grant as Granted, Required, Subject, Tokens, Which, Who,
};
use countersign_domain::testing::{World, send_code, send_link};
use countersign_domain::use_cases::{
    Actor, CancelVerification, ChangePassword, CheckCode, CheckLink, ConfirmSignUp, Grant,
    IssueTokens, Issued, ListSessions, RefreshTokens, ReinstateUser, ResetPassword, RevokeSession,
    RevokeToken, RevokeUserSessions, SendCode, SignUp, SignUpBy, SignedUp, SuspendUser,
    Which as Verification,
};
use countersign_domain::validation::{
    NotAccepted, Question, RequiredAuthentication, TokenValidator, Validation,
};
use countersign_domain::{Error, Limit};
use countersign_token::{Acr, Rejection};

use crate::keys::Keys;
use crate::settings::generous;
use crate::texts;

/// A service that was just started.
pub(crate) struct Application {
    pub(crate) world: World,
    pub(crate) keys: Keys,
    validator: TokenValidator,
}

const NOBODY: &str = "nobody@example.com";

impl Application {
    /// A service of its own.
    pub(crate) async fn new() -> Self {
        let world = World::with(generous).await;
        world.group(texts::group(1).as_str()).await;
        let validator = world.validator();
        Self {
            world,
            keys: Keys::default(),
            validator,
        }
    }

    async fn answer(&self, call: &Call) -> Result<Answer, Error> {
        let app = &self.world.app;
        let locale = Locale::English;
        Ok(match call.clone() {
            Call::SignUp {
                group,
                address,
                username,
                password,
                proof,
            } => {
                let by = match proof {
                    Some(proof) => SignUpBy::Proof {
                        proof: texts::proof(proof),
                        password: password.map(|password| self.new_password(password)),
                    },
                    None => SignUpBy::Code {
                        password: self.new_password(password.unwrap_or(0)),
                    },
                };
                let sign_up = SignUp {
                    group: texts::group(group),
                    address: texts::at(address),
                    username: username.map(texts::username),
                    by,
                    locale,
                    client: ClientContext::default(),
                };
                match sign_up.execute(app).await? {
                    SignedUp::Active(id) => Answer::User(id.to_string()),
                    SignedUp::Pending {
                        verification_id, ..
                    } => Answer::Pending {
                        id: verification_id.to_string(),
                        code: self.sent(texts::code_of).await,
                    },
                }
            }
            Call::ConfirmSignUp { id, code } => {
                let confirm = ConfirmSignUp {
                    verification_id: id.parse().expect("an id"),
                    code: texts::code(&code),
                };
                Answer::User(confirm.execute(app).await?.to_string())
            }
            Call::SendCode {
                group,
                address,
                purpose,
                code,
                token,
            } => self.send(group, address, (purpose, token), code).await?,
            Call::CheckCode { which, code } => {
                let which = match which {
                    Which::Id(id) => Verification::Id(id.parse().expect("an id")),
                    Which::Latest {
                        group,
                        address,
                        purpose,
                    } => Verification::Latest(texts::group(group), texts::at(address), purpose),
                };
                let code = texts::code(&code);
                let checked = CheckCode { which, code }.execute(app).await?;
                Answer::Proof(checked.proof.expose().to_owned())
            }
            Call::CheckLink { token } => {
                let token = LinkToken::parse(&token).expect("a link token");
                let checked = CheckLink { token }.execute(app).await?;
                Answer::Proof(checked.proof.expose().to_owned())
            }
            Call::CancelVerification { id } => {
                let id = id.parse().expect("an id");
                CancelVerification { id }.execute(app).await?;
                Answer::Done
            }
            Call::IssueTokens {
                group,
                grant,
                client,
                device,
            } => {
                let issue = IssueTokens {
                    group: texts::group(group),
                    grant: self.grant(grant),
                    audience: "shop".into(),
                    scopes: Vec::new(),
                    client_id: texts::client_id(client),
                    client: ClientContext::default(),
                    device: texts::claim(device),
                    locale,
                };
                match issue.execute(app).await? {
                    Issued::Tokens(minted) => self.tokens(minted).await,
                    Issued::MfaRequired(asked) => {
                        let codes = asked.codes.iter();
                        let codes = codes
                            .map(|code| (code.id.to_string(), texts::number(&code.address)))
                            .collect();
                        let id = asked.id.expose().to_owned();
                        Answer::MfaSession { id, codes }
                    }
                    Issued::Unlinked(_) => unreachable!("no grant is of an account"),
                }
            }
            Call::RefreshTokens { token, client } => {
                let refresh = RefreshTokens {
                    refresh_token: token,
                    client_id: texts::client_id(client),
                };
                self.tokens(refresh.execute(app).await?).await
            }
            Call::ValidateToken { token, required } => {
                Answer::Verdict(self.verdict(&token, required).into())
            }
            Call::RevokeToken { token } => {
                RevokeToken { token }.execute(app).await?;
                Answer::Done
            }
            Call::ListSessions { token } => {
                let list = ListSessions {
                    actor: Actor::Person(token),
                    size: PageSize::parse(100).expect("a size"),
                    after: None,
                };
                let sessions = list.execute(app).await?.sessions;
                Answer::Sessions(sessions.iter().map(|s| s.id.to_string()).collect())
            }
            Call::RevokeSession { token, session } => {
                let revoke = RevokeSession {
                    actor: Actor::Person(token),
                    session_id: session.parse().expect("an id"),
                };
                revoke.execute(app).await?;
                Answer::Done
            }
            Call::RevokeUserSessions { token, keep } => {
                let revoke = RevokeUserSessions {
                    actor: Actor::Person(token),
                    keep_current: keep,
                };
                Answer::Ended(revoke.execute(app).await?)
            }
            Call::SuspendUser { user } => {
                let suspend = SuspendUser {
                    id: user.parse().expect("an id"),
                    etag: None,
                    reason: SuspensionReason::default(),
                    until: None,
                };
                suspend.execute(app).await?;
                Answer::Done
            }
            Call::ReinstateUser { user } => {
                let id = user.parse().expect("an id");
                let reinstate = ReinstateUser { id, etag: None };
                reinstate.execute(app).await?;
                Answer::Done
            }
            Call::ChangePassword {
                token,
                current,
                new,
            } => {
                let change = ChangePassword {
                    access_token: token,
                    current: texts::known(current),
                    new: texts::new_password(new),
                    locale,
                };
                change.execute(app).await?;
                Answer::Done
            }
            Call::ResetPassword { proof, new } => {
                let reset = ResetPassword {
                    proof: texts::proof(proof),
                    new: texts::new_password(new),
                    locale,
                };
                reset.execute(app).await?;
                Answer::Done
            }
            Call::BeginEnrollment { .. }
            | Call::ConfirmEnrollment { .. }
            | Call::RemoveFactor { .. }
            | Call::RegenerateRecoveryCodes { .. }
            | Call::ListFactors { .. } => self.answer_about_factors(call).await?,
            Call::AddIdentifier { .. }
            | Call::ChangeIdentifier { .. }
            | Call::RemoveIdentifier { .. }
            | Call::UndoIdentifierChange { .. }
            | Call::ListIdentifiers { .. } => self.answer_about_addresses(call).await?,
            _ => self.answer_about_second_factors(call).await?,
        })
    }

    async fn send(
        &self,
        group: u8,
        address: u8,
        (purpose, access_token): (Purpose, Option<String>),
        code: Option<String>,
    ) -> Result<Answer, Error> {
        let is_link = code.is_none();
        let request = match is_link {
            true => send_link(NOBODY, purpose),
            false => send_code(NOBODY, purpose),
        };
        let send = SendCode {
            group: texts::group(group),
            address: texts::at(address),
            access_token,
            code: code.map(|code| texts::code(&code)),
            ..request
        };
        let sent = send.execute(&self.world.app).await?;
        Ok(Answer::Sent {
            id: sent.record.id.to_string(),
            link: match is_link {
                true => self.sent(texts::link_of).await,
                false => None,
            },
        })
    }

    /// What was sent now, if it was of a kind.
    pub(crate) async fn sent(&self, kind: fn(Content) -> Option<String>) -> Option<String> {
        let sent = self.world.take_sent().await.into_iter().rev();
        sent.map(|message| message.content).find_map(kind)
    }

    pub(crate) async fn tokens(&self, minted: Minted) -> Answer {
        let session = self.world.store.session(minted.session_id).await;
        let session = session.expect("readable").expect("it is there");
        let methods = session.methods.iter();
        let token = minted
            .device
            .as_ref()
            .and_then(|device| device.token.as_ref());
        Answer::Tokens(Box::new(Tokens {
            user: minted.user_id.to_string(),
            session: minted.session_id.to_string(),
            methods: methods.map(|method| method.as_str().into()).collect(),
            is_known: minted.device.is_some(),
            device: token.map(|token| token.expose().to_owned()),
            access: minted.access_token,
            refresh: minted.refresh_token,
        }))
    }

    fn verdict(&self, token: &str, required: Required) -> &'static str {
        let authentication = RequiredAuthentication {
            max_age: required.max_age,
            acr: required.is_aal2.then_some(Acr::Aal2),
        };
        let verdict = self.validator.validate(Question {
            token,
            audience: "",
            scopes: &[],
            authentication: (required != Required::default()).then_some(authentication),
        });
        match verdict {
            Validation::Valid(_) => "VALID",
            Validation::Rejected(NotAccepted::Revoked) => "REVOKED",
            Validation::Rejected(NotAccepted::Token(Rejection::Expired)) => "EXPIRED",
            Validation::Rejected(NotAccepted::InsufficientAuthentication(_)) => "INSUFFICIENT",
            Validation::Rejected(_) => "REJECTED",
            Validation::Stale => "STALE",
            Validation::UnknownKey => "UNKNOWN_KEY",
        }
    }

    fn grant(&self, grant: Granted) -> Grant {
        match grant {
            Granted::Proof(text) => Grant::VerifiedCode(texts::proof(text)),
            Granted::Passkey(shown) => Grant::Passkey(Box::new(self.keys.assertion(&shown))),
            Granted::Password { who, password } => Grant::Password {
                identifier: match who {
                    Who::Address(number) => texts::at(number).into(),
                    Who::Username(number) => Identifier::Username(texts::username(number)),
                },
                password: texts::known(password),
            },
        }
    }

    fn new_password(&self, number: u8) -> NewPassword {
        NewPassword::assess(texts::new_password(number), &[], &*self.world.hasher)
            .expect("a good password")
    }
}

#[async_trait]
impl Subject for Application {
    async fn now(&mut self) -> Timestamp {
        self.world.clock.advance(Duration::from_millis(1));
        self.world.clock.now()
    }

    async fn pass(&mut self, span: Duration) {
        self.world.clock.advance(span);
        // As the job does all the time.
        self.world.read().await;
    }

    async fn ask(&mut self, call: &Call) -> Result<Answer, String> {
        match self.answer(call).await {
            Ok(answer) => Ok(answer),
            Err(Error::Refused(refusal)) => Ok(Answer::Refused(texts::reason(refusal)?.into())),
            Err(Error::Exhausted {
                limit: Limit::Attempts,
                ..
            }) => Ok(Answer::Refused("TOO_MANY_ATTEMPTS".into())),
            Err(error) => Err(error.to_string()),
        }
    }
}
