//! What else may be sent in place of a passkey's answer: nothing of it is
//! accepted, and the right answer still is.

use std::sync::Arc;
use std::time::Duration;

use countersign_domain::Error;
use countersign_domain::model::GroupId;
use serde_json::{Value, json};

use super::software_authenticator::{
    self as software, Algorithm, Ceremony, SoftwareAuthenticator, byte_string, bytes, encoded,
    es256_cose,
};
use super::{EMAIL, ORIGIN, PASSWORD, Site};

/// A change of what is said before it is signed, and of the answer after.
type Case = (&'static str, fn(&mut Ceremony), fn(&mut Value));

const JUNO: &str = "juno@example.com";

fn same<T>(_: &mut T) {}

fn say(ceremony: &mut Ceremony, name: &str, value: impl Into<Value>) {
    ceremony.client_data[name] = value.into();
}

fn flip(text: &mut Value, at: usize) {
    let mut changed = bytes(text);
    changed[at] ^= 1;
    *text = json!(encoded(&changed));
}

fn with_space(answer: &mut Value) {
    let mut text = bytes(&answer["response"]["clientDataJSON"]);
    text.push(b' ');
    answer["response"]["clientDataJSON"] = json!(encoded(&text));
}

/// The members of the client data in an array, which is signed.
fn as_array(ceremony: &mut Ceremony) {
    let data = &ceremony.client_data;
    ceremony.client_data = json!([data["type"], data["challenge"], data["origin"]]);
}

/// What is wrong in answers of either ceremony.
const BOTH: [Case; 18] = [
    ("client data that is an array", as_array, same),
    (
        "another origin",
        |c| say(c, "origin", "https://evil.example"),
        same,
    ),
    (
        "an origin below",
        |c| say(c, "origin", "https://a.id.example.com"),
        same,
    ),
    (
        "no TLS",
        |c| say(c, "origin", "http://id.example.com"),
        same,
    ),
    (
        "another relying party",
        |c| c.rp_id = "evil.example".into(),
        same,
    ),
    (
        "the host as relying party",
        |c| c.rp_id = "id.example.com".into(),
        same,
    ),
    ("another type", |c| say(c, "type", "payment.get"), same),
    (
        "another challenge",
        |c| say(c, "challenge", encoded(&[7; 32])),
        same,
    ),
    (
        "a short challenge",
        |c| say(c, "challenge", encoded(&[7; 16])),
        same,
    ),
    ("no challenge", |c| say(c, "challenge", ""), same),
    (
        "a frame of another origin",
        |c| say(c, "crossOrigin", true),
        same,
    ),
    (
        "a top origin",
        |c| say(c, "topOrigin", "https://evil.example"),
        same,
    ),
    ("nobody there", |c| c.flags &= !software::USER_PRESENT, same),
    ("backed up, and never to be", |c| c.flags |= 0x10, same),
    ("bytes after the end", |c| c.tail = vec![0], same),
    (
        "extensions that are no map",
        |c| (c.flags, c.tail) = (c.flags | 0x80, vec![0x01]),
        same,
    ),
    (
        "extensions that end early",
        |c| (c.flags, c.tail) = (c.flags | 0x80, vec![0xa1, 0x61]),
        same,
    ),
    ("an id that is not the raw id", same, |v| {
        v["id"] = json!(encoded(b"other"));
    }),
];

/// What is wrong in assertions.
const ASSERTIONS: [Case; 14] = [
    (
        "the type of a registration",
        |c| say(c, "type", "webauthn.create"),
        same,
    ),
    ("a bit of the signature", same, |v| {
        flip(&mut v["response"]["signature"], 20);
    }),
    ("no signature", same, |v| {
        v["response"]["signature"] = json!("");
    }),
    ("a raw signature", same, |v| {
        v["response"]["signature"] = json!(encoded(&[1; 64]));
    }),
    ("flags changed", same, |v| {
        flip(&mut v["response"]["authenticatorData"], 32);
    }),
    ("a counter changed", same, |v| {
        flip(&mut v["response"]["authenticatorData"], 36);
    }),
    ("client data changed", same, with_space),
    ("another credential", same, |v| {
        v["id"] = json!(encoded(b"other"));
        v["rawId"] = v["id"].clone();
    }),
    ("another user", same, |v| {
        v["response"]["userHandle"] = json!(encoded(&[1; 16]));
    }),
    ("another type of credential", same, |v| {
        v["type"] = json!("password");
    }),
    ("base64 with padding", same, |v| {
        let text = v["response"]["signature"].as_str().map(str::to_owned);
        v["response"]["signature"] = json!(text.expect("a text") + "==");
    }),
    ("no response", same, |v| v["response"] = json!(null)),
    ("short authenticator data", same, |v| {
        v["response"]["authenticatorData"] = json!(encoded(&[0; 36]));
    }),
    ("more than 16 KiB", same, |v| {
        v["padding"] = json!("x".repeat(16 * 1024));
    }),
];

#[derive(Default)]
struct Tally {
    cases: usize,
    accepted: Vec<String>,
}

impl Tally {
    fn add<T>(&mut self, name: &str, outcome: Result<T, Error>) {
        self.cases += 1;
        match outcome {
            Ok(_) => self.accepted.push(name.to_owned()),
            Err(error) => assert!(error.is_an_answer(), "{name}: {error}"),
        }
    }

    fn finish(self, what: &str) {
        let accepted = self.accepted.len();
        println!(
            "passkeys: {what}: {} cases, accepted {accepted}",
            self.cases
        );
        assert!(self.cases >= 20);
        assert_eq!(self.accepted, [""; 0]);
    }
}

fn changed(key: &SoftwareAuthenticator, options: &str, (_, before, after): Case) -> String {
    let mut ceremony = Ceremony::of(options, ORIGIN);
    before(&mut ceremony);
    let mut answer = key.assert(&ceremony);
    after(&mut answer);
    answer.to_string()
}

async fn two_people() -> (Site, SoftwareAuthenticator, SoftwareAuthenticator) {
    let site = Site::new().await;
    let key = site.enroll(EMAIL, Algorithm::Es256).await;
    site.world.user(JUNO, PASSWORD).await;
    let others = site.enroll(JUNO, Algorithm::EdDsa).await;
    (site, key, others)
}

#[tokio::test]
async fn of_wrong_answers_of_a_first_factor_none_signs_in() {
    let (site, key, others) = two_people().await;
    let mut tally = Tally::default();
    for case in BOTH.into_iter().chain(ASSERTIONS) {
        let options = site.sign_in_options().expect("options");
        let answered = site.sign_in(&changed(&key, &options, case)).await;
        tally.add(case.0, answered);
    }
    let options = site.sign_in_options().expect("options");
    let mut unnamed = key.assert(&Ceremony::of(&options, ORIGIN));
    unnamed["response"]["userHandle"] = json!(null);
    tally.add("no user handle", site.sign_in(&unnamed.to_string()).await);
    // A wrong answer keeps nobody from the right one.
    let answered = site.sign_in(&key.get(&options, ORIGIN)).await;
    answered.expect("the right answer is good");

    let options = site.sign_in_options().expect("options");
    let mut ceremony = Ceremony::of(&options, ORIGIN);
    ceremony.flags &= !software::USER_VERIFIED;
    let unverified = key.assert(&ceremony).to_string();
    tally.add("nobody verified", site.sign_in(&unverified).await);

    for (name, handle) in [("another's key", &others), ("another's key, named", &key)] {
        let options = site.sign_in_options().expect("options");
        let mut stolen = others.assert(&Ceremony::of(&options, ORIGIN));
        stolen["id"] = json!(encoded(&key.id));
        stolen["rawId"] = stolen["id"].clone();
        stolen["response"]["userHandle"] = json!(encoded(&handle.user_handle));
        tally.add(name, site.sign_in(&stolen.to_string()).await);
    }

    let made_up = json!({"challenge": encoded(&[9; 32]), "rpId": "example.com"}).to_string();
    let answered = site.sign_in(&key.get(&made_up, ORIGIN)).await;
    tally.add("unsolicited", answered);
    let options = site.sign_in_options().expect("options");
    let elsewhere = site.world.group("other").await;
    let good = key.get(&options, ORIGIN);
    let answered = site.sign_in_as(elsewhere, "gateway", &good);
    tally.add("in another group", answered.await);
    let options = site.sign_in_options().expect("options");
    let good = key.get(&options, ORIGIN);
    let answered = site.sign_in_as(GroupId::fallback(), "other", &good);
    tally.add("by another caller", answered.await);
    let asked = site.asked(EMAIL).await;
    let options = site.mfa_options(&asked.id).await.expect("options");
    let answered = site.sign_in(&key.get(&options, ORIGIN)).await;
    tally.add("the challenge of an MFA session", answered);

    let options = site.sign_in_options().expect("options");
    let good = key.get(&options, ORIGIN);
    site.sign_in(&good).await.expect("the right answer is good");
    tally.add("replayed", site.sign_in(&good).await);
    tally.finish("first factor");
}

#[tokio::test]
async fn of_wrong_answers_to_an_mfa_session_none_is_accepted() {
    let (site, key, others) = two_people().await;
    let asked = site.asked(EMAIL).await;
    let mut tally = Tally::default();
    for case in BOTH.into_iter().chain(ASSERTIONS) {
        let options = site.mfa_options(&asked.id).await.expect("options");
        let answered = site.answer(&asked.id, &changed(&key, &options, case)).await;
        tally.add(case.0, answered);
    }
    let options = site.mfa_options(&asked.id).await.expect("options");
    let answered = site.answer(&asked.id, &others.get(&options, ORIGIN)).await;
    tally.add("another user's passkey", answered);
    let answered = site.answer(&asked.id, &key.get(&options, ORIGIN)).await;
    tally.add("spent by a wrong answer", answered);

    let old = site.mfa_options(&asked.id).await.expect("options");
    let new = site.mfa_options(&asked.id).await.expect("options");
    let answered = site.answer(&asked.id, &key.get(&old, ORIGIN)).await;
    tally.add("a challenge that was replaced", answered);
    let other_session = site.asked(EMAIL).await;
    let good = key.get(&new, ORIGIN);
    let answered = site.answer(&other_session.id, &good);
    tally.add("unsolicited, of another MFA session", answered.await);
    let alone = site.sign_in_options().expect("options");
    site.mfa_options(&asked.id).await.expect("options");
    let answered = site.answer(&asked.id, &key.get(&alone, ORIGIN)).await;
    tally.add("the challenge of a first factor", answered);

    let options = site.mfa_options(&asked.id).await.expect("options");
    let good = key.get(&options, ORIGIN);
    let answered = site.answer(&asked.id, &good).await;
    answered.expect("the right answer is good");
    tally.add("replayed", site.answer(&asked.id, &good).await);
    tally.finish("second factor");
}

/// Keys that must not be taken, made of a good one of ES256.
fn wrong_keys(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let (x, y) = (&good[10..42], &good[45..]);
    let with = |at: usize, byte: u8| {
        let mut key = good.to_vec();
        key[at] = byte;
        key
    };
    let rsa = |modulus: &[u8], exponent: &[u8]| {
        let head = [0xa4, 1, 3, 3, 0x39, 1, 0, 0x20];
        let (n, e) = (byte_string(modulus), byte_string(exponent));
        [&head[..], &n, &[0x21], &e].concat()
    };
    let okp = [0xa4, 1, 1, 3, 0x26, 0x20, 6, 0x21];
    vec![
        ("a point off the curve", es256_cose(x, x)),
        ("a short coordinate", es256_cose(&x[1..], y)),
        ("the point at nothing", es256_cose(&[0; 32], &[0; 32])),
        ("ES256 said to be EdDSA", with(4, 0x27)),
        (
            "ES256 said to be ES512",
            [&good[..4], &[0x38, 0x23], &good[5..]].concat(),
        ),
        ("an algorithm of HMAC", with(4, 0x05)),
        ("another curve", with(6, 2)),
        (
            "Ed25519 said to be ES256",
            [&okp[..], &byte_string(x)].concat(),
        ),
        ("RSA of 1,024 bits", rsa(&[0xff; 128], &[1, 0, 1])),
        ("RSA with the exponent 1", rsa(&[0xff; 256], &[1])),
        ("RSA with an even modulus", rsa(&[0xfe; 256], &[1, 0, 1])),
        ("a parameter twice", [&[0xa6, 1, 2], &good[1..]].concat()),
        (
            "a parameter too many",
            [&[0xa6], &good[1..], &[0x04, 0x80]].concat(),
        ),
        (
            "a key of unknown length",
            [&[0xbf], &good[1..], &[0xff]].concat(),
        ),
        ("a key that ends early", good[..40].to_vec()),
        ("a key that is an array", vec![0x80]),
        ("arrays 10,000 deep", vec![0x81; 10_000]),
        (
            "a map of 2^60 entries",
            [&[0xbb][..], &(1_u64 << 60).to_be_bytes()].concat(),
        ),
    ]
}

type Registration<'a> = (&'a str, Box<dyn Fn(&Ceremony) -> Value + 'a>);

fn wrong_registrations<'a>(
    key: &'a SoftwareAuthenticator,
    others: &'a SoftwareAuthenticator,
) -> Vec<Registration<'a>> {
    let good = key.cose();
    let mut cases: Vec<Registration<'a>> = Vec::new();
    for (name, before, after) in BOTH {
        let make = move |ceremony: &Ceremony| {
            let mut ceremony = ceremony.clone();
            before(&mut ceremony);
            let mut answer = key.register(&ceremony);
            after(&mut answer);
            answer
        };
        cases.push((name, Box::new(make)));
    }
    for (name, cose) in wrong_keys(&good) {
        let make = move |ceremony: &Ceremony| key.register_with(ceremony, &cose, "none", &[0xa0]);
        cases.push((name, Box::new(make)));
    }
    let statement = [&[0xa1][..], &software::text("alg"), &software::int(-7)].concat();
    let formats = [
        ("another format", "fido-u2f", vec![0xa0]),
        ("none with a statement", "none", statement.clone()),
        ("a statement without a signature", "packed", statement),
    ];
    for (name, format, statement) in formats {
        let cose = good.clone();
        let make =
            move |ceremony: &Ceremony| key.register_with(ceremony, &cose, format, &statement);
        cases.push((name, Box::new(make)));
    }
    cases.push((
        "self attestation by another algorithm",
        Box::new(|ceremony| key.register_itself(ceremony, -257)),
    ));
    cases.push((
        "self attestation of other client data",
        Box::new(|ceremony| {
            let mut answer = key.register_itself(ceremony, -7);
            with_space(&mut answer);
            answer
        }),
    ));
    cases.push(("an assertion", Box::new(|ceremony| key.assert(ceremony))));
    cases.push((
        "a credential that is another user's factor",
        Box::new(|ceremony| others.register(ceremony)),
    ));
    cases
}

#[tokio::test]
async fn of_wrong_registrations_none_is_enrolled() {
    let site = Site::new().await;
    site.world.user(JUNO, PASSWORD).await;
    let others = site.enroll(JUNO, Algorithm::Es256).await;
    let mut token = site.password(EMAIL).await.into_tokens().access_token;
    let mut tally = Tally::default();
    let mut begun = site.begin(&token).await.expect("begun");
    let key = SoftwareAuthenticator::new(Algorithm::Es256, &begun.1);
    for (name, make) in wrong_registrations(&key, &others) {
        // An enrolment bears few tries.
        if tally.cases % 4 == 3 {
            site.world.clock.advance(Duration::from_secs(200));
            token = site.password(EMAIL).await.into_tokens().access_token;
            begun = site.begin(&token).await.expect("begun");
        }
        let answer = make(&Ceremony::of(&begun.1, ORIGIN)).to_string();
        tally.add(name, site.confirm(&token, begun.0, &answer).await);
    }
    let (mine, stale) = (
        site.begin(&token).await.expect("begun"),
        site.begin(&token).await.expect("begun"),
    );
    let answer = key.register(&Ceremony::of(&stale.1, ORIGIN)).to_string();
    let refused = site.confirm(&token, mine.0, &answer).await;
    tally.add("the challenge of another enrolment", refused);
    let answer = key.register_itself(&Ceremony::of(&mine.1, ORIGIN), -7);
    let enrolled = site.confirm(&token, mine.0, &answer.to_string()).await;
    enrolled.expect("the right one is enrolled");
    let refused = site.confirm(&token, mine.0, &answer.to_string()).await;
    tally.add("replayed", refused);
    let answer = key.register(&Ceremony::of(&stale.1, ORIGIN)).to_string();
    let refused = site.confirm(&token, stale.0, &answer).await;
    tally.add("the same credential again", refused);
    tally.finish("enrolment");
}

/// However many try, with a key that does not count.
#[tokio::test]
async fn of_64_same_answers_at_once_one_is_good() {
    let site = Arc::new(Site::new().await);
    let key = site.enroll(EMAIL, Algorithm::Es256).await;
    let options = site.sign_in_options().expect("options");
    let alone = Arc::new(key.get(&options, ORIGIN));
    let asked = site.asked(EMAIL).await;
    let options = site.mfa_options(&asked.id).await.expect("options");
    let second = Arc::new(key.get(&options, ORIGIN));
    let mut tasks = tokio::task::JoinSet::new();
    for member in 0..128 {
        let (site, alone, second) = (site.clone(), alone.clone(), second.clone());
        let id = asked.id.clone();
        tasks.spawn(async move {
            let is_alone = member % 2 == 0;
            let outcome = match is_alone {
                true => site.sign_in(&alone).await,
                false => site.answer(&id, &second).await,
            };
            (is_alone, outcome.is_ok())
        });
    }
    let outcomes = tasks.join_all().await;
    for alone in [true, false] {
        let good = outcomes.iter().filter(|it| **it == (alone, true));
        assert_eq!(good.count(), 1);
    }
}
