//! What was begun or remembered before the lock was changed: links, enrolments,
//! questions for a second factor, and devices.

use countersign_proto::v1;
use countersign_proto::v1::issue_tokens_response::Outcome;
use countersign_tests::{
    Algorithm, Authenticator, Backend, LINK_PREFIX, PASSWORD, Person, SoftwareAuthenticator, Tally,
    World, at_the_beginning_of_a_step, email, on_every_backend, present_step, reason, token_of,
};
use tonic::Status;

use crate::{NEW_PASSWORD, NEWER_PASSWORD, Replaced};

on_every_backend!(what_was_begun_before_is_not_finished);

const ORIGIN: &str = "https://example.com";
/// A device that is told to be none of the person's.
const NOT_KNOWN: &str = "not known";

/// What the person, or a thief, has from before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    SignInLink,
    ProofOfSignInLink,
    ResetLink,
    ProofOfResetLink,
    AppEnrollment,
    PasskeyEnrollment,
    /// A sign-in that waits for a code of the app, or a recovery code.
    AskedForApp,
    AskedForRecoveryCode,
    AskedForPasskey,
    AskedByGateway,
    KnownDevice,
    /// One on which a second factor was shown a moment ago.
    RememberedDevice,
}

const EVERY: [Kind; 12] = [
    Kind::SignInLink,
    Kind::ProofOfSignInLink,
    Kind::ResetLink,
    Kind::ProofOfResetLink,
    Kind::AppEnrollment,
    Kind::PasskeyEnrollment,
    Kind::AskedForApp,
    Kind::AskedForRecoveryCode,
    Kind::AskedForPasskey,
    Kind::AskedByGateway,
    Kind::KnownDevice,
    Kind::RememberedDevice,
];

/// Somebody with what a kind needs.
struct Somebody {
    person: Person,
    /// Of a session that was opened before the factors were enrolled.
    tokens: v1::Tokens,
    app: Option<Authenticator>,
    passkey: Option<SoftwareAuthenticator>,
    recovery_codes: Vec<String>,
}

enum Held {
    Link(String),
    Proof(String),
    Enrollment { id: String, answer: Answer },
    Asked { id: String, answer: Answer },
    Device(String),
}

/// What is typed, or what a passkey has signed.
enum Answer {
    Code(String),
    Credential(String),
}

async fn what_was_begun_before_is_not_finished(backend: Backend) {
    let origins: Vec<toml::Value> = vec![ORIGIN.into()];
    let world = World::on(backend)
        .replicas(backend.replicas())
        .set("verification.link_prefixes", vec![LINK_PREFIX])
        .set("mfa.remember_device", "1d")
        .set("passkeys.rp_id", "example.com")
        .set("passkeys.origins", origins)
        .start()
        .await;
    let (mut used, mut of, mut before) = (Vec::new(), 0, Tally::default());
    for replaced in [Replaced::Changed, Replaced::Reset, Replaced::Suspended] {
        for kind in EVERY {
            let mut mina = Somebody::with(&world, kind).await;
            let held = mina.hold(&world, kind).await;
            before.add(&word(&mina.use_up(&world, kind, held, PASSWORD).await));
            // What it leaves is a password, in the case of a reset.
            let mut mina = Somebody::with(&world, kind).await;
            let held = mina.hold(&world, kind).await;
            mina.replace(&world, replaced).await;
            let password = match replaced {
                Replaced::Suspended => PASSWORD,
                Replaced::Changed | Replaced::Reset => NEW_PASSWORD,
            };
            let outcome = mina.use_up(&world, kind, held, password).await;
            let outcome = word(&outcome);
            of += 1;
            match outcome.as_str() {
                // A reset by a code takes the place of a link for one.
                "PROOF_INVALID"
                | "VERIFICATION_NOT_FOUND"
                | "ENROLLMENT_NOT_FOUND"
                | "MFA_SESSION_NOT_FOUND"
                | NOT_KNOWN => {}
                _ => used.push(format!("{kind:?} after {replaced:?}: {outcome}")),
            }
        }
    }
    countersign_tests::say!(
        "guarantee 26 on {backend}, {} replica(s): begun or remembered before the password was \
         changed or reset, or the user suspended and reinstated, and finished afterwards: {} of {of} [{}]; finished before: {before}",
        world.replicas().len(),
        used.len(),
        used.join("; "),
    );
    assert!(used.is_empty(), "{used:?}");
    assert_eq!(before.count("OK"), of, "{before}");
}

/// The reason of a refusal, or what is said of a device.
fn word(outcome: &Result<(), Status>) -> String {
    match outcome {
        Err(status) if status.message() == NOT_KNOWN => NOT_KNOWN.into(),
        other => reason(other),
    }
}

impl Somebody {
    async fn with(world: &World, kind: Kind) -> Self {
        let person = world.sign_up().await;
        let tokens = person.sign_in().await;
        let mut mina = Self {
            person,
            tokens,
            app: None,
            passkey: None,
            recovery_codes: Vec::new(),
        };
        match kind {
            Kind::AskedForApp
            | Kind::AskedForRecoveryCode
            | Kind::AskedByGateway
            | Kind::RememberedDevice => {
                let enrolled = mina.person.enroll(&mina.tokens).await;
                mina.app = Some(enrolled.app);
                mina.recovery_codes = enrolled.recovery_codes;
            }
            Kind::AskedForPasskey => {
                let enrolled = mina.person.enroll_passkey(&mina.tokens, ORIGIN).await;
                let (passkey, confirmed) = enrolled.expect("a passkey");
                mina.passkey = Some(passkey);
                mina.recovery_codes = confirmed.recovery_codes;
            }
            _ => {}
        }
        mina
    }

    async fn hold(&mut self, world: &World, kind: Kind) -> Held {
        let gateway = &self.person.gateway;
        let to = email(&self.person.email);
        match kind {
            Kind::SignInLink | Kind::ProofOfSignInLink => {
                let sent = gateway.send_link(to, v1::Purpose::SignIn).await;
                sent.expect("a link is sent");
                self.link(world, kind == Kind::ProofOfSignInLink).await
            }
            Kind::ResetLink | Kind::ProofOfResetLink => {
                let sent = gateway.send_reset_link(to).await;
                sent.expect("a link is sent");
                self.link(world, kind == Kind::ProofOfResetLink).await
            }
            Kind::AppEnrollment => {
                at_the_beginning_of_a_step().await;
                let begun = self.person.begin_enrollment(&self.tokens, "app").await;
                let begun = begun.expect("an enrolment");
                let app = Authenticator::holding(&begun.secret);
                Held::Enrollment {
                    id: begun.enrollment_id,
                    answer: Answer::Code(app.code_of_step(present_step() + 1)),
                }
            }
            Kind::PasskeyEnrollment => {
                let request = v1::BeginEnrollmentRequest {
                    access_token: self.tokens.access_token.clone(),
                    kind: v1::FactorKind::Passkey.into(),
                    label: "key".into(),
                    ..v1::BeginEnrollmentRequest::default()
                };
                let begun = gateway.factors().begin_enrollment(request).await;
                let begun = begun.expect("an enrolment").into_inner();
                let options = &begun.creation_options;
                let (_, credential) =
                    SoftwareAuthenticator::create(Algorithm::Es256, options, ORIGIN);
                Held::Enrollment {
                    id: begun.enrollment_id,
                    answer: Answer::Credential(credential),
                }
            }
            Kind::AskedForApp => {
                at_the_beginning_of_a_step().await;
                let id = self.asked("").await;
                let app = self.app.as_ref().expect("an app");
                let answer = Answer::Code(app.code_of_step(present_step() + 1));
                Held::Asked { id, answer }
            }
            Kind::AskedForRecoveryCode => Held::Asked {
                id: self.asked("").await,
                answer: Answer::Code(self.recovery_code()),
            },
            Kind::AskedForPasskey => {
                let id = self.asked("").await;
                let options = gateway.begin_mfa_assertion(&id).await.expect("options");
                let passkey = self.passkey.as_ref().expect("a passkey");
                let answer = Answer::Credential(passkey.get(&options, ORIGIN));
                Held::Asked { id, answer }
            }
            Kind::AskedByGateway => {
                let request = v1::CreateMfaSessionRequest {
                    user: Some(v1::create_mfa_session_request::User::Identifier(to)),
                    enrolled_factors: true,
                    ..Default::default()
                };
                let created = gateway.ask_for_mfa(request).await;
                Held::Asked {
                    id: created.expect("an MFA session"),
                    answer: Answer::Code(self.recovery_code()),
                }
            }
            Kind::KnownDevice => {
                let issued = self.issue("", PASSWORD).await.expect("signed in");
                Held::Device(issued.device_token)
            }
            Kind::RememberedDevice => {
                let id = self.asked("").await;
                let code = self.recovery_code();
                let answered = self.person.answer_on(&id, &code, true).await;
                Held::Device(answered.expect("signed in").device_token)
            }
        }
    }

    /// Uses it as far as it goes: to a session, a password or a factor, or until a
    /// device is told to be known.
    async fn use_up(
        &mut self,
        world: &World,
        kind: Kind,
        held: Held,
        password: &str,
    ) -> Result<(), Status> {
        let gateways = world.gateways_of_replicas();
        let gateway = gateways.last().expect("a replica");
        let proof = match held {
            Held::Link(token) => gateway.check_link(&token).await?,
            Held::Proof(proof) => proof,
            Held::Device(token) => return self.is_known(kind, &token, password).await,
            Held::Asked { id, answer } => {
                let answered = match answer {
                    Answer::Code(code) => gateway.validate_mfa(&id, &code).await,
                    Answer::Credential(credential) => {
                        gateway.answer_by_passkey(&id, &credential).await
                    }
                };
                return answered.map(drop);
            }
            Held::Enrollment { id, answer } => {
                let issued = self.issue("", password).await?;
                let Some(Outcome::Tokens(tokens)) = issued.outcome else {
                    return Err(Status::internal("nobody has a factor yet"));
                };
                let (code, credential) = match answer {
                    Answer::Code(code) => (code, String::new()),
                    Answer::Credential(credential) => (String::new(), credential),
                };
                let request = v1::ConfirmEnrollmentRequest {
                    access_token: tokens.access_token,
                    enrollment_id: id,
                    code,
                    credential,
                };
                let confirmed = gateway.factors().confirm_enrollment(request).await;
                return confirmed.map(drop);
            }
        };
        match kind {
            Kind::ResetLink | Kind::ProofOfResetLink => {
                gateway.reset_password(&proof, NEWER_PASSWORD).await
            }
            _ => gateway.sign_in_proven(&proof).await.map(drop),
        }
    }

    /// Replaces the password, by the session that is open or by the address.
    async fn replace(&self, world: &World, how: Replaced) {
        let gateway = &self.person.gateway;
        match how {
            Replaced::Changed => {
                let changed = self
                    .person
                    .change_password(&self.tokens, PASSWORD, NEW_PASSWORD);
                changed.await.expect("the password is changed");
            }
            Replaced::Reset => {
                let id = self.person.forget_password().await.expect("a code is sent");
                let code = world.read_code(&self.person.email).await;
                let proof = gateway.check_code(&id, &code).await.expect("a proof");
                let reset = gateway.reset_password(&proof, NEW_PASSWORD).await;
                reset.expect("the password is reset");
            }
            Replaced::Suspended => {
                let id = self.person.user_id.as_str();
                gateway.suspend(id, "").await.expect("suspended");
                gateway.reinstate(id).await.expect("reinstated");
            }
        }
    }

    async fn link(&self, world: &World, is_opened: bool) -> Held {
        let token = token_of(&world.read_link(&self.person.email).await).to_owned();
        if !is_opened {
            return Held::Link(token);
        }
        let proof = self.person.gateway.check_link(&token).await;
        Held::Proof(proof.expect("a proof"))
    }

    async fn issue(
        &self,
        device_token: &str,
        password: &str,
    ) -> Result<v1::IssueTokensResponse, Status> {
        self.person
            .try_on("192.0.2.7", device_token, password)
            .await
    }

    /// The MFA session of a sign-in with the password.
    async fn asked(&self, device_token: &str) -> String {
        let issued = self.issue(device_token, PASSWORD).await;
        match issued.expect("the password is right").outcome {
            Some(Outcome::MfaRequired(asked)) => asked.mfa_session_id,
            _ => panic!("no second factor is asked for"),
        }
    }

    fn recovery_code(&mut self) -> String {
        self.recovery_codes.pop().expect("a recovery code")
    }

    /// Whether a device is as it was: one that is remembered spares a question, and
    /// one that is known keeps its token.
    async fn is_known(&self, kind: Kind, token: &str, password: &str) -> Result<(), Status> {
        let issued = self.issue(token, password).await?;
        let is_let_in = matches!(issued.outcome, Some(Outcome::Tokens(_)));
        let is_known = match kind {
            Kind::RememberedDevice => is_let_in,
            _ => is_let_in && issued.device_token.is_empty(),
        };
        is_known
            .then_some(())
            .ok_or_else(|| Status::not_found(NOT_KNOWN))
    }
}
