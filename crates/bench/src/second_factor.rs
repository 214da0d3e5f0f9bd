//! A sign-in that ends with a code of an authenticator app beside one without a
//! second factor.

use std::sync::{Arc, Mutex, PoisonError};

use countersign_domain::model::{Timestamp, TotpSecret};
use countersign_proto::v1::factor_service_client::FactorServiceClient;
use countersign_proto::v1::{
    BeginEnrollmentRequest, ConfirmEnrollmentRequest, FactorKind, Tokens,
    ValidateMfaSessionRequest, ValidateMfaSessionResponse,
};
use tokio::task::JoinSet;
use tonic::transport::Channel;

use crate::arguments::Arguments;
use crate::closed_loop::{Client, Step, Target, drive, runtime};
use crate::connections::{Connection, Connections, connect};
use crate::failure::{Context as _, Failure};
use crate::issue::SigningIn;
use crate::people::Person;
use crate::report::Figure;
use crate::rounds::{Side, growth};
use crate::sample::Sample;
use crate::server::Setup;
use crate::system;

/// Of the time of a sign-in without a second factor.
const GATE: f64 = 1.05;

const SIGN_INS_PER_CORE: usize = 8;

/// How many people are made for each that is expected to sign in, in tenths.
const RESERVE: u64 = 13;

/// How many people sign up at once: no more than the server lets queue.
const AT_ONCE: usize = 8;

const VALIDATE_MFA_SESSION: &str = "/countersign.v1.SessionService/ValidateMfaSession";

/// Somebody with an authenticator app whose code of this time was not used.
#[derive(Debug)]
struct Enrolled {
    person: Person,
    app: TotpSecret,
}

/// Those who have not signed in. A code is good once, and so is each of them.
type Waiting = Arc<Mutex<Vec<Enrolled>>>;

/// Signs in one after another.
struct SigningInTwice {
    waiting: Waiting,
    connection: Option<Connection>,
}

impl Client for SigningInTwice {
    async fn open(&mut self, connections: &mut Connections) -> Result<(), Failure> {
        self.connection = Some(connections.next().await?);
        Ok(())
    }

    async fn call(&mut self) -> Result<Step, Failure> {
        let next = self
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let next = next.ok_or_else(|| Failure::new("everybody has signed in: too few people"))?;
        let connection = self.connection.as_mut().expect("it was opened");
        next.sign_in(connection).await?;
        Ok(Step::Answered)
    }
}

pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Failure> {
    let in_flight = SIGN_INS_PER_CORE * system::cores().get();
    let setup = Setup::new(arguments, &[])?;
    let server = setup.start()?;
    let target = server.target(arguments.connections.get());
    let runtime = runtime()?;
    let channel = runtime.block_on(connect(server.address()))?;
    let plain = runtime.block_on(Person::crowd(&channel, 0..in_flight))?;
    let sign_in = || sign_in(&plain, target, arguments);
    let expected = sign_in()?.calls * u64::from(arguments.rounds);
    let crowd = usize::try_from(expected * RESERVE / 10).context("a number of people")?;
    eprintln!("second-factor: {in_flight} sign-ins in flight, {crowd} apps, SQLite");
    let enrolled = runtime.block_on(enroll(&channel, in_flight, crowd))?;
    let waiting = Arc::new(Mutex::new(enrolled));
    let figure = growth(
        format!("IssueTokens and ValidateMfaSession, SQLite, {in_flight} in flight"),
        arguments.rounds,
        GATE,
        Side::new("IssueTokens alone", sign_in),
        Side::new("with a code of an app", || {
            let clients = (0..in_flight).map(|_| SigningInTwice {
                waiting: Arc::clone(&waiting),
                connection: None,
            });
            let (_, sample) = drive(clients.collect(), target, arguments.round())?;
            Ok(sample)
        }),
    )?;
    Ok(vec![figure])
}

fn sign_in(people: &[Person], target: Target, arguments: &Arguments) -> Result<Sample, Failure> {
    let clients = people.iter().cloned().map(SigningIn::new).collect();
    let (_, sample) = drive(clients, target, arguments.round())?;
    Ok(sample)
}

/// Signs people up, and enrols an app for each.
async fn enroll(channel: &Channel, first: usize, count: usize) -> Result<Vec<Enrolled>, Failure> {
    let mut enrolled = Vec::with_capacity(count);
    let mut enrolling = JoinSet::new();
    for number in first..first + count {
        if enrolling.len() == AT_ONCE
            && let Some(ended) = enrolling.join_next().await
        {
            enrolled.push(ended.context("an enrolment")??);
        }
        let channel = channel.clone();
        enrolling.spawn(async move {
            let person = Person::sign_up(&channel, number).await?;
            Enrolled::enroll(&channel, person).await
        });
    }
    while let Some(ended) = enrolling.join_next().await {
        enrolled.push(ended.context("an enrolment")??);
    }
    Ok(enrolled)
}

impl Enrolled {
    /// Enrols an app by its code of half a minute ago, so that the present one
    /// can still be used.
    async fn enroll(channel: &Channel, person: Person) -> Result<Self, Failure> {
        let access_token = person.tokens(channel).await?.access_token;
        let mut factors = FactorServiceClient::new(channel.clone());
        let begun = factors
            .begin_enrollment(BeginEnrollmentRequest {
                access_token: access_token.clone(),
                kind: FactorKind::Totp.into(),
                ..BeginEnrollmentRequest::default()
            })
            .await
            .context("BeginEnrollment")?
            .into_inner();
        let app = TotpSecret::from_base32(&begun.secret)
            .ok_or_else(|| Failure::new("BeginEnrollment: the secret is not base32"))?;
        factors
            .confirm_enrollment(ConfirmEnrollmentRequest {
                access_token,
                enrollment_id: begun.enrollment_id,
                code: app.code_at(Timestamp::from_seconds(system::unix_seconds() - 30)),
                credential: String::new(),
            })
            .await
            .context("ConfirmEnrollment")?;
        Ok(Self { person, app })
    }

    async fn sign_in(&self, connection: &mut Connection) -> Result<Tokens, Failure> {
        let mfa_session_id = self.person.begin_mfa(connection).await?;
        let answer: ValidateMfaSessionResponse = connection
            .call(
                VALIDATE_MFA_SESSION,
                &ValidateMfaSessionRequest {
                    mfa_session_id,
                    code: self
                        .app
                        .code_at(Timestamp::from_seconds(system::unix_seconds())),
                    ..ValidateMfaSessionRequest::default()
                },
            )
            .await
            .context("ValidateMfaSession")?;
        self.person.own(answer.tokens)
    }
}
