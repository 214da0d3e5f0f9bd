//! RefreshTokens on PostgreSQL beside the bare update, and on SQLite.

use std::net::SocketAddr;

use countersign_proto::v1::auth_service_client::AuthServiceClient;
use countersign_proto::v1::validate_token_response::Verdict;
use countersign_proto::v1::{
    RefreshTokensRequest, RefreshTokensResponse, Tokens, ValidateTokenRequest,
};

use crate::arguments::Arguments;
use crate::closed_loop::{Client, Step, drive, runtime};
use crate::connections::{Connection, Connections, connect};
use crate::database::FreshDatabase;
use crate::failure::{Context as _, Failure};
use crate::people::Person;
use crate::pgbench;
use crate::refresh_floor::{create_table, round_by_driver, round_by_pgbench};
use crate::report::{Figure, Rates};
use crate::rounds::{Side, alternate, beside_floors};
use crate::sample::Sample;
use crate::server::{Server, Setup};

/// Where RefreshTokens is called.
const REFRESH_TOKENS: &str = "/countersign.v1.AuthService/RefreshTokens";

const GATE: f64 = 0.60;
/// With fewer than 64 sessions, of which fewer share a commit.
const GATE_FEW: f64 = 0.55;

/// The people sign in before the round: their hashes may be cheap.
pub(crate) const CHEAP_HASHES: [(&str, &str); 2] = [
    ("passwords.memory_kib", "8192"),
    ("passwords.iterations", "1"),
];

/// Somebody who goes on with the token that the last refresh yielded.
pub(crate) struct Refreshing {
    tokens: Tokens,
    connection: Option<Connection>,
}

impl Refreshing {
    /// A session of each person.
    pub(crate) async fn sign_in(
        address: SocketAddr,
        people: &[Person],
    ) -> Result<Vec<Self>, Failure> {
        let mut connection = Connection::open(address).await?;
        let mut clients = Vec::new();
        for person in people {
            let tokens = person.sign_in(&mut connection).await?;
            clients.push(Self {
                tokens,
                connection: None,
            });
        }
        Ok(clients)
    }
}

impl Client for Refreshing {
    async fn open(&mut self, connections: &mut Connections) -> Result<(), Failure> {
        self.connection = Some(connections.next().await?);
        Ok(())
    }

    async fn call(&mut self) -> Result<Step, Failure> {
        let connection = self.connection.as_mut().expect("it was opened");
        let request = RefreshTokensRequest {
            refresh_token: self.tokens.refresh_token.clone(),
            client_context: None,
        };
        let answer: RefreshTokensResponse = connection
            .call(REFRESH_TOKENS, &request)
            .await
            .context("RefreshTokens")?;
        let next = answer.tokens.unwrap_or_default();
        let is_right = next.session_id == self.tokens.session_id
            && next.user_id == self.tokens.user_id
            && !next.access_token.is_empty()
            && next.refresh_token != self.tokens.refresh_token;
        if !is_right {
            return Err(Failure::new("RefreshTokens yielded other tokens"));
        }
        self.tokens = next;
        Ok(Step::Answered)
    }
}

pub(crate) fn measure(arguments: &Arguments) -> Result<Vec<Figure>, Failure> {
    let runtime = runtime()?;
    let database = runtime.block_on(FreshDatabase::create(&arguments.postgres, "refresh"))?;
    let figure = on_postgres(arguments, &database.url());
    let deleted = runtime.block_on(database.delete());
    let mut figures = figure?;
    deleted?;
    figures.push(on_sqlite(arguments)?);
    Ok(figures)
}

fn on_postgres(arguments: &Arguments, url: &str) -> Result<Vec<Figure>, Failure> {
    let mut settings = vec![("database.url", url)];
    settings.extend(CHEAP_HASHES);
    settings.extend(arguments.redis.as_deref().map(|redis| ("redis.url", redis)));
    let setup = Setup::new(arguments, &settings)?;
    let server = setup.start()?;
    let sessions = arguments.sessions.get();
    eprintln!("refresh: {sessions} sessions at once on PostgreSQL");
    let mut clients = sign_in(arguments, &server)?;
    runtime()?.block_on(create_table(url))?;

    let mut sides = vec![
        Side::new("ours", || round(arguments, &server, &mut clients)),
        Side::new("the bare update, by the same driver", || {
            round_by_driver(url, arguments.round())
        }),
    ];
    if pgbench::is_there()? {
        sides.push(Side::new("the bare update, by pgbench", || {
            round_by_pgbench(url, arguments.round())
        }));
    }
    let name = format!("RefreshTokens, PostgreSQL, {sessions} sessions at once");
    let least = if sessions < 64 { GATE_FEW } else { GATE };
    let figures = beside_floors(&name, arguments.rounds, least, sides)?;
    check(&server, &clients)?;
    Ok(figures)
}

fn on_sqlite(arguments: &Arguments) -> Result<Figure, Failure> {
    let setup = Setup::new(arguments, &CHEAP_HASHES)?;
    let server = setup.start()?;
    let sessions = arguments.sessions.get();
    eprintln!("refresh: {sessions} sessions at once on SQLite");
    let mut clients = sign_in(arguments, &server)?;
    let side = Side::new("ours", || round(arguments, &server, &mut clients));
    let mut samples = alternate(arguments.rounds, vec![side])?.into_iter();
    check(&server, &clients)?;
    Ok(Figure::Rates(Rates {
        name: format!("RefreshTokens, SQLite, {sessions} sessions at once"),
        floor_name: String::new(),
        floor: Vec::new(),
        ours: samples.next().unwrap_or_default(),
        gate: None,
    }))
}

/// A session for each client, of a person of its own.
fn sign_in(arguments: &Arguments, server: &Server) -> Result<Vec<Refreshing>, Failure> {
    runtime()?.block_on(async {
        let channel = connect(server.address()).await?;
        let people = Person::crowd(&channel, 0..arguments.sessions.get()).await?;
        Refreshing::sign_in(server.address(), &people).await
    })
}

fn round(
    arguments: &Arguments,
    server: &Server,
    clients: &mut Vec<Refreshing>,
) -> Result<Sample, Failure> {
    let target = server.target(arguments.connections.get());
    let (after, sample) = drive(std::mem::take(clients), target, arguments.round())?;
    *clients = after;
    Ok(sample)
}

/// Whether the last access token of each session is good.
fn check(server: &Server, clients: &[Refreshing]) -> Result<(), Failure> {
    runtime()?.block_on(async {
        let mut auth = AuthServiceClient::new(connect(server.address()).await?);
        for Refreshing { tokens, .. } in clients {
            let request = ValidateTokenRequest {
                access_token: tokens.access_token.clone(),
                ..ValidateTokenRequest::default()
            };
            let answer = auth
                .validate_token(request)
                .await
                .context("ValidateToken")?;
            match answer.into_inner().verdict {
                Some(Verdict::Valid(claims)) if claims.session_id == tokens.session_id => {}
                other => return Err(Failure::new(format!("a refreshed token: {other:?}"))),
            }
        }
        Ok(())
    })
}
