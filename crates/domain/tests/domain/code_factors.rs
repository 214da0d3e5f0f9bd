//! Codes in text messages and mail as second factors, and the policies that ask for
//! them.

mod attacks;
mod given_up;
mod limits;
mod policies;
mod step_up;

use std::time::Duration;

use countersign_domain::application::{Settings, Tokens};
use countersign_domain::model::{
    Address, Channel, ClientContext, Code, CodeFactor, FactorId, FactorKind, FactorLabel, GroupId,
    Locale, MfaFactor, MfaSessionId, NamedUser, Phone, Proof, Purpose, TotpSecret, UserId,
};
use countersign_domain::ports::{Clock as _, Content, Sessions as _, Store as _, Users as _};
use countersign_domain::testing::{World, address, refusal, sign_in};
use countersign_domain::use_cases::{
    BeginCodeEnrollment, BeginEnrollment, BegunEnrollment, CheckCode, ConfirmEnrollment,
    CreateMfaSession, EnrolledFactor, EnrollmentAnswer, Grant, IssueTokens, Issued, ListFactors,
    MfaAnswer, MfaCode, MfaRequired, RemoveFactor, SendMfaCode, SentMfaCode, ValidateMfaSession,
    Which,
};
use countersign_domain::{Error, Limit, Refusal};

const EMAIL: &str = "mina@example.com";
const PHONE: &str = "+821012345678";
const PASSWORD: &str = "a long enough phrase";

/// Somebody with an e-mail address and a phone number.
struct Mina {
    world: World,
    id: UserId,
}

impl Mina {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let world = World::with(change).await;
        let id = world.user(EMAIL, PASSWORD).await;
        let mina = Self { world, id };
        mina.give(id, phone(PHONE)).await;
        mina
    }

    /// Gives a user one more verified address.
    async fn give(&self, id: UserId, address: Address) {
        let mut uow = self.world.store.begin().await.expect("begun");
        let user = self.world.store.user(id).await;
        let user = user.expect("readable").expect("a user");
        let given = uow.insert_identifier(&user, &address.into()).await;
        given.expect("given");
        uow.commit().await.expect("committed");
    }

    async fn tokens(&self) -> String {
        let tokens = self.world.sign_in(EMAIL, PASSWORD).await;
        tokens.expect("signed in").access_token
    }

    async fn begin(
        &self,
        access_token: &str,
        channel: Channel,
        address: Option<Address>,
    ) -> Result<BegunEnrollment, Error> {
        let begin = BeginCodeEnrollment {
            access_token: access_token.to_owned(),
            channel,
            address,
            label: FactorLabel::parse("a phone").expect("a name"),
            locale: Locale::English,
            client: ClientContext::default(),
        };
        begin.execute(&self.world.app).await
    }

    async fn confirm(
        &self,
        access_token: &str,
        id: FactorId,
        code: &str,
    ) -> Result<EnrolledFactor, Error> {
        let confirm = ConfirmEnrollment {
            access_token: access_token.to_owned(),
            enrollment_id: id,
            answer: EnrollmentAnswer::Code(Code::typed(code).expect("a code")),
            locale: Locale::English,
        };
        confirm.execute(&self.world.app).await
    }

    /// Enrols the address of a channel, and takes out what was sent for it.
    async fn enroll(&self, access_token: &str, channel: Channel) -> EnrolledFactor {
        self.world.take_sent().await;
        let begun = self.begin(access_token, channel, None).await;
        let id = begun.expect("begun").enrollment.id;
        let code = self.world.take_code().await;
        let enrolled = self.confirm(access_token, id, code.expose()).await;
        self.world.take_sent().await;
        enrolled.expect("enrolled")
    }

    async fn enroll_app(&self, access_token: &str) -> TotpSecret {
        let begin = BeginEnrollment {
            access_token: access_token.to_owned(),
            kind: FactorKind::Totp,
            label: FactorLabel::parse("").expect("a name"),
        };
        let begun = begin.execute(&self.world.app).await.expect("begun");
        let secret = begun.enrollment.totp().expect("an app").clone();
        let code = secret.code_at(self.world.app.clock.now());
        let enrolled = self.confirm(access_token, begun.enrollment.id, &code).await;
        enrolled.expect("enrolled");
        self.world.clock.advance(Duration::from_secs(30));
        secret
    }

    async fn remove(&self, access_token: &str, factor_id: FactorId) -> Result<(), Error> {
        let remove = RemoveFactor {
            access_token: access_token.to_owned(),
            factor_id,
            locale: Locale::English,
        };
        remove.execute(&self.world.app).await
    }

    async fn asked(&self) -> MfaRequired {
        required(sign_in(EMAIL, PASSWORD).execute(&self.world.app).await)
    }

    async fn send(&self, id: &MfaSessionId, factor_id: FactorId) -> Result<SentMfaCode, Error> {
        send(id, factor_id).execute(&self.world.app).await
    }

    /// Sends the code of an MFA session, as one that may be sent now, and reads it.
    async fn code(&self, id: &MfaSessionId, factor: FactorId) -> String {
        let cooldown = self.world.app.settings.verification.cooldown;
        self.world.clock.advance(cooldown);
        self.world.take_sent().await;
        self.send(id, factor).await.expect("sent");
        let sent = self.world.take_sent().await;
        let code = sent.iter().find_map(|message| {
            let Content::Code { code, purpose, .. } = &message.content else {
                return None;
            };
            Some((code, *purpose))
        });
        let (code, purpose) = code.expect("a code was sent");
        assert_eq!(purpose, Purpose::SecondFactor, "it has a text of its own");
        code.expose().to_owned()
    }

    async fn answer(&self, id: &MfaSessionId, code: &str) -> Result<Tokens, Error> {
        answer(id, code).execute(&self.world.app).await
    }

    async fn methods(&self, tokens: &Tokens) -> Vec<&'static str> {
        let session = self.world.store.session(tokens.session_id).await;
        let session = session.expect("readable").expect("a session");
        session.methods.iter().map(|m| m.as_str()).collect()
    }

    /// A proof of an address by a code, with which somebody signs in.
    async fn prove(&self, address: Address) -> Proof {
        let send = countersign_domain::use_cases::SendCode {
            address,
            ..countersign_domain::testing::send_code(EMAIL, Purpose::SignIn)
        };
        let sent = send.execute(&self.world.app).await.expect("sent");
        let check = CheckCode {
            which: Which::Id(sent.record.id),
            code: self.world.take_code().await,
        };
        check.execute(&self.world.app).await.expect("checked").proof
    }

    async fn sign_in_by(&self, address: Address) -> Result<Issued, Error> {
        let with_code = IssueTokens {
            grant: Grant::VerifiedCode(self.prove(address).await),
            ..sign_in(EMAIL, PASSWORD)
        };
        with_code.execute(&self.world.app).await
    }
}

fn phone(number: &str) -> Address {
    Address::Phone(Phone::restore(number).expect("a number"))
}

fn send(id: &MfaSessionId, factor_id: FactorId) -> SendMfaCode {
    SendMfaCode {
        group: GroupId::fallback(),
        id: id.clone(),
        factor_id,
        client_id: "gateway".into(),
        locale: Locale::English,
        client: ClientContext::default(),
    }
}

fn answer(id: &MfaSessionId, code: &str) -> ValidateMfaSession {
    ValidateMfaSession {
        group: GroupId::fallback(),
        id: id.clone(),
        answer: MfaAnswer::Code(Code::typed(code).expect("a code")),
        client_id: "gateway".into(),
        remember_device: false,
        locale: Locale::English,
    }
}

fn required(issued: Result<Issued, Error>) -> MfaRequired {
    match issued {
        Ok(Issued::MfaRequired(required)) => required,
        other => panic!("expected a question for a second factor, got {other:?}"),
    }
}

fn is_exhausted<T>(outcome: &Result<T, Error>, of: Limit) -> bool {
    matches!(outcome, Err(Error::Exhausted { limit, .. }) if *limit == of)
}

/// Another code of as many digits.
fn wrong(code: &str) -> String {
    let digit = if code.starts_with('0') { '1' } else { '0' };
    format!("{digit}{}", &code[1..])
}

#[tokio::test]
async fn an_address_is_enrolled_by_its_code_listed_and_removed() {
    let mina = Mina::new().await;
    let tokens = mina.tokens().await;
    let begun = mina.begin(&tokens, Channel::Phone, None).await;
    let begun = begun.expect("begun").enrollment;
    let sent = mina.world.take_sent().await;
    let [message] = &sent[..] else {
        panic!("one message, not {}", sent.len());
    };
    assert_eq!(message.to, phone(PHONE));
    let Content::Code { code, purpose, .. } = &message.content else {
        panic!("a code");
    };
    assert_eq!(*purpose, Purpose::AddFactor);
    let refused = mina.confirm(&tokens, begun.id, &wrong(code.expose())).await;
    assert_eq!(refusal(refused), Refusal::SecondFactor);
    let enrolled = mina.confirm(&tokens, begun.id, code.expose()).await;
    let enrolled = enrolled.expect("enrolled");
    assert_eq!(enrolled.recovery_codes.len(), 10, "it is the first factor");
    let notices = mina.world.take_sent().await;
    assert_eq!(notices.len(), 2, "to both addresses");
    let again = mina.confirm(&tokens, begun.id, code.expose()).await;
    assert_eq!(refusal(again), Refusal::Enrollment);

    let list = ListFactors {
        access_token: tokens.clone(),
    };
    let listed = list.execute(&mina.world.app).await.expect("listed");
    assert_eq!(listed.factors[0].factor.kind, FactorKind::Sms);
    let masked = listed.factors[0].masked_address.as_deref();
    assert_eq!(masked, Some("+8210****5678"));
    let removed = mina.remove(&tokens, enrolled.factor.id).await;
    removed.expect("removed");
    mina.tokens().await;
}

#[tokio::test]
async fn only_an_address_of_the_person_is_enrolled_and_once() {
    let mina = Mina::new().await;
    let tokens = mina.tokens().await;
    let other = phone("+821087654321");
    for named in [other.clone(), address("juno@example.com")] {
        let begun = mina.begin(&tokens, Channel::Phone, Some(named)).await;
        assert_eq!(refusal(begun), Refusal::AddressUnverified);
    }
    mina.give(mina.id, other.clone()).await;
    let begun = mina.begin(&tokens, Channel::Phone, None).await;
    assert_eq!(refusal(begun), Refusal::AddressUnverified, "one of two");
    assert_eq!(mina.world.take_sent().await.len(), 0);
    let begun = mina
        .begin(&tokens, Channel::Phone, Some(other.clone()))
        .await;
    let id = begun.expect("begun").enrollment.id;
    let code = mina.world.take_code().await;
    mina.world.clock.advance(Duration::from_secs(60));
    // Begun twice, and confirmed twice.
    let begun = mina
        .begin(&tokens, Channel::Phone, Some(other.clone()))
        .await;
    let second = begun.expect("begun").enrollment.id;
    let second_code = mina.world.take_code().await;
    let enrolled = mina.confirm(&tokens, id, code.expose()).await;
    enrolled.expect("enrolled");
    let twice = mina.confirm(&tokens, second, second_code.expose()).await;
    assert_eq!(refusal(twice), Refusal::FactorEnrolled);
    mina.world.clock.advance(Duration::from_secs(60));
    let begun = mina.begin(&tokens, Channel::Phone, Some(other)).await;
    assert_eq!(refusal(begun), Refusal::FactorEnrolled);
}

#[tokio::test]
async fn a_code_in_a_text_message_or_a_mail_answers_a_sign_in() {
    for (channel, kind, masked, amr) in [
        (Channel::Phone, MfaFactor::Sms, "+8210****5678", "sms"),
        (Channel::Email, MfaFactor::Email, "m***@example.com", "otp"),
    ] {
        let mina = Mina::new().await;
        let enrolled = mina.enroll(&mina.tokens().await, channel).await;
        let asked = mina.asked().await;
        assert_eq!(asked.factors, [MfaFactor::RecoveryCode, kind]);
        let [offered] = &asked.codes[..] else {
            panic!("one address, not {:?}", asked.codes);
        };
        assert_eq!(offered.id, enrolled.factor.id);
        assert_eq!(offered.address.masked(), masked);
        let code = mina.code(&asked.id, offered.id).await;
        let refused = mina.answer(&asked.id, &wrong(&code)).await;
        assert_eq!(refusal(refused), Refusal::SecondFactor);
        let tokens = mina.answer(&asked.id, &code).await.expect("signed in");
        assert_eq!(mina.methods(&tokens).await, ["pwd", amr, "mfa"]);
        let again = mina.answer(&asked.id, &code).await;
        assert_eq!(refusal(again), Refusal::MfaSession);
    }
}

#[tokio::test]
async fn apps_and_recovery_codes_go_on_beside_a_code_that_was_sent() {
    let mina = Mina::new().await;
    let tokens = mina.tokens().await;
    let enrolled = mina.enroll(&tokens, Channel::Phone).await;
    // In the session that has not shown the phone: it was there for longer.
    let asked = mina.asked().await;
    let code = mina.code(&asked.id, enrolled.factor.id).await;
    let shown = mina.answer(&asked.id, &code).await.expect("signed in");
    let secret = mina.enroll_app(&shown.access_token).await;
    let recovery = enrolled.recovery_codes[0].to_shown().to_string();
    for of_app in [true, false] {
        let asked = mina.asked().await;
        let kinds = [MfaFactor::Totp, MfaFactor::RecoveryCode, MfaFactor::Sms];
        assert_eq!(asked.factors, kinds);
        let sent = mina.code(&asked.id, asked.codes[0].id).await;
        let typed = match of_app {
            true => secret.code_at(mina.world.app.clock.now()),
            false => recovery.clone(),
        };
        let tokens = mina.answer(&asked.id, &typed).await.expect("signed in");
        assert_eq!(mina.methods(&tokens).await, ["pwd", "otp", "mfa"]);
        let late = mina.answer(&asked.id, &sent).await;
        assert_eq!(refusal(late), Refusal::MfaSession, "it died with it");
    }
}

#[tokio::test]
async fn the_address_that_a_sign_in_has_proved_is_no_second_factor() {
    let mina = Mina::new().await;
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let asked = required(mina.sign_in_by(phone(PHONE)).await);
    // Its owner goes on with the other address.
    assert_eq!(asked.factors, [MfaFactor::RecoveryCode, MfaFactor::Email]);
    let refused = mina.send(&asked.id, enrolled.factor.id).await;
    assert_eq!(refusal(refused), Refusal::Factor);
    let code = mina.code(&asked.id, asked.codes[0].id).await;
    let tokens = mina.answer(&asked.id, &code).await.expect("signed in");
    assert_eq!(mina.methods(&tokens).await, ["otp", "mfa"]);
    // By the other address the phone is asked for, and that alone.
    let asked = required(mina.sign_in_by(address(EMAIL)).await);
    assert_eq!(asked.factors, [MfaFactor::RecoveryCode, MfaFactor::Sms]);
    let code = mina.code(&asked.id, enrolled.factor.id).await;
    let tokens = mina.answer(&asked.id, &code).await.expect("signed in");
    assert_eq!(mina.methods(&tokens).await, ["otp", "sms", "mfa"]);
}

#[tokio::test]
async fn whose_only_address_was_proved_has_recovery_codes() {
    let world = World::new().await;
    let id = world.user(EMAIL, PASSWORD).await;
    let mina = Mina { world, id };
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Email).await;
    mina.world.clock.advance(Duration::from_secs(60));
    let asked = required(mina.sign_in_by(address(EMAIL)).await);
    assert_eq!(asked.factors, [MfaFactor::RecoveryCode]);
    assert_eq!(asked.codes, Vec::<CodeFactor>::new());
    let recovery = enrolled.recovery_codes[0].to_shown().to_string();
    let tokens = mina.answer(&asked.id, &recovery).await.expect("signed in");
    let removed = mina.remove(&tokens.access_token, enrolled.factor.id).await;
    removed.expect("and may remove it");
}

#[tokio::test]
async fn a_gateway_asks_for_the_code_of_a_user_whom_it_names() {
    let mina = Mina::new().await;
    let enrolled = mina.enroll(&mina.tokens().await, Channel::Phone).await;
    let create = create(NamedUser::Id(mina.id));
    let created = create.execute(&mina.world.app).await.expect("created");
    let code = mina.code(&created.id, enrolled.factor.id).await;
    let tokens = mina.answer(&created.id, &code).await.expect("signed in");
    assert_eq!(mina.methods(&tokens).await, ["sms"]);
}

fn create(user: NamedUser) -> CreateMfaSession {
    CreateMfaSession {
        group: GroupId::fallback(),
        user,
        code: MfaCode::Enrolled,
        ttl: None,
        audience: "shop".into(),
        scopes: Vec::new(),
        client_id: "gateway".into(),
        locale: Locale::English,
        client: ClientContext::default(),
    }
}
