//! Guarantee 18, for what is kept for a while: after everything was done that
//! leaves a trace in Redis, no address, phone number, code, link or password
//! stands in it; no code, link or message in the database; and none of all these
//! in the log, but for what the `log` sender writes, or in the metrics. Each is
//! searched for as it is, in base64 and in hex.

use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use countersign_proto::v1;
use countersign_tests::{
    Authenticator, Backend, Entry, LINK_PREFIX, Metrics, PASSWORD, RedisServer, World,
    canary_spellings, contains_any, device, email, on_every_backend, phone, reason, token_of,
};
use tonic::Status;

const SOURCE: &str = "203.0.113.77";

on_every_backend!(no_address_and_no_code_stands_anywhere);

async fn no_address_and_no_code_stands_anywhere(backend: Backend) {
    let Some(redis) = RedisServer::start().await else {
        countersign_tests::say!("skipped: redis-server is not installed");
        return;
    };
    let metrics = Metrics::somewhere().await;
    // Ten digits are found by no accident.
    let world = World::on(backend)
        .set("metrics.listen", metrics.listen())
        .redis(redis.url())
        .set("verification.code_digits", 10)
        .set("verification.link_prefixes", vec![LINK_PREFIX])
        .set("log.filter", "trace,h2=info")
        .start()
        .await;
    let (secrets, errors) = leave_traces(&world).await;
    let entries = redis.contents().await;
    let files = match backend {
        Backend::Sqlite => database_files(&world),
        Backend::Postgres | Backend::MariaDb => vec![world.dump().await.join("\n").into()],
    };

    let log = world.log().but_for_messages();
    let page = metrics.page("/metrics").await.body;
    assert!(page.contains("countersign_messages_sent_total"), "{page}");

    let (mut in_redis, mut in_database) = (Vec::new(), Vec::new());
    let (mut in_log, mut in_metrics, mut in_errors) = (Vec::new(), Vec::new(), Vec::new());
    for secret in &secrets {
        let mut spellings = canary_spellings(&secret.text);
        spellings.extend(secret.spellings.clone().unwrap_or_default());
        if let Some(entry) = entries.iter().find(|entry| holds(entry, &spellings)) {
            let kind = String::from_utf8_lossy(&entry.key);
            let kind = kind.rsplit_once(':').map_or(&*kind, |(kind, _)| kind);
            in_redis.push(format!("{} in {kind}:…", secret.text));
        }
        if contains_any(log.as_bytes(), &spellings) {
            in_log.push(secret.text.clone());
        }
        if contains_any(page.as_bytes(), &spellings) {
            in_metrics.push(secret.text.clone());
        }
        if errors.iter().any(|error| tells(error, &spellings)) {
            in_errors.push(secret.text.clone());
        }
        let is_kept = secret.is_never_stored;
        if is_kept && files.iter().any(|file| contains_any(file, &spellings)) {
            in_database.push(secret.text.clone());
        }
    }
    countersign_tests::say!(
        "guarantee 18 on {backend}: {} canaries in {} keys of Redis: found {}: {in_redis:?}; in {} bytes of \
             the database: found {}: {in_database:?}; in {} bytes of the log: found {}: {in_log:?}; in {} \
             bytes of metrics: found {}: {in_metrics:?}; in {} errors: found {}: {in_errors:?}",
        secrets.len(),
        entries.len(),
        in_redis.len(),
        files.iter().map(Vec::len).sum::<usize>(),
        in_database.len(),
        log.len(),
        in_log.len(),
        page.len(),
        in_metrics.len(),
        errors.len(),
        in_errors.len(),
    );
    assert!(entries.len() >= 20, "there was something to search");
    assert!(in_redis.is_empty(), "{in_redis:?}");
    // What the database may hold is found in it.
    let is_searched = |secret: &&Canary| {
        let spellings = canary_spellings(&secret.text);
        !secret.is_never_stored && files.iter().any(|file| contains_any(file, &spellings))
    };
    assert!(
        secrets.iter().find(is_searched).is_some(),
        "no address is found"
    );
    assert!(in_database.is_empty(), "{in_database:?}");
    let calls = log.matches("\"level\":\"DEBUG\"").count();
    assert!(calls > 50, "there was something to search: {calls}");
    assert!(in_log.is_empty(), "{in_log:?}");
    assert!(in_metrics.is_empty(), "{in_metrics:?}");
    assert!(in_errors.is_empty(), "{in_errors:?}");
    assert!(errors.len() > 25, "{}", errors.len());
}

#[test]
fn a_canary_is_found_in_every_spelling() {
    let canary = canary_spellings("mina@person1.example");
    for kept in [
        b"{\"to\":\"mina@person1.example\"}".to_vec(),
        STANDARD.encode("xmina@person1.example").into_bytes(),
        URL_SAFE.encode("xx mina@person1.example yy").into_bytes(),
        b"00006D696E6140706572736F6E312E6578616D706C65".to_vec(),
    ] {
        assert!(contains_any(&kept, &canary), "{kept:?}");
    }
    assert!(!contains_any(b"mina@person2.example", &canary));
}

/// Something that must not be found.
struct Canary {
    text: String,
    /// What to look for, if it is not the text.
    spellings: Option<Vec<Vec<u8>>>,
    is_never_stored: bool,
}

impl Canary {
    /// A secret that is no text.
    fn bytes(bytes: &[u8]) -> Self {
        Self {
            text: bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            spellings: Some(vec![
                bytes.to_vec(),
                STANDARD.encode(bytes).into_bytes(),
                // As a list of numbers, in JSON.
                format!("{bytes:?}").replace(' ', "").into_bytes(),
            ]),
            is_never_stored: true,
        }
    }

    /// An address: the database may hold it.
    fn address(text: &str) -> Self {
        Self {
            text: text.into(),
            spellings: None,
            is_never_stored: false,
        }
    }

    /// A code or a password.
    fn secret(text: &str) -> Self {
        Self {
            text: text.into(),
            spellings: None,
            is_never_stored: true,
        }
    }
}

/// Does all that keeps something in Redis, and returns what was said meanwhile.
async fn leave_traces(world: &World) -> (Vec<Canary>, Vec<Status>) {
    let gateway = world.gateway();
    let mut errors = Vec::new();
    let mut canaries = vec![Canary::secret(PASSWORD), Canary::secret("wrong guess")];
    let purposes = [v1::Purpose::SignUp, v1::Purpose::SignIn];

    // Codes of the caller's own, checked and not, right and wrong.
    for (number, purpose) in purposes.iter().cycle().take(8).enumerate() {
        let code = format!("owncode{number}ofthecaller");
        let mail = world.new_email();
        let mobile = format!("+8210987650{number:02}");
        for (identifier, address) in [(email(&mail), &mail), (phone(&mobile), &mobile)] {
            let request = v1::SendCodeRequest {
                identifier: Some(identifier),
                purpose: (*purpose).into(),
                code: code.clone(),
                client_context: device(SOURCE),
                ..Default::default()
            };
            let id = gateway.ask_for_code(request).await.expect("a code");
            let wrong = gateway.check_code(&id, "wrongcode1234").await;
            assert_eq!(reason(&wrong), "CODE_WRONG");
            errors.extend(wrong.err());
            if number % 4 < 2 {
                gateway.check_code(&id, &code).await.expect("a proof");
            }
            canaries.push(Canary::address(address));
        }
        canaries.push(Canary::secret(&code));
    }

    // Codes of the service: to sign up, in, and to reset; one of each is spent.
    for is_spent in [false, true] {
        let mina = world.sign_up().await;
        let signing_in = gateway.send_code(email(&mina.email), v1::Purpose::SignIn, "");
        let id = signing_in.await.expect("a code");
        let code = world.read_code(&mina.email).await;
        canaries.push(Canary::secret(&code));
        if is_spent {
            let proof = gateway.check_code(&id, &code).await.expect("a proof");
            gateway.sign_in_proven(&proof).await.expect("a session");
        }
        let id = mina.forget_password().await.expect("a code");
        let code = world.read_code(&mina.email).await;
        canaries.push(Canary::secret(&code));
        gateway.check_code(&id, &code).await.expect("a proof");
        canaries.push(Canary::address(&mina.email));

        let newcomer = world.new_email();
        let pending = gateway.sign_up_unproven(&newcomer, PASSWORD).await;
        let id = pending.expect("pending").verification_id;
        let code = world.read_code(&newcomer).await;
        canaries.push(Canary::secret(&code));
        if is_spent {
            gateway.confirm(&id, &code).await.expect("a user");
        }
        canaries.push(Canary::address(&newcomer));
    }

    // Links: looked at, confirmed and not, and of nobody's.
    for is_confirmed in [false, true] {
        let mina = world.sign_up().await;
        let newcomer = world.new_email();
        let sent = gateway.send_link(email(&newcomer), v1::Purpose::SignIn);
        sent.await.expect("the answer does not tell");
        let sent = gateway.send_link(email(&newcomer), v1::Purpose::SignUp);
        sent.await.expect("a link");
        let sent = gateway.send_link(email(&mina.email), v1::Purpose::SignIn);
        sent.await.expect("a link");
        let sent = gateway.send_reset_link(email(&mina.email));
        sent.await.expect("a link");
        for address in [&newcomer, &mina.email, &mina.email] {
            let link = world.read_link(address).await;
            let token = token_of(&link);
            let shown = gateway.verification_of_link(token).await;
            shown.expect("it is good");
            if is_confirmed {
                gateway.check_link(token).await.expect("a proof");
            }
            let bytes = URL_SAFE_NO_PAD.decode(token).expect("base64url");
            canaries.push(Canary::secret(token));
            canaries.push(Canary::bytes(&bytes[16..]));
            canaries.push(Canary::address(address));
        }
    }

    // MFA sessions of somebody and of nobody: open, answered, and with a code sent.
    let mina = world.sign_up().await;
    for (address, code) in [
        (mina.email.clone(), "mfacode1ofthecaller"),
        (world.new_email(), "mfacode2ofthecaller"),
    ] {
        for is_answered in [true, false] {
            let created = gateway.create_mfa(email(&address), code).await;
            let id = created.expect("an MFA session");
            let wrong = gateway.validate_mfa(&id, "wrongcode1234").await;
            assert_eq!(reason(&wrong), "CODE_WRONG");
            errors.extend(wrong.err());
            if is_answered {
                gateway.validate_mfa(&id, code).await.ok();
            }
            canaries.push(Canary::secret(&id));
        }
        canaries.push(Canary::address(&address));
        canaries.push(Canary::secret(code));
    }
    let created = gateway.create_mfa(email(&mina.email), "").await;
    canaries.push(Canary::secret(&created.expect("an MFA session")));
    canaries.push(Canary::secret(&world.read_code(&mina.email).await));

    // Second factors: an enrolment that is finished and one that is not, an MFA
    // session that is open and one that is answered.
    let mina = world.sign_up().await;
    let tokens = mina.sign_in().await;
    let begun = mina.begin_enrollment(&tokens, "").await.expect("begun");
    canaries.push(Canary::secret(&begun.secret));
    let app = Authenticator::holding(&begun.secret);
    canaries.push(Canary::bytes(app.secret()));
    let enrolled = mina.enroll(&tokens).await;
    canaries.push(Canary::bytes(enrolled.app.secret()));
    for _ in 0..2 {
        let asked = mina.begin_sign_in().await.expect("a question");
        canaries.push(Canary::secret(&asked.mfa_session_id));
    }
    let asked = mina.begin_sign_in().await.expect("a question");
    let answer = mina.answer(&asked.mfa_session_id, &enrolled.recovery_codes[0]);
    answer.await.expect("signed in");

    // A device that is known, and a sign-in on it that waits for the factor.
    let asked = mina.begin_sign_in_on("198.51.100.7", "").await;
    let asked = asked.expect("a question").mfa_session_id;
    let answer = mina.answer_on(&asked, &enrolled.recovery_codes[1], true);
    let device_token = answer.await.expect("signed in").device_token;
    assert!(!device_token.is_empty());
    let asked = mina.begin_sign_in_on("198.51.100.7", &device_token).await;
    canaries.push(Canary::secret(&asked.expect("a question").mfa_session_id));
    let wrong = mina.try_on("198.51.100.7", &device_token, "wrong guess");
    wrong.await.expect_err("refused");
    canaries.push(Canary::secret(&device_token));
    for code in &enrolled.recovery_codes {
        canaries.push(Canary::secret(code));
        canaries.push(Canary::secret(&code.replace('-', "")));
    }

    // Attempts at accounts that there are, and at some that there are not.
    let mina = world.sign_up().await;
    for address in [mina.email.clone(), world.new_email()] {
        for who in [email(&address), phone("+821098765099")] {
            let refused = gateway.sign_in_from(SOURCE, who, "wrong guess").await;
            assert_eq!(reason(&refused), "SIGN_IN_REFUSED");
            errors.extend(refused.err());
        }
        canaries.push(Canary::address(&address));
    }
    canaries.push(Canary::address("+821098765099"));

    // What cannot be right is not said again.
    let (odd, short, token) = (
        "odd@@canary.example",
        "canary7",
        "csr_canaryofarefreshtoken",
    );
    let signed_up = gateway.sign_up_unproven(odd, short).await;
    errors.extend(signed_up.err());
    errors.extend(gateway.refresh(token).await.err());
    errors.extend(
        gateway
            .check_code("canary-of-an-id", "canaryofacode")
            .await
            .err(),
    );
    errors.extend(gateway.sign_in_proven("csp_canaryofaproof").await.err());
    for secret in [
        short,
        token,
        "canary-of-an-id",
        "canaryofacode",
        "csp_canaryofaproof",
    ] {
        canaries.push(Canary::secret(secret));
    }
    canaries.push(Canary::address(odd));
    (canaries, errors)
}

/// Whether an error says it: in its message, its details, or beside them.
fn tells(error: &Status, spellings: &[Vec<u8>]) -> bool {
    let beside = format!("{:?}", error.metadata());
    let parts = [
        error.message().as_bytes(),
        error.details(),
        beside.as_bytes(),
    ];
    parts.iter().any(|part| contains_any(part, spellings))
}

fn holds(entry: &Entry, spellings: &[Vec<u8>]) -> bool {
    let mut kept = std::iter::once(&entry.key).chain(&entry.values);
    kept.any(|bytes| contains_any(bytes, spellings))
}

/// The SQLite file and what lies beside it.
fn database_files(world: &World) -> Vec<Vec<u8>> {
    let entries = fs::read_dir(world.directory()).expect("the directory of the world");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let names = paths.filter(|path| path.to_string_lossy().contains("countersign.db"));
    names.map(|path| fs::read(path).expect("a file")).collect()
}
